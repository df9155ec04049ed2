//! The other nodes of the segment: who is heard, who hears us, what they offer and claim.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use super::beat::{Assembly, Beat, Heard, MOST_NODES, Offer};
use super::name::{GroupId, NodeId, NodeKey};
use super::ranking::Bid;
use super::shard::ShardSet;
use crate::time::Time;

/// Every node that was heard, the dead ones too: their last numbers keep out what is replayed.
#[derive(Clone, Debug, Default)]
pub(super) struct Roll {
    // Invariant: at most `MOST_NODES` are live and at most twice as many are kept.
    peers: BTreeMap<NodeKey, Peer>,
}

/// Another node.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is something that the node said or that was seen, and none rules out another"
)]
pub(super) struct Peer {
    pub(super) id: NodeId,
    pub(super) key: NodeKey,
    pub(super) boot: u64,
    pub(super) sequence: u64,
    pub(super) changes: u16,
    pub(super) interval: Duration,
    pub(super) dead_after: Duration,
    /// When its last beat came in.
    pub(super) heard: Time,
    /// Since when it has been live without a break.
    pub(super) since: Time,
    /// Heard within its D, by this node.
    pub(super) is_direct: bool,
    /// Heard within its D, by this node or by one that this one hears.
    pub(super) is_live: bool,
    /// Until when it lives because others hear it.
    pub(super) indirect_until: Time,
    /// Which earlier start of it than the last one known others hear, while it is silent here.
    earlier: Option<Earlier>,
    /// What an earlier start of it claims, if it is not somebody who replays that.
    dispute: Option<Dispute>,
    /// Others heard a beat with other claims than are known here.
    pub(super) is_outdated: bool,
    /// When the last beat of this node left that is known to have reached it.
    pub(super) reached: Option<Time>,
    /// Since when its beats say that it hears this node; `None` when the last one does not.
    pub(super) mutual_since: Option<Time>,
    pub(super) is_listening: bool,
    /// Since when it could be handed something: it hears this node and does not listen first.
    pub(super) ready_since: Option<Time>,
    /// It was heard listening since it has been live: what it claims, it did not have before.
    pub(super) was_listening: bool,
    pub(super) is_draining: bool,
    pub(super) is_leaving: bool,
    /// It receives nothing at all, or did not until shortly ago, and does not hear this node.
    pub(super) is_deaf: bool,
    /// Until when it is not believed to receive again, unless it hears this node.
    pub(super) deaf_until: Time,
    pub(super) offers: BTreeMap<GroupId, Offer>,
    pub(super) assembly: Assembly,
    /// The last order of this node that was carried out.
    pub(super) ordered: Option<u64>,
    /// The mismatches of this incarnation that were reported: of the timing, and of groups.
    pub(super) is_timing_reported: bool,
    pub(super) reported: Vec<GroupId>,
    /// Beats of another incarnation of it that is alive at the same time.
    pub(super) rival: Rival,
}

/// What was heard of a second node with the name of a live one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rival {
    pub(super) boot: u64,
    pub(super) sequence: u64,
    beats: u8,
    /// When the first was heard.
    since: Time,
    is_reported: bool,
}

/// An earlier start of a node, with the beat of it that another node heard.
#[derive(Clone, Copy, Debug)]
struct Earlier {
    boot: u64,
    sequence: u64,
    heard: Time,
}

/// What an earlier start of a silent node claims, with the last beat that says so.
#[derive(Clone, Debug)]
struct Dispute {
    boot: u64,
    sequence: u64,
    until: Time,
    offers: BTreeMap<GroupId, Offer>,
}

/// What the numbers of a datagram say about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// From a node that is not known, or a later start of one that is.
    First,
    /// The next of a known one.
    Next,
    /// The same beat over the other family, or one overtaken by it.
    Duplicate,
    /// An old one.
    Stale,
    /// Of an earlier start than the last one known, which is silent.
    Earlier,
    /// Of an earlier start than the last one known, which is live.
    Rival,
}

impl Peer {
    fn new(id: NodeId, key: NodeKey) -> Self {
        Self {
            id,
            key,
            boot: 0,
            sequence: 0,
            changes: 0,
            interval: Duration::ZERO,
            dead_after: Duration::ZERO,
            heard: Time::ZERO,
            since: Time::ZERO,
            is_direct: false,
            is_live: false,
            indirect_until: Time::ZERO,
            earlier: None,
            dispute: None,
            is_outdated: false,
            reached: None,
            mutual_since: None,
            is_listening: false,
            ready_since: None,
            was_listening: false,
            is_draining: false,
            is_leaving: false,
            is_deaf: false,
            deaf_until: Time::ZERO,
            offers: BTreeMap::new(),
            assembly: Assembly::default(),
            ordered: None,
            is_timing_reported: false,
            reported: Vec::new(),
            rival: Rival::default(),
        }
    }

    /// When it will not have been heard within its D any more.
    pub(super) fn direct_until(&self) -> Time {
        self.heard + self.dead_after
    }

    /// When it will be dead unless heard again.
    pub(super) fn lives_until(&self) -> Time {
        self.direct_until().max(self.indirect_until)
    }

    /// May it be handed something? It hears us, we hear it, and it means to stay.
    pub(super) const fn is_candidate(&self) -> bool {
        self.is_direct && self.mutual_since.is_some() && !self.is_leaving
    }

    /// Its bid for a group that is cut into `shards` here; `None` when it is excluded, or does not
    /// know the group, or cuts it up differently.
    pub(super) fn bid(&self, group: GroupId, shards: u16) -> Option<Bid> {
        let offer = self.offers.get(&group)?;
        let offer = (offer.claims.shards() == shards).then_some(offer)?;
        Bid::new(self.key, offer.standing, self.is_draining)
    }

    /// What it claims of a group that is cut into `shards` here.
    pub(super) fn claims(&self, group: GroupId, shards: u16) -> Option<Cow<'_, ShardSet>> {
        claims(&self.offers, group, shards)
    }

    /// What an earlier start of it claims, if that may be one that nobody replays. Nobody gives way to
    /// it, but it is not to be heard last.
    pub(super) fn disputed(&self, group: GroupId, shards: u16) -> Option<Cow<'_, ShardSet>> {
        claims(&self.dispute.as_ref()?.offers, group, shards)
    }

    /// Could this start of it have claimed, unheard, what this node owned? Not before it counted this
    /// node as dead, D after the last beat that reached it, by a clock that may be faster; and not once
    /// it has left.
    pub(super) fn may_have_claimed(&self, now: Time) -> bool {
        let has_left = self.is_leaving && !self.has_claims();
        let spared = self.dead_after * 9 / 10;
        !has_left && self.reached.is_none_or(|at| at + spared <= now)
    }

    /// Does it own anything, as far as its last beat says?
    pub(super) fn has_claims(&self) -> bool {
        self.offers.values().any(|offer| !offer.claims.is_empty())
    }

    /// Do its claims keep others from claiming the same? Not when it receives nothing, so that it
    /// cannot serve; and not when it is known from others alone and they have heard newer claims.
    pub(super) const fn is_respected(&self) -> bool {
        self.is_live && !self.is_deaf && (self.is_direct || !self.is_outdated)
    }

    /// Where the numbers of a datagram stand.
    fn place(&self, boot: u64, sequence: u64) -> Order {
        if boot > self.boot {
            Order::First
        } else if boot < self.boot {
            if self.is_live {
                Order::Rival
            } else {
                Order::Earlier
            }
        } else if sequence > self.sequence {
            Order::Next
        } else if self.sequence - sequence < OVERTAKEN {
            Order::Duplicate
        } else {
            Order::Stale
        }
    }

    /// The node started again, or is heard for the first time: nothing of before counts.
    pub(super) fn restart(&mut self, boot: u64) {
        let (id, key) = (self.id.clone(), self.key);
        let assembly = std::mem::take(&mut self.assembly);
        *self = Self {
            boot,
            assembly,
            ..Self::new(id, key)
        };
    }

    /// Hears a beat of an earlier start of the node; `true`, once, when both are proved to be alive:
    /// several with rising numbers, and one of the later start long after the first of them. A node
    /// that was restarted with its clock set back is alone, so that never happens.
    pub(super) fn hear_rival(&mut self, boot: u64, sequence: u64, received: Time) -> bool {
        if boot != self.rival.boot {
            self.rival = Rival {
                boot,
                since: received,
                ..Rival::default()
            };
        }
        let rival = &mut self.rival;
        if sequence > rival.sequence {
            rival.sequence = sequence;
            rival.beats = rival.beats.saturating_add(1);
        }
        let are_alive = rival.beats >= RIVAL_BEATS && self.heard > rival.since + self.interval;
        are_alive && !std::mem::replace(&mut rival.is_reported, are_alive)
    }

    /// Notes what a beat claims that may be replayed; one that was heard before says nothing.
    pub(super) fn dispute(&mut self, beat: &Beat, received: Time) {
        let is_known = |it: &Dispute| it.boot == beat.boot && beat.sequence <= it.sequence;
        if self.dispute.as_ref().is_some_and(is_known) {
            return;
        }
        let offers = beat.offers.iter().map(|offer| (offer.group, offer.clone()));
        self.dispute = Some(Dispute {
            boot: beat.boot,
            sequence: beat.sequence,
            until: received + beat.dead_after,
            offers: offers.collect(),
        });
    }

    /// Its dispute is over; the numbers stay, to tell what is replayed.
    fn end_dispute(&mut self) {
        if let Some(dispute) = &mut self.dispute {
            dispute.offers.clear();
        }
    }

    /// Until when its dispute lasts unless another beat says more.
    fn disputes_until(&self) -> Option<Time> {
        let dispute = self.dispute.as_ref()?;
        (!dispute.offers.is_empty()).then_some(dispute.until)
    }

    /// Another node says that it heard this one; `true` when its claims turn out to have changed.
    fn hear_of(&mut self, heard: &Heard, received: Time) -> bool {
        if heard.boot < self.boot && !self.is_live {
            self.earlier = Some(Earlier {
                boot: heard.boot,
                sequence: heard.sequence,
                heard: received - heard.age,
            });
        }
        if heard.boot != self.boot || !self.is_live {
            return false;
        }
        let until = received - heard.age + self.dead_after;
        self.indirect_until = self.indirect_until.max(until);
        let is_outdated = heard.sequence > self.sequence && heard.changes != self.changes;
        is_outdated && !std::mem::replace(&mut self.is_outdated, is_outdated)
    }

    /// Is a beat of an earlier start no replay, because a node that hears this one has heard that
    /// start within D, and no later beat of it? That helps where this node is not heard itself.
    pub(super) fn is_vouched_for(&self, boot: u64, sequence: u64, received: Time) -> bool {
        let is_same = |it: Earlier| it.boot == boot && it.sequence <= sequence;
        let earlier = self.earlier.filter(|it| is_same(*it));
        earlier.is_some_and(|it| received < it.heard + self.dead_after)
    }

    /// Was an entry about it, in the list of another node, written after its last beat that was heard
    /// here, and was that within D?
    pub(super) fn dates(&self, entry: &Heard, received: Time) -> bool {
        let is_last = entry.boot == self.boot && entry.sequence >= self.sequence;
        is_last && self.is_direct && received < self.direct_until()
    }

    /// The entry of it for the own heard list.
    pub(super) fn entry(&self, now: Time) -> Heard {
        Heard {
            node: self.key,
            boot: self.boot,
            sequence: self.sequence,
            age: now - self.heard,
            changes: self.changes,
        }
    }

    /// It is not heard any more.
    fn lapse(&mut self) {
        self.is_direct = false;
        self.mutual_since = None;
        self.ready_since = None;
    }
}

/// What became of nodes because time passed.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// These are no candidates any more.
    pub(super) lapsed: bool,
    /// These are dead.
    pub(super) dead: Vec<NodeKey>,
}

impl Roll {
    /// The live ones.
    pub(super) fn live(&self) -> impl Iterator<Item = &Peer> {
        self.peers.values().filter(|peer| peer.is_live)
    }

    /// What silent nodes claim of a group, if it is they who say so.
    pub(super) fn disputes(
        &self,
        group: GroupId,
        shards: u16,
    ) -> impl Iterator<Item = Cow<'_, ShardSet>> {
        self.peers
            .values()
            .filter_map(move |peer| peer.disputed(group, shards))
    }

    /// A node by its number.
    pub(super) fn peer(&self, key: NodeKey) -> Option<&Peer> {
        self.peers.get(&key)
    }

    /// A node by its number, to be changed.
    pub(super) fn peer_mut(&mut self, key: NodeKey) -> Option<&mut Peer> {
        self.peers.get_mut(&key)
    }

    /// Where a datagram with these numbers stands.
    pub(super) fn place(&self, key: NodeKey, boot: u64, sequence: u64) -> Order {
        self.peer(key)
            .map_or(Order::First, |peer| peer.place(boot, sequence))
    }

    /// The node of this name, made known if need be; `None` when there are too many.
    pub(super) fn admit(&mut self, id: &NodeId) -> Option<&mut Peer> {
        let key = id.key();
        let is_live = self.peer(key).is_some_and(|peer| peer.is_live);
        if !is_live && self.live().count() >= MOST_NODES {
            return None;
        }
        if !self.peers.contains_key(&key) && self.peers.len() >= 2 * MOST_NODES {
            let dead = self.peers.values().filter(|peer| !peer.is_live);
            let longest = dead.min_by_key(|peer| peer.heard).map(|peer| peer.key)?;
            self.peers.remove(&longest);
        }
        Some(
            self.peers
                .entry(key)
                .or_insert_with(|| Peer::new(id.clone(), key)),
        )
    }

    /// Takes in what a beat says about the nodes that its sender hears; returns those whose claims
    /// turn out to have changed unheard by this node.
    pub(super) fn hear_of(&mut self, beat: &Beat, received: Time) -> Vec<NodeKey> {
        let mut outdated = Vec::new();
        for heard in &beat.heard {
            let peer = self.peers.get_mut(&heard.node);
            if peer.is_some_and(|peer| peer.hear_of(heard, received)) {
                outdated.push(heard.node);
            }
        }
        outdated
    }

    /// Finds whose time is over.
    pub(super) fn judge(&mut self, now: Time) -> Judgement {
        let mut judgement = Judgement::default();
        for peer in self.peers.values_mut() {
            if peer.disputes_until().is_some_and(|until| until <= now) {
                peer.end_dispute();
                judgement.lapsed = true;
            }
        }
        for peer in self.peers.values_mut().filter(|peer| peer.is_live) {
            if peer.is_direct && peer.direct_until() <= now {
                peer.lapse();
                judgement.lapsed = true;
            }
            if peer.lives_until() <= now {
                peer.is_live = false;
                judgement.dead.push(peer.key);
            }
        }
        judgement
    }

    /// The link is down: nobody is heard.
    pub(super) fn silence(&mut self) -> Vec<NodeKey> {
        let mut dead = Vec::new();
        self.peers.values_mut().for_each(Peer::end_dispute);
        for peer in self.peers.values_mut().filter(|peer| peer.is_live) {
            peer.lapse();
            peer.is_live = false;
            peer.indirect_until = Time::ZERO;
            dead.push(peer.key);
        }
        dead
    }

    /// When [`judge`](Self::judge) will find the next.
    pub(super) fn deadline(&self) -> Option<Time> {
        let next = |peer: &Peer| {
            if peer.is_direct {
                peer.direct_until()
            } else {
                peer.lives_until()
            }
        };
        let disputes = self.peers.values().filter_map(Peer::disputes_until);
        self.live().map(next).chain(disputes).min()
    }
}

fn claims(
    offers: &BTreeMap<GroupId, Offer>,
    group: GroupId,
    shards: u16,
) -> Option<Cow<'_, ShardSet>> {
    let claims = &offers.get(&group)?.claims;
    if claims.is_empty() {
        None
    } else if claims.shards() == shards {
        Some(Cow::Borrowed(claims))
    } else {
        Some(Cow::Owned(claims.rescaled(shards)))
    }
}

/// A beat over one family may be overtaken by so many over the other without being called stale.
const OVERTAKEN: u64 = 64;
/// So many beats with rising numbers while another start of the node is live are no accident.
const RIVAL_BEATS: u8 = 3;

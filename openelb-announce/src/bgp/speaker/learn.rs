//! What is learned from peers, and when the front end hears of it.

use super::member::Member;
use super::roster::MemberId;
use super::{Event, Speaker};
use crate::bgp::config::Config;
use crate::bgp::prefix::{Nlri, Prefix};
use crate::bgp::rib::{Changes, Learned, LocRib, NotLearned, Path, Received, Viewpoint};
use crate::bgp::route::{LocalAddresses, PeerName};
use crate::time::Time;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What was learned, and what is known of it outside.
#[derive(Debug, Default)]
pub(super) struct Learning {
    best: LocRib,
    /// What peers must not send us packets back to.
    own_addresses: BTreeSet<IpAddr>,
    is_complete: bool,
    /// It changed since it was last read, and an event says so.
    is_told: bool,
}

impl Speaker {
    /// The best routes that peers announced inside the ranges that their settings
    /// [import](crate::bgp::config::Settings::import), as [`LocRib`] chooses them; prefixes that this
    /// speaker announces itself are not among them.
    ///
    /// After an [`Event::Learned`] there is no other one before this was called: however fast peers
    /// change their minds, nothing piles up. O(n).
    pub fn learned(&mut self) -> Learned {
        self.learning.is_told = false;
        let routes = self.learning.best.routes();
        let foreign = routes.filter(|(prefix, _)| !self.rib.contains(**prefix));
        Learned {
            routes: foreign.map(|(_, route)| route.clone()).collect(),
            is_complete: self.learning.is_complete,
        }
    }

    /// The routes of a peer inside its imported ranges that cannot be used, and why; `None` when
    /// there is no such peer.
    pub fn not_learned(&self, peer: &PeerName) -> Option<Vec<(Nlri, NotLearned)>> {
        let member = self.roster.member(self.roster.find(peer)?)?;
        let received = member.machine.received().routes();
        let imported = received.filter(|received| received.is_imported);
        let why = |received: Received<'_>| {
            let refused = self.judge(member, &received).err();
            let announced = self.rib.contains(received.nlri.prefix);
            let hidden = || announced.then_some(NotLearned::AnnouncedHere);
            let why = refused.or_else(hidden)?;
            Some((received.nlri, why))
        };
        Some(imported.filter_map(why).collect())
    }

    /// Takes in what changed in the routes of a member.
    pub(super) fn learn_from(&mut self, id: MemberId, now: Time) {
        if let Some(member) = self.roster.member_mut(id) {
            let changed = member.machine.take_changed();
            self.select(changed);
        }
        self.check_learning(now);
    }

    /// A member goes, and its routes with it. To be called when it has no name any more.
    pub(super) fn unlearn(&mut self, id: MemberId) {
        let Some(member) = self.roster.member(id) else {
            return;
        };
        let routes = member.machine.received().routes();
        let gone = routes.filter(|route| route.is_imported);
        let gone = gone.map(|route| route.nlri.prefix).collect();
        self.select(gone);
    }

    /// The addresses of this host on its sessions may have changed, and so may what leads back to it.
    /// Costs a look at every member, and at every route only if they did change.
    pub(super) fn learn_addresses(&mut self) {
        let own = self.own_addresses();
        if std::mem::replace(&mut self.learning.own_addresses, own.clone()) != own {
            self.select_all();
        }
    }

    /// Chooses anew among everything that is imported.
    pub(super) fn select_all(&mut self) {
        let members = self.roster.named();
        let routes = members.flat_map(|(_, member)| member.machine.received().routes());
        let all = routes.filter(|route| route.is_imported);
        let all = all.map(|route| route.nlri.prefix).collect();
        self.select(all);
    }

    /// What this speaker announces changed: it may hide a learned route, or no longer.
    pub(super) fn note_announced(&mut self, changes: &Changes) {
        let best = &self.learning.best;
        if self
            .rib
            .touched(changes)
            .any(|prefix| best.contains(&prefix))
        {
            self.tell_learned();
        }
    }

    /// Calls what was learned complete, if it is time for that.
    pub(super) fn check_learning(&mut self, now: Time) {
        if !self.learning.is_complete && self.learns() && self.has_learned_all(now) {
            self.learning.is_complete = true;
            self.tell_learned();
        }
    }

    /// When what was learned counts as complete even though peers did not say that it is.
    pub(super) fn learning_deadline(&self) -> Option<Time> {
        let config = self.config.as_ref()?;
        let waits = !self.learning.is_complete && self.stopped.is_none() && self.learns();
        waits.then(|| self.started + config.deferral_time)
    }

    /// RFC 4724 section 4.1: all peers have sent End-of-RIB, or the deferral time is over. Who will
    /// come out of a range of dynamic neighbours nobody knows, so there it takes that time.
    fn has_learned_all(&self, now: Time) -> bool {
        let Some(config) = &self.config else {
            return false;
        };
        let mut members = self.roster.named().map(|(_, member)| member);
        let is_over = now >= self.started + config.deferral_time;
        is_over || (!learns_from_groups(config) && members.all(Member::has_sent_all))
    }

    /// Whether there is anybody to learn from.
    fn learns(&self) -> bool {
        let Some(config) = &self.config else {
            return false;
        };
        let mut peers = config.peers.iter();
        peers.any(|peer| !peer.settings.import.is_empty()) || learns_from_groups(config)
    }

    fn select(&mut self, mut prefixes: Vec<Prefix>) {
        if prefixes.is_empty() {
            return;
        }
        prefixes.sort_unstable();
        prefixes.dedup();
        let mut best = std::mem::take(&mut self.learning.best);
        let mut is_changed = false;
        for prefix in prefixes {
            let paths = self.roster.named().filter_map(|(_, member)| {
                let received = member.machine.received().imported(prefix)?;
                self.judge(member, &received).ok()
            });
            is_changed |= best.select(prefix, paths.collect());
        }
        self.learning.best = best;
        if is_changed {
            self.tell_learned();
        }
    }

    fn tell_learned(&mut self) {
        if !std::mem::replace(&mut self.learning.is_told, true) {
            let prefixes = self.learning.best.prefixes();
            self.report(Event::Learned { prefixes });
        }
    }

    fn judge<'a>(
        &self,
        member: &'a Member,
        received: &Received<'a>,
    ) -> Result<Path<'a>, NotLearned> {
        let neighbor = &member.neighbor;
        let speaker = self.config.as_ref().map(|config| config.asn);
        let view = Viewpoint {
            own_as: [neighbor.local_as, speaker.unwrap_or(neighbor.local_as)],
            router_id: neighbor.router_id,
            own_addresses: &self.learning.own_addresses,
            own_link_local: self.addresses_of(member).and_then(|it| it.v6_link_local),
            interface: neighbor.remote.interface(),
        };
        Path::judge(&neighbor.name, received, &view)
    }

    /// The addresses of this host, as far as its sessions tell.
    fn own_addresses(&self) -> BTreeSet<IpAddr> {
        let mut all = BTreeSet::new();
        for (_, member) in self.roster.named() {
            let Some(addresses) = self.addresses_of(member) else {
                continue;
            };
            let session = Some(addresses.session).filter(|it| !is_link_local(*it));
            all.extend(session);
            all.extend(addresses.v4.map(IpAddr::from));
            all.extend(addresses.v6_global.map(IpAddr::from));
        }
        all
    }

    /// Our addresses on the session with a member.
    fn addresses_of(&self, member: &Member) -> Option<LocalAddresses> {
        let session = member.session.as_ref()?;
        let changed = member.machine.connection();
        let changed = changed.and_then(|it| self.roster.addresses(it));
        Some(changed.unwrap_or(session.negotiated.addresses))
    }
}

fn learns_from_groups(config: &Config) -> bool {
    let mut groups = config.dynamic.iter();
    groups.any(|group| !group.settings.import.is_empty())
}

const fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

impl Member {
    /// Whether nothing more is to be waited for before what is learned of it counts as complete. A
    /// peer without graceful restart never says so, and has to be waited for.
    fn has_sent_all(&self) -> bool {
        let settings = &self.neighbor.settings;
        if settings.import.is_empty() || settings.admin_down.is_some() {
            return true;
        }
        let session = self.session.as_ref();
        session.is_some_and(|session| {
            let mut families = session.negotiated.families.iter();
            families.all(|family| self.machine.complete().contains(family))
        })
    }
}

//! What a peer announces: always counted, kept only when asked for (RFC 4271 section 3.2).

use crate::bgp::asn::Asn;
use crate::bgp::attribute::Attributes;
use crate::bgp::family::{Family, PerFamily};
use crate::bgp::message::Update;
use crate::bgp::next_hop::NextHop;
use crate::bgp::policy::{Disposition, Policy, Subject, Subjected};
use crate::bgp::prefix::Nlri;
use crate::bgp::route::PeerName;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use std::net::IpAddr;
use std::sync::Arc;

/// The routes of one peer.
///
/// Without a limit and without keeping it has constant size, whatever the peer sends.
#[derive(Debug)]
pub struct AdjRibIn {
    keep: Keep,
    counts: PerFamily<ReceivedCounts>,
    // Empty unless there is a limit or routes are kept; never more than `bound` of a family.
    known: HashMap<Nlri, Known>,
}

/// What is done with received routes.
#[derive(Clone, Debug, PartialEq)]
pub struct Keep {
    /// How many prefixes of a family the peer may announce; more end the session.
    pub prefix_limit: Option<u32>,
    /// Whether routes are kept; else they are only counted.
    pub routes: bool,
    /// Which routes are kept. What it does not accept is not (RFC 8212).
    pub policy: Arc<Policy>,
    /// The peer's name, which the policy may ask for.
    pub peer: PeerName,
    /// The peer's address, which the policy may ask for.
    pub remote: Option<IpAddr>,
    /// Our AS on the session.
    pub local_as: Asn,
    /// Whether the peer is in our AS.
    pub ibgp: bool,
}

impl Keep {
    /// Counts what `peer` announces, and keeps nothing.
    pub fn nothing(peer: PeerName) -> Self {
        Self {
            prefix_limit: None,
            routes: false,
            policy: Arc::new(Policy::reject_all()),
            peer,
            remote: None,
            local_as: Asn::default(),
            ibgp: false,
        }
    }
}

/// How much a peer announced in a family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceivedCounts {
    /// Announcements since the session came up, repeated ones included.
    pub announced: u64,
    /// Withdrawals since the session came up.
    pub withdrawn: u64,
    /// The prefixes announced now; zero unless there is a limit or routes are kept.
    pub prefixes: usize,
    /// The kept routes that wait to be confirmed after a restart of the peer.
    pub stale: usize,
    /// Announcements that were not kept because memory is bounded.
    pub dropped: u64,
}

/// A kept route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// The destination and, under add-path, the path.
    pub nlri: Nlri,
    /// What the peer says about it, changed by the policy.
    pub attributes: &'a Attributes,
    /// Where the peer says that it leads.
    pub next_hop: NextHop,
    /// Whether it waits to be confirmed after a restart of the peer (RFC 4724 section 4.2).
    pub is_stale: bool,
}

/// The peer announced more prefixes than it may: Cease/Maximum Number of Prefixes Reached
/// (RFC 4486 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the peer announced more than {limit} {family} prefixes; raise its limit or filter there")]
pub struct PrefixLimitExceeded {
    /// The family.
    pub family: Family,
    /// The limit.
    pub limit: u32,
}

#[derive(Debug)]
struct Known {
    // `None` when the policy does not accept it, or nothing is kept.
    route: Option<(Arc<Attributes>, NextHop)>,
    is_stale: bool,
}

impl AdjRibIn {
    /// Without routes.
    pub fn new(keep: Keep) -> Self {
        Self {
            keep,
            counts: PerFamily::default(),
            known: HashMap::new(),
        }
    }

    /// Takes what an UPDATE says. On an error the session must end.
    pub fn apply(&mut self, update: &Update<'_>) -> Result<(), PrefixLimitExceeded> {
        for nlri in update.withdrawn() {
            self.counts[nlri.prefix.family()].withdrawn += 1;
            self.forget(nlri);
        }
        let is_tracked = self.keep.routes || self.keep.prefix_limit.is_some();
        let attributes = self.keep.routes.then(|| Arc::new(update.attributes()));
        for reach in update.reached() {
            let route = attributes
                .as_ref()
                .map(|attributes| (attributes, reach.next_hop));
            for nlri in reach.nlri {
                self.counts[nlri.prefix.family()].announced += 1;
                if is_tracked {
                    self.learn(nlri, route)?;
                }
            }
        }
        Ok(())
    }

    /// How much the peer announced.
    pub const fn counts(&self) -> PerFamily<ReceivedCounts> {
        self.counts
    }

    /// The kept routes, in no order.
    pub fn routes(&self) -> impl Iterator<Item = Received<'_>> {
        self.known.iter().filter_map(|(nlri, known)| {
            let (attributes, next_hop) = known.route.as_ref()?;
            Some(Received {
                nlri: *nlri,
                attributes,
                next_hop: *next_hop,
                is_stale: known.is_stale,
            })
        })
    }

    /// The session is gone, but the peer restarts and its routes stay for now (RFC 4724 section
    /// 4.2). Those that were stale before are removed: a second restart does not lengthen the wait.
    pub fn mark_stale(&mut self, family: Family) {
        self.sweep_stale(family);
        for (_, known) in self.of_family(family) {
            known.is_stale = true;
        }
        self.counts[family].stale = self.counts[family].prefixes;
    }

    /// The peer sent End-of-RIB, or its time is over: what it did not confirm is gone. Returns how
    /// many prefixes that were.
    pub fn sweep_stale(&mut self, family: Family) -> usize {
        // A peer may repeat the mark as often as it likes: only what it covers costs anything.
        if self.counts[family].stale == 0 {
            return 0;
        }
        self.known
            .retain(|nlri, known| nlri.prefix.family() != family || !known.is_stale);
        let counts = &mut self.counts[family];
        let gone = std::mem::take(&mut counts.stale);
        counts.prefixes -= gone;
        gone
    }

    /// The session is gone, and with it all its routes and counts of `family`.
    pub fn clear(&mut self, family: Family) {
        self.known.retain(|nlri, _| nlri.prefix.family() != family);
        self.counts[family] = ReceivedCounts::default();
    }

    fn of_family(&mut self, family: Family) -> impl Iterator<Item = (&Nlri, &mut Known)> {
        let known = self.known.iter_mut();
        known.filter(move |(nlri, _)| nlri.prefix.family() == family)
    }

    fn forget(&mut self, nlri: Nlri) {
        if let Some(known) = self.known.remove(&nlri) {
            let counts = &mut self.counts[nlri.prefix.family()];
            counts.prefixes -= 1;
            counts.stale -= usize::from(known.is_stale);
        }
    }

    fn learn(
        &mut self,
        nlri: Nlri,
        route: Option<(&Arc<Attributes>, NextHop)>,
    ) -> Result<(), PrefixLimitExceeded> {
        let route = route.and_then(|(attributes, next_hop)| {
            let attributes = self.keep.accepted(nlri, attributes)?;
            Some((attributes, next_hop))
        });
        let family = nlri.prefix.family();
        let counts = &mut self.counts[family];
        let known = Known {
            route,
            is_stale: false,
        };
        match self.known.entry(nlri) {
            Entry::Occupied(mut entry) => {
                counts.stale -= usize::from(entry.insert(known).is_stale);
            }
            Entry::Vacant(entry) => match self.keep.prefix_limit {
                Some(limit) if counts.prefixes >= limit as usize => {
                    return Err(PrefixLimitExceeded { family, limit });
                }
                None if counts.prefixes >= MAX_KEPT => counts.dropped += 1,
                _ => {
                    entry.insert(known);
                    counts.prefixes += 1;
                }
            },
        }
        Ok(())
    }
}

impl Keep {
    /// The attributes with which a route is kept, if it is.
    fn accepted(&self, nlri: Nlri, attributes: &Arc<Attributes>) -> Option<Arc<Attributes>> {
        if self.policy.is_empty() {
            let accepts = self.policy.default_disposition() == Disposition::Accept;
            return accepts.then(|| Arc::clone(attributes));
        }
        let subject = Subject {
            peer: &self.peer,
            group: None,
            remote: self.remote,
            family: nlri.prefix.family(),
            matches: self.policy.prefix_matches(&nlri.prefix),
            local_as: self.local_as,
            ibgp: self.ibgp,
        };
        let mut route = Subjected {
            attributes: Attributes::clone(attributes),
            next_hop: None,
        };
        let decision = self.policy.evaluate(&subject, &mut route);
        (decision.disposition == Disposition::Accept).then(|| Arc::new(route.attributes))
    }
}

/// How many routes of a family are kept when no limit was set: at about 100 octets each, some 10 MB.
const MAX_KEPT: usize = 100_000;

#[cfg(test)]
mod tests;

//! What a peer announces: always counted, kept only when asked for (RFC 4271 section 3.2).

use crate::bgp::asn::{Asn, RouterId};
use crate::bgp::attribute::Attributes;
use crate::bgp::family::{Family, PerFamily};
use crate::bgp::message::Update;
use crate::bgp::next_hop::NextHop;
use crate::bgp::policy::{Disposition, Policy, PrefixRange, Subject, Subjected};
use crate::bgp::prefix::{Nlri, Prefix};
use crate::bgp::route::PeerName;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use std::cell::LazyCell;
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
    // Prefixes of imported routes that came, changed or went since they were last taken.
    changed: Vec<Prefix>,
}

/// What is done with received routes.
#[derive(Clone, Debug, PartialEq)]
pub struct Keep {
    /// How many prefixes of a family the peer may announce; more end the session.
    pub prefix_limit: Option<u32>,
    /// Whether all routes are kept; else they are only counted, unless they are imported.
    pub routes: bool,
    /// The routes inside these ranges are imported: kept, for route selection to choose from. None
    /// unless somebody names them (RFC 8212).
    pub import: Vec<PrefixRange>,
    /// Which routes are kept. What it does not accept is not.
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
            import: Vec::new(),
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
    /// Who brought it into the autonomous system, as a route reflector says (RFC 4456 section 8).
    pub originator: Option<RouterId>,
    /// Whether it is inside the ranges that are imported.
    pub is_imported: bool,
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
    route: Option<Kept>,
    is_stale: bool,
}

#[derive(Clone, Debug)]
struct Kept {
    attributes: Arc<Attributes>,
    next_hop: NextHop,
    originator: Option<RouterId>,
    is_imported: bool,
}

impl Known {
    fn is_imported(&self) -> bool {
        self.route.as_ref().is_some_and(|route| route.is_imported)
    }

    fn show(&self, nlri: Nlri) -> Option<Received<'_>> {
        let route = self.route.as_ref()?;
        Some(Received {
            nlri,
            attributes: &route.attributes,
            next_hop: route.next_hop,
            originator: route.originator,
            is_imported: route.is_imported,
            is_stale: self.is_stale,
        })
    }
}

impl AdjRibIn {
    /// Without routes.
    pub fn new(keep: Keep) -> Self {
        Self {
            keep,
            counts: PerFamily::default(),
            known: HashMap::new(),
            changed: Vec::new(),
        }
    }

    /// Keeps what `keep` says from now on. Where only the imported ranges differ, what is kept under
    /// both stays, so that traffic that follows it does not stop; else all routes go. Those that are
    /// missing have to be asked for.
    pub fn reconfigure(&mut self, keep: Keep) {
        let import = keep.import.clone();
        let former = std::mem::replace(&mut self.keep, keep);
        if former
            == (Keep {
                import: former.import.clone(),
                ..self.keep.clone()
            })
        {
            self.import_only(&import);
            return;
        }
        let imported = self.known.iter().filter(|(_, known)| known.is_imported());
        self.changed.extend(imported.map(|(nlri, _)| nlri.prefix));
        self.known.clear();
        self.counts = PerFamily::default();
    }

    /// Takes what an UPDATE says. On an error the session must end.
    pub fn apply(&mut self, update: &Update<'_>) -> Result<(), PrefixLimitExceeded> {
        for nlri in update.withdrawn() {
            self.counts[nlri.prefix.family()].withdrawn += 1;
            self.forget(nlri);
        }
        let attributes = LazyCell::new(|| Arc::new(update.attributes()));
        for reach in update.reached() {
            for nlri in reach.nlri {
                self.counts[nlri.prefix.family()].announced += 1;
                let is_imported = self.keep.imports(&nlri.prefix);
                if !is_imported && !self.keep.routes {
                    self.learn(nlri, None)?;
                    continue;
                }
                let accepted = self.keep.accepted(nlri, &attributes);
                let route = accepted.map(|attributes| Kept {
                    attributes,
                    next_hop: reach.next_hop,
                    originator: update.originator(),
                    is_imported,
                });
                self.learn(nlri, route)?;
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
        let known = self.known.iter();
        known.filter_map(|(nlri, known)| known.show(*nlri))
    }

    /// The route to `prefix`, if it is kept and inside the ranges that are imported. O(1).
    ///
    /// Several paths of one prefix are never asked for (RFC 7911), so there is one at most.
    pub fn imported(&self, prefix: Prefix) -> Option<Received<'_>> {
        let nlri = Nlri::from(prefix);
        let known = self.known.get(&nlri).filter(|known| known.is_imported())?;
        known.show(nlri)
    }

    /// The prefixes whose imported route came, changed or went since this was last asked, in no order
    /// and perhaps several times; at most as many as the inputs since then named.
    pub fn take_changed(&mut self) -> Vec<Prefix> {
        std::mem::take(&mut self.changed)
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
        self.drop_those(|nlri, known| nlri.prefix.family() == family && known.is_stale);
        let counts = &mut self.counts[family];
        let gone = std::mem::take(&mut counts.stale);
        counts.prefixes -= gone;
        gone
    }

    /// The session is gone, and with it all its routes and counts of `family`.
    pub fn clear(&mut self, family: Family) {
        self.drop_those(|nlri, _| nlri.prefix.family() == family);
        self.counts[family] = ReceivedCounts::default();
    }

    fn of_family(&mut self, family: Family) -> impl Iterator<Item = (&Nlri, &mut Known)> {
        let known = self.known.iter_mut();
        known.filter(move |(nlri, _)| nlri.prefix.family() == family)
    }

    fn forget(&mut self, nlri: Nlri) {
        if let Some(known) = self.known.remove(&nlri) {
            self.changed
                .extend(known.is_imported().then_some(nlri.prefix));
            let counts = &mut self.counts[nlri.prefix.family()];
            counts.prefixes -= 1;
            counts.stale -= usize::from(known.is_stale);
        }
    }

    /// Drops what `is_gone` says; the counts are the caller's.
    fn drop_those(&mut self, is_gone: impl Fn(&Nlri, &Known) -> bool) {
        let changed = &mut self.changed;
        self.known.retain(|nlri, known| {
            let goes = is_gone(nlri, known);
            changed.extend((goes && known.is_imported()).then_some(nlri.prefix));
            !goes
        });
    }

    /// Other ranges are imported: what is not in them any more goes, or is only kept.
    fn import_only(&mut self, import: &[PrefixRange]) {
        let mut gone = Vec::new();
        for (nlri, known) in &mut self.known {
            let Some(route) = &mut known.route else {
                continue;
            };
            let was_imported = route.is_imported;
            route.is_imported = import.iter().any(|range| range.contains(&nlri.prefix));
            if route.is_imported != was_imported {
                self.changed.push(nlri.prefix);
            }
            if !route.is_imported && !self.keep.routes {
                known.route = None;
            }
            if known.route.is_none() && !self.keep.counts_prefixes() {
                gone.push(*nlri);
            }
        }
        for nlri in gone {
            self.forget(nlri);
        }
    }

    fn learn(&mut self, nlri: Nlri, route: Option<Kept>) -> Result<(), PrefixLimitExceeded> {
        if route.is_none() && !self.keep.counts_prefixes() {
            self.forget(nlri);
            return Ok(());
        }
        let family = nlri.prefix.family();
        let counts = &mut self.counts[family];
        let known = Known {
            route,
            is_stale: false,
        };
        let is_imported = known.is_imported();
        match self.known.entry(nlri) {
            Entry::Occupied(mut entry) => {
                let former = entry.insert(known);
                counts.stale -= usize::from(former.is_stale);
                let concerns = is_imported || former.is_imported();
                self.changed.extend(concerns.then_some(nlri.prefix));
            }
            Entry::Vacant(entry) => match self.keep.prefix_limit {
                Some(limit) if counts.prefixes >= limit as usize => {
                    return Err(PrefixLimitExceeded { family, limit });
                }
                None if counts.prefixes >= MAX_KEPT => counts.dropped += 1,
                _ => {
                    entry.insert(known);
                    counts.prefixes += 1;
                    self.changed.extend(is_imported.then_some(nlri.prefix));
                }
            },
        }
        Ok(())
    }
}

impl Keep {
    fn imports(&self, prefix: &Prefix) -> bool {
        self.import.iter().any(|range| range.contains(prefix))
    }

    /// Are prefixes without a kept route remembered too?
    const fn counts_prefixes(&self) -> bool {
        self.routes || self.prefix_limit.is_some()
    }

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

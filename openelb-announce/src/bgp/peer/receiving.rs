//! The peer's routes while its session comes and goes: the receiving side of graceful restart
//! (RFC 4724 section 4.2, RFC 8538 section 4).

use super::ending::End;
use super::{Event, Peer, Timer};
use crate::bgp::config::Neighbor;
use crate::bgp::family::{Family, FamilySet};
use crate::bgp::policy::Policy;
use crate::bgp::rib::{AdjRibIn, Keep};
use crate::bgp::session::Negotiated;
use crate::time::Time;
use std::sync::Arc;
use std::time::Duration;

/// What `neighbor` wants remembered of the peer's routes.
fn keep(neighbor: &Neighbor) -> Keep {
    Keep {
        prefix_limit: neighbor.settings.prefix_limit,
        routes: neighbor.settings.keep_received,
        import: neighbor.settings.import.clone(),
        policy: Arc::new(Policy::default()),
        local_as: neighbor.local_as,
        remote: neighbor.remote.address(),
        ..Keep::nothing(neighbor.name.clone())
    }
}

/// An empty table for the routes of `neighbor`.
pub(super) fn table(neighbor: &Neighbor) -> AdjRibIn {
    AdjRibIn::new(keep(neighbor))
}

impl Peer {
    /// Other routes are to be remembered from now on: those that are gone come again on request.
    pub(super) fn change_import(&mut self, before: &Neighbor) {
        if keep(before) == keep(&self.neighbor) {
            return;
        }
        self.received.reconfigure(keep(&self.neighbor));
        for family in Family::ALL {
            self.ask_for_routes(family);
        }
    }

    /// The session ended: the routes stay for the peer's restart time, or they go.
    pub(super) fn keep_or_forget(&mut self, end: &End, agreed: &Negotiated, now: Time) {
        let restart = agreed.peer_restart.filter(|it| !it.families.is_empty());
        let Some(restart) = restart.filter(|_| end.lets_routes_stay(agreed)) else {
            return self.forget_routes();
        };
        for family in Family::ALL {
            if restart.families.contains(family) {
                self.received.mark_stale(family);
            } else {
                self.received.clear(family);
            }
        }
        self.timers.set(Timer::Stale, now + restart.time);
        let counts = self.received.counts();
        if counts.iter().any(|(_, counts)| counts.stale > 0) {
            self.report(Event::RoutesKept { time: restart.time });
        }
    }

    /// The session is up: the routes of families for which the peer did not keep forwarding go, all
    /// others wait for the peer to send them again.
    pub(super) fn begin_receiving(&mut self, agreed: &Negotiated, now: Time) {
        self.complete = FamilySet::EMPTY;
        if self.timers.deadline(Timer::Stale).is_none() {
            return self.forget_routes();
        }
        let kept = agreed
            .peer_restart
            .map_or(FamilySet::EMPTY, |it| it.forwarding);
        for family in Family::ALL {
            if !kept.contains(family) {
                self.received.sweep_stale(family);
            }
        }
        self.timers.set(Timer::Stale, now + STALE_TIME);
    }

    /// The peer has sent everything: what it did not send again is gone.
    pub(super) fn end_of_rib(&mut self, family: Family) {
        self.received.sweep_stale(family);
        if self.complete.insert(family) {
            self.report(Event::EndOfRib(family));
        }
    }

    /// The peer sends all routes of a family again: what it does not name until the end is gone
    /// (RFC 7313 section 4).
    pub(super) fn begin_refresh(&mut self, family: Family, now: Time) {
        self.received.mark_stale(family);
        self.timers.set(Timer::Stale, now + STALE_TIME);
    }

    /// It has sent them all.
    pub(super) fn end_refresh(&mut self, family: Family) {
        self.received.sweep_stale(family);
    }

    /// The peer did not come back, or did not say that it sent everything.
    pub(super) fn forget_stale(&mut self) {
        let families = Family::ALL.into_iter();
        let gone: usize = families
            .map(|family| self.received.sweep_stale(family))
            .sum();
        if gone > 0 {
            self.report(Event::StaleRoutesForgotten);
        }
    }

    pub(super) fn forget_routes(&mut self) {
        for family in Family::ALL {
            self.received.clear(family);
        }
        self.timers.clear(Timer::Stale);
    }
}

/// How long a peer may take to send everything again; RFC 4724 section 4.2 leaves it open. As long as
/// we would wait ourselves (the deferral time of section 4.1).
const STALE_TIME: Duration = Duration::from_mins(6);

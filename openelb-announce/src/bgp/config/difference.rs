//! Which changes of a configuration cost the session.

use super::{FamilySettings, Neighbor, Settings};
use crate::bgp::family::Family;

impl Neighbor {
    /// The field whose change needs a new session with the peer; `None`: all that differs between the
    /// two applies to the session as it is.
    pub fn session_differs(&self, other: &Self) -> Option<&'static str> {
        first([
            ("remote", self.remote != other.remote),
            ("local_as", self.local_as != other.local_as),
            ("router_id", self.router_id != other.router_id),
        ])
        .or_else(|| self.settings.session_differs(&other.settings))
    }
}

impl Settings {
    /// The field whose change needs a new session; `None`: all that differs applies live.
    ///
    /// A session is its TCP connection and what the two OPENs said: only what is part of these needs
    /// a new one. `local_as` is compared by [`Neighbor::session_differs`], after the speaker's AS was
    /// put in its place.
    pub fn session_differs(&self, other: &Self) -> Option<&'static str> {
        let (timers, others) = (self.timers, other.timers);
        first([
            ("remote_as", self.remote_as != other.remote_as),
            ("transport", self.transport != other.transport),
            ("password", self.password != other.password),
            ("hold", timers.hold_time() != others.hold_time()),
            ("keepalive", timers.keepalive != others.keepalive),
            (
                "families",
                self.offer_of_families() != other.offer_of_families(),
            ),
            (
                "graceful_restart",
                self.graceful_restart != other.graceful_restart,
            ),
            (
                "extended_messages",
                self.extended_messages != other.extended_messages,
            ),
            (
                "extended_next_hop",
                self.extended_next_hop != other.extended_next_hop,
            ),
            ("route_refresh", self.route_refresh != other.route_refresh),
        ])
    }

    /// What the OPEN says about families; nothing about those that are not offered.
    fn offer_of_families(&self) -> [Option<FamilySettings>; 2] {
        Family::ALL.map(|family| Some(self.families[family]).filter(|offer| offer.enabled))
    }
}

fn first<const N: usize>(fields: [(&'static str, bool); N]) -> Option<&'static str> {
    let differs = |(field, differs): (&'static str, bool)| differs.then_some(field);
    fields.into_iter().find_map(differs)
}

//! Speakers that take part in virtual routers.

use super::{HostId, Network};
use crate::sim::datagram;
use crate::sim::speaker::{Happening, Router};
use crate::vrrp::{Family, Settings, State};

impl Network {
    /// Lets a speaker take part in a virtual router: it answers for its addresses, with its own
    /// hardware address, while it is Active.
    pub fn route(&mut self, speaker: HostId, settings: Settings) {
        let (ipv4, ipv6) = datagram::own_addresses(self.mac(speaker));
        let primary = match settings.family {
            Family::Ipv4 => ipv4.into(),
            Family::Ipv6 => ipv6.into(),
        };
        self.happen(
            speaker,
            Happening::Route(Box::new(Router::new(settings, primary))),
        );
    }

    /// Tells a speaker's virtual routers how fit it is.
    pub fn set_priority(&mut self, speaker: HostId, priority: u8) {
        self.happen(speaker, Happening::Priority(priority));
    }

    /// Lets a speaker leave its virtual routers, with a word if it is Active.
    pub fn shut_down(&mut self, speaker: HostId) {
        self.happen(speaker, Happening::Shutdown);
    }

    /// The state of a speaker's first virtual router of that family.
    pub fn router(&self, speaker: HostId, family: Family) -> Option<State> {
        self.speaker(speaker)?.router(family)
    }
}

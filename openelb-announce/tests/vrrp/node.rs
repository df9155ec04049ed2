//! Our end: virtual routers on a host of the test, and what happened to them.

use openelb_announce::announcer::{
    Announcer, Desired, Event, Options, RouterName, RouterStatus, VirtualRouter,
};
use openelb_announce::vrrp::{self, Family, Interval, Settings, State, Vrid};

use crate::world::{Host, eventually};

pub(crate) const BOTH: [Family; 2] = [Family::Ipv4, Family::Ipv6];
/// The virtual addresses of every test.
pub(crate) const VIP4: &str = "192.0.2.100";
pub(crate) const VIP6: &str = "2001:db8::100";
pub(crate) const LINK_LOCAL: &str = "fe80::100";
pub(crate) const VRID: u8 = 51;
/// Adverts every tenth of a second, as hundredths.
pub(crate) const FAST: u16 = 10;

/// A running announcer.
pub(crate) struct Node {
    pub(crate) announcer: Announcer,
}

impl Node {
    /// Starts an announcer on `host` with these virtual routers.
    pub(crate) fn start(host: &Host, routers: Vec<VirtualRouter>) -> Self {
        host.run(|| Self::start_here(routers))
    }

    /// The same, where this thread is.
    pub(crate) fn start_here(routers: Vec<VirtualRouter>) -> Self {
        let options = Options {
            configures_links: true,
            ..Options::default()
        };
        let announcer = Announcer::start(options).unwrap();
        let node = Self { announcer };
        node.set(routers);
        node
    }

    /// These virtual routers and no others.
    pub(crate) fn set(&self, routers: Vec<VirtualRouter>) {
        let desired = Desired {
            routers,
            ..Desired::default()
        };
        self.announcer.set(desired).unwrap();
    }

    /// The only virtual router of a family.
    pub(crate) fn status(&self, family: Family) -> RouterStatus {
        let mut statuses = self.announcer.routers().into_iter();
        let found = statuses.find(|status| status.family == family);
        found.unwrap_or_else(|| panic!("no virtual router of {family}"))
    }

    pub(crate) fn is(&self, family: Family, state: State) -> bool {
        self.status(family).state == state
    }

    pub(crate) fn until(&self, family: Family, state: State) {
        eventually(
            &format!("our {family} router is {state}: {:?}", self.status(family)),
            || self.is(family, state),
        );
    }

    pub(crate) fn until_both(&self, state: State) {
        self.until(Family::Ipv4, state);
        self.until(Family::Ipv6, state);
    }

    /// What the virtual routers reported since last asked.
    pub(crate) fn events(&self) -> Vec<vrrp::Event> {
        let waiting = std::iter::from_fn(|| self.announcer.events().try_recv().ok());
        let of_routers = waiting.filter_map(|event| match event {
            Event::Router { event, .. } => Some(event),
            _ => None,
        });
        of_routers.collect()
    }
}

/// The virtual router of a family on `eth0`, with adverts every tenth of a second.
pub(crate) fn router(family: Family, priority: u8) -> VirtualRouter {
    let addresses = addresses(family).iter().map(|it| it.parse().unwrap());
    let vrid = Vrid::new(VRID).unwrap();
    VirtualRouter {
        name: RouterName::new(&format!("{family}/{VRID}")),
        interface: "eth0".parse().unwrap(),
        settings: Settings {
            priority,
            interval: Interval::from_centiseconds(FAST).unwrap(),
            ..Settings::new(vrid, addresses.collect())
        },
        virtual_mac: false,
    }
}

/// One of each family.
pub(crate) fn routers(priority: u8) -> Vec<VirtualRouter> {
    BOTH.map(|family| router(family, priority)).to_vec()
}

/// The virtual addresses of a family, in the order of the wire.
pub(crate) fn addresses(family: Family) -> &'static [&'static str] {
    match family {
        Family::Ipv4 => &[VIP4],
        Family::Ipv6 => &[LINK_LOCAL, VIP6],
    }
}

/// Waits until `client` finds the address of a family at the hardware address `mac`. It may take more
/// than one question on a machine that is busy with other work.
pub(crate) fn until_found_at(client: &Host, family: Family, mac: &str) {
    eventually(&format!("{family} is found at {mac}"), || {
        client.resolve(vip(family)).as_deref() == Some(mac)
    });
}

/// The address of a family that clients use.
pub(crate) fn vip(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => VIP4,
        Family::Ipv6 => VIP6,
    }
}

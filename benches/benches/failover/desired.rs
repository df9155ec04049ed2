//! What a node of ours is told to do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::SystemTime;

use openelb_announce::announcer::{
    Announcement, Desired, Election, Owner, RouterName, VirtualRouter,
};
use openelb_announce::claim::Probe;
use openelb_announce::ownership::{
    Group, GroupName, Key, KeyRing, NodeId, Profile, Settings, Standing,
};
use openelb_announce::vrrp::{self, Interval, Vrid};

use super::contender::{Adverts, VRID, priority};
use super::keepalived::LINK_LOCAL;
use super::node::{Crowd, Role};
use super::world::ADDRESSES;

/// The whole set of a role, on the node with this number.
pub(crate) fn of(role: Role, number: u8) -> Desired {
    match role {
        Role::Echo | Role::Floor(_) => Desired::default(),
        Role::Election(profile) => Desired {
            // Both families are one unit: they move together.
            announcements: ADDRESSES.map(|it| elected(it, "service".into())).to_vec(),
            election: Some(election(profile, number, 0)),
            routers: Vec::new(),
        },
        Role::Vrrp(adverts) => Desired {
            announcements: ADDRESSES.map(|it| on_eth0(it, routed(it))).to_vec(),
            election: None,
            routers: ADDRESSES.map(|it| router(it, adverts, number)).to_vec(),
        },
        Role::Crowd(crowd) => Desired {
            announcements: addresses(crowd)
                .map(|address| elected(address, address.to_string().into()))
                .collect(),
            // The first node owns everything, and nobody shares with whoever is next.
            election: Some(election(crowd.profile, number, 3 - number)),
            routers: Vec::new(),
        },
    }
}

/// The addresses of a crowd. Those of IPv6 share their low 24 bits, so one solicited-node group
/// serves them all.
pub(crate) fn addresses(crowd: Crowd) -> impl Iterator<Item = IpAddr> {
    (0..crowd.count).map(move |number| {
        if crowd.is_ipv6 {
            let first = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0x100);
            Ipv6Addr::from_bits(first.to_bits() | u128::from(number) << 32).into()
        } else {
            let first = Ipv4Addr::new(198, 18, 0, 0);
            Ipv4Addr::from_bits(first.to_bits() + number).into()
        }
    })
}

fn elected(address: IpAddr, unit: std::sync::Arc<str>) -> Announcement {
    let group = GroupName::default();
    on_eth0(address, Owner::Elected { group, unit })
}

fn on_eth0(address: IpAddr, owner: Owner) -> Announcement {
    Announcement {
        address,
        interfaces: "eth0".parse().unwrap(),
        probe: Probe::Skip,
        owner,
    }
}

/// The election of a node whose preference says whom addresses prefer.
pub(crate) fn election(profile: Profile, number: u8, preference: u8) -> Election {
    let keys = KeyRing::new(Key::new(b"only for measuring").unwrap(), []);
    let node = NodeId::new(&format!("node-{number}")).unwrap();
    let mut settings = Settings::new(node, wall_clock(), keys);
    settings.timing = profile.timing();
    // Only faults move an address here.
    settings.preempt = false;
    let standing = Standing::Eligible {
        weight: 100,
        preference,
    };
    let group = Group {
        name: GroupName::default(),
        shards: 256,
        standing,
    };
    Election::new(settings, vec![group])
}

fn router(address: IpAddr, adverts: Adverts, number: u8) -> VirtualRouter {
    // The first address of an IPv6 virtual router is link-local (RFC 9568 section 5.2.9).
    let first = address.is_ipv6().then(|| LINK_LOCAL.parse().unwrap());
    let addresses = first.into_iter().chain([address]).collect();
    let mut settings = vrrp::Settings::new(Vrid::new(VRID).unwrap(), addresses);
    settings.priority = priority(number);
    settings.interval = Interval::from_centiseconds(adverts.centiseconds).unwrap();
    settings.preempt = false;
    VirtualRouter {
        name: router_name(address),
        interface: "eth0".parse().unwrap(),
        settings,
        virtual_mac: false,
    }
}

fn routed(address: IpAddr) -> Owner {
    Owner::Router(router_name(address))
}

fn router_name(address: IpAddr) -> RouterName {
    RouterName::new(if address.is_ipv4() { "four" } else { "six" })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a boot number is the instant of the start"
)]
fn wall_clock() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap().as_nanos()).unwrap()
}

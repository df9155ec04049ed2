//! Tests of the checks at the door and of the order of the set.

use super::*;
use crate::driver::port::Protocol;
use crate::ownership::{Group, Key, KeyRing, NodeId, Settings, Standing};
use crate::vrrp::{self, Vrid};

fn announcement(address: &str, interfaces: &str) -> Announcement {
    Announcement {
        address: address.parse().unwrap(),
        interfaces: interfaces.parse().unwrap(),
        probe: Probe::Skip,
        owner: Owner::Sole,
    }
}

fn checked(announcements: Vec<Announcement>) -> Result<DesiredSet, AnnounceError> {
    DesiredSet::new(Desired {
        announcements,
        ..Desired::default()
    })
}

fn elected(address: &str, interfaces: &str, unit: &str) -> Announcement {
    let group = GroupName::default();
    let unit = unit.into();
    Announcement {
        owner: Owner::Elected { group, unit },
        ..announcement(address, interfaces)
    }
}

fn election() -> Election {
    let key = Key::new(b"sixteen octets or more").unwrap();
    let keys = KeyRing::new(key, []);
    let group = Group {
        name: GroupName::default(),
        shards: 256,
        standing: Standing::default(),
    };
    let settings = Settings::new(NodeId::new("node-1").unwrap(), 1, keys);
    Election::new(settings, vec![group])
}

fn router(name: &str) -> VirtualRouter {
    let vrid = Vrid::new(51).unwrap();
    VirtualRouter {
        name: RouterName::new(name),
        interface: "eth0".parse().unwrap(),
        settings: vrrp::Settings::new(vrid, vec!["192.0.2.1".parse().unwrap()]),
        virtual_mac: false,
    }
}

#[test]
fn a_set_is_sorted_and_repetitions_are_one() {
    let desired = checked(vec![
        announcement("2001:db8::1", "eth0"),
        announcement("192.0.2.2", "eth1"),
        announcement("192.0.2.2", "eth0"),
        announcement("192.0.2.2", "eth1"),
    ])
    .unwrap();
    let entries: Vec<_> = desired
        .entries
        .iter()
        .map(|entry| {
            let selector = &desired.selectors[usize::from(entry.selector)];
            (entry.address.to_string(), selector.to_string())
        })
        .collect();
    let expected = [
        ("192.0.2.2", "eth0"),
        ("192.0.2.2", "eth1"),
        ("2001:db8::1", "eth0"),
    ];
    let mut sorted = entries;
    sorted.sort();
    assert_eq!(sorted, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[test]
fn addresses_that_no_host_can_own_are_refused_by_name() {
    for (address, reason) in [
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("224.0.0.5", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("::ffff:192.0.2.1", "mapped"),
    ] {
        let error = checked(vec![announcement(address, "all")])
            .unwrap_err()
            .to_string();
        assert!(error.contains(address) && error.contains(reason), "{error}");
    }
}

#[test]
fn addresses_of_one_unit_are_in_one_shard_whatever_their_family() {
    let set = DesiredSet::new(Desired {
        announcements: vec![
            elected("192.0.2.1", "eth0", "one"),
            elected("2001:db8::1", "eth0", "one"),
            elected("192.0.2.2", "eth0", "two"),
        ],
        election: Some(election()),
        ..Desired::default()
    })
    .unwrap();
    let shards: Vec<_> = set
        .entries
        .iter()
        .map(|entry| set.shard(entry.owner).unwrap())
        .collect();
    let one = Shard::of(&GroupName::default(), 256, "one");
    let two = Shard::of(&GroupName::default(), 256, "two");
    assert_eq!(shards, [one, two, one]);
    assert_eq!(set.shards.len(), 2);
}

#[test]
fn what_nobody_in_the_set_decides_on_is_refused_with_what_to_add() {
    let error = checked(vec![elected("192.0.2.1", "eth0", "one")]).unwrap_err();
    assert!(error.to_string().contains("default"), "{error}");
    let owner = Owner::Router(RouterName::new("gateway"));
    let lost = Announcement {
        owner,
        ..announcement("192.0.2.1", "eth0")
    };
    let error = checked(vec![lost]).unwrap_err();
    assert!(error.to_string().contains("gateway"), "{error}");
}

#[test]
fn an_address_has_one_owner_on_all_its_interfaces() {
    let error = DesiredSet::new(Desired {
        announcements: vec![
            announcement("192.0.2.1", "eth1"),
            elected("192.0.2.1", "eth0", "one"),
        ],
        election: Some(election()),
        ..Desired::default()
    })
    .unwrap_err();
    let address = "192.0.2.1".parse().unwrap();
    assert_eq!(error, AnnounceError::TwoOwners { address });
}

#[test]
fn virtual_routers_are_told_apart_by_name_and_must_be_valid() {
    let set = |routers| {
        DesiredSet::new(Desired {
            routers,
            ..Desired::default()
        })
    };
    let error = set(vec![router("one"), router("one")]).unwrap_err();
    assert!(error.to_string().contains("one"), "{error}");
    let mut invalid = router("two");
    invalid.settings.priority = 0;
    let error = set(vec![invalid]).unwrap_err();
    assert!(error.to_string().contains("two"), "{error}");
    let error = set(vec![router("one"), router("two")]).unwrap_err();
    assert!(error.to_string().contains("VRID 51"), "{error}");
    let mut other = router("two");
    other.settings.vrid = Vrid::new(52).unwrap();
    let error = set(vec![router("one"), other.clone()]).unwrap_err();
    assert!(error.to_string().contains("192.0.2.1"), "{error}");
    other.settings.addresses = vec!["192.0.2.2".parse().unwrap()];
    assert_eq!(set(vec![router("one"), other]).unwrap().routers.len(), 2);
}

#[test]
fn every_address_of_a_virtual_router_is_in_the_set_once() {
    let mut both = router("one");
    both.settings.addresses.push("192.0.2.2".parse().unwrap());
    let desired = DesiredSet::new(Desired {
        announcements: vec![Announcement {
            owner: Owner::Router(both.name.clone()),
            ..announcement("192.0.2.2", "eth0")
        }],
        routers: vec![both],
        ..Desired::default()
    })
    .unwrap();
    assert_eq!(desired.router_selectors, [0]);
    let entries = desired.entries.iter();
    let entries: Vec<_> = entries.map(|it| it.address.to_string()).collect();
    assert_eq!(entries, ["192.0.2.1", "192.0.2.2"]);
    assert!(
        desired
            .entries
            .iter()
            .all(|it| desired.role(it.owner) == Some(Role::Router(Protocol::Arp, 51)))
    );
}

#[test]
fn two_links_may_each_have_a_router_with_one_link_local_address() {
    let on = |name: &str, interface: &str, global: &str| {
        let addresses = ["fe80::1", global].map(|it| it.parse().unwrap());
        VirtualRouter {
            interface: interface.parse().unwrap(),
            settings: vrrp::Settings::new(Vrid::new(51).unwrap(), addresses.to_vec()),
            ..router(name)
        }
    };
    let routers = vec![
        on("one", "eth0", "2001:db8::1"),
        on("two", "eth1", "2001:db8:1::1"),
    ];
    let desired = DesiredSet::new(Desired {
        routers,
        ..Desired::default()
    });
    assert_eq!(desired.unwrap().router_selectors, [0, 1]);
}

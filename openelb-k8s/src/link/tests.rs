//! What bids become, and what moves together.

use std::collections::BTreeMap;
use std::net::IpAddr;

use openelb_announce::announcer::Owner;
use openelb_announce::claim::Probe;
use openelb_announce::link::InterfaceSelector;
use openelb_announce::ownership::{GroupName, Standing};
use openelb_ipam::OwnerKey;

use super::{Bid, Bids, Here, Pool, Together, Wanted, wanted};
use crate::api::{self, Eip, EipVrrp, Layer2Conf, Protocol};
use crate::bgp::PasswordSource;
use crate::layer2::{self, Election, Fitness, Keys, Standings};
use crate::vrrp::{self, PoolRouters};

struct Shelf;

impl Keys for Shelf {
    fn key(&self, _: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        Ok(b"correct horse battery".to_vec())
    }
}

fn election() -> Election {
    let meant = layer2::election(Some(&Layer2Conf::new("key")), &[], "n1", &Shelf);
    meant.election.unwrap()
}

fn unfit(pools: &[(&str, Fitness)], everywhere: Fitness) -> Election {
    let pools = pools
        .iter()
        .map(|(name, fitness)| ((*name).into(), *fitness));
    election().with_standings(Standings {
        everywhere,
        pools: pools.collect(),
    })
}

fn eth0() -> InterfaceSelector {
    "eth0".parse().unwrap()
}

fn key(name: &str) -> OwnerKey {
    OwnerKey::new("service", "shop", name).unwrap()
}

fn routers() -> PoolRouters {
    let mut eip = Eip::new("edge", "192.0.2.0/24");
    eip.spec.protocol = Protocol::Vip;
    eip.spec.interface = "eth0".into();
    eip.spec.vrrp = Some(EipVrrp {
        vrid: Some(7),
        priority: Some(150),
        ..EipVrrp::default()
    });
    vrrp::routers(&eip).routers.unwrap()
}

/// A bid of the pool `edge`.
fn bid<'a>(service: &'a OwnerKey, at: &'a InterfaceSelector, address: &str, here: Here) -> Bid<'a> {
    Bid {
        service,
        pool: Pool {
            name: "edge",
            interfaces: Some(at),
            probe: api::Probe::Fast,
            routers: None,
        },
        address: address.parse().unwrap(),
        here,
        together: Together::Pool,
    }
}

fn elected(election: &Election, bids: Vec<Bid<'_>>) -> Wanted {
    let bids = Bids {
        elected: bids,
        ..Bids::default()
    };
    wanted(&bids, Some(election), "n1")
}

fn unit_of(wanted: &Wanted, address: &str) -> String {
    let address: IpAddr = address.parse().unwrap();
    match &wanted.announcements[&address].owner {
        Owner::Elected { unit, .. } => unit.to_string(),
        other => panic!("{other:?}"),
    }
}

fn standings(wanted: &Wanted) -> BTreeMap<String, Standing> {
    let groups = &wanted.contest.as_ref().unwrap().groups;
    let pairs = groups.iter().map(|it| (it.name.to_string(), it.standing));
    pairs.collect()
}

#[test]
fn both_families_move_together_unless_they_are_served_apart() {
    let (web, at) = (key("web"), eth0());
    for (together, unit) in [
        (Together::Service, "192.0.2.1"),
        (Together::Pool, "192.0.2.1"),
        (Together::Family, "2001:db8::1"),
    ] {
        let bids = ["192.0.2.1", "2001:db8::1"].map(|address| Bid {
            together,
            ..bid(&web, &at, address, Here::Unchecked)
        });
        let wanted = elected(&election(), bids.to_vec());
        assert_eq!(unit_of(&wanted, "2001:db8::1"), unit, "{together:?}");
    }
}

#[test]
fn addresses_of_two_pools_move_apart_unless_the_service_holds_them_together() {
    let (web, at) = (key("web"), eth0());
    for (together, unit) in [
        (Together::Service, "192.0.2.1"),
        (Together::Pool, "2001:db8::1"),
    ] {
        let mut bids = ["192.0.2.1", "2001:db8::1"].map(|address| Bid {
            together,
            ..bid(&web, &at, address, Here::Unchecked)
        });
        bids[1].pool.name = "other";
        let wanted = elected(&election(), bids.to_vec());
        assert_eq!(unit_of(&wanted, "2001:db8::1"), unit, "{together:?}");
    }
}

/// MetalLB hashes only the first address, so that sharers could be won by different nodes.
#[test]
fn metallb_50_services_that_share_an_address_are_one_unit() {
    let (web, dns, at) = (key("web"), key("dns"), eth0());
    let wanted = elected(
        &election(),
        vec![
            bid(&web, &at, "192.0.2.1", Here::Unchecked),
            bid(&web, &at, "2001:db8::1", Here::Unchecked),
            bid(&dns, &at, "2001:db8::1", Here::Unchecked),
        ],
    );
    let units = &wanted.contest.as_ref().unwrap().units;
    assert_eq!(units.len(), 1);
    assert_eq!(units[0].services, [dns, web].into());
}

#[test]
fn a_service_that_is_looked_after_has_a_group_of_its_own_in_which_a_node_can_step_back() {
    let (web, dns, at) = (key("web"), key("dns"), eth0());
    let wanted = elected(
        &election(),
        vec![
            bid(&web, &at, "192.0.2.1", Here::Barred),
            bid(&dns, &at, "192.0.2.2", Here::Unchecked),
        ],
    );
    let standings = standings(&wanted);
    assert_eq!(standings["service/shop/web"], Standing::Excluded);
    let default = GroupName::default().to_string();
    assert_ne!(standings[&default], Standing::Excluded);
    assert_eq!(standings.len(), 2);
}

#[test]
fn a_node_that_is_unfit_stands_back_everywhere_but_where_it_is_known_to_serve() {
    let (web, dns, at) = (key("web"), key("dns"), eth0());
    let wanted = elected(
        &unfit(&[], Fitness::Unfit),
        vec![
            bid(&web, &at, "192.0.2.1", Here::Answers),
            bid(&dns, &at, "192.0.2.2", Here::Unchecked),
        ],
    );
    let standings = standings(&wanted);
    assert_ne!(standings["service/shop/web"], Standing::Excluded);
    let default = GroupName::default().to_string();
    assert_eq!(standings[&default], Standing::Excluded);
}

#[test]
fn a_node_that_is_behind_is_preferred_less_than_one_that_is_fit() {
    let (dns, at) = (key("dns"), eth0());
    let bids = vec![bid(&dns, &at, "192.0.2.2", Here::Unchecked)];
    let preference = |fitness| {
        let wanted = elected(&unfit(&[("edge", fitness)], Fitness::Fit), bids.clone());
        match standings(&wanted)["pool/edge"] {
            Standing::Eligible { preference, .. } => preference,
            Standing::Excluded => panic!("excluded"),
        }
    };
    assert!(preference(Fitness::Behind) < preference(Fitness::Fit));
}

#[test]
fn a_virtual_router_runs_without_probes_and_falls_behind_for_a_silent_service() {
    let (web, at, routers) = (key("web"), eth0(), routers());
    let priority = |here| {
        let mut bid = bid(&web, &at, "192.0.2.1", here);
        bid.pool.routers = Some(&routers);
        let bids = Bids {
            routed: vec![bid],
            ..Bids::default()
        };
        let wanted = wanted(&bids, None, "n1");
        let run = wanted.routers[0].run.clone();
        let probes = wanted.announcements.values().map(|it| it.probe);
        assert!(probes.into_iter().all(|probe| probe == Probe::Skip));
        assert_eq!(wanted.announcements.len(), usize::from(run.is_ok()));
        run.map(|router| router.settings.priority)
    };
    assert_eq!(priority(Here::Unchecked), Ok(150));
    assert_eq!(priority(Here::Silent), Ok(50));
    let why = priority(Here::Barred).unwrap_err();
    assert!(why.contains("may be announced"), "{why}");
}

#[test]
fn a_draining_node_keeps_its_part_in_the_election_and_no_virtual_router() {
    let (web, at, routers) = (key("web"), eth0(), routers());
    let mut routed = bid(&web, &at, "192.0.2.1", Here::Unchecked);
    routed.pool.routers = Some(&routers);
    let bids = Bids {
        elected: vec![bid(&web, &at, "192.0.2.9", Here::Unchecked)],
        routed: vec![routed],
        sole: Vec::new(),
    };
    let wanted = wanted(&bids, Some(&election()), "n1");
    let serving = wanted.desired(1, false);
    assert_eq!((serving.announcements.len(), serving.routers.len()), (2, 1));
    let draining = wanted.desired(1, true);
    assert_eq!(
        (draining.announcements.len(), draining.routers.len()),
        (1, 0)
    );
    assert!(draining.election.unwrap().draining);
}

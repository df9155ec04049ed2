//! What the kernel tells of addresses and routes.

use openelb_announce::upstream::{RouteKind, Routes};
use openelb_k8s::prefix::Source;

use super::world::{Lifetimes, World};

fn addresses() -> Source {
    Source::Address {
        interface: "wan0".to_owned(),
    }
}

#[test]
fn addresses_come_change_and_go() {
    let Some(mut world) = World::new("addresses_come_change_and_go", &[]) else {
        return;
    };
    let customer = world.customer();
    let a = "2001:db8:a::/64";
    let watched = customer.watch(vec![addresses()]);
    let address = "2001:db8:a::5/64 dev wan0";
    customer.sh(&format!(
        "ip addr add {address} valid_lft 600 preferred_lft 300"
    ));
    watched.seen(0, a, Lifetimes::Apart(300));
    customer.sh(&format!(
        "ip addr change {address} valid_lft 600 preferred_lft 0"
    ));
    watched.seen(0, a, Lifetimes::Deprecated);
    customer.sh(&format!(
        "ip addr change {address} valid_lft forever preferred_lft forever"
    ));
    watched.seen(0, a, Lifetimes::Endless);
    customer.sh(&format!("ip addr del {address}"));
    watched.gone(0, a);
}

#[test]
fn addresses_that_go_with_their_link_are_not_taken_back() {
    let test = "addresses_that_go_with_their_link_are_not_taken_back";
    let Some(mut world) = World::new(test, &[]) else {
        return;
    };
    let customer = world.customer();
    let a = "2001:db8:a::/64";
    let watched = customer.watch(vec![addresses()]);
    customer.sh("ip addr add 2001:db8:a::5/64 dev wan0 valid_lft 600 preferred_lft 300");
    watched.seen(0, a, Lifetimes::Apart(300));
    customer.sh("ip link set wan0 down");
    let next = watched.until("anything", |input| Some(input.clone()));
    let why = "interface wan0 is down".to_owned();
    let expected = openelb_ipam::dynamic_prefix::Input::Failed { source: 0, why };
    assert_eq!(next, expected);
    customer.sh("ip link set wan0 up");
    let next = watched.until("anything", |input| Some(input.clone()));
    assert_eq!(
        next,
        openelb_ipam::dynamic_prefix::Input::Worked { source: 0 }
    );
}

#[test]
fn aggregates_are_told_apart_by_type_table_and_protocol() {
    let test = "aggregates_are_told_apart_by_type_table_and_protocol";
    let Some(mut world) = World::new(test, &[]) else {
        return;
    };
    let customer = world.customer();
    let route = |kind, table, protocol| {
        Source::Route(Routes {
            kind,
            interface: None,
            table,
            protocol,
        })
    };
    let watched = customer.watch(vec![
        route(RouteKind::Unreachable, 254, Some(16)),
        route(RouteKind::Blackhole, 100, None),
    ]);
    customer.sh("ip -6 route add unreachable 2001:db8:1::/56 proto static");
    customer.sh("ip -6 route add unreachable 2001:db8:2::/56 proto dhcp");
    let origin = watched.seen(0, "2001:db8:2::/56", Lifetimes::Endless);
    assert_eq!(origin, "route of protocol 16");
    customer.sh("ip -6 route add blackhole 2001:db8:3::/48 table 100 proto bird");
    let origin = watched.seen(1, "2001:db8:3::/48", Lifetimes::Endless);
    assert_eq!(origin, "route of protocol 12");
    customer.sh("ip -6 route del unreachable 2001:db8:2::/56 proto dhcp");
    watched.gone(0, "2001:db8:2::/56");
    customer.sh("ip -6 route flush table 100");
    watched.gone(1, "2001:db8:3::/48");
}

#[test]
fn the_thread_that_hears_has_no_capability_and_the_one_that_opens_sockets_has_one() {
    let test = "the_thread_that_hears_has_no_capability_and_the_one_that_opens_sockets_has_one";
    let Some(mut world) = World::new(test, &[]) else {
        return;
    };
    let customer = world.customer();
    let watched = customer.watch(vec![Source::RouterAdvertisement {
        interface: "wan0".to_owned(),
        routers: Vec::new(),
    }]);
    watched.worked(0);
    let mut found = (0, 0);
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        // Threads of other tests end meanwhile.
        let Ok(status) = std::fs::read_to_string(task.unwrap().path().join("status")) else {
            continue;
        };
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        let held = u64::from_str_radix(&field("CapPrm:"), 16).unwrap();
        match field("Name:").as_str() {
            "openelb-up" => {
                assert_eq!(held, 0);
                found.0 += 1;
            }
            "openelb-up-open" => {
                assert_eq!(held, 1 << CAP_NET_RAW);
                found.1 += 1;
            }
            _ => {}
        }
    }
    assert!(found.0 > 0 && found.1 > 0, "{found:?}");
}

const CAP_NET_RAW: u32 = 13;

//! A prefix changes: routers have the addresses of both generations in the grace period, and those of
//! the new one after it.

use openelb_announce::bgp::route::Route;

use crate::kernel::RouteWatch;
use crate::lab::with_lab;
use crate::router::{Family, Feature, Kind};
use crate::routes::route;
use crate::row::{PLAIN, Row};
use crate::world::Host;

#[test]
fn metallb_76_routers_have_both_generations_in_the_grace_period_and_lose_nothing_before() {
    with_lab(&[Kind::Frr, Kind::Bird], |_, hosts: [Host; 3]| {
        let (former, new) = (addresses("2001:db8:a::"), addresses("2001:db8:b::"));
        let running = ROW.prove(&hosts, &former);
        let installed = |count: usize| {
            for router in &running.routers {
                router.wait("the kernel has the routes", |it| {
                    it.installed(Family::Ipv6).len() == count
                });
            }
        };
        installed(former.len());
        let watches: Vec<_> = hosts[1..].iter().map(RouteWatch::new).collect();

        let both = [new.clone(), former.clone()].concat();
        running.ours.announce(both.clone());
        running.wait_for_routes(&ROW, &both);
        installed(both.len());
        watches.iter().for_each(RouteWatch::expect_no_deletion);

        running.ours.announce(new.clone());
        running.wait_for_routes(&ROW, &new);
        installed(new.len());
        for router in &running.routers {
            let left = router.installed(Family::Ipv6).join("\n");
            router.insist(!left.contains("2001:db8:a:"), "the former ones are gone");
        }
        for peer in running.ours.peers() {
            assert_eq!(peer.flaps, 0, "{peer:?}");
        }
    });
}

/// What a pool that follows a prefix is while this is the prefix.
fn addresses(prefix: &str) -> Vec<Route> {
    let hosts = ["1000/128", "1001/128", "2000/125"];
    hosts.map(|host| route(&format!("{prefix}{host}"))).to_vec()
}

const ROW: Row<'static> = Row {
    over: &[Family::Ipv6],
    theirs: &[Feature::Installs],
    installs: true,
    ..PLAIN
};

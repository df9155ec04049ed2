//! A session with whoever is at the other end of a link, carried by link-local addresses alone.

use std::net::{IpAddr, Ipv4Addr};

use crate::lab::with_lab;
use crate::ours::Ours;
use crate::router::{Description, Family, Feature, Kind, Neighbor, Router};
use crate::routes::assortment;
use crate::row::OUR_AS;
use crate::world::Host;

#[test]
fn an_unnumbered_session_carries_both_families_to_link_local_next_hops() {
    with_lab(&[Kind::Frr], |_, hosts: [Host; 2]| {
        for host in &hosts {
            host.sh("ip addr flush dev eth0 scope global");
        }
        let describe = |host: &Host, own: u32, other: u32| {
            let id = Ipv4Addr::new(192, 0, 2, host.number);
            let neighbor = Neighbor::on(other, "eth0").with(Feature::ExtendedNextHop);
            Description::new(own, id).installing().neighbor(neighbor)
        };
        let ours = describe(&hosts[0], OUR_AS, 64502);
        let ours = Ours::start(&hosts[0], &ours, assortment());
        let router = Router::start(Kind::Frr, &hosts[1], describe(&hosts[1], 64502, OUR_AS));
        ours.wait("eth0", "the session is established", |status| {
            status.session.is_some()
        });
        router.wait("all routes are there", |it| {
            it.table().len() == assortment().len()
        });
        for heard in router.table() {
            let is_link_local =
                |it: &IpAddr| matches!(it, IpAddr::V6(it) if it.is_unicast_link_local());
            router.insist(
                heard.next_hops.iter().all(is_link_local),
                &format!("{heard:?}"),
            );
        }
        for family in Family::ALL {
            router.wait("the kernel has all routes", |it| {
                it.installed(family).len() == assortment().len() / 2
            });
        }
        let ipv4 = router.installed(Family::Ipv4);
        router.insist(
            ipv4.iter().all(|it| it.contains("via inet6 fe80:")),
            &format!("{ipv4:?}"),
        );
    });
}

//! Answers from the virtual MAC, and switches that follow it.

use openelb_announce::announcer::VirtualRouter;
use openelb_announce::vrrp::{Family, State};

use crate::capture::Capture;
use crate::node::{BOTH, LINK_LOCAL, Node, VIP4, VIP6, router, until_found_at, vip};
use crate::other::{Kind, with_routers};
use crate::process;
use crate::world::{Host, World, eventually};

fn virtual_router(family: Family, priority: u8) -> VirtualRouter {
    VirtualRouter {
        virtual_mac: true,
        ..router(family, priority)
    }
}

fn virtual_routers(priority: u8) -> Vec<VirtualRouter> {
    BOTH.map(|family| virtual_router(family, priority)).to_vec()
}

fn virtual_mac(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "00:00:5e:00:01:33",
        Family::Ipv6 => "00:00:5e:00:02:33",
    }
}

/// The host behind whose port the bridge has learned the virtual MAC.
fn until_behind(world: &World, family: Family, host: &Host) {
    let port = format!("dev p{}eth0", host.number);
    eventually(&format!("the virtual MAC is behind {port}"), || {
        let table = world.on_switch("bridge fdb show br br0");
        let mut lines = table.lines();
        lines.any(|line| line.starts_with(virtual_mac(family)) && line.contains(&port))
    });
}

fn links(host: &Host) -> String {
    host.sh("ip -brief link show type macvlan")
}

#[test]
fn answers_carry_the_virtual_mac_and_the_switch_follows_it_to_the_next_active_router() {
    with_routers(|world, [node, peer, client]| {
        let capture = Capture::start(&client, "arp or icmp6");
        let ours = Node::start(&node, virtual_routers(200));
        let standby = Node::start(&peer, virtual_routers(100));
        for family in BOTH {
            ours.until(family, State::Active);
            standby.until(family, State::Backup);
            until_behind(world, family, &node);
            until_found_at(&client, family, virtual_mac(family));
        }
        drop(ours);
        for family in BOTH {
            standby.until(family, State::Active);
            until_behind(world, family, &peer);
            until_found_at(&client, family, virtual_mac(family));
        }
        // Neither an answer nor an announcement had another hardware address, from the first on.
        let (mac4, mac6) = (virtual_mac(Family::Ipv4), virtual_mac(Family::Ipv6));
        let of_v4 = format!("arp.src.proto_ipv4 == {VIP4} && arp.src.hw_mac");
        let target = "icmpv6.nd.na.target_address";
        let of_v6 = format!("{target} in {{{LINK_LOCAL}, {VIP6}}} && icmpv6.opt.linkaddr");
        for (of, mac) in [(of_v4, mac4), (of_v6, mac6)] {
            assert!(capture.count(&format!("{of} == {mac}")) > 1, "{of}");
            assert_eq!(capture.count(&format!("{of} != {mac}")), 0, "{of}");
        }
    });
}

#[test]
fn both_routers_hear_each_other_although_their_adverts_come_from_one_mac() {
    with_routers(|world, [node, peer, client]| {
        let ours = Node::start(&node, virtual_routers(100));
        ours.until_both(State::Active);
        let higher = Node::start(&peer, virtual_routers(200));
        for family in BOTH {
            higher.until(family, State::Active);
            ours.until(family, State::Backup);
            until_behind(world, family, &peer);
        }
        higher.set(virtual_routers(50));
        for family in BOTH {
            ours.until(family, State::Active);
            higher.until(family, State::Backup);
            until_behind(world, family, &node);
            until_found_at(&client, family, virtual_mac(family));
        }
    });
}

#[test]
fn frr_and_we_hand_the_virtual_mac_to_each_other() {
    with_routers(|world, [node, peer, client]| {
        let family = Family::Ipv4;
        let ours = Node::start(&node, vec![virtual_router(family, 200)]);
        ours.until(family, State::Active);
        let other = Kind::Frr(family).start(&peer, 100);
        until_behind(world, family, &node);
        ours.set(Vec::new());
        other.until_active(true);
        until_behind(world, family, &peer);
        ours.set(vec![virtual_router(family, 200)]);
        ours.until(family, State::Active);
        other.until_active(false);
        until_behind(world, family, &node);
        until_found_at(&client, family, virtual_mac(family));
    });
}

#[test]
fn the_link_of_the_virtual_mac_is_up_only_while_active_and_goes_with_the_router() {
    with_routers(|_, [node, peer]| {
        let family = Family::Ipv4;
        let higher = Node::start(&peer, vec![router(family, 200)]);
        higher.until(family, State::Active);
        let ours = Node::start(&node, vec![virtual_router(family, 100)]);
        ours.until(family, State::Backup);
        assert!(links(&node).contains("oelb4-51-"));
        let is_up = || links(&node).contains(",UP");
        assert!(!is_up());
        drop(higher);
        ours.until(family, State::Active);
        eventually("the link is up", is_up);
        // Nobody but the router speaks there: no address derived from the virtual MAC.
        assert!(!node.sh("ip -brief addr show type macvlan").contains("fe80"));
        ours.set(vec![router(family, 100)]);
        eventually("the link has gone", || links(&node).is_empty());
        ours.set(vec![virtual_router(family, 100)]);
        eventually("the link is back", || links(&node).contains("oelb4-51-"));
        drop(ours);
        assert_eq!(links(&node), "");
    });
}

#[test]
fn a_link_that_somebody_removes_is_made_again() {
    with_routers(|_, [node]| {
        let family = Family::Ipv4;
        let ours = Node::start(&node, vec![virtual_router(family, 100)]);
        ours.until(family, State::Active);
        let links_before = links(&node);
        let name = links_before.split('@').next().unwrap();
        node.sh(&format!("ip link del {name}"));
        eventually("it is back and up", || links(&node).contains(",UP"));
        ours.until(family, State::Active);
    });
}

#[test]
fn what_a_killed_process_left_is_removed_by_the_next_one() {
    with_routers(|_, [node, client]| {
        let ours = process::start(&node, 200, "mac");
        eventually("both are found", || {
            BOTH.iter().all(|family| client.finds(vip(*family)))
        });
        ours.signal("KILL");
        drop(ours);
        assert_eq!(links(&node).lines().count(), 2);
        node.sh("ip link add vrrp.7 link eth0 type macvlan mode bridge");
        let next = Node::start(&node, Vec::new());
        assert_eq!(
            links(&node).lines().count(),
            1,
            "only the stranger's is left"
        );
        drop(next);
    });
}

//! Packets to the addresses in accept mode, and that nothing is left behind.

use openelb_announce::announcer::VirtualRouter;
use openelb_announce::vrrp::{Family, State};

use crate::capture::Capture;
use crate::node::{BOTH, Node, VIP4, VIP6, router, routers, until_found_at, vip};
use crate::other::with_routers;
use crate::process;
use crate::world::{Host, eventually};

fn accepting(priority: u8, virtual_mac: bool) -> Vec<VirtualRouter> {
    let routers = BOTH.map(|family| {
        let mut router = router(family, priority);
        router.settings.accept = true;
        router.virtual_mac = virtual_mac;
        router
    });
    routers.to_vec()
}

fn is_reached(client: &Host, family: Family) -> bool {
    let ping = format!("ping -c 1 -W 1 {}", vip(family));
    client.try_sh(&ping).status.success()
}

fn has(host: &Host, family: Family) -> bool {
    host.sh("ip -brief addr")
        .contains(&format!("{}/", vip(family)))
}

/// Both routers are on two hosts; the client reaches whichever is Active.
fn reach_each(node: &Host, peer: &Host, client: &Host, virtual_mac: bool) {
    let ours = Node::start(node, accepting(200, virtual_mac));
    let standby = Node::start(peer, accepting(100, virtual_mac));
    for family in BOTH {
        ours.until(family, State::Active);
        eventually("it is reached", || is_reached(client, family));
        assert!(has(node, family) && !has(peer, family));
    }
    ours.set(accepting(50, virtual_mac));
    for family in BOTH {
        standby.until(family, State::Active);
        ours.until(family, State::Backup);
        eventually("the other is reached", || is_reached(client, family));
        eventually("the address has moved", || {
            has(peer, family) && !has(node, family)
        });
    }
    drop(standby);
    for family in BOTH {
        assert!(!has(peer, family));
    }
}

#[test]
fn openelb_48_the_active_router_is_reached_in_both_families() {
    with_routers(|_, [node, peer, client]| reach_each(&node, &peer, &client, false));
}

#[test]
fn openelb_48_the_active_router_is_reached_at_its_virtual_mac_in_both_families() {
    with_routers(|_, [node, peer, client]| reach_each(&node, &peer, &client, true));
}

#[test]
fn a_backup_answers_neither_arp_nor_neighbor_solicitations() {
    with_routers(|_, [node, peer, client]| {
        let active = Node::start(&node, routers(200));
        active.until_both(State::Active);
        let backup = Node::start(&peer, routers(100));
        backup.until_both(State::Backup);
        let capture = Capture::start(&client, "arp or icmp6");
        for _ in 0..3 {
            for family in BOTH {
                until_found_at(&client, family, &node.mac("eth0"));
            }
        }
        // Each question went to every host on the link.
        let answers = |host: &Host, answer: &str| {
            let mac = host.mac("eth0");
            capture.count(&format!("eth.src == {mac} && {answer}"))
        };
        for answer in [
            format!("arp.opcode == 2 && arp.src.proto_ipv4 == {VIP4}"),
            format!("icmpv6.nd.na.target_address == {VIP6}"),
        ] {
            eventually("the answers are captured", || answers(&node, &answer) >= 3);
            assert_eq!(answers(&peer, &answer), 0, "{answer}");
        }
    });
}

#[test]
fn without_accept_mode_the_host_gets_no_address() {
    with_routers(|_, [node, client]| {
        let ours = Node::start(&node, routers(100));
        for family in BOTH {
            ours.until(family, State::Active);
            eventually("it is answered for", || client.finds(vip(family)));
            assert!(!has(&node, family) && !is_reached(&client, family));
        }
    });
}

#[test]
fn the_addresses_of_a_frozen_process_go_by_themselves_and_come_back_with_it() {
    with_routers(|_, [node, client]| {
        let ours = process::start(&node, 200, "accept");
        for family in BOTH {
            eventually("it is reached", || is_reached(&client, family));
        }
        ours.signal("STOP");
        for family in BOTH {
            eventually("the kernel removed it", || !has(&node, family));
            assert!(!is_reached(&client, family));
        }
        ours.signal("CONT");
        for family in BOTH {
            eventually("it is reached again", || is_reached(&client, family));
        }
        ours.signal("KILL");
        for family in BOTH {
            eventually("the kernel removed it", || !has(&node, family));
        }
    });
}

#[test]
fn addresses_stay_for_as_long_as_the_router_is_active() {
    with_routers(|_, [node]| {
        let ours = Node::start(&node, accepting(100, false));
        ours.until_both(State::Active);
        for family in BOTH {
            eventually("it has it", || has(&node, family));
        }
        // Each lives for three seconds unless it is renewed.
        let warnings = |node: &Node| {
            let statuses = node.announcer.status().into_iter();
            statuses.flat_map(|it| it.warnings).collect::<Vec<_>>()
        };
        assert_eq!(warnings(&ours), []);
        for _ in 0..250 {
            crate::world::pause();
            assert!(BOTH.iter().all(|family| has(&node, *family)));
        }
        let mut fewer = accepting(100, false);
        fewer[1]
            .settings
            .addresses
            .push("2001:db8::101".parse().unwrap());
        fewer[0].settings.accept = false;
        ours.set(fewer);
        eventually("changes are followed", || {
            let addresses = node.sh("ip -brief addr");
            addresses.contains("2001:db8::101/") && !has(&node, Family::Ipv4)
        });
        assert!(ours.is(Family::Ipv4, State::Active));
    });
}

//! What becomes of addresses when the process that has them is killed or frozen, or its link fails.

use openelb_announce::vrrp::{Event, Family, State};

use crate::node::{BOTH, Node, router, routers, until_found_at};
use crate::other::{Kind, with_routers};
use crate::process;
use crate::world::{Host, eventually};

fn until_both_at(client: &Host, host: &Host) {
    for family in BOTH {
        until_found_at(client, family, &host.mac("eth0"));
    }
}

#[test]
fn openelb_49_when_we_are_killed_keepalived_takes_over_both_families() {
    with_routers(|_, [node, peer, client]| {
        let ours = process::start(&node, 200, "");
        until_both_at(&client, &node);
        let others = BOTH.map(|family| Kind::Keepalived(family).start(&peer, 100));
        ours.signal("KILL");
        for other in &others {
            other.until_active(true);
        }
        until_both_at(&client, &peer);
    });
}

#[test]
fn openelb_49_when_one_of_ours_is_killed_another_takes_over_both_families() {
    with_routers(|_, [node, peer, client]| {
        let ours = process::start(&node, 200, "");
        until_both_at(&client, &node);
        let standby = Node::start(&peer, routers(100));
        standby.until_both(State::Backup);
        ours.signal("KILL");
        standby.until_both(State::Active);
        until_both_at(&client, &peer);
    });
}

#[test]
fn a_frozen_router_that_goes_on_listens_first_and_then_takes_back_what_is_its_own() {
    with_routers(|_, [node, peer, client]| {
        let ours = process::start(&node, 200, "");
        until_both_at(&client, &node);
        let standby = Node::start(&peer, routers(100));
        standby.until_both(State::Backup);
        ours.signal("STOP");
        standby.until_both(State::Active);
        until_both_at(&client, &peer);
        standby.events();
        ours.signal("CONT");
        standby.until_both(State::Backup);
        until_both_at(&client, &node);
        // It left what it might still have had in silence before it preempted.
        for family in BOTH {
            assert_eq!(standby.status(family).counters.left, 0, "{family}");
        }
    });
}

#[test]
fn a_frozen_router_that_goes_on_leaves_the_addresses_to_a_higher_priority() {
    with_routers(|_, [node, peer, client]| {
        let ours = process::start(&node, 200, "");
        until_both_at(&client, &node);
        ours.signal("STOP");
        let higher = Node::start(&peer, routers(250));
        higher.until_both(State::Active);
        higher.events();
        ours.signal("CONT");
        let sent = |family| higher.status(family).counters.sent;
        let before = BOTH.map(sent);
        eventually("ten advertisements are sent", || {
            let pairs = BOTH.map(sent).into_iter().zip(before);
            pairs.into_iter().all(|(now, before)| now >= before + 10)
        });
        until_both_at(&client, &peer);
        let is_backup = |event: &Event| matches!(event, Event::Backup { .. });
        assert!(!higher.events().iter().any(is_backup));
        for family in BOTH {
            assert_eq!(
                higher.status(family).counters.received,
                0,
                "it says nothing"
            );
        }
    });
}

#[test]
fn when_our_link_fails_the_other_takes_over_and_when_it_is_back_we_do() {
    with_routers(|world, [node, peer, client]| {
        let ours = Node::start(&node, routers(200));
        ours.until_both(State::Active);
        let others = BOTH.map(|family| Kind::Keepalived(family).start(&peer, 100));
        world.on_switch("ip link set p1eth0 down");
        ours.until_both(State::Initialize);
        for other in &others {
            other.until_active(true);
        }
        until_both_at(&client, &peer);
        world.on_switch("ip link set p1eth0 up");
        ours.until_both(State::Active);
        for other in &others {
            other.until_active(false);
        }
        until_both_at(&client, &node);
    });
}

#[test]
fn without_an_address_to_send_from_a_router_waits_and_says_so() {
    with_routers(|_, [node]| {
        node.sh("ip addr flush dev eth0");
        let ours = Node::start(&node, routers(200));
        for family in BOTH {
            let status = ours.status(family);
            assert_eq!((status.state, status.primary), (State::Initialize, None));
        }
        node.sh("ip addr add 192.0.2.1/24 dev eth0");
        node.sh("ip addr add fe80::1/64 dev eth0 nodad");
        ours.until_both(State::Active);
        node.sh("ip addr del 192.0.2.1/24 dev eth0");
        ours.until(Family::Ipv4, State::Initialize);
        assert!(ours.is(Family::Ipv6, State::Active));
    });
}

#[test]
fn an_address_that_is_still_being_checked_is_no_source() {
    with_routers(|_, [node]| {
        // As on most hosts: a link-local address takes a second until it may be used.
        node.sh("sysctl -qw net.ipv6.conf.all.accept_dad=1 net.ipv6.conf.eth0.accept_dad=1");
        node.sh("ip addr flush dev eth0 scope link");
        let ours = Node::start(&node, vec![router(Family::Ipv6, 100)]);
        node.sh("ip addr add fe80::1/64 dev eth0");
        ours.until(Family::Ipv6, State::Active);
        let status = ours.status(Family::Ipv6);
        assert_eq!(status.last_error, None, "nothing was sent before");
        assert_eq!(status.primary, Some("fe80::1".parse().unwrap()));
    });
}

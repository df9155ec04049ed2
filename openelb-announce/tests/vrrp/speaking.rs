//! What goes over the wire: unicast, checksums, hop limits, and what other decoders make of it.

use openelb_announce::vrrp::machine::Refusal;
use openelb_announce::vrrp::{Checksum, Event, Family, State};

use crate::capture::Capture;
use crate::keepalived::{Instance, Keepalived};
use crate::node::{BOTH, Node, router, until_found_at};
use crate::other::{Kind, Other as _, with_routers};
use crate::world::eventually;

#[test]
fn keepalived_and_we_meet_by_unicast_in_both_families() {
    with_routers(|_, [node, peer, client]| {
        let capture = Capture::start(&client, "proto 112 or ip6 proto 112");
        let link_local = |host: &crate::world::Host| {
            let text = host.sh("ip -6 -brief addr show dev eth0 scope link");
            let word = text.split_whitespace().nth(2).unwrap();
            word.split('/').next().unwrap().to_owned()
        };
        for family in BOTH {
            let (own, other) = match family {
                Family::Ipv4 => ("192.0.2.1".to_owned(), "192.0.2.2".to_owned()),
                Family::Ipv6 => (link_local(&node), link_local(&peer)),
            };
            let mut unicast = router(family, 100);
            unicast.settings.peers = vec![other.parse().unwrap()];
            let ours = Node::start(&node, vec![unicast]);
            ours.until(family, State::Active);
            let mut instance = Instance::new(family, 200);
            instance.more =
                format!("unicast_src_ip {other}\n unicast_peer {{\n {own}\n }}\n unicast_ttl 255");
            let theirs = Keepalived::start(&peer, &instance);
            theirs.until_active(true);
            ours.until(family, State::Backup);
            assert_eq!(ours.status(family).counters.refused, 0, "{family}");
            theirs.signal("TERM");
            ours.until(family, State::Active);
            until_found_at(&client, family, &node.mac("eth0"));
        }
        // The bridge knows where both are: a third host sees nothing of it.
        let to_groups = "ip.dst == 224.0.0.18 || ipv6.dst == ff02::12";
        assert_eq!(capture.count(to_groups), 0);
    });
}

#[test]
fn keepalived_insists_on_the_pseudo_header_and_auto_follows_whoever_is_heard() {
    with_routers(|_, [node, peer]| {
        let family = Family::Ipv4;
        let mut plain = router(family, 200);
        plain.settings.checksum = Checksum::Plain;
        let ours = Node::start(&node, vec![plain]);
        ours.until(family, State::Active);
        // It does not hear us, so both are Active; we hear it and say what is wrong.
        let theirs = Kind::Keepalived(family).start(&peer, 100);
        theirs.until_active(true);
        eventually("it is heard", || ours.status(family).counters.received > 3);
        let events = ours.events();
        let is_told = events.iter().any(|event| match event {
            Event::Mismatch { mismatch, .. } => mismatch.to_string().contains("PseudoHeader"),
            _ => false,
        });
        assert!(is_told, "{events:?}");
        ours.set(vec![router(family, 200)]);
        theirs.until_active(false);
        assert!(ours.is(family, State::Active));
    });
}

#[test]
fn two_of_ours_agree_in_both_forms_and_tshark_reads_both() {
    with_routers(|_, [node, peer, client]| {
        let family = Family::Ipv4;
        let capture = Capture::start(&client, "proto 112");
        for checksum in [Checksum::Plain, Checksum::PseudoHeader] {
            let of = |priority| {
                let mut router = router(family, priority);
                router.settings.checksum = checksum;
                vec![router]
            };
            let higher = Node::start(&node, of(200));
            higher.until(family, State::Active);
            let lower = Node::start(&peer, of(100));
            lower.until(family, State::Backup);
            eventually("they hear each other", || {
                lower.status(family).counters.received > 3
            });
            assert_eq!(lower.status(family).counters.refused, 0, "{checksum:?}");
            let mut mirror = router(family, 250);
            mirror.settings.checksum = Checksum::Auto;
            lower.set(vec![mirror]);
            lower.until(family, State::Active);
            higher.until(family, State::Backup);
            let events = higher.events();
            let is_mismatch = |event: &Event| matches!(event, Event::Mismatch { .. });
            assert!(!events.iter().any(is_mismatch), "{events:?}");
        }
        assert!(capture.count("vrrp") > 10);
        assert_eq!(capture.count("_ws.malformed"), 0);
        assert_eq!(capture.count("vrrp && ip.ttl != 255"), 0);
    });
}

#[test]
fn adverts_that_came_through_a_router_are_refused_and_told_once() {
    with_routers(|_, [node, peer]| {
        for (family, rule) in [
            (Family::Ipv4, "ip protocol 112 ip ttl set 64"),
            (Family::Ipv6, "ip6 nexthdr 112 ip6 hoplimit set 64"),
        ] {
            // As if it had been forwarded, many times over.
            peer.sh("nft add table inet far");
            peer.sh("nft add chain inet far out { type filter hook output priority 0; }");
            peer.sh(&format!("nft add rule inet far out {rule}"));
            let theirs = Kind::Keepalived(family).start(&peer, 250);
            theirs.until_active(true);
            let ours = Node::start(&node, vec![router(family, 100)]);
            ours.until(family, State::Active);
            eventually("they are counted", || {
                ours.status(family).counters.refused > 5
            });
            assert!(ours.is(family, State::Active), "they decide nothing");
            let events = ours.events();
            let is_refusal = |event: &&Event| {
                let reason = Refusal::HopLimit(64);
                matches!(event, Event::Refused { reason: told, .. } if *told == reason)
            };
            assert_eq!(events.iter().filter(is_refusal).count(), 1, "{events:?}");
            peer.sh("nft delete table inet far");
            ours.until(family, State::Backup);
        }
    });
}

#[test]
fn an_active_ipv6_router_says_that_it_is_a_router() {
    with_routers(|_, [node, client]| {
        let family = Family::Ipv6;
        let capture = Capture::start(&client, "icmp6");
        let ours = Node::start(&node, vec![router(family, 100)]);
        ours.until(family, State::Active);
        let mac = node.mac("eth0");
        until_found_at(&client, family, &mac);
        let count = |address: &str, flags: &str| {
            let of = format!("eth.src == {mac} && icmpv6.nd.na.target_address == {address}");
            capture.count(&format!("{of} && {flags}"))
        };
        let announced = "icmpv6.nd.na.flag.r == 1 && icmpv6.nd.na.flag.s == 0 && \
                         icmpv6.nd.na.flag.o == 1 && ipv6.dst == ff02::1";
        for address in ["fe80::100", "2001:db8::100"] {
            eventually(address, || count(address, announced) > 0);
            assert_eq!(count(address, "icmpv6.nd.na.flag.r == 0"), 0);
        }
        let answered = "icmpv6.nd.na.flag.r == 1 && icmpv6.nd.na.flag.s == 1";
        eventually("an answer", || count("2001:db8::100", answered) > 0);
    });
}

//! Interfaces come, go and change under a running announcer.

use openelb_announce::announcer::State;

use super::announcing::{announced, interface, on, start, state, until_announced};
use super::world::{eventually, with_hosts};

const VIP4: &str = "192.0.2.100";
const VIP6: &str = "2001:db8::100";
const BOTH: [&str; 2] = [VIP4, VIP6];

#[test]
fn after_a_change_of_the_hardware_address_answers_and_clients_have_the_new_one() {
    with_hosts(|_, [node, client]| {
        let announcer = announced(&node, &BOTH);
        for address in BOTH {
            client.poke(address);
            eventually("the client knows the old one", || {
                client.neighbor(address).contains("REACHABLE")
            });
        }
        node.sh("ip link set eth0 address 02:00:00:00:be:ef");
        eventually("the announcer knows", || {
            interface(&announcer)
                .mac
                .is_some_and(|mac| mac.to_string() == "02:00:00:00:be:ef")
        });
        for address in BOTH {
            assert_eq!(
                client.resolve(address).as_deref(),
                Some("02:00:00:00:be:ef")
            );
            eventually(
                "the client's cache was corrected by an announcement",
                || client.neighbor(address).contains("02:00:00:00:be:ef"),
            );
        }
    });
}

#[test]
fn metallb_56_a_link_that_flaps_is_reported_down_and_answers_again_once_up() {
    with_hosts(|world, [node, client]| {
        let announcer = announced(&node, &BOTH);
        world.on_switch("ip link set p1eth0 down");
        eventually("the lost carrier is reported", || {
            state(&announcer) == State::LinkDown
        });
        world.on_switch("ip link set p1eth0 up");
        until_announced(&announcer);
        for address in BOTH {
            eventually("it is found again", || client.finds(address));
        }
    });
}

#[test]
fn a_renamed_interface_goes_on_answering_and_is_reported_by_its_new_name() {
    with_hosts(|_, [node, client]| {
        let announcer = announced(&node, &BOTH);
        node.sh("ip link set eth0 down");
        node.sh("ip link set eth0 name lan0");
        node.sh("ip link set lan0 up");
        eventually("the new name is reported", || {
            interface(&announcer).name == "lan0"
        });
        until_announced(&announcer);
        for address in BOTH {
            eventually("it is found again", || client.finds(address));
        }
    });
}

#[test]
fn metallb_56_an_interface_that_becomes_a_port_of_a_bridge_hands_its_addresses_to_the_bridge() {
    with_hosts(|_, [node, client]| {
        let announcer = announced(&node, &BOTH);
        node.sh("ip link add br0 type bridge");
        node.sh("ip link set br0 address 02:00:00:00:0b:0b up");
        node.sh("ip link set eth0 master br0");
        eventually("they are on the bridge", || {
            interface(&announcer).name == "br0"
        });
        until_announced(&announcer);
        for address in BOTH {
            eventually("it is found at the bridge", || {
                client.resolve(address).as_deref() == Some("02:00:00:00:0b:0b")
            });
        }
        node.sh("ip link set eth0 nomaster");
        eventually("they are back on the interface", || {
            interface(&announcer).name == "eth0"
        });
        eventually("it is found there", || {
            client.resolve(VIP4) == Some(node.mac("eth0"))
        });
    });
}

#[test]
fn an_interface_that_appears_later_is_used_although_capabilities_were_dropped() {
    with_hosts(|world, [node, client]| {
        let announcer = start(&node);
        announcer.announce(on("lan*", &BOTH)).unwrap();
        assert_eq!(state(&announcer), State::NoInterface);
        let reason = announcer.status()[0].missing[0].to_string();
        assert!(
            reason.contains("lan*") && reason.contains("eth0"),
            "{reason}"
        );
        world.plug(&node, "lan0");
        until_announced(&announcer);
        for address in BOTH {
            assert_eq!(client.resolve(address), Some(node.mac("lan0")));
        }
        node.sh("ip link del lan0");
        eventually("its end is reported", || {
            state(&announcer) == State::NoInterface
        });
    });
}

#[test]
fn selectors_by_prefix_and_by_route_choose_the_interface_that_a_peer_would_use() {
    with_hosts(|world, [node, client]| {
        world.plug(&node, "lan0");
        node.sh("ip addr add 198.51.100.1/24 dev lan0");
        let announcer = start(&node);
        for (selector, chosen) in [
            ("198.51.100.0/24", "lan0"),
            ("192.0.2.0/24", "eth0"),
            ("2001:db8::/32", "eth0"),
            ("can_reach:198.51.100.77", "lan0"),
            ("can_reach:2001:db8::77", "eth0"),
        ] {
            announcer.announce(on(selector, &[VIP4])).unwrap();
            until_announced(&announcer);
            assert_eq!(client.resolve(VIP4), Some(node.mac(chosen)), "{selector}");
        }
        announcer
            .announce(on("can_reach:192.0.2.1", &[VIP4]))
            .unwrap();
        eventually("an address of the host itself is refused", || {
            let reason = announcer.status()[0].missing[0].to_string();
            reason.contains("this host itself")
        });
        assert!(!client.finds(VIP4));
    });
}

#[test]
fn openelb_39_loopback_and_unknown_interfaces_are_refused_with_the_reason() {
    with_hosts(|_, [node]| {
        let announcer = start(&node);
        for (selector, reason) in [("lo", "loopback"), ("eth9", "this host has lo")] {
            announcer.announce(on(selector, &[VIP4])).unwrap();
            let status = announcer.status();
            assert_eq!(status[0].state(), State::NoInterface);
            let missing = status[0].missing[0].to_string();
            assert!(
                missing.contains(reason) && missing.contains(selector),
                "{missing}"
            );
        }
    });
}

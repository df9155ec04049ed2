//! Many addresses on one card, and many frames that are none of our business.

use std::net::Ipv4Addr;

use super::announcing::{interface, is_announced, on, start, until_announced};
use super::world::{Host, eventually, with_hosts};

/// Ten thousand addresses of a network that no interface has.
fn ten_thousand() -> Vec<String> {
    let first = Ipv4Addr::new(198, 18, 0, 1).to_bits();
    (first..first + 10_000)
        .map(|bits| Ipv4Addr::from_bits(bits).to_string())
        .collect()
}

/// Lets the client find addresses of the test network on its `eth0`.
fn route(client: &Host) {
    client.sh("ip route add 198.18.0.0/15 dev eth0");
}

#[test]
fn ten_thousand_addresses_on_one_card_are_all_announced_and_answered_for() {
    with_hosts(|_, [node, client]| {
        route(&client);
        let addresses = ten_thousand();
        let texts: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let announcer = start(&node);
        announcer.announce(on("eth0", &texts)).unwrap();
        eventually("all ten thousand are announced", || {
            let status = announcer.status();
            status.len() == 10_000 && status.iter().all(is_announced)
        });
        let sample: Vec<&str> = texts.iter().step_by(100).copied().collect();
        for address in &sample {
            client.poke(address);
        }
        let expected = format!("lladdr {}", node.mac("eth0"));
        eventually("every hundredth is in the client's cache", || {
            client
                .sh("ip neigh show dev eth0")
                .matches(&expected)
                .count()
                >= sample.len()
        });
        assert_eq!(interface(&announcer).arp.unsent, 0);
    });
}

#[test]
fn thousands_of_ipv6_addresses_with_equal_low_24_bits_need_one_group() {
    with_hosts(|_, [node, client]| {
        let addresses: Vec<String> = (1..=5000)
            .map(|number| format!("2001:db8::{number:x}:77:7777"))
            .collect();
        let texts: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let announcer = start(&node);
        announcer.announce(on("eth0", &texts)).unwrap();
        until_announced(&announcer);
        assert!(client.finds(texts[0]) && client.finds(texts[2500]) && client.finds(texts[4999]));
        let groups = node.sh("ip maddr show dev eth0");
        assert!(groups.contains("ff02::1:ff77:7777"), "{groups}");
        assert!(groups.matches("ff02::1:ff").count() < 8, "{groups}");
    });
}

#[test]
fn a_storm_of_requests_for_other_addresses_never_reaches_user_space() {
    with_hosts(|_, [node, client]| {
        route(&client);
        let announcer = start(&node);
        announcer.announce(on("eth0", &["192.0.2.100"])).unwrap();
        until_announced(&announcer);
        assert!(client.finds("192.0.2.100"));
        let before = interface(&announcer).arp;
        let broadcasts = |host: &Host| -> u64 {
            host.sh("cat /sys/class/net/eth0/statistics/rx_packets")
                .trim()
                .parse()
                .unwrap()
        };
        let packets = broadcasts(&node);
        for address in ten_thousand().iter().take(1000) {
            client.poke(address);
        }
        eventually("a thousand requests have arrived at the card", || {
            broadcasts(&node) >= packets + 1000
        });
        assert!(client.finds("192.0.2.100"));
        let after = interface(&announcer).arp;
        // Only the request that was meant for us came through.
        assert_eq!(after.received, before.received + 1);
        assert_eq!(after.dropped, 0);
    });
}

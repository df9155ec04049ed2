//! A peer finds an announced address, reaches it, and finds it no more after withdrawal.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

use super::announcing::{announced, interface, on, until_announced};
use super::capture::Capture;
use super::world::{eventually, with_hosts, with_root_and_hosts};

const VIP4: &str = "192.0.2.100";
const VIP6: &str = "2001:db8::100";

#[test]
fn openelb_38_arping_and_ndisc6_resolve_an_announced_address_to_the_nic() {
    with_hosts(|_, [node, client]| {
        let _announcer = announced(&node, &[VIP4, VIP6]);
        let mac = Some(node.mac("eth0"));
        assert_eq!(client.resolve(VIP4), mac);
        assert_eq!(client.resolve(VIP6), mac);
    });
}

#[test]
fn openelb_41_the_kernel_of_a_peer_resolves_both_families_on_one_nic() {
    with_hosts(|_, [node, client]| {
        let _announcer = announced(&node, &[VIP4, VIP6]);
        for address in [VIP4, VIP6] {
            client.poke(address);
            let expected = format!("lladdr {}", node.mac("eth0"));
            eventually("the neighbour is reachable", || {
                let line = client.neighbor(address);
                line.contains(&expected) && line.contains("REACHABLE")
            });
        }
    });
}

#[test]
fn a_client_reaches_an_announced_address_over_tcp_in_both_families() {
    with_hosts(|_, [node, client]| {
        // The address is on no interface, so only our answers lead here.
        node.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv6.ip_nonlocal_bind=1");
        node.sh(&format!("ip route add local {VIP4} dev lo"));
        node.sh(&format!("ip -6 route add local {VIP6} dev lo"));
        let _announcer = announced(&node, &[VIP4, VIP6]);
        for address in [VIP4, VIP6] {
            let target = SocketAddr::new(address.parse::<IpAddr>().unwrap(), 8080);
            let listener = node.run(|| TcpListener::bind(target).unwrap());
            let server = std::thread::spawn(move || {
                let (mut connection, _) = listener.accept().unwrap();
                connection.write_all(b"reached").unwrap();
            });
            let mut text = String::new();
            client
                .run(|| {
                    TcpStream::connect(target)
                        .unwrap()
                        .read_to_string(&mut text)
                })
                .unwrap();
            server.join().unwrap();
            assert_eq!(text, "reached");
        }
    });
}

#[test]
fn openelb_38_a_withdrawn_address_is_silent_while_the_others_go_on() {
    with_hosts(|_, [node, client]| {
        let announcer = announced(&node, &[VIP4, "192.0.2.101", VIP6]);
        assert!(client.finds(VIP4) && client.finds(VIP6));
        announcer.announce(on("eth0", &["192.0.2.101"])).unwrap();
        // The status answers after the set was taken over.
        until_announced(&announcer);
        assert!(!client.finds(VIP4) && !client.finds(VIP6));
        assert!(client.finds("192.0.2.101"));
        announcer.stop();
        assert!(!client.finds("192.0.2.101"));
    });
}

#[test]
fn openelb_40_of_two_addresses_with_equal_low_24_bits_one_goes_and_the_other_stays() {
    with_hosts(|_, [node, client]| {
        let (one, other) = ("2001:db8::1:aa:bbcc", "2001:db8::2:aa:bbcc");
        let announcer = announced(&node, &[one, other]);
        assert!(client.finds(one) && client.finds(other));
        announcer.announce(on("eth0", &[other])).unwrap();
        until_announced(&announcer);
        assert!(!client.finds(one));
        assert!(client.finds(other));
    });
}

#[test]
fn openelb_40_withdrawing_what_was_never_announced_and_announcing_twice_are_no_errors() {
    with_hosts(|_, [node, client]| {
        let announcer = announced(&node, &[VIP4]);
        announcer.announce(on("eth0", &[VIP4, VIP4])).unwrap();
        announcer.announce(Vec::new()).unwrap();
        announcer.announce(Vec::new()).unwrap();
        assert!(announcer.status().is_empty());
        assert!(!client.finds(VIP4));
    });
}

#[test]
fn metallb_54_requests_to_another_hardware_address_and_for_other_addresses_are_not_answered() {
    with_root_and_hosts(|_, [node, client]| {
        let announcer = announced(&node, &[VIP4]);
        // With the card open for everything, frames for other stations come in as well.
        node.sh("ip link set eth0 promisc on");
        let capture = Capture::start(&node, "arp");
        // An announcement would correct what the client is about to be told.
        eventually("all three announcements are out, in two forms each", || {
            interface(&announcer).arp.announcements == 6
        });
        let before = interface(&announcer).arp.received;
        let path = "net.ipv4.neigh.eth0";
        client.sh(&format!(
            "sysctl -qw {path}.delay_first_probe_time=1 {path}.retrans_time_ms=100"
        ));
        let elsewhere = "lladdr 02:00:00:00:00:77 dev eth0 nud stale";
        client.sh(&format!("ip neigh replace {VIP4} {elsewhere}"));
        client.poke(VIP4);
        eventually(
            "requests to a station that is not there have failed",
            || !client.neighbor(VIP4).contains("02:00:00:00:00:77"),
        );
        assert!(!client.neighbor(VIP4).contains(&node.mac("eth0")));
        assert!(capture.count("arp.opcode == 1 && eth.dst == 02:00:00:00:00:77") >= 1);
        assert!(!client.finds("192.0.2.99"));
        assert_eq!(interface(&announcer).arp.received, before);
    });
}

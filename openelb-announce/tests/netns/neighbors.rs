//! A client's neighbour cache stays right, and its own address yields to ours.

use super::announcing::announced;
use super::capture::Capture;
use super::world::{Host, eventually, with_hosts, with_root_and_hosts};

const VIP4: &str = "192.0.2.100";
const VIP6: &str = "2001:db8::100";

/// Makes the client's kernel doubt a neighbour after a quarter of a second instead of half a minute.
fn doubt_quickly(client: &Host) {
    for family in ["ipv4", "ipv6"] {
        let path = format!("net.{family}.neigh.eth0");
        client.sh(&format!(
            "sysctl -qw {path}.base_reachable_time_ms=250 {path}.delay_first_probe_time=1"
        ));
        client.sh(&format!(
            "sysctl -qw {path}.retrans_time_ms=200 {path}.gc_stale_time=1"
        ));
    }
}

#[test]
fn unicast_probes_of_a_clients_kernel_are_answered_so_it_never_loses_the_neighbor() {
    with_root_and_hosts(|_, [node, client]| {
        let _announcer = announced(&node, &[VIP4, VIP6]);
        doubt_quickly(&client);
        let node_mac = node.mac("eth0");
        let capture = Capture::start(&client, "arp or icmp6");
        for (address, question) in [(VIP4, "arp.opcode == 1"), (VIP6, "icmpv6.type == 135")] {
            let questions = format!("{question} && eth.src == {}", client.mac("eth0"));
            // Whom it asked: everybody (broadcast or multicast), or the node alone.
            let asked = || capture.frames(&questions, &["eth.dst"]).concat();
            let is_node = |mac: &String| *mac == node_mac;
            eventually("the kernel has probed by unicast three times", || {
                client.poke(address);
                assert!(!client.neighbor(address).contains("FAILED"));
                asked().iter().filter(|mac| is_node(mac)).count() >= 3
            });
            // After its first unicast probe it never had to ask everybody again.
            let later = asked().into_iter().skip_while(|mac| !is_node(mac));
            assert_eq!(later.filter(|mac| !is_node(mac)).count(), 0);
            eventually("the neighbour is confirmed", || {
                client.neighbor(address).contains("REACHABLE")
            });
        }
    });
}

#[test]
fn duplicate_address_detection_of_arping_finds_the_announced_address_taken() {
    with_hosts(|_, [node, client]| {
        let _announcer = announced(&node, &[VIP4]);
        let taken = client.try_sh(&format!("arping -q -D -c 2 -w 2 -I eth0 {VIP4}"));
        assert_eq!(taken.status.code(), Some(1));
        let free = client.try_sh("arping -q -D -c 1 -w 1 -I eth0 192.0.2.99");
        assert_eq!(free.status.code(), Some(0));
    });
}

#[test]
fn a_client_that_gives_itself_the_announced_ipv6_address_finds_it_a_duplicate() {
    with_hosts(|_, [node, client]| {
        let _announcer = announced(&node, &[VIP6]);
        client.sh("sysctl -qw net.ipv6.conf.eth0.accept_dad=1 net.ipv6.conf.all.accept_dad=1");
        client.sh(&format!("ip addr add {VIP6}/64 dev eth0"));
        eventually("the kernel marks its own address dadfailed", || {
            client.sh("ip -6 addr show dev eth0").contains("dadfailed")
        });
        // An address that nobody announces passes the same test.
        client.sh("ip addr add 2001:db8::99/64 dev eth0");
        eventually("the kernel accepts a free address", || {
            let text = client.sh("ip -6 addr show dev eth0 to 2001:db8::99");
            !text.contains("tentative") && !text.contains("dadfailed")
        });
    });
}

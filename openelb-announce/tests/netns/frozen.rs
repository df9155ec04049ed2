//! A process that was stopped answers nothing stale when it goes on.

use std::fmt::Write as _;

use super::capture::Capture;
use super::process::{announce, this_program};
use super::world::{eventually, with_hosts, with_root_and_hosts};

const VIP4: &str = "192.0.2.100";
const VIP6: &str = "2001:db8::100";

#[test]
fn a_stopped_process_answers_no_question_of_the_meantime_and_starts_anew() {
    with_root_and_hosts(|_, [node, client]| {
        let process = announce(&node, "", &this_program(), &[VIP4, VIP6]);
        eventually("both are announced", || {
            client.finds(VIP4) && client.finds(VIP6)
        });
        // The client's kernel asks forty times, every 50 ms, before it gives up.
        for family in ["ipv4", "ipv6"] {
            let path = format!("net.{family}.neigh.eth0");
            client.sh(&format!(
                "sysctl -qw {path}.retrans_time_ms=50 {path}.mcast_solicit=40"
            ));
        }
        let node_mac = node.mac("eth0");
        let capture = Capture::start(&client, "arp or icmp6");
        let from = |filter: &str, mac: &str| format!("({filter}) && eth.src == {mac}");
        let question = from("arp.opcode == 1 || icmpv6.type == 135", &client.mac("eth0"));
        let answer = from(
            "(arp.opcode == 2 && !arp.isgratuitous) || icmpv6.nd.na.flag.s == 1",
            &node_mac,
        );
        let probe = from(
            "arp.isprobe || (icmpv6.type == 135 && ipv6.src == ::)",
            &node_mac,
        );
        let announcement = from(
            "arp.isannouncement || (icmpv6.type == 136 && icmpv6.nd.na.flag.s == 0)",
            &node_mac,
        );
        let (probes, announcements) = (capture.count(&probe), capture.count(&announcement));

        process.signal("STOP");
        // Only now: an announcement would fill the cache again.
        client.sh("ip neigh flush dev eth0");
        client.poke(VIP4);
        client.poke(VIP6);
        eventually("the client has given up asking", || {
            let lines = [client.neighbor(VIP4), client.neighbor(VIP6)].concat();
            assert!(!lines.contains("lladdr"), "{lines}");
            !lines.contains("INCOMPLETE")
        });
        assert!(capture.count(&question) >= 80);
        process.signal("CONT");

        eventually("both were announced anew", || {
            capture.count(&announcement) >= announcements + 3
        });
        assert!(
            capture.count(&probe) > probes,
            "it made sure that nobody took them over"
        );
        assert_eq!(capture.count(&answer), 0);
        eventually("both are answered for again", || {
            client.finds(VIP4) && client.finds(VIP6)
        });
    });
}

#[test]
fn news_that_overflow_while_the_process_is_stopped_are_made_up_for_by_reading_everything() {
    with_hosts(|world, [node, client]| {
        let process = announce(&node, "", &this_program(), &[VIP4, VIP6]);
        eventually("both are announced", || {
            client.finds(VIP4) && client.finds(VIP6)
        });
        process.signal("STOP");
        // Each change of a link is told in one or two kibibytes, and the queue takes two mebibytes.
        let mut lines = String::new();
        for mtu in 60_000..64_000 {
            writeln!(lines, "link set lo mtu {mtu}").unwrap();
        }
        let path = format!("/tmp/{}.batch", node.namespace);
        std::fs::write(&path, lines).unwrap();
        node.sh(&format!("ip -batch {path}"));
        std::fs::remove_file(&path).unwrap();
        // This is told last, so it is lost.
        world.plug(&node, "lan0");
        node.sh("ip link set eth0 down");
        process.signal("CONT");
        for address in [VIP4, VIP6] {
            eventually("it is found on the new interface", || {
                client.resolve(address) == Some(node.mac("lan0"))
            });
        }
    });
}

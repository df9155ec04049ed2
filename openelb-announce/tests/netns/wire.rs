//! Every frame that leaves is one that independent decoders accept.

use openelb_announce::claim::Probe;

use super::announcing::{probed, start, until_announced};
use super::capture::Capture;
use super::world::{eventually, with_root_and_hosts};

const VIP4: &str = "192.0.2.100";
const VIP6: &str = "2001:db8::100";

#[test]
fn tshark_finds_nothing_wrong_with_probes_announcements_and_answers() {
    with_root_and_hosts(|_, [node, client]| {
        let capture = Capture::start(&client, "arp or icmp6");
        let announcer = start(&node);
        announcer
            .announce(probed("eth0", &[VIP4, VIP6], Probe::Fast))
            .unwrap();
        until_announced(&announcer);
        assert!(client.finds(VIP4) && client.finds(VIP6));
        client.try_sh(&format!("arping -q -D -c 1 -w 1 -I eth0 {VIP4}"));
        client.sh("sysctl -qw net.ipv6.conf.eth0.accept_dad=1 net.ipv6.conf.all.accept_dad=1");
        client.sh(&format!("ip addr add {VIP6}/64 dev eth0"));
        let ours = |filter: &str| {
            let node = node.mac("eth0");
            capture.count(&format!("eth.src == {node} && ({filter})"))
        };
        for (kind, filter) in [
            ("ARP probes", "arp.isprobe"),
            ("ARP announcements", "arp.isannouncement"),
            ("ARP answers", "arp.opcode == 2 && eth.dst.ig == 0"),
            (
                "DAD solicitations",
                "icmpv6.nd.ns.target_address == 2001:db8::100 && ipv6.src == ::",
            ),
            (
                "unsolicited advertisements",
                "icmpv6.nd.na.target_address == 2001:db8::100 && icmpv6.nd.na.flag.s == 0",
            ),
            (
                "solicited advertisements",
                "icmpv6.nd.na.target_address == 2001:db8::100 && icmpv6.nd.na.flag.s == 1",
            ),
            (
                "defences against DAD",
                "icmpv6.nd.na.target_address == 2001:db8::100 && ipv6.dst == ff02::1",
            ),
        ] {
            eventually(kind, || ours(filter) >= 1);
        }
        assert_eq!(ours("_ws.malformed"), 0);
        // Severity "error", of any dissector.
        assert_eq!(ours("_ws.expert.severity == 8388608"), 0);
        assert_eq!(ours("icmpv6 && icmpv6.checksum.status != 1"), 0);
        // Of both counts the capture, which goes on, would have given the second more.
        assert_eq!(
            ours(
                "(icmpv6.type == 135 || icmpv6.type == 136) \
                 && !(icmpv6.nd.ns.target_address || icmpv6.nd.na.target_address)"
            ),
            0
        );
    });
}

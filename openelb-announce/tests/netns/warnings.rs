//! What the host's own settings spoil is said in the status.

use openelb_announce::announcer::{Announcer, Warning};

use super::announcing::announced;
use super::world::with_hosts;

const VIP4: &str = "192.0.2.100";
const VIP6: &str = "2001:db8::100";

fn warnings(announcer: &Announcer) -> Vec<Warning> {
    announcer
        .status()
        .into_iter()
        .flat_map(|status| status.warnings)
        .collect()
}

#[test]
fn an_address_that_the_kernel_answers_for_on_every_interface_is_warned_about() {
    with_hosts(|_, [node]| {
        node.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth0.arp_ignore=0");
        // As kube-proxy in IPVS mode does on every node, there on kube-ipvs0.
        node.sh(&format!("ip addr add {VIP4}/32 dev lo"));
        node.sh(&format!("ip addr add {VIP6}/128 dev lo"));
        let announcer = announced(&node, &[VIP4, VIP6]);
        let expected = Warning::KernelAnswersToo {
            address: VIP4.parse().unwrap(),
            owner: "lo".to_owned(),
            interface: "eth0".to_owned(),
        };
        assert!(expected.to_string().contains("strictARP"));
        assert_eq!(warnings(&announcer), [expected]);
        node.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1");
        assert_eq!(warnings(&announcer), []);
    });
}

#[test]
fn an_address_of_the_announcing_interface_itself_is_warned_about_in_both_families() {
    with_hosts(|_, [node]| {
        let announcer = announced(&node, &["192.0.2.1", "2001:db8::1"]);
        let on_itself = |address: &str| Warning::OnAnnouncingInterface {
            address: address.parse().unwrap(),
            interface: "eth0".to_owned(),
        };
        assert_eq!(
            warnings(&announcer),
            [on_itself("192.0.2.1"), on_itself("2001:db8::1")]
        );
    });
}

#[test]
fn strict_reverse_path_checks_are_warned_about_on_hosts_with_several_networks() {
    with_hosts(|world, [node]| {
        node.sh("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=1");
        let announcer = announced(&node, &[VIP4]);
        assert_eq!(warnings(&announcer), []);
        world.plug(&node, "lan0");
        node.sh("ip addr add 198.51.100.1/24 dev lan0");
        let expected = Warning::StrictReversePath {
            interface: "eth0".to_owned(),
        };
        super::world::eventually("the second network is noticed", || {
            warnings(&announcer) == [expected.clone()]
        });
        node.sh("sysctl -qw net.ipv4.conf.all.rp_filter=2");
        assert_eq!(warnings(&announcer), []);
    });
}

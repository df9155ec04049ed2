//! Sessions come up with both routers, over both families, on one link and over routers, and stay.

use openelb_announce::bfd::{Diagnostic, PathState, State};

use crate::node::{Node, every, far, near};
use crate::peer::{Bird, Frr, with_routers};
use crate::world::{Host, eventually};

const PEER4: &str = "192.0.2.2";
const PEER6: &str = "2001:db8::2";

/// The session receives a forty more packets, more than twelve detection times, without a change.
fn assert_stable(node: &Node, peer: &str) {
    let before = node.status(peer);
    eventually("forty packets", || {
        node.status(peer).received >= before.received + 40
    });
    let after = node.status(peer);
    assert_eq!((after.state, after.flaps), (State::Up, before.flaps));
    assert_eq!(after.discarded, before.discarded);
    assert_eq!(after.problem, None);
}

fn frr_peers(millis: u64) -> String {
    ["192.0.2.1", "2001:db8::1"]
        .map(|peer| {
            let local = if peer.contains(':') {
                " local-address 2001:db8::2"
            } else {
                ""
            };
            format!(
                " peer {peer}{local} interface eth0\n  transmit-interval {millis}\n  \
                 receive-interval {millis}\n  detect-multiplier 3\n"
            )
        })
        .concat()
}

fn bird_neighbors(millis: u64) -> String {
    format!(
        "interface \"eth0\" {{ interval {millis} ms; multiplier 3; }};\n\
         neighbor 192.0.2.1 dev \"eth0\";\nneighbor 2001:db8::1 dev \"eth0\";"
    )
}

fn comes_up_with_frr(millis: u64) {
    with_routers(move |_, [ours, theirs]: [Host; 2]| {
        let frr = Frr::start(&theirs, &frr_peers(millis));
        let node = Node::start(&ours);
        node.watch(&[near(PEER4, every(millis)), near(PEER6, every(millis))]);
        for (peer, us) in [(PEER4, "192.0.2.1"), (PEER6, "2001:db8::1")] {
            node.until_state(peer, State::Up);
            frr.until_status(us, "up");
            eventually("both count with the same intervals", || {
                let status = node.status(peer);
                let detection = frr.peer(us)["remote-transmit-interval"].as_u64();
                status.detection_time.as_millis() == 3 * u128::from(millis)
                    && detection == Some(millis)
            });
            assert_stable(&node, peer);
            assert_eq!(node.status(peer).diagnostic, Diagnostic::None);
            let states = [PathState::Unknown, PathState::Up];
            assert_eq!(node.path_states(peer), states);
        }
    });
}

fn comes_up_with_bird(millis: u64) {
    with_routers(move |_, [ours, theirs]: [Host; 2]| {
        let bird = Bird::start(&theirs, &bird_neighbors(millis));
        let node = Node::start(&ours);
        node.watch(&[near(PEER4, every(millis)), near(PEER6, every(millis))]);
        for (peer, us) in [(PEER4, "192.0.2.1"), (PEER6, "2001:db8::1")] {
            node.until_state(peer, State::Up);
            bird.until_state(us, "Up");
            assert_stable(&node, peer);
        }
    });
}

#[test]
fn frr_at_three_times_300_ms_both_families() {
    comes_up_with_frr(300);
}

#[test]
fn frr_at_three_times_50_ms_both_families() {
    comes_up_with_frr(50);
}

#[test]
fn bird_at_three_times_300_ms_both_families() {
    comes_up_with_bird(300);
}

#[test]
fn bird_at_three_times_50_ms_both_families() {
    comes_up_with_bird(50);
}

#[test]
fn frr_over_link_local_addresses() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let [us, peer] = [&ours, &theirs].map(link_local);
        let _frr = Frr::start(
            &theirs,
            &format!(" peer {us} local-address {peer} interface eth0\n"),
        );
        let node = Node::start(&ours);
        node.watch(&[near(&peer, every(300))]);
        node.until_state(&peer, State::Up);
    });
}

#[test]
fn frr_and_bird_over_a_router() {
    with_routers(|_, [ours, router, frr_host, bird_host]: [Host; 4]| {
        let far_away = [(&ours, 1), (&frr_host, 3), (&bird_host, 4)];
        for (host, number) in far_away {
            host.sh(&format!("ip addr add 198.51.100.{number}/32 dev lo"));
            host.sh(&format!("ip addr add 2001:db8:f::{number}/128 dev lo"));
            host.sh("ip route add 198.51.100.0/24 via 192.0.2.2");
            host.sh("ip route add 2001:db8:f::/64 via 2001:db8::2");
            router.sh(&format!(
                "ip route add 198.51.100.{number} via 192.0.2.{number}"
            ));
            router.sh(&format!(
                "ip route add 2001:db8:f::{number} via 2001:db8::{number}"
            ));
        }
        router.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
        router.sh(
            "sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0",
        );
        let _frr = Frr::start(
            &frr_host,
            " peer 198.51.100.1 multihop local-address 198.51.100.3\n\
             peer 2001:db8:f::1 multihop local-address 2001:db8:f::3\n",
        );
        let _bird = Bird::start(
            &bird_host,
            "multihop { interval 300 ms; multiplier 3; };\n\
             neighbor 198.51.100.1 local 198.51.100.4 multihop on;\n\
             neighbor 2001:db8:f::1 local 2001:db8:f::4 multihop on;",
        );
        let node = Node::start(&ours);
        let (us4, us6) = ("198.51.100.1", "2001:db8:f::1");
        let mut targets = [
            far("198.51.100.3", us4, every(300)),
            far("2001:db8:f::3", us6, every(300)),
            far("198.51.100.4", us4, every(300)),
            far("2001:db8:f::4", us6, every(300)),
        ];
        // BIRD sends with the kernel's usual TTL of 64, FRR with 255.
        for target in &mut targets[2..] {
            target.settings.multihop = Some(63);
        }
        node.watch(&targets);
        for target in &targets {
            node.until_state(&target.peer.to_string(), State::Up);
        }
        // The router takes one off: what is allowed to be that far away still arrives, what must be
        // on the same link does not.
        targets[0].settings.multihop = Some(254);
        targets[2].settings.multihop = Some(64);
        node.watch(&targets);
        assert_stable(&node, "198.51.100.3");
        node.until_state("198.51.100.4", State::Down);
        let reason = node.status("198.51.100.4").last_discard.unwrap();
        assert!(reason.contains("TTL 63, less than 64"), "{reason}");
    });
}

#[test]
fn sessions_are_up_again_after_their_interface_was_replaced() {
    with_routers(|world, [ours, theirs]: [Host; 2]| {
        let _frr = Frr::start(&theirs, &frr_peers(300));
        let node = Node::start(&ours);
        node.watch(&[near(PEER4, every(300))]);
        node.until_state(PEER4, State::Up);
        ours.sh("ip link del eth0");
        node.until_state(PEER4, State::Down);
        eventually("the missing interface is named", || {
            let problem = node.status(PEER4).problem.unwrap_or_default();
            problem.contains("no interface eth0")
        });
        world.plug(&ours, "eth0");
        ours.sh("ip addr add 192.0.2.1/24 dev eth0");
        node.until_state(PEER4, State::Up);
        assert_eq!(node.status(PEER4).problem, None);
    });
}

#[test]
fn a_port_that_another_daemon_has_is_named_and_taken_when_it_is_free() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let _frr = Frr::start(&theirs, &frr_peers(300));
        let other = ours.run(|| std::net::UdpSocket::bind("0.0.0.0:3784").unwrap());
        let node = Node::start(&ours);
        node.watch(&[near(PEER4, every(300))]);
        eventually("the port is named", || {
            let problem = node.status(PEER4).problem.unwrap_or_default();
            problem.contains("UDP port 3784") && problem.contains("bfdd")
        });
        drop(other);
        node.until_state(PEER4, State::Up);
    });
}

fn link_local(host: &Host) -> String {
    let text = host.sh("ip -6 -o addr show dev eth0 scope link");
    let mut words = text.split_whitespace().skip_while(|word| *word != "inet6");
    let address = words.nth(1).unwrap();
    address.split_once('/').unwrap().0.to_owned()
}

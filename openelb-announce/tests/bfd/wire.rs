//! What goes over the wire, as `tshark` reads it: the independent decoder of our packets.

use std::collections::BTreeSet;

use openelb_announce::bfd::{Auth, AuthKind, Key, Settings, State};

use crate::capture::Capture;
use crate::node::{Node, every, near};
use crate::peer::{Bird, Frr, with_routers};
use crate::world::{Host, eventually};

const PEER4: &str = "192.0.2.2";
const PEER6: &str = "2001:db8::2";

#[test]
fn tshark_reads_in_our_packets_what_the_status_says() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let capture = Capture::start(&ours, "udp");
        let _frr = Frr::start(
            &theirs,
            " peer 192.0.2.1 interface eth0\n\
             peer 2001:db8::1 local-address 2001:db8::2 interface eth0\n",
        );
        let node = Node::start(&ours);
        let settings = Settings {
            multiplier: 4,
            ..every(200)
        };
        node.watch(&[near(PEER4, settings.clone()), near(PEER6, settings)]);
        for (peer, family) in [(PEER4, "ip"), (PEER6, "ipv6")] {
            node.until_state(peer, State::Up);
            let to_peer = format!("{family}.dst == {peer} && bfd");
            let settled =
                format!("{to_peer} && bfd.sta == 3 && bfd.desired_min_tx_interval == 200000");
            eventually("settled packets are captured", || {
                capture.count(&settled) > 5
            });

            let status = node.status(peer);
            let names = ["bfd.my_discriminator", "bfd.your_discriminator"];
            let numbers = [Some(status.discriminator), status.remote_discriminator];
            let names = capture.frames(&settled, &names);
            for frame in &names {
                let read: Vec<u32> = frame.iter().map(|field| number(field)).collect();
                assert_eq!(read, numbers.map(Option::unwrap));
            }
            let fixed = [
                "bfd.version",
                "bfd.detect_time_multiplier",
                "bfd.message_length",
                "bfd.required_min_rx_interval",
                "bfd.required_min_echo_interval",
                "bfd.flags.c",
                "bfd.flags.a",
                "bfd.flags.d",
                "bfd.flags.m",
            ];
            let values = ["1", "4", "24", "200000", "0", "0", "0", "0", "0"];
            for frame in capture.frames(&to_peer, &fixed) {
                let read: Vec<u32> = frame.iter().map(|field| number(field)).collect();
                assert_eq!(read, values.map(number));
            }
            // Slow until it is up (RFC 5880 section 6.8.3).
            let hasty =
                format!("{to_peer} && bfd.sta != 3 && bfd.desired_min_tx_interval < 1000000");
            assert_eq!(capture.count(&hasty), 0);
            assert_way(&capture, &to_peer, family);
        }
        assert_eq!(capture.count("bfd && _ws.malformed"), 0);
    });
}

/// RFC 5881 section 4: port 3784, from one port between 49152 and 65535; section 5: TTL 255.
fn assert_way(capture: &Capture, filter: &str, family: &str) {
    let ttl = if family == "ip" {
        "ip.ttl"
    } else {
        "ipv6.hlim"
    };
    let ways = capture.frames(filter, &["udp.srcport", "udp.dstport", ttl]);
    let ways: BTreeSet<Vec<u32>> = ways
        .iter()
        .map(|way| way.iter().map(|field| number(field)).collect())
        .collect();
    assert_eq!(ways.len(), 1, "always the same: {ways:?}");
    let way = ways.first().unwrap();
    assert!(way[0] >= 49152);
    assert_eq!(way[1..], [3784, 255]);
}

#[test]
fn tshark_reads_the_authentication_section_and_rising_sequence_numbers() {
    with_routers(|_, [ours, theirs]: [Host; 2]| {
        let capture = Capture::start(&ours, "udp");
        let _bird = Bird::start(
            &theirs,
            "interface \"eth0\" { interval 100 ms; authentication meticulous keyed sha1;\n\
             password \"correct horse\" { id 7; }; };\nneighbor 192.0.2.1 dev \"eth0\";",
        );
        let node = Node::start(&ours);
        let auth = Some(Auth {
            kind: AuthKind::MeticulousKeyedSha1,
            key_id: 7,
            key: Key::new(b"correct horse").unwrap(),
        });
        let settings = Settings { auth, ..every(100) };
        node.watch(&[near(PEER4, settings)]);
        node.until_state(PEER4, State::Up);
        let to_peer = "ip.dst == 192.0.2.2 && bfd.auth.type == 5 && bfd.auth.len == 28";
        eventually("packets are captured", || capture.count(to_peer) > 20);
        assert_eq!(capture.count("ip.dst == 192.0.2.2 && bfd.flags.a == 0"), 0);
        let fields = ["bfd.auth.key", "bfd.message_length", "bfd.auth.seq_num"];
        let frames = capture.frames(to_peer, &fields);
        let mut sequence = None;
        for frame in frames {
            assert_eq!([number(&frame[0]), number(&frame[1])], [7, 52]);
            let next = number(&frame[2]);
            assert!(sequence.is_none_or(|last: u32| next == last.wrapping_add(1)));
            sequence = Some(next);
        }
        assert_eq!(capture.count("bfd && _ws.malformed"), 0);
    });
}

/// A field of tshark's, decimal or hexadecimal; flags are words in some versions.
fn number(field: &str) -> u32 {
    match field {
        "False" => 0,
        "True" => 1,
        _ => match field.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).unwrap(),
            None => field.parse().unwrap(),
        },
    }
}

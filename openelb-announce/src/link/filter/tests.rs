//! Tests of the filter programs, run by a small interpreter of the same instruction set.

use super::*;

/// What the kernel knows about a frame besides its octets.
#[derive(Clone, Copy)]
struct Meta {
    packet_type: u32,
    vlan: u32,
    /// Where a raw socket sees the packet from behind the IP header on.
    hop_limit: u32,
}

const TO_US: Meta = Meta {
    packet_type: 0,
    vlan: 0,
    hop_limit: 255,
};
const BROADCAST: Meta = Meta {
    packet_type: 1,
    vlan: 0,
    hop_limit: 255,
};

/// Runs `filter` as the kernel does: a load beyond the end of the frame drops it.
fn passes(filter: &Filter, frame: &[u8], meta: Meta) -> bool {
    let mut accumulator = 0;
    let mut at = 0;
    loop {
        let Instruction {
            code,
            jump_true,
            jump_false,
            operand,
        } = filter.0[at];
        at += 1;
        let mut branch = |taken| at += usize::from(if taken { jump_true } else { jump_false });
        match code {
            RETURN => return operand != 0,
            AND => accumulator &= operand,
            JUMP_EQUAL => branch(accumulator == operand),
            JUMP_GREATER => branch(accumulator > operand),
            LOAD_BYTE if operand == ANCILLARY_PACKET_TYPE => accumulator = meta.packet_type,
            LOAD_BYTE if operand == ANCILLARY_VLAN_TAG_PRESENT => accumulator = meta.vlan,
            LOAD_BYTE if operand == NETWORK_HEADER + 7 => accumulator = meta.hop_limit,
            LOAD_BYTE | LOAD_HALF | LOAD_WORD => {
                let width = match code {
                    LOAD_BYTE => 1,
                    LOAD_HALF => 2,
                    _ => 4,
                };
                let start = operand as usize;
                let Some(octets) = frame.get(start..start + width) else {
                    return false;
                };
                accumulator = octets
                    .iter()
                    .fold(0, |word, octet| word << 8 | u32::from(*octet));
            }
            other => panic!("unknown instruction {other:#x}"),
        }
    }
}

fn nets(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn arp(operation: u8, sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![0xff; 12];
    frame.extend([0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, operation]);
    frame.extend([2, 0, 0, 0, 0, 1]);
    frame.extend(sender);
    frame.extend([0; 6]);
    frame.extend(target);
    frame
}

fn neighbor(kind: u8, hop_limit: u8, target: &str) -> Vec<u8> {
    let target: std::net::Ipv6Addr = target.parse().unwrap();
    let mut frame = vec![0x33; 12];
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 24, 58, hop_limit]);
    frame.extend([0; 32]);
    frame.extend([kind, 0, 0, 0, 0, 0, 0, 0]);
    frame.extend(target.octets());
    frame
}

const ANYBODY: [u8; 4] = [198, 51, 100, 9];

#[test]
fn requests_for_a_covered_address_pass_and_others_do_not() {
    let filter = Filter::arp(&nets(&["192.0.2.8/29", "203.0.113.7/32"]));
    for (target, expected) in [
        ([192, 0, 2, 8], true),
        ([192, 0, 2, 15], true),
        ([192, 0, 2, 16], false),
        ([203, 0, 113, 7], true),
        ([203, 0, 113, 6], false),
    ] {
        assert_eq!(
            passes(&filter, &arp(1, ANYBODY, target), BROADCAST),
            expected,
            "{target:?}"
        );
    }
}

#[test]
fn anything_sent_from_a_covered_address_passes_because_it_may_be_a_conflict() {
    let filter = Filter::arp(&nets(&["192.0.2.8/32"]));
    assert!(passes(&filter, &arp(1, [192, 0, 2, 8], ANYBODY), BROADCAST));
    assert!(passes(&filter, &arp(2, [192, 0, 2, 8], ANYBODY), TO_US));
}

#[test]
fn own_frames_frames_for_other_stations_and_tagged_frames_are_dropped() {
    let filter = Filter::arp(&nets(&["192.0.2.8/32"]));
    let frame = arp(1, ANYBODY, [192, 0, 2, 8]);
    for packet_type in [3, 4, 5] {
        assert!(!passes(
            &filter,
            &frame,
            Meta {
                packet_type,
                vlan: 0,
                hop_limit: 255,
            }
        ));
    }
    assert!(!passes(
        &filter,
        &frame,
        Meta {
            packet_type: 1,
            vlan: 1,
            hop_limit: 255,
        }
    ));
}

#[test]
fn malformed_and_foreign_arp_is_dropped() {
    let filter = Filter::arp(&nets(&["192.0.2.8/32"]));
    let good = arp(1, ANYBODY, [192, 0, 2, 8]);
    assert!(passes(&filter, &good, BROADCAST));
    for octet in [12, 14, 16, 18, 19, 20, 21] {
        let mut bad = good.clone();
        bad[octet] ^= 0x40;
        assert!(!passes(&filter, &bad, BROADCAST), "octet {octet}");
    }
    for length in 0..good.len() {
        assert!(
            !passes(&filter, &good[..length], BROADCAST),
            "{length} octets"
        );
    }
}

#[test]
fn solicitations_and_advertisements_about_a_covered_target_pass() {
    let filter = Filter::ndp(&nets(&[
        "2001:db8:0:1::/64",
        "2001:db8::5:0:0/96",
        "2001:db8::77/128",
    ]));
    for (target, expected) in [
        ("2001:db8:0:1:ffff::1", true),
        ("2001:db8:0:2::1", false),
        ("2001:db8::5:7:7", true),
        ("2001:db8::6:7:7", false),
        ("2001:db8::77", true),
        ("2001:db8::78", false),
    ] {
        assert_eq!(
            passes(&filter, &neighbor(135, 255, target), TO_US),
            expected,
            "{target}"
        );
        assert_eq!(
            passes(&filter, &neighbor(136, 255, target), TO_US),
            expected,
            "{target}"
        );
    }
}

#[test]
fn forwarded_and_other_icmpv6_is_dropped() {
    let filter = Filter::ndp(&nets(&["::/0"]));
    assert!(passes(&filter, &neighbor(135, 255, "2001:db8::1"), TO_US));
    assert!(!passes(&filter, &neighbor(135, 254, "2001:db8::1"), TO_US));
    assert!(!passes(&filter, &neighbor(134, 255, "2001:db8::1"), TO_US));
    assert!(!passes(&filter, &neighbor(128, 255, "2001:db8::1"), TO_US));
}

#[test]
fn without_prefixes_nothing_passes() {
    assert!(!passes(
        &Filter::arp(&[]),
        &arp(1, ANYBODY, [192, 0, 2, 8]),
        BROADCAST
    ));
    assert!(!passes(
        &Filter::ndp(&[]),
        &neighbor(135, 255, "2001:db8::1"),
        TO_US
    ));
    assert!(!passes(
        &Filter::nothing(),
        &arp(1, ANYBODY, [192, 0, 2, 8]),
        BROADCAST
    ));
}

#[test]
fn few_addresses_are_covered_exactly() {
    let cover = cover(&addresses(&["192.0.2.1", "192.0.2.9", "203.0.113.1"]), 16);
    assert_eq!(
        cover,
        nets(&["192.0.2.1/32", "192.0.2.9/32", "203.0.113.1/32"])
    );
}

#[test]
fn many_addresses_are_cut_where_they_differ_most() {
    let list = addresses(&[
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.3",
        "192.0.2.1",
        "2.0.0.1",
        "2.0.0.2",
    ]);
    let mut list = list;
    list.sort_unstable();
    assert_eq!(
        cover(&list, 3),
        nets(&["2.0.0.0/30", "10.0.0.0/30", "192.0.2.1/32"])
    );
}

#[test]
fn a_cover_of_nothing_is_empty_and_a_cover_of_one_prefix_holds_all() {
    assert_eq!(cover(&[], 16), []);
    let list = addresses(&["2001:db8::1", "2001:db8::ffff", "2001:db9::1"]);
    assert_eq!(cover(&list, 1), nets(&["2001:db8::/31"]));
}

proptest::proptest! {
    #[test]
    fn every_address_stays_inside_its_cover(bits in proptest::collection::btree_set(0_u32.., 1..200), limit in 1_usize..20) {
        let list: Vec<IpAddr> = bits.into_iter().map(|bits| IpAddr::V4(bits.into())).collect();
        let cover = cover(&list, limit);
        proptest::prop_assert!(cover.len() <= limit);
        proptest::prop_assert!(list.iter().all(|address| cover.iter().any(|net| net.contains(address))));
    }
}

#[test]
fn router_discovery_lets_through_what_comes_from_the_link_and_nothing_else() {
    let filter = Filter::router_discovery();
    let cases = [
        (134, 0, 255, true),
        (133, 0, 255, true),
        (134, 0, 254, false),
        (133, 0, 64, false),
        (134, 1, 255, false),
        (135, 0, 255, false),
        (136, 0, 255, false),
        (128, 0, 255, false),
    ];
    for (kind, code, hop_limit, expected) in cases {
        let meta = Meta { hop_limit, ..TO_US };
        let message = [kind, code, 0, 0, 0, 0, 0, 0];
        assert_eq!(
            passes(&filter, &message, meta),
            expected,
            "{kind}/{code}, {hop_limit}"
        );
    }
}

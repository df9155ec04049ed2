//! Both decoders on the same corpus: messages as speakers send them, and the same with faults.

use crate::reading::{Disposition, Reading};
use crate::{ours, theirs};
use proptest::prelude::*;

/// Flags, code and value of an attribute.
type Attribute = (u8, u8, Vec<u8>);

fn bytes(lengths: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), lengths)
}

fn lists(octets: usize) -> impl Strategy<Value = Vec<u8>> {
    (1_usize..5).prop_flat_map(move |count| bytes(count * octets))
}

fn path(width: usize) -> impl Strategy<Value = Vec<u8>> {
    let segment = (prop_oneof![9 => Just(2_u8), 1 => Just(1)], 1_u8..5).prop_flat_map(
        move |(kind, count)| {
            let numbers = proptest::collection::vec(1_u8.., usize::from(count) * width);
            numbers.prop_map(move |numbers| [vec![kind, count], numbers].concat())
        },
    );
    proptest::collection::vec(segment, 0..4).prop_map(|segments| segments.concat())
}

fn v4_routes() -> impl Strategy<Value = Vec<u8>> {
    let route = prop_oneof![Just(32_u8), 0_u8..=32].prop_flat_map(|length| {
        let octets = bytes(usize::from(length).div_ceil(8));
        octets.prop_map(move |octets| [vec![length], octets].concat())
    });
    proptest::collection::vec(route, 1..6).prop_map(|routes| routes.concat())
}

fn v6_routes() -> impl Strategy<Value = Vec<u8>> {
    let route = prop_oneof![Just(128_u8), 0_u8..=128].prop_flat_map(|length| {
        let octets = bytes(usize::from(length).div_ceil(8));
        octets.prop_map(move |octets| [vec![length], octets].concat())
    });
    proptest::collection::vec(route, 1..6).prop_map(|routes| routes.concat())
}

/// A valid value for one of the optional attributes that both know.
fn optional() -> impl Strategy<Value = Attribute> {
    prop_oneof![
        bytes(4).prop_map(|value| (0x80, 4, value)),
        bytes(4).prop_map(|value| (0x40, 5, value)),
        Just((0x40, 6, Vec::new())),
        lists(4).prop_map(|value| (0xc0, 8, value)),
        bytes(4).prop_map(|value| (0x80, 9, value)),
        lists(4).prop_map(|value| (0x80, 10, value)),
        lists(8).prop_map(|value| (0xc0, 16, value)),
        lists(12).prop_map(|value| (0xc0, 32, value)),
        bytes(0..9).prop_map(|value| (0xc0, 99, value)),
        v6_routes().prop_map(|routes| (0x80, 15, [vec![0, 2, 1], routes].concat())),
    ]
}

fn mandatory(four_octet_as: bool) -> impl Strategy<Value = Vec<Attribute>> {
    let width = if four_octet_as { 4 } else { 2 };
    let next_hop = (1_u8..=126, bytes(3)).prop_map(|(first, rest)| [vec![first], rest].concat());
    (0_u8..3, path(width), next_hop, v6_routes()).prop_map(|(origin, path, next_hop, routes)| {
        let global = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let head = [vec![0, 2, 1, 16], global.to_vec(), vec![0]].concat();
        vec![
            (0x80, 14, [head, routes].concat()),
            (0x40, 1, vec![origin]),
            (0x40, 2, path),
            (0x40, 3, next_hop),
        ]
    })
}

fn body(withdrawn: &[u8], attributes: &[Attribute], nlri: &[u8]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (flags, code, value) in attributes {
        let [high, low] = u16::try_from(value.len()).unwrap().to_be_bytes();
        octets.extend([flags | 0x10, *code, high, low]);
        octets.extend(value);
    }
    let mut body = Vec::new();
    for field in [withdrawn, &octets] {
        body.extend(u16::try_from(field.len()).unwrap().to_be_bytes());
        body.extend(field);
    }
    body.extend(nlri);
    body
}

/// A whole message, its attributes each once.
fn message(
    ebgp: bool,
    four_octet_as: bool,
) -> impl Strategy<Value = (Vec<u8>, Vec<Attribute>, Vec<u8>)> {
    let options = proptest::collection::vec(optional(), 0..6);
    (v4_routes(), mandatory(four_octet_as), options, v4_routes()).prop_map(
        move |(withdrawn, mut attributes, options, nlri)| {
            for option in options {
                // From outside they are discarded: by us while decoding, by them in the session.
                let inside_only = matches!(option.1, 5 | 9 | 10);
                if ebgp && inside_only {
                    continue;
                }
                if attributes.iter().all(|one| one.1 != option.1) {
                    attributes.push(option);
                }
            }
            (withdrawn, attributes, nlri)
        },
    )
}

fn both(body: &[u8], ebgp: bool, four_octet_as: bool) -> [Option<(Disposition, Reading)>; 2] {
    [
        ours::read(body, ebgp, four_octet_as),
        theirs::read(body, ebgp, four_octet_as),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_message_as_speakers_send_it_means_the_same_to_both(
        ((withdrawn, attributes, nlri), ebgp, four_octet_as) in any::<(bool, bool)>()
            .prop_flat_map(|(ebgp, width)| (message(ebgp, width), Just(ebgp), Just(width))),
    ) {
        let body = body(&withdrawn, &attributes, &nlri);
        let [ours, theirs] = both(&body, ebgp, four_octet_as);
        let (our_disposition, ours) = ours.unwrap();
        let (their_disposition, theirs) = theirs.unwrap();
        prop_assert_eq!(our_disposition, their_disposition);
        if our_disposition < Disposition::Withdraw {
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn a_faulty_attribute_is_judged_the_same_by_both(
        ((withdrawn, mut attributes, nlri), ebgp) in any::<bool>()
            .prop_flat_map(|ebgp| (message(ebgp, true), Just(ebgp))),
        which: prop::sample::Index,
        fault in 0_u8..3,
        octet: u8,
    ) {
        // The multiprotocol attributes are for the next test: their faults end the session.
        let candidates: Vec<_> = (0..attributes.len())
            .filter(|at| !matches!(attributes[*at].1, 14 | 15 | 99))
            .collect();
        let at = *which.get(&candidates);
        let (flags, _, value) = &mut attributes[at];
        match fault {
            0 => *flags ^= 0x40,
            1 => value.truncate(usize::from(octet) % value.len().max(1)),
            _ => value.push(octet),
        }
        let body = body(&withdrawn, &attributes, &nlri);
        let [ours, theirs] = both(&body, ebgp, true);
        let (our_disposition, ours) = ours.unwrap();
        let (their_disposition, theirs) = theirs.unwrap();
        prop_assert_eq!(our_disposition, their_disposition, "{:?}", attributes);
        if our_disposition < Disposition::Withdraw {
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn where_both_accept_mutated_octets_they_read_the_same(
        ((withdrawn, attributes, nlri), ebgp) in any::<bool>()
            .prop_flat_map(|ebgp| (message(ebgp, true), Just(ebgp))),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut body = body(&withdrawn, &attributes, &nlri);
        for (position, octet) in changes {
            let position = position.index(body.len());
            body[position] = octet;
        }
        if let [Some((Disposition::Accept, ours)), Some((Disposition::Accept, theirs))] =
            both(&body, ebgp, true)
        {
            prop_assert_eq!(ours, theirs);
        }
    }
}

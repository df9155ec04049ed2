//! What the tests of messages share, and that whatever is written is read back.

use super::{
    AttributeBlock, DecodeContext, MessageKind, Update, Verdict, header, write_announcements,
    write_end_of_rib, write_withdrawals,
};
use crate::bgp::attribute::{AsPath, Attributes, Origin};
use crate::bgp::community::{Community, ExtendedCommunity, LargeCommunity};
use crate::bgp::next_hop::{ExtendedNextHop, NextHop, V6ForV4};
use crate::bgp::{Asn, Family, FamilySet, Nlri, PerFamily, Prefix};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The octets of hexadecimal digits, with spaces anywhere.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    let pairs = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]);
    pairs.map(|octet| u8::try_from(octet).unwrap()).collect()
}

/// One attribute with a length of one octet, or of two if need be.
pub(super) fn attribute(flags: u8, code: u8, value: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(value.len()).unwrap().to_be_bytes();
    let mut octets = if high == 0 {
        vec![flags, code, low]
    } else {
        vec![flags | 0x10, code, high, low]
    };
    octets.extend(value);
    octets
}

/// The body of an UPDATE.
pub(super) fn body(withdrawn: &[u8], attributes: &[Vec<u8>], nlri: &[u8]) -> Vec<u8> {
    let attributes = attributes.concat();
    let mut body = Vec::new();
    for field in [withdrawn, &attributes] {
        body.extend(u16::try_from(field.len()).unwrap().to_be_bytes());
        body.extend(field);
    }
    body.extend(nlri);
    body
}

/// An internal session with four-octet AS numbers and both families.
pub(super) fn internal() -> DecodeContext {
    DecodeContext {
        four_octet_as: true,
        families: FamilySet::ALL,
        ..DecodeContext::default()
    }
}

/// The same, external.
pub(super) fn external() -> DecodeContext {
    DecodeContext {
        ebgp: true,
        ..internal()
    }
}

/// The messages in `stream`, without their headers.
pub(super) fn bodies(stream: &[u8]) -> Vec<&[u8]> {
    let mut bodies = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let length = usize::from(u16::from_be_bytes([rest[16], rest[17]]));
        assert_eq!(MessageKind::from(rest[18]), MessageKind::Update);
        bodies.push(&rest[header::LENGTH..length]);
        rest = &rest[length..];
    }
    bodies
}

fn prefix(family: Family) -> impl Strategy<Value = Prefix> {
    let hosts_are_common = prop_oneof![Just(family.host_length()), 0..=family.host_length()];
    (any::<u128>(), hosts_are_common).prop_map(move |(bits, length)| {
        let octets = bits.to_be_bytes();
        let address: IpAddr = match family {
            Family::Ipv4Unicast => Ipv4Addr::from_octets(*octets.first_chunk().unwrap()).into(),
            Family::Ipv6Unicast => Ipv6Addr::from_octets(octets).into(),
        };
        Prefix::truncate(address, length).unwrap()
    })
}

fn routes(family: Family) -> impl Strategy<Value = Vec<Nlri>> {
    let paths = proptest::option::of(any::<u32>());
    (paths, proptest::collection::vec(prefix(family), 0..900)).prop_map(|(path_id, prefixes)| {
        let nlri = prefixes.into_iter().map(|prefix| Nlri { path_id, prefix });
        nlri.collect()
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let origin = prop_oneof![
        Just(Origin::Igp),
        Just(Origin::Egp),
        Just(Origin::Incomplete)
    ];
    let path = proptest::collection::vec(1_u32.., 0..600);
    let number = || proptest::option::of(any::<u32>());
    let standard = proptest::collection::vec(any::<u32>(), 0..80);
    let large = proptest::collection::vec(any::<(u32, u32, u32)>(), 0..4);
    let extended = proptest::collection::vec(any::<[u8; 8]>(), 0..4);
    (origin, path, number(), number(), standard, large, extended).prop_map(
        |(origin, path, med, local_pref, standard, large, extended)| Attributes {
            origin,
            as_path: AsPath::sequence(path.into_iter().map(Asn)),
            med,
            local_pref,
            communities: standard.into_iter().map(Community).collect(),
            large_communities: large
                .into_iter()
                .map(|(global, local_1, local_2)| LargeCommunity {
                    global,
                    local_1,
                    local_2,
                })
                .collect(),
            extended_communities: extended.into_iter().map(ExtendedCommunity).collect(),
        },
    )
}

fn next_hop() -> impl Strategy<Value = NextHop> {
    let v6: Ipv6Addr = "2001:db8::1".parse().unwrap();
    let link_local: Ipv6Addr = "fe80::1".parse().unwrap();
    let both = NextHop::v6_with_link_local(v6, link_local).unwrap();
    let proof = ExtendedNextHop::negotiated();
    prop_oneof![
        Just(NextHop::v4(Ipv4Addr::new(192, 0, 2, 1)).unwrap()),
        Just(NextHop::v6(v6).unwrap()),
        Just(NextHop::v6(link_local).unwrap()),
        Just(both),
        Just(NextHop::V6ForV4(V6ForV4::new(proof, both).unwrap())),
        Just(NextHop::V6ForV4(
            V6ForV4::new(proof, NextHop::v6(link_local).unwrap()).unwrap()
        )),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_is_announced_is_read_back_and_no_message_is_longer_than_the_limit(
        attributes in attributes(),
        (next_hop, routes) in next_hop().prop_flat_map(|one| (Just(one), routes(one.family()))),
        four_octet_as: bool,
        limit in prop_oneof![Just(header::LIMIT), Just(header::EXTENDED_LIMIT)],
    ) {
        let block = AttributeBlock::new(&attributes, next_hop, four_octet_as).unwrap();
        prop_assume!(block.overhead() + 21 <= limit);
        let mut out = Vec::new();
        let mut nlri = routes.iter().copied();
        while write_announcements(&mut out, limit, &block, &mut nlri).unwrap() > 0 {}
        let add_path = routes.first().is_some_and(|one| one.path_id.is_some());
        let context = DecodeContext {
            four_octet_as,
            add_path: PerFamily::both(add_path),
            extended_next_hop: Some(ExtendedNextHop::negotiated()),
            ..internal()
        };
        let mut read = Vec::new();
        for body in bodies(&out) {
            prop_assert!(body.len() + header::LENGTH <= limit);
            let update = Update::decode(body, &context).unwrap();
            prop_assert_eq!(update.faults(), &[]);
            prop_assert_eq!(update.attributes().as_path.to_string(), attributes.as_path.to_string());
            let same_segments = Attributes { as_path: attributes.as_path.clone(), ..update.attributes() };
            prop_assert_eq!(&same_segments, &attributes);
            prop_assert_eq!(update.next_hop(next_hop.family()), Some(next_hop));
            prop_assert_eq!(update.withdrawn().count(), 0);
            read.extend(update.announced());
        }
        prop_assert_eq!(read, routes);
    }

    #[test]
    fn whatever_is_withdrawn_is_read_back(
        (family, routes) in prop_oneof![Just(Family::Ipv4Unicast), Just(Family::Ipv6Unicast)]
            .prop_flat_map(|family| (Just(family), routes(family))),
    ) {
        let mut out = Vec::new();
        let mut nlri = routes.iter().copied();
        while write_withdrawals(&mut out, header::LIMIT, family, &mut nlri).unwrap() > 0 {}
        let add_path = routes.first().is_some_and(|one| one.path_id.is_some());
        let context = DecodeContext { add_path: PerFamily::both(add_path), ..external() };
        let mut read = Vec::new();
        for body in bodies(&out) {
            prop_assert!(body.len() + header::LENGTH <= header::LIMIT);
            let update = Update::decode(body, &context).unwrap();
            prop_assert_eq!(update.end_of_rib(), None);
            read.extend(update.withdrawn());
        }
        prop_assert_eq!(read, routes);
    }

    #[test]
    fn any_octets_give_an_update_or_an_error_and_a_second_reading_says_the_same(
        octets in proptest::collection::vec(any::<u8>(), 0..120),
        four_octet_as: bool,
        ebgp: bool,
    ) {
        let context = DecodeContext { four_octet_as, ebgp, ..internal() };
        if let Ok(update) = Update::decode(&octets, &context) {
            prop_assert!(update.withdrawn().chain(update.announced()).count() <= octets.len());
            prop_assert!(update.verdict() == Verdict::Accept || update.reached().is_empty());
            let again = Update::decode(&octets, &context).unwrap();
            prop_assert_eq!(update.attributes(), again.attributes());
        }
    }
}

#[test]
fn the_end_of_rib_of_each_family_is_read_back() {
    for family in Family::ALL {
        let mut out = Vec::new();
        write_end_of_rib(&mut out, family);
        let update = Update::decode(bodies(&out)[0], &external()).unwrap();
        assert_eq!(update.end_of_rib(), Some(family));
    }
}

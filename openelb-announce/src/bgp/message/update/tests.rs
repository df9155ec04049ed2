//! Tests of UPDATE: the rules of RFC 7606 one by one.

use super::{AttributeCode, DecodeContext, Disposition, FaultKind, Update, Verdict};
use crate::bgp::message::ErrorCode;
use crate::bgp::message::tests::{attribute, body, external, hex, internal};
use crate::bgp::next_hop::{ExtendedNextHop, NextHop};
use crate::bgp::{Asn, Family, FamilySet};

const WELL_KNOWN: u8 = 0x40;
const OPTIONAL: u8 = 0x80;
const TRANSITIVE: u8 = 0xc0;

fn origin() -> Vec<u8> {
    attribute(WELL_KNOWN, 1, &[0])
}

fn as_path() -> Vec<u8> {
    attribute(WELL_KNOWN, 2, &hex("02 02 0000fc01 0000fc02"))
}

fn next_hop() -> Vec<u8> {
    attribute(WELL_KNOWN, 3, &[192, 0, 2, 1])
}

/// What every route in the field of the UPDATE needs, and something more.
fn with(more: Vec<u8>) -> Vec<Vec<u8>> {
    vec![origin(), as_path(), next_hop(), more]
}

/// The same, but `instead` in place of the attribute with its code.
fn instead(instead: Vec<u8>) -> Vec<Vec<u8>> {
    let all = [origin(), as_path(), next_hop()];
    let mut rest: Vec<_> = all.into_iter().filter(|one| one[1] != instead[1]).collect();
    rest.push(instead);
    rest
}

/// 192.0.2.0/24 announced with these attributes.
fn announcing(attributes: &[Vec<u8>]) -> Vec<u8> {
    body(&[], attributes, &[24, 192, 0, 2])
}

fn strings(nlri: impl Iterator<Item = crate::bgp::Nlri>) -> Vec<String> {
    nlri.map(|one| one.to_string()).collect()
}

/// The one fault of an UPDATE that the session survives.
fn fault(body: &[u8], context: &DecodeContext) -> (AttributeCode, FaultKind, Disposition) {
    let update = Update::decode(body, context).unwrap();
    let [fault] = update.faults() else {
        panic!("one fault expected: {:?}", update.faults());
    };
    let withdrawn = fault.disposition == Disposition::Withdrawn;
    assert_eq!(update.verdict() == Verdict::TreatAsWithdraw, withdrawn);
    assert_eq!(update.announced().count() == 0, withdrawn);
    assert_eq!(
        strings(update.withdrawn().chain(update.announced())).len(),
        1
    );
    (fault.attribute, fault.kind, fault.disposition)
}

fn reset(body: &[u8], context: &DecodeContext) -> ErrorCode {
    let error = Update::decode(body, context).unwrap_err();
    error.notification.error
}

fn mp_reach(family: &str, next_hop: &str, nlri: &str) -> Vec<u8> {
    let next_hop = hex(next_hop);
    let mut value = hex(family);
    value.push(u8::try_from(next_hop.len()).unwrap());
    value.extend(next_hop);
    value.push(0);
    value.extend(hex(nlri));
    attribute(OPTIONAL, 14, &value)
}

const GLOBAL: &str = "20010db8000000000000000000000001";
const LINK_LOCAL: &str = "fe800000000000000000000000000001";
const HOST: &str = "80 20010db8000000000000000000000099";

#[test]
fn an_update_with_all_attributes_is_taken_apart() {
    let attributes = [
        origin(),
        as_path(),
        next_hop(),
        attribute(OPTIONAL, 4, &[0, 0, 0, 50]),
        attribute(WELL_KNOWN, 5, &[0, 0, 0, 200]),
        attribute(WELL_KNOWN, 6, &[]),
        attribute(TRANSITIVE, 7, &hex("0000fc02 c0000207")),
        attribute(TRANSITIVE, 8, &hex("fc000001 ffffff01")),
        attribute(OPTIONAL, 9, &[192, 0, 2, 9]),
        attribute(OPTIONAL, 10, &[192, 0, 2, 9]),
        attribute(TRANSITIVE, 16, &hex("0002fc0000000001")),
        attribute(TRANSITIVE, 32, &hex("0000fbf4 00000001 00000002")),
        attribute(TRANSITIVE, 35, &hex("0000fc01")),
        attribute(TRANSITIVE, 99, &[1, 2, 3]),
    ];
    let body = body(
        &[16, 10, 9],
        &attributes,
        &[24, 192, 0, 2, 32, 192, 0, 2, 1],
    );
    let update = Update::decode(&body, &internal()).unwrap();
    assert_eq!(update.faults(), []);
    assert_eq!(strings(update.withdrawn()), ["10.9.0.0/16"]);
    assert_eq!(
        strings(update.announced()),
        ["192.0.2.0/24", "192.0.2.1/32"]
    );
    let next_hop = update.next_hop(Family::Ipv4Unicast).unwrap();
    assert_eq!(next_hop.to_string(), "192.0.2.1");
    let read = update.attributes();
    assert_eq!(read.as_path.to_string(), "64513 64514");
    assert_eq!((read.med, read.local_pref), (Some(50), Some(200)));
    assert_eq!(read.communities.as_slice().len(), 2);
    assert_eq!(
        read.large_communities.as_slice()[0].to_string(),
        "64500:1:2"
    );
    assert_eq!(
        read.extended_communities.as_slice()[0].to_string(),
        "rt:64512:1"
    );
}

#[test]
fn field_lengths_beyond_the_message_end_the_session() {
    for text in [
        "",
        "00",
        "0001",
        "0000",
        "0000 00",
        "0000 0001",
        "0005 0000",
        "0000 ffff 00",
    ] {
        let error = reset(&hex(text), &internal());
        assert_eq!(error, ErrorCode::MALFORMED_ATTRIBUTE_LIST, "{text}");
    }
}

#[test]
fn a_prefix_that_cannot_be_trusted_ends_the_session() {
    for nlri in ["21 c000020100", "18 c000"] {
        let nlri = hex(nlri);
        let announced = body(&[], &with(vec![]), &nlri);
        assert_eq!(
            reset(&announced, &internal()),
            ErrorCode::INVALID_NETWORK_FIELD
        );
        let withdrawn = body(&nlri, &[], &[]);
        assert_eq!(
            reset(&withdrawn, &internal()),
            ErrorCode::INVALID_NETWORK_FIELD
        );
    }
}

#[test]
fn wrong_flags_withdraw_the_routes_whatever_the_attribute() {
    for (flags, code, value) in [
        (TRANSITIVE, 1, "00"),
        (OPTIONAL, 2, "02010000fc01"),
        (0, 3, "c0000201"),
        (TRANSITIVE, 4, "00000001"),
        (OPTIONAL, 6, ""),
        (OPTIONAL, 7, "0000fc02c0000207"),
        (WELL_KNOWN, 8, "fc000001"),
        (OPTIONAL, 16, "0002fc0000000001"),
        (OPTIONAL, 32, "0000fbf40000000100000002"),
    ] {
        let attributes = instead(attribute(flags, code, &hex(value)));
        let (found, kind, disposition) = fault(&announcing(&attributes), &internal());
        assert_eq!((u8::from(found), kind), (code, FaultKind::Flags));
        assert_eq!(disposition, Disposition::Withdrawn);
    }
}

#[test]
fn the_partial_bit_and_the_unused_bits_do_not_matter() {
    let mut attributes = with(attribute(TRANSITIVE | 0x20, 8, &hex("fc000001")));
    attributes[0][0] |= 0x2f & !0x10;
    let body = announcing(&attributes);
    assert_eq!(Update::decode(&body, &internal()).unwrap().faults(), []);
}

/// RFC 7606 sections 7.1 to 7.3.
#[test]
fn a_malformed_mandatory_attribute_withdraws_the_routes() {
    for (flags, code, value, kind) in [
        (WELL_KNOWN, 1, "", FaultKind::Length),
        (WELL_KNOWN, 1, "0000", FaultKind::Length),
        (WELL_KNOWN, 1, "03", FaultKind::Value),
        (WELL_KNOWN, 2, "02", FaultKind::Segment),
        (WELL_KNOWN, 2, "0200", FaultKind::Segment),
        (WELL_KNOWN, 2, "05010000fc01", FaultKind::Segment),
        (WELL_KNOWN, 2, "02020000fc01", FaultKind::Segment),
        (WELL_KNOWN, 2, "02010000fc0102", FaultKind::Segment),
        (WELL_KNOWN, 2, "020100000000", FaultKind::Value),
        (WELL_KNOWN, 2, "01010000fc01", FaultKind::Set),
        (WELL_KNOWN, 2, "04010000fc01", FaultKind::Set),
        (WELL_KNOWN, 3, "c00002", FaultKind::Length),
        (WELL_KNOWN, 3, "c000020101", FaultKind::Length),
        (WELL_KNOWN, 3, "00000000", FaultKind::Value),
        (WELL_KNOWN, 3, "e0000005", FaultKind::Value),
    ] {
        let attributes = instead(attribute(flags, code, &hex(value)));
        let found = fault(&announcing(&attributes), &internal());
        let expected = (code.into(), kind, Disposition::Withdrawn);
        assert_eq!(found, expected, "{code}: {value}");
    }
}

/// RFC 7606 sections 7.4, 7.5, 7.8 to 7.10, 7.14 to 7.16, RFC 8092 section 6, RFC 9234 section 5.
#[test]
fn a_malformed_optional_attribute_that_routing_depends_on_withdraws_the_routes() {
    for (flags, code, value, kind) in [
        (OPTIONAL, 4, "000001", FaultKind::Length),
        (WELL_KNOWN, 5, "0000000001", FaultKind::Length),
        (TRANSITIVE, 8, "", FaultKind::Length),
        (TRANSITIVE, 8, "fc0000", FaultKind::Length),
        (OPTIONAL, 9, "c00002", FaultKind::Length),
        (OPTIONAL, 10, "", FaultKind::Length),
        (OPTIONAL, 10, "c0000201c0", FaultKind::Length),
        (TRANSITIVE, 16, "0002fc00000000", FaultKind::Length),
        (TRANSITIVE, 16, "", FaultKind::Length),
        (TRANSITIVE, 25, "00", FaultKind::Length),
        (TRANSITIVE, 32, "0000fbf400000001000000", FaultKind::Length),
        (TRANSITIVE, 32, "", FaultKind::Length),
        (TRANSITIVE, 35, "0000fc", FaultKind::Length),
        (TRANSITIVE, 128, "0000fc", FaultKind::Length),
    ] {
        let attributes = instead(attribute(flags, code, &hex(value)));
        let found = fault(&announcing(&attributes), &internal());
        let expected = (code.into(), kind, Disposition::Withdrawn);
        assert_eq!(found, expected, "{code}: {value}");
    }
}

/// RFC 7606 sections 7.6 and 7.7.
#[test]
fn a_malformed_attribute_about_aggregation_is_discarded() {
    for (flags, code, value, kind) in [
        (WELL_KNOWN, 6, "00", FaultKind::Length),
        (TRANSITIVE, 7, "fc02c0000207", FaultKind::Length),
        (TRANSITIVE, 7, "00000000c0000207", FaultKind::Value),
    ] {
        let attributes = instead(attribute(flags, code, &hex(value)));
        let found = fault(&announcing(&attributes), &internal());
        let expected = (code.into(), kind, Disposition::Discarded);
        assert_eq!(found, expected, "{code}: {value}");
    }
}

#[test]
fn what_means_something_inside_only_is_discarded_from_outside_even_if_malformed() {
    for (flags, code) in [(WELL_KNOWN, 5), (OPTIONAL, 9), (OPTIONAL, 10)] {
        for value in [&[0, 0, 0, 1][..], &[]] {
            let attributes = with(attribute(flags, code, value));
            let found = fault(&announcing(&attributes), &external());
            assert_eq!(
                found,
                (code.into(), FaultKind::NotAllowed, Disposition::Discarded)
            );
        }
    }
    let attributes = with(attribute(WELL_KNOWN, 5, &[0, 0, 0, 200]));
    let body = announcing(&attributes);
    let update = Update::decode(&body, &external()).unwrap();
    assert_eq!(update.attributes().local_pref, None);
}

#[test]
fn a_second_instance_is_discarded_and_the_first_counts() {
    let attributes = with(attribute(WELL_KNOWN, 1, &[9, 9]));
    let body = announcing(&attributes);
    let found = fault(&body, &internal());
    let expected = (
        AttributeCode::Origin,
        FaultKind::Duplicate,
        Disposition::Discarded,
    );
    assert_eq!(found, expected);
}

#[test]
fn a_second_multiprotocol_attribute_ends_the_session() {
    let reach = mp_reach("0002 01", GLOBAL, HOST);
    let twice = body(&[], &[origin(), as_path(), reach.clone(), reach], &[]);
    assert_eq!(
        reset(&twice, &internal()),
        ErrorCode::MALFORMED_ATTRIBUTE_LIST
    );
    let unreach = attribute(OPTIONAL, 15, &hex("0002 01"));
    let twice = body(&[], &[unreach.clone(), unreach], &[]);
    assert_eq!(
        reset(&twice, &internal()),
        ErrorCode::MALFORMED_ATTRIBUTE_LIST
    );
}

#[test]
fn a_missing_mandatory_attribute_withdraws_the_routes() {
    for (missing, code) in [
        ([as_path(), next_hop()], AttributeCode::Origin),
        ([origin(), next_hop()], AttributeCode::AsPath),
        ([origin(), as_path()], AttributeCode::NextHop),
    ] {
        let found = fault(&announcing(&missing), &internal());
        assert_eq!(found, (code, FaultKind::Missing, Disposition::Withdrawn));
    }
    let only_reach = body(&[], &[mp_reach("0002 01", GLOBAL, HOST)], &[]);
    let update = Update::decode(&only_reach, &internal()).unwrap();
    assert_eq!(
        (update.faults().len(), update.verdict()),
        (2, Verdict::TreatAsWithdraw)
    );
    assert_eq!(strings(update.withdrawn()), ["2001:db8::99/128"]);
}

#[test]
fn withdrawals_alone_need_no_attribute() {
    let withdrawing = body(&[24, 192, 0, 2], &[], &[]);
    let update = Update::decode(&withdrawing, &external()).unwrap();
    assert_eq!((update.faults(), update.end_of_rib()), (&[][..], None));
    assert_eq!(strings(update.withdrawn()), ["192.0.2.0/24"]);
}

#[test]
fn an_attribute_that_overruns_withdraws_the_routes() {
    for cut in [
        "40",
        "4004",
        "c008 05 fc000001",
        "d008 00",
        "d008 0100 fc000001",
    ] {
        let attributes = with(hex(cut));
        let (_, kind, disposition) = fault(&announcing(&attributes), &internal());
        assert_eq!(
            (kind, disposition),
            (FaultKind::Overrun, Disposition::Withdrawn),
            "{cut}"
        );
    }
}

#[test]
fn a_grave_fault_without_routes_ends_the_session_and_a_slight_one_does_not() {
    let grave = body(&[], &[attribute(OPTIONAL, 4, &[1])], &[]);
    let error = Update::decode(&grave, &internal())
        .unwrap_err()
        .notification;
    assert_eq!(error.error, ErrorCode::ATTRIBUTE_LENGTH);
    assert_eq!(error.data, [0x80, 4, 1, 1]);
    let with_withdrawals = body(&[24, 192, 0, 2], &[attribute(WELL_KNOWN, 1, &[7])], &[]);
    assert_eq!(
        reset(&with_withdrawals, &internal()),
        ErrorCode::INVALID_ORIGIN
    );
    let slight = body(&[], &[attribute(WELL_KNOWN, 6, &[1])], &[]);
    let update = Update::decode(&slight, &internal()).unwrap();
    assert_eq!(
        (update.verdict(), update.end_of_rib()),
        (Verdict::Accept, None)
    );
    let flags = body(
        &[],
        &[attribute(
            TRANSITIVE,
            15,
            &hex("000201 80 20010db8000000000000000000000099"),
        )],
        &[],
    );
    let update = Update::decode(&flags, &internal()).unwrap();
    assert_eq!(strings(update.withdrawn()), ["2001:db8::99/128"]);
}

#[test]
fn an_unknown_well_known_attribute_ends_the_session_and_an_unknown_optional_one_does_not() {
    let body = announcing(&with(attribute(WELL_KNOWN, 77, &[1])));
    let error = Update::decode(&body, &internal());
    let error = error.unwrap_err().notification;
    assert_eq!(error.error, ErrorCode::UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE);
    assert_eq!(error.data, [0x40, 77, 1, 1]);
    for flags in [OPTIONAL, TRANSITIVE] {
        let body = announcing(&with(attribute(flags, 77, &[])));
        assert_eq!(Update::decode(&body, &internal()).unwrap().faults(), []);
    }
}

#[test]
fn a_path_from_outside_must_begin_with_the_neighbor_if_that_is_enforced() {
    let enforcing = |asn| DecodeContext {
        first_as: Some(Asn(asn)),
        ..external()
    };
    let body = announcing(&with(vec![]));
    assert_eq!(
        Update::decode(&body, &enforcing(64_513)).unwrap().faults(),
        []
    );
    let found = fault(&body, &enforcing(64_514));
    let expected = (
        AttributeCode::AsPath,
        FaultKind::FirstAs,
        Disposition::Withdrawn,
    );
    assert_eq!(found, expected);
    for value in ["", "02 01 0000fc02"] {
        let attributes = instead(attribute(WELL_KNOWN, 2, &hex(value)));
        assert_eq!(
            fault(&announcing(&attributes), &enforcing(64_513)),
            expected
        );
    }
    let inside = DecodeContext {
        ebgp: false,
        ..enforcing(64_514)
    };
    assert_eq!(Update::decode(&body, &inside).unwrap().faults(), []);
}

#[test]
fn confederation_segments_are_for_members_only() {
    let attributes = instead(attribute(
        WELL_KNOWN,
        2,
        &hex("03 01 0000fc01 02 01 0000fc02"),
    ));
    let body = announcing(&attributes);
    let found = fault(&body, &external());
    assert_eq!(
        found,
        (
            AttributeCode::AsPath,
            FaultKind::Segment,
            Disposition::Withdrawn
        )
    );
    let update = Update::decode(&body, &internal()).unwrap();
    assert_eq!(update.attributes().as_path.to_string(), "(64513) 64514");
}

#[test]
fn a_path_of_two_octets_is_completed_by_as4_path() {
    let old = DecodeContext {
        four_octet_as: false,
        ..external()
    };
    let path = attribute(WELL_KNOWN, 2, &hex("02 03 fc01 5ba0 5ba0"));
    let as4_path = attribute(TRANSITIVE, 17, &hex("02 02 0001000a 0001000b"));
    let attributes = vec![origin(), path.clone(), next_hop(), as4_path.clone()];
    let body = announcing(&attributes);
    let update = Update::decode(&body, &old).unwrap();
    assert_eq!(update.faults(), []);
    assert_eq!(update.attributes().as_path.to_string(), "64513 65546 65547");

    // RFC 6793 section 4.2.3: an aggregator that is not AS_TRANS has aggregated since.
    let aggregator = attribute(TRANSITIVE, 7, &hex("fc02 c0000207"));
    let attributes = [attributes, vec![aggregator]].concat();
    let body = announcing(&attributes);
    let update = Update::decode(&body, &old).unwrap();
    assert_eq!(update.attributes().as_path.to_string(), "64513 23456 23456");

    // A longer AS4_PATH than AS_PATH counts for nothing.
    let longer = attribute(
        TRANSITIVE,
        17,
        &hex("02 04 0001000a 0001000b 0001000c 0001000d"),
    );
    let body = announcing(&[origin(), path.clone(), next_hop(), longer]);
    let update = Update::decode(&body, &old).unwrap();
    assert_eq!(update.attributes().as_path.to_string(), "64513 23456 23456");
}

#[test]
fn as4_path_is_discarded_when_malformed_and_among_speakers_of_four_octets() {
    let old = DecodeContext {
        four_octet_as: false,
        ..external()
    };
    let path = attribute(WELL_KNOWN, 2, &hex("02 01 fc01"));
    for malformed in ["02", "02 01 0001", "02 00", "05 01 00010000"] {
        let as4_path = attribute(TRANSITIVE, 17, &hex(malformed));
        let body = announcing(&[origin(), path.clone(), next_hop(), as4_path]);
        let (code, _, disposition) = fault(&body, &old);
        assert_eq!(
            (code, disposition),
            (AttributeCode::As4Path, Disposition::Discarded)
        );
    }
    let short = attribute(TRANSITIVE, 18, &[0; 7]);
    let body = announcing(&[origin(), path, next_hop(), short]);
    assert_eq!(fault(&body, &old).2, Disposition::Discarded);
    for code in [17, 18] {
        let body = announcing(&with(attribute(TRANSITIVE, code, &[0; 8])));
        assert_eq!(fault(&body, &external()).1, FaultKind::NotAllowed);
    }
}

#[test]
fn every_encoding_of_an_ipv6_next_hop_is_read() {
    let both = format!("{GLOBAL} {LINK_LOCAL}");
    let twice = format!("{LINK_LOCAL} {LINK_LOCAL}");
    let behind_nothing = format!("00000000000000000000000000000000 {LINK_LOCAL}");
    let nothing_behind = format!("{GLOBAL} 00000000000000000000000000000000");
    for (octets, text) in [
        (GLOBAL, "2001:db8::1"),
        (both.as_str(), "2001:db8::1 (fe80::1)"),
        (LINK_LOCAL, "fe80::1"),
        (twice.as_str(), "fe80::1"),
        (behind_nothing.as_str(), "fe80::1"),
        (nothing_behind.as_str(), "2001:db8::1"),
    ] {
        let body = body(
            &[],
            &[mp_reach("0002 01", octets, HOST), origin(), as_path()],
            &[],
        );
        let update = Update::decode(&body, &external()).unwrap();
        let next_hop = update.next_hop(Family::Ipv6Unicast).unwrap();
        assert_eq!(next_hop.to_string(), text);
        assert_eq!(strings(update.announced()), ["2001:db8::99/128"]);
    }
}

#[test]
fn an_ipv6_next_hop_that_leads_nowhere_withdraws_the_routes() {
    for octets in [
        "00000000000000000000000000000000",
        "00000000000000000000000000000001",
        "ff020000000000000000000000000001",
        "00000000000000000000ffffc0000201",
    ] {
        let body = body(
            &[],
            &[mp_reach("0002 01", octets, HOST), origin(), as_path()],
            &[],
        );
        let found = fault(&body, &external());
        let expected = (
            AttributeCode::MpReachNlri,
            FaultKind::Value,
            Disposition::Withdrawn,
        );
        assert_eq!(found, expected, "{octets}");
    }
}

#[test]
fn a_next_hop_of_unexpected_length_ends_the_session() {
    for octets in [
        "",
        "c0000201",
        &format!("{GLOBAL}00"),
        &format!("0000000000000000{GLOBAL}"),
    ] {
        let body = body(
            &[],
            &[mp_reach("0002 01", octets, HOST), origin(), as_path()],
            &[],
        );
        assert_eq!(reset(&body, &external()), ErrorCode::OPTIONAL_ATTRIBUTE);
    }
    for value in [
        "",
        "0002",
        "0002 01",
        "0002 01 10 2001",
        &format!("0002 01 10 {GLOBAL}"),
    ] {
        let body = body(&[], &[attribute(OPTIONAL, 14, &hex(value))], &[]);
        assert_eq!(
            reset(&body, &external()),
            ErrorCode::OPTIONAL_ATTRIBUTE,
            "{value}"
        );
    }
    let body = body(&[], &[attribute(OPTIONAL, 15, &hex("0002"))], &[]);
    assert_eq!(reset(&body, &external()), ErrorCode::OPTIONAL_ATTRIBUTE);
}

#[test]
fn multiprotocol_routes_that_cannot_be_trusted_end_the_session() {
    for nlri in ["81 00", "80 2001"] {
        let reach = mp_reach("0002 01", GLOBAL, nlri);
        assert_eq!(
            reset(&body(&[], &[reach], &[]), &external()),
            ErrorCode::OPTIONAL_ATTRIBUTE
        );
        let unreach = attribute(OPTIONAL, 15, &[hex("0002 01"), hex(nlri)].concat());
        assert_eq!(
            reset(&body(&[], &[unreach], &[]), &external()),
            ErrorCode::OPTIONAL_ATTRIBUTE
        );
    }
}

#[test]
fn ipv4_routes_have_ipv6_next_hops_only_where_that_was_negotiated() {
    let reach = mp_reach("0001 01", GLOBAL, "20 c0000201");
    let body_v4 = body(&[], &[reach, origin(), as_path()], &[]);
    let able = DecodeContext {
        extended_next_hop: Some(ExtendedNextHop::negotiated()),
        ..external()
    };
    let update = Update::decode(&body_v4, &able).unwrap();
    assert!(matches!(
        update.next_hop(Family::Ipv4Unicast),
        Some(NextHop::V6ForV4(_))
    ));
    assert_eq!(strings(update.announced()), ["192.0.2.1/32"]);
    let found = fault(&body_v4, &external());
    let expected = (
        AttributeCode::MpReachNlri,
        FaultKind::NotAllowed,
        Disposition::Withdrawn,
    );
    assert_eq!(found, expected);
    let plain = mp_reach("0001 01", "c0000207", "20 c0000201");
    let body_plain = body(&[], &[plain, origin(), as_path()], &[]);
    let update = Update::decode(&body_plain, &external()).unwrap();
    assert_eq!(update.reached()[0].next_hop.to_string(), "192.0.2.7");
}

#[test]
fn routes_of_families_that_were_not_negotiated_are_ignored() {
    let foreign = mp_reach("0019 46", "c0000201", "ff ff ff");
    let unreach = attribute(OPTIONAL, 15, &hex("0019 46 ff"));
    let body_foreign = body(&[], &[foreign, unreach, origin(), as_path()], &[]);
    let update = Update::decode(&body_foreign, &external()).unwrap();
    assert_eq!(
        (update.withdrawn().count(), update.announced().count()),
        (0, 0)
    );
    assert_eq!(update.verdict(), Verdict::Accept);
    assert!(
        update
            .faults()
            .iter()
            .all(|fault| fault.kind == FaultKind::Family)
    );
    assert_eq!(update.end_of_rib(), None);

    let only_v6 = DecodeContext {
        families: FamilySet::new(false, true),
        ..external()
    };
    let v4 = body(&[24, 10, 0, 0], &with(vec![]), &[24, 192, 0, 2]);
    let update = Update::decode(&v4, &only_v6).unwrap();
    assert_eq!(
        (update.withdrawn().count(), update.announced().count()),
        (0, 0)
    );
}

#[test]
fn both_fields_and_both_attributes_of_one_update_count() {
    let unreach = attribute(OPTIONAL, 15, &hex("0002 01 20 20010db8"));
    let reach = mp_reach("0002 01", GLOBAL, HOST);
    let attributes = [origin(), as_path(), next_hop(), unreach, reach];
    let body = body(&[16, 10, 9], &attributes, &[24, 192, 0, 2]);
    let update = Update::decode(&body, &external()).unwrap();
    assert_eq!(
        strings(update.withdrawn()),
        ["10.9.0.0/16", "2001:db8::/32"]
    );
    assert_eq!(
        strings(update.announced()),
        ["192.0.2.0/24", "2001:db8::99/128"]
    );
    assert_eq!(
        update.next_hop(Family::Ipv6Unicast).unwrap().to_string(),
        "2001:db8::1"
    );
}

#[test]
fn an_end_of_rib_has_nothing_else_and_counts_for_negotiated_families_only() {
    let unreach = attribute(OPTIONAL, 15, &hex("0002 01"));
    let v6 = body(&[], std::slice::from_ref(&unreach), &[]);
    let v4 = body(&[], &[], &[]);
    let only_v4 = DecodeContext {
        families: FamilySet::new(true, false),
        ..external()
    };
    let read =
        |body: &[u8], context: &DecodeContext| Update::decode(body, context).unwrap().end_of_rib();
    assert_eq!(read(&v4, &external()), Some(Family::Ipv4Unicast));
    assert_eq!(read(&v6, &external()), Some(Family::Ipv6Unicast));
    assert_eq!(read(&v6, &only_v4), None);
    let explicit = body(&[], &[attribute(OPTIONAL, 15, &hex("0001 01"))], &[]);
    assert_eq!(read(&explicit, &external()), Some(Family::Ipv4Unicast));
    assert_eq!(
        read(&body(&[], &[unreach.clone(), origin()], &[]), &external()),
        None
    );
    assert_eq!(read(&body(&[8, 10], &[unreach], &[]), &external()), None);
}

#[test]
fn path_identifiers_are_read_where_add_path_was_negotiated() {
    let mut context = external();
    context.add_path.ipv4 = true;
    let body = body(&[], &with(vec![]), &hex("00000007 18 c00002"));
    let update = Update::decode(&body, &context).unwrap();
    assert_eq!(strings(update.announced()), ["192.0.2.0/24 path 7"]);
}

#[test]
fn a_fault_says_the_attribute_what_is_wrong_and_what_was_done() {
    let body = announcing(&with(attribute(TRANSITIVE, 8, &[1])));
    let update = Update::decode(&body, &external()).unwrap();
    assert_eq!(
        update.faults()[0].to_string(),
        "COMMUNITIES: wrong length; routes treated as withdrawn"
    );
}

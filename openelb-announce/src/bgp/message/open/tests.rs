//! Tests of OPEN.

use super::Open;
use crate::bgp::message::tests::hex;
use crate::bgp::message::{AddPathMode, Capability, ErrorCode, GracefulRestart};
use crate::bgp::{Asn, Family, FamilySet, RouterId};

fn router_id() -> RouterId {
    "10.255.0.1".parse().unwrap()
}

fn ours(capabilities: Vec<Capability>) -> Open {
    Open::new(Asn(4_200_000_000), 90, router_id(), capabilities)
}

fn written(open: &Open) -> Vec<u8> {
    let mut message = Vec::new();
    open.write(&mut message);
    message
}

fn error(body: &str) -> (ErrorCode, Vec<u8>) {
    let error = Open::decode(&hex(body)).unwrap_err().notification;
    (error.error, error.data)
}

#[test]
fn an_open_is_written_as_the_rfc_draws_it_and_read_back() {
    let open = ours(vec![
        Capability::multi_protocol(Family::Ipv4Unicast),
        Capability::FourOctetAs(Asn(4_200_000_000)),
    ]);
    let message = written(&open);
    let expected = "ffffffffffffffffffffffffffffffff 002b 01
        04 5ba0 005a 0aff0001 0e 02 0c 01 04 0001 00 01 41 04 fa56ea00";
    assert_eq!(message, hex(expected));
    assert_eq!(Open::decode(&message[19..]), Ok(open));
}

#[test]
fn an_open_without_parameters_is_of_two_octet_as_and_ipv4_only() {
    let open = Open::decode(&hex("04 fc00 0000 0aff0001 00")).unwrap();
    assert_eq!((open.asn, open.hold_time), (Asn(64_512), 0));
    assert!(!open.is_four_octet_as());
    assert_eq!(open.families(), FamilySet::new(true, false));
    assert_eq!(written(&open).len(), 29);
}

#[test]
fn another_version_is_refused_with_ours() {
    assert_eq!(
        error("03 fc00 005a 0aff0001 00"),
        (ErrorCode::UNSUPPORTED_VERSION, vec![0, 4])
    );
}

#[test]
fn a_hold_time_of_one_or_two_seconds_is_refused() {
    for time in ["0001", "0002"] {
        let (code, _) = error(&format!("04 fc00 {time} 0aff0001 00"));
        assert_eq!(code, ErrorCode::UNACCEPTABLE_HOLD_TIME);
    }
    assert!(Open::decode(&hex("04 fc00 0003 0aff0001 00")).is_ok());
}

#[test]
fn the_identifier_zero_and_the_as_number_zero_are_refused() {
    assert_eq!(
        error("04 fc00 005a 00000000 00").0,
        ErrorCode::BAD_BGP_IDENTIFIER
    );
    assert_eq!(error("04 0000 005a 0aff0001 00").0, ErrorCode::BAD_PEER_AS);
    let four = "04 fc00 005a 0aff0001 08 02 06 41 04 00000000";
    assert_eq!(error(four).0, ErrorCode::BAD_PEER_AS);
}

#[test]
fn a_parameter_that_holds_no_capabilities_is_refused() {
    let authentication = "04 fc00 005a 0aff0001 03 01 01 00";
    assert_eq!(
        error(authentication).0,
        ErrorCode::UNSUPPORTED_OPTIONAL_PARAMETER
    );
}

#[test]
fn parameters_that_do_not_fill_their_length_are_malformed() {
    for parameters in [
        "",
        "01",
        "02 02 01",
        "04 02 00",
        "04 02 02 41 04",
        "00 02 00",
    ] {
        let (code, _) = error(&format!("04 fc00 005a 0aff0001 {parameters}"));
        assert_eq!(code, ErrorCode::OPEN, "{parameters}");
    }
}

#[test]
fn capabilities_may_stand_in_several_parameters() {
    let open = Open::decode(&hex("04 fc00 005a 0aff0001 0a 02 06 0104 0002 00 01 02 00")).unwrap();
    assert_eq!(open.families(), FamilySet::new(false, true));
    let two = Open::decode(&hex("04 fc00 005a 0aff0001 08 02 02 0200 02 02 4600")).unwrap();
    assert_eq!(
        two.capabilities,
        [Capability::RouteRefresh, Capability::EnhancedRouteRefresh]
    );
}

#[test]
fn the_extended_form_of_parameters_is_read() {
    let extended = "04 fc00 005a 0aff0001 ff ff 0005 02 0002 0200";
    let open = Open::decode(&hex(extended)).unwrap();
    assert!(open.has(&Capability::RouteRefresh));
    // RFC 9072 section 2: the first length does not matter, except that zero means none.
    let other = "04 fc00 005a 0aff0001 01 ff 0005 02 0002 0200";
    assert!(Open::decode(&hex(other)).is_ok());
    assert_eq!(
        error("04 fc00 005a 0aff0001 00 ff 0005 02 0002 0200").0,
        ErrorCode::OPEN
    );
    assert_eq!(
        error("04 fc00 005a 0aff0001 ff ff 0006 02 0002 0200").0,
        ErrorCode::OPEN
    );
}

#[test]
fn more_capabilities_than_one_octet_can_count_take_the_extended_form() {
    for count in [41, 42, 43, 44, 600, 2_000] {
        let many = ours(vec![Capability::multi_protocol(Family::Ipv4Unicast); count]);
        let message = written(&many);
        assert!(message.len() <= 4_096);
        let read = Open::decode(&message[19..]).unwrap();
        assert_eq!(read.capabilities.len(), count.min(676), "{count}");
    }
}

#[test]
fn the_last_graceful_restart_and_the_first_add_path_entry_count() {
    let restart = |time| {
        Capability::GracefulRestart(GracefulRestart {
            time,
            ..Default::default()
        })
    };
    let paths = |mode| Capability::AddPath(vec![(Family::Ipv4Unicast, mode)]);
    let open = ours(vec![
        restart(1),
        restart(2),
        paths(AddPathMode::Receive),
        paths(AddPathMode::Send),
    ]);
    assert_eq!(open.graceful_restart().unwrap().time, 2);
    let mode = open.add_path(Family::Ipv4Unicast).unwrap();
    assert!(mode.receives() && !mode.sends());
    assert_eq!(open.add_path(Family::Ipv6Unicast), None);
}

#[test]
fn naming_only_foreign_families_leaves_none() {
    let open = ours(vec![Capability::MultiProtocol(25, 70)]);
    assert!(open.families().is_empty());
}

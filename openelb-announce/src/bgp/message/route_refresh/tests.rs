//! Tests of ROUTE-REFRESH.

use super::{RefreshKind, RouteRefresh};
use crate::bgp::Family;
use crate::bgp::message::ErrorCode;
use crate::bgp::message::tests::hex;

#[test]
fn a_request_and_both_marks_survive_the_wire() {
    for kind in [RefreshKind::Request, RefreshKind::Begin, RefreshKind::End] {
        let sent = RouteRefresh::new(Family::Ipv6Unicast, kind);
        let mut message = Vec::new();
        sent.write(&mut message);
        assert_eq!(
            message[..19],
            hex("ffffffffffffffffffffffffffffffff 0017 05")
        );
        let read = RouteRefresh::decode(&message[19..]).unwrap();
        assert_eq!(read, sent);
        assert_eq!(read.family(), Some(Family::Ipv6Unicast));
    }
}

#[test]
fn an_unknown_family_or_kind_is_kept_to_be_ignored() {
    let read = RouteRefresh::decode(&[0, 25, 7, 70]).unwrap();
    assert_eq!(read.family(), None);
    assert_eq!(read.kind, RefreshKind::Unknown(7));
}

#[test]
fn a_mark_of_another_length_ends_the_session_with_the_whole_message() {
    for kind in [1, 2] {
        let error = RouteRefresh::decode(&[0, 1, kind, 1, 0])
            .unwrap_err()
            .notification;
        assert_eq!(error.error, ErrorCode::ROUTE_REFRESH_LENGTH);
        assert_eq!(error.data[18..], [5, 0, 1, kind, 1, 0]);
    }
    assert!(RouteRefresh::decode(&[0, 1, 0]).is_err());
}

#[test]
fn a_request_with_filters_is_a_request() {
    let read = RouteRefresh::decode(&[0, 1, 0, 1, 1, 64, 0, 0]).unwrap();
    assert_eq!(
        read,
        RouteRefresh::new(Family::Ipv4Unicast, RefreshKind::Request)
    );
}

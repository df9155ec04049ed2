//! Tests of the header.

use super::{EXTENDED_LIMIT, Header, LENGTH, LIMIT, MessageKind, octets};
use crate::bgp::message::ErrorCode;

fn header(length: u16, kind: u8) -> [u8; LENGTH] {
    let mut header = [0xff; LENGTH];
    header[16..18].copy_from_slice(&length.to_be_bytes());
    header[18] = kind;
    header
}

#[test]
fn a_marker_that_is_not_all_ones_is_not_synchronized() {
    for position in 0..16 {
        let mut header = header(19, 4);
        header[position] = 0xfe;
        let error = Header::decode(&header, LIMIT).unwrap_err().notification;
        assert_eq!(error.error, ErrorCode::NOT_SYNCHRONIZED);
    }
}

#[test]
fn each_kind_has_its_own_least_and_greatest_length_and_the_error_holds_the_length() {
    for (kind, least, most) in [
        (1, 29, 4096),
        (2, 23, 4096),
        (3, 21, 4096),
        (4, 19, 19),
        (5, 23, 4096),
    ] {
        assert!(Header::decode(&header(least, kind), LIMIT).is_ok());
        assert!(Header::decode(&header(most, kind), LIMIT).is_ok());
        for length in [0, 18, least - 1, most + 1, u16::MAX] {
            let error = Header::decode(&header(length, kind), LIMIT).unwrap_err();
            assert_eq!(error.notification.error, ErrorCode::BAD_MESSAGE_LENGTH);
            assert_eq!(error.notification.data, length.to_be_bytes());
        }
    }
}

#[test]
fn an_unknown_kind_is_refused_and_named() {
    for kind in [0, 6, 128, 255] {
        let error = Header::decode(&header(19, kind), LIMIT)
            .unwrap_err()
            .notification;
        assert_eq!(error.error, ErrorCode::BAD_MESSAGE_TYPE);
        assert_eq!(error.data, [kind]);
    }
}

#[test]
fn extended_messages_are_never_open_or_keepalive() {
    for (kind, allowed) in [(1, false), (2, true), (3, true), (4, false), (5, true)] {
        let decoded = Header::decode(&header(u16::MAX, kind), EXTENDED_LIMIT);
        assert_eq!(decoded.is_ok(), allowed, "kind {kind}");
    }
}

#[test]
fn a_header_is_written_as_it_is_read() {
    let written = octets(MessageKind::Update, 100);
    let read = Header::decode(&written, LIMIT).unwrap();
    assert_eq!((read.length, read.kind), (119, MessageKind::Update));
}

//! Tests of NOTIFICATION.

use super::code::ErrorCode;
use super::{MessageError, Notification};
use crate::bgp::message::tests::hex;

#[test]
fn a_notification_survives_the_wire() {
    let sent = Notification::with_data(ErrorCode::BAD_PEER_AS, &[0xfc, 0]);
    let mut message = Vec::new();
    sent.write(&mut message);
    assert_eq!(
        message,
        hex("ffffffffffffffffffffffffffffffff 0017 03 02 02 fc00")
    );
    assert_eq!(Notification::decode(&message[19..]), Some(sent));
    assert_eq!(Notification::decode(&[6]), None);
}

#[test]
fn every_error_says_its_words_its_numbers_and_its_rfc() {
    for (code, text) in [
        (ErrorCode::BAD_PEER_AS, "bad peer AS (2/2, RFC 4271)"),
        (
            ErrorCode::ADMINISTRATIVE_SHUTDOWN,
            "cease: administrative shutdown (6/2, RFC 4486)",
        ),
        (ErrorCode::HARD_RESET, "cease: hard reset (6/9, RFC 8538)"),
        (ErrorCode::BFD_DOWN, "cease: BFD down (6/10, RFC 9384)"),
        (
            ErrorCode::SEND_HOLD_TIMER_EXPIRED,
            "send hold timer expired (8/0, RFC 9687)",
        ),
        (
            ErrorCode::ROUTE_REFRESH_LENGTH,
            "invalid ROUTE-REFRESH length (7/1, RFC 7313)",
        ),
        (
            ErrorCode {
                code: 6,
                subcode: 99,
            },
            "cease (6/99)",
        ),
        (
            ErrorCode {
                code: 99,
                subcode: 1,
            },
            "unknown error (99/1)",
        ),
    ] {
        assert_eq!(code.to_string(), text);
    }
    let error = MessageError::new(ErrorCode::BAD_MESSAGE_LENGTH, &[]);
    assert_eq!(
        error.to_string(),
        "malformed message: bad message length (1/2, RFC 4271)"
    );
}

#[test]
fn a_shutdown_communication_survives_the_wire_and_other_errors_carry_none() {
    let stop =
        Notification::new(ErrorCode::ADMINISTRATIVE_SHUTDOWN).with_communication("bis später");
    assert_eq!(stop.communication().as_deref(), Some("bis später"));
    assert_eq!(stop.data[0], 11);
    let other = Notification::new(ErrorCode::BFD_DOWN).with_communication("words");
    assert_eq!((other.data.len(), other.communication()), (0, None));
}

#[test]
fn a_communication_of_more_than_255_octets_is_cut_between_characters() {
    let words = "ä".repeat(200);
    let reset = Notification::new(ErrorCode::ADMINISTRATIVE_RESET).with_communication(&words);
    assert_eq!(reset.data.len(), 255);
    assert_eq!(reset.communication().unwrap(), "ä".repeat(127));
}

#[test]
fn a_communication_that_is_malformed_or_would_move_the_cursor_is_made_safe() {
    let received = |data: &[u8]| {
        Notification::with_data(ErrorCode::ADMINISTRATIVE_SHUTDOWN, data).communication()
    };
    assert_eq!(received(&[]), None);
    assert_eq!(received(&[0]), None);
    assert_eq!(received(&[5, b'a']), None);
    assert_eq!(received(b"\x06a\x1b[2J\n").as_deref(), Some("a[2J"));
    assert_eq!(received(&[2, b'a', 0xff]).as_deref(), Some("a\u{fffd}"));
}

#[test]
fn a_hard_reset_tells_the_error_inside() {
    let reset = Notification::with_data(ErrorCode::HARD_RESET, &[6, 3, 1]);
    let reason = reset.hard_reset_reason().unwrap();
    assert_eq!(
        reason,
        Notification::with_data(ErrorCode::PEER_DECONFIGURED, &[1])
    );
    assert_eq!(
        reset.to_string(),
        "cease: hard reset (6/9, RFC 8538): cease: peer de-configured (6/3, RFC 4486)"
    );
    assert_eq!(
        Notification::new(ErrorCode::HARD_RESET).hard_reset_reason(),
        None
    );
    assert_eq!(
        Notification::new(ErrorCode::CEASE).hard_reset_reason(),
        None
    );
}

#[test]
fn a_hard_reset_in_a_hard_reset_is_read_no_deeper_than_it_is_long() {
    let nested = [6, 9].repeat(2_000);
    let reset = Notification::decode(&nested).unwrap();
    assert!(reset.hard_reset_reason().is_some());
}

#[test]
fn data_that_no_message_can_hold_are_cut_off() {
    let mut message = Vec::new();
    Notification::with_data(ErrorCode::CEASE, &[7; 5_000]).write(&mut message);
    assert_eq!(message.len(), 4_096);
    assert_eq!(message[16..18], [0x10, 0x00]);
}

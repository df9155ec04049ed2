use super::*;
use crate::bgp::asn::Asn;
use crate::bgp::message::ErrorCode;

fn open() -> Open {
    Open::new(Asn(64_512), 90, "10.0.0.5".parse().unwrap(), Vec::new())
}

/// The types of all messages that `outbox` gives into `room`.
fn kinds(outbox: &mut Outbox, room: usize) -> Vec<u8> {
    let mut out = Vec::new();
    outbox.write(&mut out, room, &mut Messages::default());
    assert!(out.len() <= room);
    let mut kinds = Vec::new();
    let mut rest = &out[..];
    while !rest.is_empty() {
        let length = usize::from(u16::from_be_bytes([rest[16], rest[17]]));
        kinds.push(rest[18]);
        rest = &rest[length..];
    }
    kinds
}

#[test]
fn messages_leave_in_the_order_in_which_they_make_sense() {
    let mut outbox = Outbox::default();
    outbox.push_refresh(Family::Ipv6Unicast);
    outbox.push_keepalive();
    outbox.push_open(&open());
    assert_eq!(kinds(&mut outbox, 4_096), [1, 4, 5]);
    assert!(outbox.is_empty());
}

#[test]
fn the_same_message_again_waits_once() {
    let mut outbox = Outbox::default();
    for _ in 0..1_000 {
        outbox.push_keepalive();
        outbox.push_refresh(Family::Ipv4Unicast);
    }
    assert_eq!(kinds(&mut outbox, 65_535), [4, 5]);
}

#[test]
fn a_notification_is_the_last_word_and_drops_all_that_was_only_chatter() {
    let mut outbox = Outbox::default();
    outbox.push_open(&open());
    outbox.push_keepalive();
    outbox.push_notification(&Notification::new(ErrorCode::CEASE));
    outbox.push_notification(&Notification::new(ErrorCode::HARD_RESET));
    outbox.push_keepalive();
    outbox.push_refresh(Family::Ipv4Unicast);
    assert_eq!(kinds(&mut outbox, 4_096), [1, 3]);
    assert!(outbox.is_empty());
}

#[test]
fn nothing_overtakes_a_message_that_does_not_fit() {
    let mut outbox = Outbox::default();
    outbox.push_open(&open());
    outbox.push_keepalive();
    assert_eq!(kinds(&mut outbox, 28), [0; 0]);
    assert_eq!(kinds(&mut outbox, 29), [1]);
    assert_eq!(kinds(&mut outbox, 18), [0; 0]);
    assert_eq!(kinds(&mut outbox, 19), [4]);
}

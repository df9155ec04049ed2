//! Tests of the framer.

use super::{Framer, KEPT};
use crate::bgp::message::{ErrorCode, MessageKind, Notification, write_keepalive};

/// A KEEPALIVE, a NOTIFICATION with data and another KEEPALIVE.
fn stream() -> Vec<u8> {
    let mut stream = Vec::new();
    write_keepalive(&mut stream);
    Notification::with_data(ErrorCode::CEASE, &[1, 2, 3]).write(&mut stream);
    write_keepalive(&mut stream);
    stream
}

fn drain(framer: &mut Framer) -> Vec<(MessageKind, Vec<u8>)> {
    let mut messages = Vec::new();
    while let Some(message) = framer.next_message() {
        let message = message.unwrap();
        messages.push((message.kind, message.body.to_vec()));
    }
    messages
}

#[test]
fn messages_come_out_whole_however_they_arrive() {
    let expected = [
        (MessageKind::Keepalive, vec![]),
        (MessageKind::Notification, vec![6, 0, 1, 2, 3]),
        (MessageKind::Keepalive, vec![]),
    ];
    for size in 1..=stream().len() {
        let mut framer = Framer::new();
        let mut messages = Vec::new();
        for piece in stream().chunks(size) {
            framer.feed(piece);
            messages.extend(drain(&mut framer));
        }
        assert_eq!(messages, expected, "pieces of {size} octets");
        assert_eq!(framer.pending(), 0);
    }
}

#[test]
fn after_an_error_nothing_follows() {
    let mut framer = Framer::new();
    let mut broken = stream();
    broken[19] = 0;
    framer.feed(&broken);
    assert!(framer.next_message().unwrap().is_ok());
    let error = framer.next_message().unwrap().unwrap_err();
    assert_eq!(error.notification.error, ErrorCode::NOT_SYNCHRONIZED);
    assert!(framer.next_message().is_none());
    framer.feed(&stream());
    assert!(framer.next_message().is_none());
    assert_eq!(framer.pending(), 0);
}

#[test]
fn a_length_beyond_the_limit_is_refused_before_its_octets_arrive() {
    let mut header = stream()[..19].to_vec();
    header[16..19].copy_from_slice(&[0x10, 0x01, 2]);
    let mut framer = Framer::new();
    framer.feed(&header);
    let error = framer.next_message().unwrap().unwrap_err();
    assert_eq!(error.notification.error, ErrorCode::BAD_MESSAGE_LENGTH);
    let mut framer = Framer::new();
    framer.allow_extended_messages();
    framer.feed(&header);
    assert!(framer.next_message().is_none());
}

#[test]
fn a_drained_framer_keeps_no_more_memory_than_one_extended_message() {
    let mut framer = Framer::new();
    let many = stream().repeat(5_000);
    framer.feed(&many);
    assert_eq!(drain(&mut framer).len(), 15_000);
    assert!(framer.buffer.capacity() <= KEPT);
}

//! Any stream in any pieces: no panic, bounded memory, the same messages as in one piece.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_announce::bgp::message::{Framer, MessageKind};

fuzz_target!(|input: (bool, u8, &[u8])| {
    let (extended, piece, stream) = input;
    let whole = messages(extended, stream.len(), stream);
    let pieces = messages(extended, usize::from(piece), stream);
    assert_eq!(whole, pieces);
});

/// Kinds and bodies; the last is `None` if the stream became unreadable.
fn messages(extended: bool, piece: usize, stream: &[u8]) -> Vec<Option<(MessageKind, Vec<u8>)>> {
    let mut framer = Framer::new();
    if extended {
        framer.allow_extended_messages();
    }
    let mut found = Vec::new();
    for piece in stream.chunks(piece.max(1)) {
        framer.feed(piece);
        while let Some(message) = framer.next_message() {
            let message = message.ok();
            found.push(message.map(|message| (message.kind, message.body.to_vec())));
        }
        assert!(framer.pending() <= 65_535);
    }
    found
}

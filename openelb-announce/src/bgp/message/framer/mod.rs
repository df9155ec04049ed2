//! Cuts messages out of a stream of octets (RFC 4271 section 4.1).

use super::header::{EXTENDED_LIMIT, Header, LENGTH, LIMIT, MessageKind};
use super::notification::MessageError;

/// A message without its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawMessage<'a> {
    /// Its kind; never [`MessageKind::Unknown`].
    pub kind: MessageKind,
    /// What follows the header; its length is one that the kind allows.
    pub body: &'a [u8],
}

/// Collects what arrives and hands out whole messages.
///
/// It holds at most one unfinished message and what was fed since
/// [`next_message`](Self::next_message) last returned `None`; once drained its buffer keeps at most
/// 64 KiB. After an error there is no way to find the next message: nothing follows.
///
/// ```
/// use openelb_announce::bgp::message::{Framer, MessageKind, write_keepalive};
///
/// let mut keepalive = Vec::new();
/// write_keepalive(&mut keepalive);
/// let (start, end) = keepalive.split_at(7);
///
/// let mut framer = Framer::new();
/// framer.feed(start);
/// assert!(framer.next_message().is_none());
/// framer.feed(end);
/// let message = framer.next_message().ok_or("no message")??;
/// assert_eq!((message.kind, message.body), (MessageKind::Keepalive, &[][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Where the first message that was not handed out begins.
    start: usize,
    limit: usize,
    lost: bool,
}

impl Framer {
    /// For a new connection: messages have at most 4,096 octets.
    pub const fn new() -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            limit: LIMIT,
            lost: false,
        }
    }

    /// From the next message on, lets UPDATE, NOTIFICATION and ROUTE-REFRESH have 65,535 octets, as
    /// both sides said they can (RFC 8654 section 4).
    pub const fn allow_extended_messages(&mut self) {
        self.limit = EXTENDED_LIMIT;
    }

    /// Adds what arrived.
    pub fn feed(&mut self, octets: &[u8]) {
        if self.lost {
            return;
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(octets);
    }

    /// The next whole message, `None` until more arrives, or why the stream has become unreadable.
    ///
    /// The error comes once, then `None` forever.
    pub fn next_message(&mut self) -> Option<Result<RawMessage<'_>, MessageError>> {
        let header = match self.header()? {
            Ok(header) => header,
            Err(error) => {
                *self = Self {
                    lost: true,
                    ..Self::new()
                };
                return Some(Err(error));
            }
        };
        let end = self.start + header.length;
        if end > self.buffer.len() {
            return None;
        }
        let body = self.buffer.get(self.start + LENGTH..end)?;
        self.start = end;
        let kind = header.kind;
        Some(Ok(RawMessage { kind, body }))
    }

    /// How many octets wait to be handed out or completed.
    pub const fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The header at the front, if it has arrived; gives back memory when nothing has.
    fn header(&mut self) -> Option<Result<Header, MessageError>> {
        let rest = self.buffer.get(self.start..)?;
        if rest.is_empty() {
            self.start = 0;
            self.buffer.clear();
            self.buffer.shrink_to(KEPT);
            return None;
        }
        let octets = rest.first_chunk()?;
        Some(Header::decode(octets, self.limit))
    }
}

impl Default for Framer {
    fn default() -> Self {
        Self::new()
    }
}

/// One extended message; a usual connection never needs more.
const KEPT: usize = EXTENDED_LIMIT + 1;

#[cfg(test)]
mod tests;

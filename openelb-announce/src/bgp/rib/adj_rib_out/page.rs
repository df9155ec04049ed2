//! The bounded room that messages are written into, and what was written.

use super::Filled;

/// Room at the end of a buffer.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) out: &'a mut Vec<u8>,
    start: usize,
    room: usize,
    message_limit: usize,
    filled: Filled,
}

impl<'a> Page<'a> {
    pub(super) const fn new(out: &'a mut Vec<u8>, room: usize, message_limit: usize) -> Self {
        Self {
            start: out.len(),
            out,
            room,
            message_limit,
            filled: Filled {
                messages: 0,
                announced: 0,
                withdrawn: 0,
                more: false,
            },
        }
    }

    /// How long the next message may be; `None` when a whole one has no room any more.
    ///
    /// Only the first one may be cut short by the room: the others can wait for the next page.
    pub(super) fn limit(&self) -> Option<usize> {
        let left = self.left();
        let fits = left >= self.message_limit || self.filled.messages == 0;
        fits.then_some(left.min(self.message_limit))
    }

    /// How many octets are left.
    pub(super) fn left(&self) -> usize {
        let written = self.out.len().saturating_sub(self.start);
        self.room.saturating_sub(written)
    }

    /// Writes a message without routes; tells whether it had room.
    pub(super) fn mark(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let has_room = self.left() >= LONGEST_MARK;
        if has_room {
            write(self.out);
            self.filled.messages += 1;
        }
        has_room
    }

    pub(super) const fn count_announced(&mut self, routes: usize) {
        self.filled.messages += 1;
        self.filled.announced += routes;
    }

    pub(super) const fn count_withdrawn(&mut self, routes: usize) {
        self.filled.messages += 1;
        self.filled.withdrawn += routes;
    }

    pub(super) const fn filled(&self) -> Filled {
        self.filled
    }
}

/// End-of-RIB of IPv6: a header, two lengths and an `MP_UNREACH_NLRI` of six octets with its own.
const LONGEST_MARK: usize = 19 + 4 + 7;

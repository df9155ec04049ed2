//! The header of every message (RFC 4271 section 4.1).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                Marker (16 octets, all of them 0xff)           |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |          Length               |      Type     |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use super::notification::{ErrorCode, MessageError};
use crate::wire::wire_enum;

wire_enum! {
    /// The kind of a message.
    pub enum MessageKind(u8) {
        /// Opens a session (RFC 4271 section 4.2).
        Open = 1,
        /// Announces and withdraws routes (RFC 4271 section 4.3).
        Update = 2,
        /// Ends a session (RFC 4271 section 4.5).
        Notification = 3,
        /// Keeps the hold timer of the receiver from running out (RFC 4271 section 4.4).
        Keepalive = 4,
        /// Asks for all routes again (RFC 2918).
        RouteRefresh = 5,
    }
}

/// The greatest length of a message, header included (RFC 4271 section 4.1).
pub const LIMIT: usize = 4096;

/// The greatest length of UPDATE, NOTIFICATION and ROUTE-REFRESH once both sides announced the
/// extended message capability (RFC 8654).
pub const EXTENDED_LIMIT: usize = 65_535;

/// How many octets a header has.
pub(super) const LENGTH: usize = 19;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The length of the message, header included.
    pub(super) length: usize,
    pub(super) kind: MessageKind,
}

impl Header {
    /// Checks a header as RFC 4271 section 6.1 asks. UPDATE, NOTIFICATION and ROUTE-REFRESH may
    /// have up to `limit` octets.
    pub(super) fn decode(octets: &[u8; LENGTH], limit: usize) -> Result<Self, MessageError> {
        let [marker @ .., high, low, kind] = octets;
        if *marker != MARKER {
            return Err(MessageError::new(ErrorCode::NOT_SYNCHRONIZED, &[]));
        }
        let (kind, field) = (MessageKind::from(*kind), [*high, *low]);
        let length = usize::from(u16::from_be_bytes(field));
        let (least, most) = match kind {
            MessageKind::Open => (29, LIMIT),
            MessageKind::Update => (23, limit),
            MessageKind::Notification => (21, limit),
            MessageKind::Keepalive => (LENGTH, LENGTH),
            MessageKind::RouteRefresh => (23, limit),
            MessageKind::Unknown(kind) => {
                return Err(MessageError::new(ErrorCode::BAD_MESSAGE_TYPE, &[kind]));
            }
        };
        if !(least..=most).contains(&length) {
            return Err(MessageError::new(ErrorCode::BAD_MESSAGE_LENGTH, &field));
        }
        Ok(Self { length, kind })
    }
}

/// Appends the header of a message whose body has `body` octets.
pub(super) fn write(out: &mut Vec<u8>, kind: MessageKind, body: usize) {
    out.extend(octets(kind, body));
}

/// The header of a message whose body has `body` octets; every caller stays below
/// [`EXTENDED_LIMIT`].
pub(super) fn octets(kind: MessageKind, body: usize) -> [u8; LENGTH] {
    let length = u16::try_from(LENGTH + body).unwrap_or(u16::MAX);
    let mut header = [0xff; LENGTH];
    let [.., high, low, last] = &mut header;
    [*high, *low] = length.to_be_bytes();
    *last = kind.into();
    header
}

const MARKER: [u8; 16] = [0xff; 16];

#[cfg(test)]
mod tests;

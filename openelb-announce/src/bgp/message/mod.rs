//! The five messages of BGP, their framing and their errors (RFC 4271 sections 4 and 6).
//!
//! Decoders take the body that [`Framer`] cut out of the stream and never panic on it. What RFC 7606
//! lets a session survive is a [`Verdict`] of the decoded [`Update`]; only what must end the session
//! is a [`MessageError`], which becomes the NOTIFICATION to send. Writers append to a buffer of the
//! caller's and never exceed the limit that they are given.

pub mod block;
pub mod capability;
pub mod encode;
pub mod framer;
pub mod header;
pub mod nlri;
pub mod notification;
pub mod open;
pub mod route_refresh;
pub mod update;

pub use block::{AttributeBlock, EncodeError};
pub use capability::{AddPathMode, Capability, GracefulRestart, LongLived};
pub use encode::{write_announcements, write_end_of_rib, write_keepalive, write_withdrawals};
pub use framer::{Framer, RawMessage};
pub use header::{EXTENDED_LIMIT, LIMIT, MessageKind};
pub use nlri::{NlriField, NlriIter};
pub use notification::{ErrorCode, MessageError, Notification};
pub use open::Open;
pub use route_refresh::{RefreshKind, RouteRefresh};
pub use update::{DecodeContext, Fault, Reach, Update, Verdict};

#[cfg(test)]
mod tests;

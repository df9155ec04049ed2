//! NOTIFICATION: why a session ends, as its RFCs name it (RFC 4271 section 4.5).

mod code;
mod shutdown;

pub use code::ErrorCode;
pub use shutdown::shutdown_communication;

use super::header::{self, MessageKind};
use crate::wire::Reader;
use std::fmt;

/// The last message of a session.
///
/// ```
/// use openelb_announce::bgp::message::{ErrorCode, Notification};
///
/// let stop = Notification::new(ErrorCode::ADMINISTRATIVE_SHUTDOWN).with_communication("upgrade at 8");
/// assert_eq!(
///     stop.to_string(),
///     "cease: administrative shutdown (6/2, RFC 4486): \"upgrade at 8\""
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Notification {
    /// What happened.
    pub error: ErrorCode,
    /// What the error concerns; its form depends on the error.
    pub data: Vec<u8>,
}

impl Notification {
    /// Without data.
    pub const fn new(error: ErrorCode) -> Self {
        Self {
            error,
            data: Vec::new(),
        }
    }

    /// With data.
    pub fn with_data(error: ErrorCode, data: &[u8]) -> Self {
        Self {
            error,
            data: data.to_vec(),
        }
    }

    /// Adds words for the operator of the peer (RFC 9003), cut to 255 octets between characters.
    ///
    /// Only an administrative shutdown or reset carries them; on any other error they are left out.
    #[must_use]
    pub fn with_communication(mut self, words: &str) -> Self {
        if self.error.carries_communication() {
            self.data = shutdown::encode(words);
        }
        self
    }

    /// The words that the peer's operator sent (RFC 9003 section 2), made safe to print.
    ///
    /// `None` without any, and when they are malformed.
    pub fn communication(&self) -> Option<String> {
        let carries = self.error.carries_communication();
        carries.then(|| shutdown_communication(&self.data))?
    }

    /// The error inside a Hard Reset (RFC 8538 section 3.1); `None` for any other notification.
    pub fn hard_reset_reason(&self) -> Option<Self> {
        if self.error != ErrorCode::HARD_RESET {
            return None;
        }
        Self::decode(&self.data)
    }

    /// Reads the body of the message; `None` when it is shorter than two octets.
    pub fn decode(body: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let (code, subcode) = (reader.u8().ok()?, reader.u8().ok()?);
        Some(Self::with_data(ErrorCode { code, subcode }, reader.rest()))
    }

    /// Appends the message; data beyond what 4,096 octets hold is cut off.
    pub fn write(&self, out: &mut Vec<u8>) {
        let room = header::LIMIT - header::LENGTH - 2;
        let data = self.data.get(..room).unwrap_or(&self.data);
        header::write(out, MessageKind::Notification, 2 + data.len());
        out.extend([self.error.code, self.error.subcode]);
        out.extend_from_slice(data);
    }
}

impl fmt::Display for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)?;
        if let Some(words) = self.communication() {
            write!(f, ": {words:?}")?;
        }
        if let Some(reason) = self.hard_reset_reason() {
            write!(f, ": {reason}")?;
        }
        Ok(())
    }
}

/// A message that must end the session; the NOTIFICATION to send tells why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed message: {notification}")]
pub struct MessageError {
    /// What to send before closing.
    pub notification: Notification,
}

impl MessageError {
    /// With the octets that the error concerns.
    pub fn new(error: ErrorCode, data: &[u8]) -> Self {
        Self {
            notification: Notification::with_data(error, data),
        }
    }
}

impl From<MessageError> for Notification {
    fn from(error: MessageError) -> Self {
        error.notification
    }
}

#[cfg(test)]
mod tests;

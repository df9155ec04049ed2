//! The key of TCP-MD5 (RFC 2385): kept out of everything that is printed.

use std::fmt;
use std::sync::Arc;

/// A shared secret of 1 to 80 octets. It prints as stars.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Arc<[u8]>);

/// Why octets are no [`Password`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// There are none.
    #[error("password is empty; leave it out if the peer has none")]
    Empty,
    /// There are more than the kernel takes.
    #[error("password has {0} octets; TCP-MD5 takes at most 80")]
    TooLong(usize),
}

impl Password {
    /// Octets as they are; nothing is trimmed.
    pub fn new(octets: impl AsRef<[u8]>) -> Result<Self, PasswordError> {
        match octets.as_ref() {
            [] => Err(PasswordError::Empty),
            long if long.len() > MAX_LEN => Err(PasswordError::TooLong(long.len())),
            octets => Ok(Self(Arc::from(octets))),
        }
    }

    /// The key, for the socket option only.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

/// `TCP_MD5SIG_MAXKEYLEN` of Linux.
const MAX_LEN: usize = 80;

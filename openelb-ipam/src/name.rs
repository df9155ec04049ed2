//! The name of a pool.

use alloc::sync::Arc;
use core::borrow::Borrow;
use core::fmt;
use core::ops::Deref;
use core::str::FromStr;

use thiserror::Error;

use crate::text::text_serde;

/// The name of a pool: any text without blanks, slashes and control characters, at most 253 bytes.
///
/// Cloning it copies a pointer, so that every answer can carry the name of its pool.
///
/// ```
/// use openelb_ipam::PoolName;
///
/// let name: PoolName = "public".parse()?;
/// assert_eq!(name.len(), 6);
/// assert!("my pool".parse::<PoolName>().is_err());
/// # Ok::<(), openelb_ipam::ParsePoolNameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolName(Arc<str>);

impl Deref for PoolName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for PoolName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for PoolName {
    type Err = ParsePoolNameError;

    fn from_str(text: &str) -> Result<Self, ParsePoolNameError> {
        let forbidden = |c: char| c.is_control() || c.is_whitespace() || c == '/';
        if text.is_empty() {
            Err(ParsePoolNameError::Empty)
        } else if text.len() > MAX_LEN {
            Err(ParsePoolNameError::TooLong(text.len()))
        } else if let Some(c) = text.chars().find(|&c| forbidden(c)) {
            Err(ParsePoolNameError::Character(c))
        } else {
            Ok(Self(text.into()))
        }
    }
}

impl fmt::Display for PoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for PoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

text_serde!(PoolName, "the name of a pool");

/// Why a text is no pool name.
///
/// ```
/// # use openelb_ipam::PoolName;
/// let error = "".parse::<PoolName>().unwrap_err();
/// assert_eq!(error.to_string(), "a pool has an empty name; give it one");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParsePoolNameError {
    /// No text at all.
    #[error("a pool has an empty name; give it one")]
    Empty,
    /// A character that would break a row key or a command line.
    #[error("a pool name holds {0:?}; use letters, digits, '-' and '.'")]
    Character(char),
    /// Longer than a Kubernetes object name may be.
    #[error("a pool name is {0} bytes long; at most 253 are allowed")]
    TooLong(usize),
}

/// The longest name of a Kubernetes object (a DNS subdomain, RFC 1123).
const MAX_LEN: usize = 253;

//! The name of a prefix that may change.

use alloc::sync::Arc;
use core::borrow::Borrow;
use core::fmt;
use core::ops::Deref;
use core::str::FromStr;

use thiserror::Error;

use crate::text::text_serde;

/// The name that users give to a prefix which the network may replace: a DNS label.
///
/// Lower-case letters, digits and `-`, at most 63, no `-` at an end (RFC 1123 section 2.1). A label
/// holds no `:` and no `.`, so that `home/::10` can be no address and no prefix of either family.
///
/// ```
/// use openelb_ipam::relative::PrefixName;
///
/// let name: PrefixName = "home".parse()?;
/// assert_eq!(&*name, "home");
/// assert!("Home".parse::<PrefixName>().is_err());
/// # Ok::<(), openelb_ipam::relative::ParsePrefixNameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrefixName(Arc<str>);

impl Deref for PrefixName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for PrefixName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for PrefixName {
    type Err = ParsePrefixNameError;

    fn from_str(text: &str) -> Result<Self, ParsePrefixNameError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() {
            Err(ParsePrefixNameError::Empty)
        } else if text.len() > MAX_LEN {
            Err(ParsePrefixNameError::TooLong(text.len()))
        } else if let Some(c) = text.chars().find(|&c| !allowed(c)) {
            Err(ParsePrefixNameError::Character(c))
        } else if text.starts_with('-') || text.ends_with('-') {
            Err(ParsePrefixNameError::Dash)
        } else {
            Ok(Self(text.into()))
        }
    }
}

impl fmt::Display for PrefixName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for PrefixName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

text_serde!(PrefixName, "the name of a prefix");

/// Why a text is no name of a prefix.
///
/// ```
/// # use openelb_ipam::relative::PrefixName;
/// let error = "my home".parse::<PrefixName>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the name of a prefix holds ' '; use lower-case letters, digits and '-'",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParsePrefixNameError {
    /// No text at all.
    #[error("the name of the prefix is missing; write it before the slash, home/::10")]
    Empty,
    /// A character that a DNS label does not have.
    #[error("the name of a prefix holds {0:?}; use lower-case letters, digits and '-'")]
    Character(char),
    /// A dash at an end.
    #[error("the name of a prefix begins or ends with '-'; leave it out")]
    Dash,
    /// Longer than a DNS label may be.
    #[error("the name of a prefix is {0} bytes long; at most 63 are allowed")]
    TooLong(usize),
}

/// RFC 1035 section 2.3.4.
const MAX_LEN: usize = 63;

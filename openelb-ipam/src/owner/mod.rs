//! Who holds an address: a key that names the owner, and a uid that tells its incarnations apart.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::borrow::Borrow;
use core::fmt;
use core::str::FromStr;

use thiserror::Error;

use crate::text::text_serde;

/// The name of an owner: kind, namespace and name, written `kind/namespace/name`.
///
/// An owner outside any namespace leaves that part empty: `node//worker-1`. Ordered by its text.
///
/// ```
/// use openelb_ipam::OwnerKey;
///
/// let key: OwnerKey = "service/default/web".parse()?;
/// assert_eq!((key.kind(), key.namespace(), key.name()), ("service", "default", "web"));
/// assert_eq!(key, OwnerKey::new("service", "default", "web")?);
/// assert!("web".parse::<OwnerKey>().is_err());
/// # Ok::<(), openelb_ipam::ParseOwnerKeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerKey(Box<str>);

impl OwnerKey {
    /// The longest text of a key, in bytes.
    ///
    /// ```
    /// # use openelb_ipam::OwnerKey;
    /// assert!(OwnerKey::new("service", "default", &"x".repeat(OwnerKey::MAX_LEN)).is_err());
    /// ```
    pub const MAX_LEN: usize = 1024;

    /// Builds a key from its three parts.
    ///
    /// The kind and the name must not be empty, no part may hold blanks or control characters, and
    /// the kind and the namespace no slash. The whole text is at most [`OwnerKey::MAX_LEN`] bytes.
    ///
    /// ```
    /// # use openelb_ipam::OwnerKey;
    /// assert_eq!(OwnerKey::new("node", "", "worker-1")?.as_str(), "node//worker-1");
    /// assert!(OwnerKey::new("service", "a/b", "web").is_err());
    /// # Ok::<(), openelb_ipam::ParseOwnerKeyError>(())
    /// ```
    pub fn new(kind: &str, namespace: &str, name: &str) -> Result<Self, ParseOwnerKeyError> {
        match [kind, namespace]
            .into_iter()
            .find(|part| part.contains('/'))
        {
            Some(part) => Err(ParseOwnerKeyError::Slash(part.to_owned())),
            None => Self::checked(format!("{kind}/{namespace}/{name}")),
        }
    }

    /// The kind of object, such as `service` or `node`.
    pub fn kind(&self) -> &str {
        parts(&self.0).0
    }

    /// The namespace; empty for owners outside any.
    pub fn namespace(&self) -> &str {
        parts(&self.0).1
    }

    /// The name within the namespace.
    pub fn name(&self) -> &str {
        parts(&self.0).2
    }

    /// The whole key, `kind/namespace/name`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A key whose text was checked before it was stored.
    pub(crate) fn from_checked(text: &str) -> Self {
        Self(text.into())
    }

    fn checked(text: String) -> Result<Self, ParseOwnerKeyError> {
        let (kind, _, name) = parts(&text);
        if text.bytes().filter(|&byte| byte == b'/').take(2).count() < 2 {
            return Err(ParseOwnerKeyError::Parts(text));
        }
        if text.len() > Self::MAX_LEN {
            return Err(ParseOwnerKeyError::TooLong(text.len()));
        }
        if kind.is_empty() || name.is_empty() {
            return Err(ParseOwnerKeyError::Empty(text));
        }
        if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(ParseOwnerKeyError::Blank(text));
        }
        Ok(Self(text.into_boxed_str()))
    }
}

impl Borrow<str> for OwnerKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for OwnerKey {
    type Err = ParseOwnerKeyError;

    fn from_str(text: &str) -> Result<Self, ParseOwnerKeyError> {
        Self::checked(text.to_owned())
    }
}

impl fmt::Display for OwnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for OwnerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

text_serde!(OwnerKey, "an owner, \"kind/namespace/name\"");

/// Why a text or three parts are no owner key.
///
/// ```
/// # use openelb_ipam::OwnerKey;
/// let error = "default/web".parse::<OwnerKey>().unwrap_err();
/// assert_eq!(error.to_string(), "owner \"default/web\" lacks a part; write kind/namespace/name");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseOwnerKeyError {
    /// Fewer than two slashes.
    #[error("owner {0:?} lacks a part; write kind/namespace/name")]
    Parts(String),
    /// The kind or the name is empty.
    #[error("owner {0:?} has no kind or no name; write kind/namespace/name")]
    Empty(String),
    /// A part that may not hold a slash does.
    #[error("owner part {0:?} holds a slash, which separates the parts; choose another name")]
    Slash(String),
    /// A blank or a control character.
    #[error("owner {0:?} holds a blank or a control character; remove it")]
    Blank(String),
    /// Longer than [`OwnerKey::MAX_LEN`].
    #[error("owner text is {0} bytes long; at most 1024 are kept")]
    TooLong(usize),
}

/// What tells two owners apart that have the same key at different times.
///
/// Kubernetes gives every object a UUID; other callers may use any text, or none at all.
///
/// ```
/// use openelb_ipam::Uid;
///
/// let uid = Uid::from("4f8c0c4e-5b1e-4d0c-9f0a-3f2f8a1f7a10");
/// assert_eq!(uid.as_str().len(), 36);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(transparent)
)]
pub struct Uid(Box<str>);

impl Uid {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Uid {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An owner as it asks: its key and, where the caller has one, the uid of this incarnation.
///
/// A request whose uid differs from the stored one comes from a new incarnation: the addresses of
/// the old one are treated as released and, being remembered, preferred for the new one.
///
/// ```
/// use openelb_ipam::{Owner, OwnerKey};
///
/// let web = Owner::from(OwnerKey::new("service", "default", "web")?).with_uid("7c9e6679");
/// assert_eq!(web.to_string(), "service/default/web");
/// # Ok::<(), openelb_ipam::ParseOwnerKeyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Owner {
    /// The name.
    pub key: OwnerKey,
    /// The incarnation; `None` never fences.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub uid: Option<Uid>,
}

impl Owner {
    /// Adds the uid of this incarnation.
    #[must_use]
    pub fn with_uid(mut self, uid: &str) -> Self {
        self.uid = Some(Uid::from(uid));
        self
    }
}

impl From<OwnerKey> for Owner {
    fn from(key: OwnerKey) -> Self {
        Self { key, uid: None }
    }
}

impl FromStr for Owner {
    type Err = ParseOwnerKeyError;

    /// Reads the key; an owner from text has no uid.
    fn from_str(text: &str) -> Result<Self, ParseOwnerKeyError> {
        text.parse().map(|key| Self { key, uid: None })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.key, f)
    }
}

/// The namespace part of a checked key text.
pub(crate) fn namespace_of(text: &str) -> &str {
    parts(text).1
}

/// Splits at the first two slashes; missing parts are empty.
fn parts(text: &str) -> (&str, &str, &str) {
    let mut parts = text.splitn(3, '/');
    let mut next = || parts.next().unwrap_or_default();
    (next(), next(), next())
}

#[cfg(test)]
mod tests;

//! The keys that sign beats: HMAC-SHA256, and how to replace a key without an interruption.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// A secret that all nodes of a segment share. Its `Debug` form does not show it.
///
/// ```
/// use openelb_announce::ownership::Key;
///
/// assert!(Key::new(b"an old secret of 32 octets......").is_ok());
/// assert!(Key::new(b"too short").is_err());
/// ```
#[derive(Clone)]
pub struct Key {
    id: KeyId,
    hmac: Hmac<Sha256>,
}

impl Key {
    /// The shortest secret that is taken: 128 bits, as much as the signature has.
    pub const LEAST: usize = 16;

    /// Takes over a secret of at least 16 octets, best 32 random ones.
    pub fn new(secret: &[u8]) -> Result<Self, KeyError> {
        let hmac = Hmac::new_from_slice(secret).ok();
        let hmac = hmac.filter(|_| secret.len() >= Self::LEAST);
        let hmac = hmac.ok_or(KeyError {
            length: secret.len(),
        })?;
        let digest = Sha256::new()
            .chain_update(KEY_ID_PREFIX)
            .chain_update(secret);
        let [a, b, c, d, ..] = <[u8; 32]>::from(digest.finalize());
        // Zero is the number of no key.
        let id = KeyId(u32::from_be_bytes([a, b, c, d]).max(1));
        Ok(Self { id, hmac })
    }

    /// The number that beats name it by, made of the secret but telling nothing about it.
    pub const fn id(&self) -> KeyId {
        self.id
    }
}

impl PartialEq for Key {
    /// Keys of one number are one key: the number has 32 bits, and nobody has thousands of keys.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// The number of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(super) u32);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// The secret is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key has at least 16 octets, not {length}; make one with `openssl rand -base64 32`")]
pub struct KeyError {
    /// How many octets it has.
    pub length: usize,
}

/// The keys of a node: the first signs, all verify.
///
/// To replace a key without an interruption, go round the nodes three times: add the new key behind
/// the old one; move it to the front; take the old one away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRing {
    keys: Vec<Key>,
}

impl KeyRing {
    /// A ring that signs with `first` and also accepts what was signed with one of `others`.
    pub fn new(first: Key, others: impl IntoIterator<Item = Key>) -> Self {
        let keys = std::iter::once(first).chain(others).collect();
        Self { keys }
    }

    /// No key at all: whoever can send on the segment can take every address. For laboratories.
    pub const fn unsigned() -> Self {
        Self { keys: Vec::new() }
    }

    /// Is there no key?
    pub const fn is_unsigned(&self) -> bool {
        self.keys.is_empty()
    }

    /// The number of the key that signs; zero without one.
    pub(super) fn signer(&self) -> u32 {
        self.keys.first().map_or(0, |key| key.id.0)
    }

    /// The signature of the first key; zeros without one.
    pub(super) fn sign(&self, octets: &[u8]) -> [u8; SIGNATURE] {
        let Some(key) = self.keys.first() else {
            return [0; SIGNATURE];
        };
        let tag: [u8; 32] = key
            .hmac
            .clone()
            .chain_update(octets)
            .finalize()
            .into_bytes()
            .into();
        let mut short = [0; SIGNATURE];
        for (place, octet) in short.iter_mut().zip(tag) {
            *place = octet;
        }
        short
    }

    /// Did somebody who has the key of this number sign `octets`?
    pub(super) fn verify(
        &self,
        id: u32,
        octets: &[u8],
        signature: &[u8],
    ) -> Result<(), KeyRefusal> {
        if self.is_unsigned() {
            return if id == 0 {
                Ok(())
            } else {
                Err(KeyRefusal::Unknown)
            };
        }
        let key = self.keys.iter().find(|key| key.id.0 == id);
        let key = key.ok_or(KeyRefusal::Unknown)?;
        let hmac = key.hmac.clone().chain_update(octets);
        // The comparison takes the same time wherever the first difference is.
        let verified = hmac.verify_truncated_left(signature);
        verified.map_err(|_| KeyRefusal::Signature)
    }
}

/// Why a signature was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyRefusal {
    /// No key of this number is here.
    Unknown,
    /// The signature does not fit.
    Signature,
}

/// Octets of a signature: HMAC-SHA256 cut to 128 bits (RFC 2104 section 5 allows half of the hash).
pub(super) const SIGNATURE: usize = 16;

/// Keeps the number of a key apart from everything else that is hashed.
const KEY_ID_PREFIX: &[u8] = b"openelb ownership key number\0";

#[cfg(test)]
mod tests;

//! Keyed SHA1 and Meticulous Keyed SHA1 authentication (RFC 5880 sections 4.4 and 6.7.4).
//!
//! ```text
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |   Auth Type   |   Auth Len    |  Auth Key ID  |   Reserved    |
//! |                        Sequence Number                        |
//! |                 Auth Key/Hash, 20 octets ...                  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use super::packet::Received;
use crate::wire::{NoRoom, Reader, Truncated, Writer};

/// How both ends of a session prove who they are. Both must be configured alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// How.
    pub kind: AuthKind,
    /// Which of the neighbour's keys this is.
    pub key_id: u8,
    /// The shared secret.
    pub key: Key,
}

/// The kinds of authentication that are supported.
///
/// ```
/// use openelb_announce::bfd::AuthKind;
///
/// assert_eq!("keyed-sha1".parse(), Ok(AuthKind::KeyedSha1));
/// let refused = "keyed-md5".parse::<AuthKind>().unwrap_err();
/// assert!(refused.to_string().contains("use keyed-sha1"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum AuthKind {
    /// Sequence numbers do not fall: a packet may be replayed until the next one.
    KeyedSha1,
    /// Sequence numbers rise with every packet: none can be replayed.
    MeticulousKeyedSha1,
}

impl AuthKind {
    const fn wire(self) -> u8 {
        match self {
            Self::KeyedSha1 => 4,
            Self::MeticulousKeyedSha1 => 5,
        }
    }
}

impl fmt::Display for AuthKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyedSha1 => "keyed-sha1",
            Self::MeticulousKeyedSha1 => "meticulous-keyed-sha1",
        })
    }
}

impl FromStr for AuthKind {
    type Err = ParseAuthKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "keyed-sha1" => Ok(Self::KeyedSha1),
            "meticulous-keyed-sha1" => Ok(Self::MeticulousKeyedSha1),
            "simple-password" | "keyed-md5" | "meticulous-keyed-md5" => {
                Err(ParseAuthKindError::Weak(text.to_owned()))
            }
            _ => Err(ParseAuthKindError::Unknown(text.to_owned())),
        }
    }
}

/// Why a text names no supported kind of authentication.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseAuthKindError {
    /// A kind of RFC 5880 that protects against nobody who can see the packets, or is broken.
    #[error("BFD authentication {0} is not supported; use keyed-sha1 or meticulous-keyed-sha1")]
    Weak(String),
    /// No kind of RFC 5880.
    #[error("{0:?} is no BFD authentication; use keyed-sha1 or meticulous-keyed-sha1")]
    Unknown(String),
}

/// A shared secret of 1 to 20 octets. Its `Debug` form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; Self::MOST]);

impl Key {
    /// The longest secret that SHA1 authentication can carry (RFC 5880 section 4.4).
    pub const MOST: usize = 20;

    /// Takes over a secret.
    pub fn new(secret: &[u8]) -> Result<Self, KeyError> {
        let mut padded = [0; Self::MOST];
        let Some(place) = padded
            .get_mut(..secret.len())
            .filter(|place| !place.is_empty())
        else {
            return Err(KeyError {
                length: secret.len(),
            });
        };
        place.copy_from_slice(secret);
        Ok(Self(padded))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(****)")
    }
}

/// The secret is empty or too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a BFD key has 1 to 20 octets, not {length}; choose another one on both ends")]
pub struct KeyError {
    /// How many octets it has.
    pub length: usize,
}

/// Signs what is sent and checks what is received; keeps both sequence numbers.
#[derive(Clone, Debug)]
pub struct Authenticator {
    auth: Auth,
    /// `bfd.XmitAuthSeq`: the number of the next packet.
    next: u32,
    /// `bfd.RcvAuthSeq`, while `bfd.AuthSeqKnown`.
    last_received: Option<u32>,
}

impl Authenticator {
    /// Octets of the authentication section.
    pub const LENGTH: u8 = 28;

    /// Starts with the sequence number `first`, which must be random (RFC 5880 section 6.8.1).
    pub const fn new(auth: Auth, first: u32) -> Self {
        Self {
            auth,
            next: first,
            last_received: None,
        }
    }

    /// What it was made of.
    pub const fn auth(&self) -> &Auth {
        &self.auth
    }

    /// Appends the authentication section to the mandatory section, which must be complete.
    ///
    /// Sequence numbers rise with every packet for both kinds: RFC 5880 asks for that of the
    /// meticulous kind, and allows it for the other, where it shortens the time for a replay.
    pub fn sign(&mut self, mandatory: &[u8], out: &mut Writer<'_>) -> Result<(), NoRoom> {
        let sequence = self.next;
        let header = self.header(sequence);
        out.octets(&header)?;
        out.octets(&self.digest(mandatory, &header))?;
        self.next = sequence.wrapping_add(1);
        Ok(())
    }

    /// Accepts or refuses a received packet, in the order of RFC 5880 section 6.7.4.
    ///
    /// One step is later than there: a sequence number is remembered only once the digest has proved
    /// it. Otherwise anybody could shut out the neighbour with one invented number.
    pub fn verify(&mut self, received: &Received<'_>) -> Result<(), AuthError> {
        let section = received.auth.ok_or(AuthError::Missing)?;
        let mut reader = Reader::new(section);
        let [kind, length, key_id, _reserved] = reader.array()?;
        if kind != self.auth.kind.wire() {
            return Err(AuthError::Kind(kind));
        }
        if key_id != self.auth.key_id {
            return Err(AuthError::KeyId(key_id));
        }
        if length != Self::LENGTH {
            return Err(AuthError::Length(length));
        }
        let sequence = reader.u32()?;
        self.check_sequence(sequence, received.packet.multiplier)?;
        let claimed: [u8; 20] = reader.array()?;
        let (mandatory, rest) = received
            .octets
            .split_at_checked(received.octets.len().saturating_sub(section.len()))
            .unwrap_or_default();
        let header = rest.get(..HEADER).unwrap_or_default();
        if !bool::from(self.digest(mandatory, header).ct_eq(&claimed)) {
            return Err(AuthError::Digest);
        }
        self.last_received = Some(sequence);
        Ok(())
    }

    /// Nothing was received for twice the detection time: any sequence number may come next.
    pub const fn forget(&mut self) {
        self.last_received = None;
    }

    fn check_sequence(&self, sequence: u32, multiplier: NonZeroU8) -> Result<(), AuthError> {
        let Some(last) = self.last_received else {
            return Ok(());
        };
        let ahead = sequence.wrapping_sub(last);
        let nearest = match self.auth.kind {
            AuthKind::KeyedSha1 => 0,
            AuthKind::MeticulousKeyedSha1 => 1,
        };
        let farthest = 3 * u32::from(multiplier.get());
        if (nearest..=farthest).contains(&ahead) {
            Ok(())
        } else {
            Err(AuthError::Sequence { sequence, last })
        }
    }

    fn header(&self, sequence: u32) -> [u8; HEADER] {
        let [a, b, c, d] = sequence.to_be_bytes();
        [
            self.auth.kind.wire(),
            Self::LENGTH,
            self.auth.key_id,
            0,
            a,
            b,
            c,
            d,
        ]
    }

    /// Over the whole packet, with the secret in the place of the digest.
    fn digest(&self, mandatory: &[u8], header: &[u8]) -> [u8; 20] {
        let mut hash = Sha1::new();
        hash.update(mandatory);
        hash.update(header);
        hash.update(self.auth.key.0);
        hash.finalize().into()
    }
}

/// Why a packet was not accepted as the neighbour's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It is not authenticated.
    #[error("packet is not authenticated, but a key is configured here; configure it there too")]
    Missing,
    /// It is authenticated, but nothing is configured here.
    #[error("packet is authenticated, but no key is configured here; configure the same key")]
    Unexpected,
    /// Another type of authentication.
    #[error("packet is authenticated with type {0}; configure the same type on both ends")]
    Kind(u8),
    /// Another key.
    #[error("packet is authenticated with key number {0}; configure the same key on both ends")]
    KeyId(u8),
    /// The authentication section has the wrong length.
    #[error("authentication section says it is {0} octets long, not 28")]
    Length(u8),
    /// The authentication section ends early.
    #[error("authentication section {0}")]
    Truncated(#[from] Truncated),
    /// A replayed packet, or more were lost than can be tolerated.
    #[error("sequence number {sequence} does not follow {last}: an old packet, or many were lost")]
    Sequence {
        /// What the packet says.
        sequence: u32,
        /// What the last accepted packet said.
        last: u32,
    },
    /// The digest does not fit the packet and the key.
    #[error("digest does not match; is the key the same on both ends?")]
    Digest,
}

// Type, length, key number, a reserved octet and the sequence number.
const HEADER: usize = 8;

#[cfg(test)]
mod tests;

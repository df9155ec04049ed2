//! The options of neighbor discovery messages (RFC 4861 section 4.6).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |     Type      | Length (in 8) |  Value, padded to 8 octets ...
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-
//! ```

use crate::wire::{Mac, NoRoom, Reader, Truncated, Writer, wire_enum};

wire_enum! {
    /// What an option tells.
    pub enum Kind(u8) {
        /// The sender's hardware address (RFC 4861 section 4.6.1).
        SourceLinkLayerAddress = 1,
        /// The target's hardware address (RFC 4861 section 4.6.1).
        TargetLinkLayerAddress = 2,
        /// A prefix, and for how long (RFC 4861 section 4.6.2).
        PrefixInformation = 3,
        /// What tells our own probe from another's (RFC 3971 section 5.3.2, RFC 7527).
        Nonce = 14,
    }
}

/// What tells a probe that the network looped back from one of another host (RFC 7527). Six octets
/// are the least that RFC 3971 section 5.3.2 allows, and fill one unit of eight.
pub type Nonce = [u8; 6];

/// One option, known or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawOption<'a> {
    /// What it tells.
    pub kind: Kind,
    /// What follows the length field: 6 octets, or 8 more for each further unit.
    pub value: &'a [u8],
}

impl RawOption<'_> {
    /// How many octets an option with a value of six takes.
    pub const LENGTH: usize = 8;

    /// The value, if it is a hardware address.
    pub fn mac(&self) -> Option<Mac> {
        self.six().map(Mac::new)
    }

    /// The value, if it is as long as a nonce of ours.
    pub fn six(&self) -> Option<[u8; 6]> {
        self.value.try_into().ok()
    }
}

/// Writes an option with a value of six octets; [`RawOption::LENGTH`] octets.
pub fn emit(out: &mut Writer<'_>, kind: Kind, value: [u8; 6]) -> Result<(), NoRoom> {
    out.octets(&[kind.into(), 1])?;
    out.octets(&value)
}

/// The options of one message, in order. Ends after the first malformed one.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    rest: Reader<'a>,
}

impl<'a> Options<'a> {
    /// Reads the octets behind the fixed part of a message.
    pub const fn new(octets: &'a [u8]) -> Self {
        Self {
            rest: Reader::new(octets),
        }
    }

    fn read(&mut self) -> Result<RawOption<'a>, DecodeOptionError> {
        let (kind, units) = (self.rest.u8()?.into(), self.rest.u8()?);
        let length = usize::from(units)
            .checked_mul(UNIT)
            .and_then(|all| all.checked_sub(HEADER));
        let value = self
            .rest
            .take(length.ok_or(DecodeOptionError::ZeroLength)?)?;
        Ok(RawOption { kind, value })
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = Result<RawOption<'a>, DecodeOptionError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.rest().is_empty() {
            return None;
        }
        let option = self.read();
        if option.is_err() {
            self.rest = Reader::new(&[]);
        }
        Some(option)
    }
}

/// Why octets are not an option. The whole message must be dropped (RFC 4861 section 4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeOptionError {
    /// A length of zero would never end.
    #[error("option of length zero")]
    ZeroLength,
    /// The option ends early.
    #[error("option {0}")]
    Truncated(#[from] Truncated),
}

/// Lengths count these.
const UNIT: usize = 8;
/// Type and length.
const HEADER: usize = 2;

#[cfg(test)]
mod tests;

//! From the prefix that a network delegates to the one that pools use: a sub-prefix by rule.

use core::net::Ipv6Addr;

use ipnet::Ipv6Net;
use thiserror::Error;

/// Which part of a delegated prefix is used.
///
/// ```
/// use openelb_ipam::dynamic_prefix::{Derivation, Part};
///
/// // The provider delegates a /56; this cluster has its subnet cd.
/// let by_number = Derivation { length: 64, part: Part::Number(0xcd) };
/// let derived = by_number.derive("2001:db8:aaaa:bb00::/56".parse()?)?;
/// assert_eq!(derived.to_string(), "2001:db8:aaaa:bbcd::/64");
///
/// // Only an address of another subnet of that /56 is known.
/// let by_mask = Derivation { length: 64, part: Part::Override { keep: 56, bits: "0:0:0:cd::".parse()? } };
/// assert_eq!(by_mask.derive("2001:db8:aaaa:bb11::/64".parse()?)?, derived);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Derivation {
    /// Length of the prefix that is used, from 48 to 128; 64 by default.
    pub length: u8,
    /// Which of the prefixes of that length.
    pub part: Part,
}

/// One of the sub-prefixes of a delegated prefix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum Part {
    /// The lowest, which is the whole when the delegated prefix is of the wanted length.
    #[default]
    Whole,
    /// The one of this number, counted from 0.
    Number(u128),
    /// The first `keep` bits of what was delegated, then the bits of an address up to the length.
    ///
    /// Bits are replaced: what the delegated prefix has between `keep` and the length does not
    /// matter. It may be longer than `keep`, which is how a host that sees only its own /64 computes
    /// another subnet of the same site.
    Override {
        /// How many bits of the delegated prefix stay, from 1 to one less than the length.
        keep: u8,
        /// The bits that follow; all others of this address must be zero.
        bits: Ipv6Addr,
    },
}

impl Derivation {
    /// The sub-prefix of a delegated prefix, or why the rule does not fit it.
    ///
    /// Host bits of `delegated` do not matter.
    pub fn derive(&self, delegated: Ipv6Net) -> Result<Ipv6Net, DeriveError> {
        self.check()?;
        let delegated = delegated.trunc();
        if delegated.prefix_len() > self.length {
            return Err(DeriveError::TooLong {
                delegated,
                length: self.length,
            });
        }
        let network = delegated.network().to_bits();
        let bits = match self.part {
            Part::Whole => network,
            Part::Number(number) => network | self.numbered(number, delegated)?,
            Part::Override { keep, bits } => (network & !below(keep)) | bits.to_bits(),
        };
        Ok(Ipv6Net::new_assert(Ipv6Addr::from_bits(bits), self.length))
    }

    /// Whether the rule can fit any prefix at all; what is wrong with it otherwise.
    ///
    /// ```
    /// use openelb_ipam::dynamic_prefix::{Derivation, Part};
    ///
    /// let bits = "0:0:0:1cd::".parse()?;
    /// let rule = Derivation { length: 64, part: Part::Override { keep: 56, bits } };
    /// assert_eq!(
    ///     rule.check().unwrap_err().to_string(),
    ///     "the override 0:0:0:1cd:: has bits outside 56..64; keep fewer bits, or leave those out",
    /// );
    /// # Ok::<(), core::net::AddrParseError>(())
    /// ```
    pub const fn check(&self) -> Result<(), DeriveError> {
        let length = self.length;
        if length < SHORTEST || length > 128 {
            return Err(DeriveError::Length { length });
        }
        if let Part::Override { keep, bits } = self.part {
            if keep == 0 || keep >= length {
                return Err(DeriveError::Keep { keep, length });
            }
            if bits.to_bits() & !(below(keep) & !below(length)) != 0 {
                return Err(DeriveError::OutsideMask { bits, keep, length });
            }
        }
        Ok(())
    }

    /// A sub-prefix's number in its place.
    const fn numbered(&self, number: u128, delegated: Ipv6Net) -> Result<u128, DeriveError> {
        let room = self.length - delegated.prefix_len();
        let is_too_large = room < 128 && number >> room != 0;
        if is_too_large {
            return Err(DeriveError::Number {
                number,
                room,
                delegated,
            });
        }
        // A shift by 128 is one of nothing: then the number is the address.
        Ok(match number.checked_shl(128 - self.length as u32) {
            Some(bits) => bits,
            None => 0,
        })
    }
}

/// All of a /64, the prefix of a link (RFC 7421).
impl Default for Derivation {
    fn default() -> Self {
        Self {
            length: 64,
            part: Part::Whole,
        }
    }
}

/// Why a rule does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DeriveError {
    /// A length that pools cannot have.
    #[error("the length {length} of the prefix to use is not within 48..=128; 64 is usual")]
    Length {
        /// What was asked.
        length: u8,
    },
    /// Nothing to keep, or nothing to override.
    #[error("keeping {keep} bits leaves none of a /{length} to override; keep 1 to {}", length - 1)]
    Keep {
        /// What was asked.
        keep: u8,
        /// Length of the prefix to use.
        length: u8,
    },
    /// Bits where the delegated prefix or the hosts have theirs.
    #[error(
        "the override {bits} has bits outside {keep}..{length}; keep fewer bits, or leave those out"
    )]
    OutsideMask {
        /// What was asked.
        bits: Ipv6Addr,
        /// Where its bits may begin.
        keep: u8,
        /// Where they must end.
        length: u8,
    },
    /// A delegated prefix that is smaller than what is asked of it.
    #[error("{delegated} is smaller than the /{length} to use; ask for a longer prefix")]
    TooLong {
        /// What the network gave.
        delegated: Ipv6Net,
        /// Length of the prefix to use.
        length: u8,
    },
    /// A number beyond the last sub-prefix.
    #[error(
        "{delegated} has {room} bits for subnets and {number:#x} needs more; take a lower number"
    )]
    Number {
        /// What was asked.
        number: u128,
        /// How many bits there are.
        room: u8,
        /// What the network gave.
        delegated: Ipv6Net,
    },
}

/// The bits behind the first `length`.
const fn below(length: u8) -> u128 {
    match u128::MAX.checked_shr(length as u32) {
        Some(mask) => mask,
        None => 0,
    }
}

/// The ledger keeps 80 host bits.
const SHORTEST: u8 = 48;

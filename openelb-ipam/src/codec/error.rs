//! Why bytes are not a compact set.

use thiserror::Error;

use crate::count::AddressCount;

/// Bytes that are not a compact set, or no longer the one that was written.
///
/// ```
/// use openelb_ipam::codec::CompactSet;
/// use openelb_ipam::{Family, RangeSet, occupancy::Occupancy};
///
/// let mut bytes = CompactSet::of(&Occupancy::new(Family::V4, &RangeSet::new())).encode();
/// bytes.push(0);
/// let error = CompactSet::decode(&bytes).unwrap_err().to_string();
/// assert!(error.starts_with("the compact set was changed since it was written"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The first bytes are not the magic.
    #[error("not a compact address set: it does not start with `OEAS`")]
    NotACompactSet,
    /// Written by a later version.
    #[error("compact set of version {version}; this program reads version 1, use a newer one")]
    UnknownVersion {
        /// The version byte.
        version: u8,
    },
    /// Neither 4 nor 6.
    #[error("compact set of an unknown family {family}; 4 and 6 are known")]
    UnknownFamily {
        /// The family byte.
        family: u8,
    },
    /// The bytes are not those that were written.
    #[error(
        "the compact set was changed since it was written (checksum {computed:08x}, written as \
         {stored:08x}); use another copy"
    )]
    Checksum {
        /// What the bytes say.
        stored: u32,
        /// What the bytes are.
        computed: u32,
    },
    /// Valid containers, but not as many addresses as stated.
    #[error("the compact set says that it holds {stored} addresses and holds {found}")]
    Count {
        /// What the bytes say, modulo 2^128.
        stored: u128,
        /// What the containers hold.
        found: AddressCount,
    },
    /// The bytes do not follow the format.
    #[error("the compact set is malformed: {0}")]
    Malformed(#[from] Malformed),
}

/// How bytes break the format.
///
/// ```
/// # use openelb_ipam::codec::Malformed;
/// assert_eq!(Malformed::Truncated.to_string(), "it ends in the middle of a value");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Fewer bytes than announced.
    #[error("it ends in the middle of a value")]
    Truncated,
    /// More bytes than announced.
    #[error("bytes follow after its end")]
    TrailingBytes,
    /// Not a roaring bitmap.
    #[error("{cookie:#010x} is no roaring cookie")]
    UnknownCookie {
        /// The four bytes at the start.
        cookie: u32,
    },
    /// More containers than 16-bit keys.
    #[error("a bitmap of {containers} containers; 65,536 are possible")]
    TooManyContainers {
        /// The number announced.
        containers: u32,
    },
    /// Container or upper keys do not ascend.
    #[error("its keys do not ascend")]
    KeysOutOfOrder,
    /// An offset does not point at its container.
    #[error("an offset does not point at its container")]
    WrongOffset,
    /// Array values do not ascend.
    #[error("the values of an array do not ascend")]
    ValuesOutOfOrder,
    /// Runs overlap, touch or leave their container.
    #[error("the runs of a container overlap, touch or leave it")]
    RunsOutOfOrder,
    /// A container's contents are not as many as announced.
    #[error("a container does not hold as many values as announced")]
    WrongCardinality,
    /// Block runs overlap, touch or are reversed.
    #[error("its block runs overlap, touch or are reversed")]
    BlocksOutOfOrder,
    /// A container lies in a block that is wholly taken already.
    #[error("a container lies in a block that is wholly taken")]
    CountedTwice,
    /// A block that is wholly taken, written container by container: not canonical.
    #[error("a block that is wholly taken is not among its block runs")]
    WholeBlock,
}

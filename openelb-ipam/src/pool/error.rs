//! Why a pool specification is refused: which pool, which field, which entry, and what to do.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use thiserror::Error;

use crate::name::PoolName;
use crate::range::{AddressRange, RangeError};
use crate::range_set::OverlapError;

/// A pool specification cannot be used.
///
/// ```
/// use openelb_ipam::{Pool, PoolSpec};
///
/// let error = Pool::try_from(&PoolSpec::new("p".parse()?, [])).unwrap_err();
/// assert_eq!(error.to_string(), "pool p, ranges: no address is listed; add a prefix or a range");
/// # Ok::<(), openelb_ipam::ParsePoolNameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("pool {pool}, {field}{problem}")]
pub struct PoolSpecError {
    /// The pool.
    pub pool: PoolName,
    /// The field of its specification.
    pub field: Field,
    /// What is wrong there.
    pub problem: Box<SpecProblem>,
}

/// A field of [`PoolSpec`](super::PoolSpec) that can be wrong.
///
/// ```
/// # use openelb_ipam::pool::Field;
/// assert_eq!(Field::ServiceSelectors.to_string(), "serviceSelectors");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// `exclude`
    Exclude,
    /// `namespaceQuota`
    NamespaceQuota,
    /// `namespaceSelectors`
    NamespaceSelectors,
    /// `namespaces`
    Namespaces,
    /// `ranges`
    Ranges,
    /// `reserve`
    Reserve,
    /// `serviceSelectors`
    ServiceSelectors,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Exclude => "exclude",
            Self::NamespaceQuota => "namespaceQuota",
            Self::NamespaceSelectors => "namespaceSelectors",
            Self::Namespaces => "namespaces",
            Self::Ranges => "ranges",
            Self::Reserve => "reserve",
            Self::ServiceSelectors => "serviceSelectors",
        })
    }
}

/// What is wrong with a field. Entries count from 1 over the whole list.
///
/// ```
/// # use openelb_ipam::{Pool, PoolSpec, pool::SpecProblem};
/// let error = Pool::try_from(&PoolSpec::new("p".parse()?, [])).unwrap_err();
/// assert_eq!(*error.problem, SpecProblem::NoRanges);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SpecProblem {
    /// Nothing is listed.
    #[error(": no address is listed; add a prefix or a range")]
    NoRanges,
    /// An entry is no range.
    #[error(", entry {position}, {source}")]
    Entry {
        /// Which entry.
        position: usize,
        /// What is wrong with it.
        source: RangeError,
    },
    /// An entry repeats addresses of an earlier one.
    #[error(", entry {position}: {overlap}; list each address once")]
    Overlap {
        /// Which entry.
        position: usize,
        /// The range and what it repeats.
        overlap: OverlapError,
    },
    /// An entry holds nothing but addresses that no owner can use.
    #[error(
        ", entry {position}: {range} holds only loopback, link-local, multicast or unspecified \
         addresses; choose others or set reserve.special to false"
    )]
    Special {
        /// Which entry.
        position: usize,
        /// The range.
        range: AddressRange,
    },
    /// A rule would reserve too many single addresses.
    #[error(
        ".{rule}: entry {position}, {range}, is too large for this rule; split it or drop the rule"
    )]
    TooBroad {
        /// Which entry of `ranges`.
        position: usize,
        /// The range.
        range: AddressRange,
        /// The field of [`ReserveRules`](super::ReserveRules).
        rule: &'static str,
    },
    /// A namespace is listed twice.
    #[error(": {0:?} is listed twice; list it once")]
    NamedTwice(String),
    /// Two selectors are equal.
    #[error(": two selectors are equal; keep one")]
    SelectorTwice,
    /// A quota that lets nobody in.
    #[error(": 0 lets no namespace in; set isDisabled instead")]
    ZeroQuota,
}

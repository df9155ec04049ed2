//! The words for what is wrong: a fixed set that alerts and scripts can rely on.

use std::fmt;

use openelb_ipam::Reason;

/// Why a Service has no address, or less than it asks for.
///
/// ```
/// use openelb_k8s::wish::ReasonWord;
///
/// assert_eq!(ReasonWord::PoolExhausted.to_string(), "PoolExhausted");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonWord {
    /// The address was seen in use by a stranger on the wire.
    AddressConflictOnWire,
    /// Another Service holds the address, or held it a moment ago.
    AddressInUse,
    /// The address is no longer in its pool. The Service keeps it.
    AddressOrphaned,
    /// No pool holds the address.
    AddressOutsidePools,
    /// The pool never gives the address: it is excluded, or reserved by a standard.
    AddressReserved,
    /// Two annotations, or an annotation and a field, say different things.
    ContradictoryRequest,
    /// No pool that serves the Service has addresses of a family; or the Service itself lacks it.
    FamilyUnavailable,
    /// The status holds addresses of no pool, written by somebody else.
    ForeignAddress,
    /// What is written as an address is none, or does not fit the families.
    InvalidAddress,
    /// The Service has no cluster IP.
    NoClusterIP,
    /// No pool serves the Service.
    NoMatchingPool,
    /// Every pool that serves the Service is full.
    PoolExhausted,
    /// The address follows a prefix that is not known, or not known yet.
    PrefixUnknown,
    /// The namespace holds as many addresses as it may.
    QuotaExceeded,
    /// Another Service holds the address, and the two may not share it.
    SharingRefused,
    /// Another controller writes the status of the Service.
    StatusConflict,
}

impl ReasonWord {
    /// Every word.
    pub const ALL: [Self; 16] = [
        Self::AddressConflictOnWire,
        Self::AddressInUse,
        Self::AddressOrphaned,
        Self::AddressOutsidePools,
        Self::AddressReserved,
        Self::ContradictoryRequest,
        Self::FamilyUnavailable,
        Self::ForeignAddress,
        Self::InvalidAddress,
        Self::NoClusterIP,
        Self::NoMatchingPool,
        Self::PoolExhausted,
        Self::PrefixUnknown,
        Self::QuotaExceeded,
        Self::SharingRefused,
        Self::StatusConflict,
    ];

    /// The word, as conditions, events and metrics carry it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddressConflictOnWire => "AddressConflictOnWire",
            Self::AddressInUse => "AddressInUse",
            Self::AddressOrphaned => "AddressOrphaned",
            Self::AddressOutsidePools => "AddressOutsidePools",
            Self::AddressReserved => "AddressReserved",
            Self::ContradictoryRequest => "ContradictoryRequest",
            Self::FamilyUnavailable => "FamilyUnavailable",
            Self::ForeignAddress => "ForeignAddress",
            Self::InvalidAddress => "InvalidAddress",
            Self::NoClusterIP => "NoClusterIP",
            Self::NoMatchingPool => "NoMatchingPool",
            Self::PoolExhausted => "PoolExhausted",
            Self::PrefixUnknown => "PrefixUnknown",
            Self::QuotaExceeded => "QuotaExceeded",
            Self::SharingRefused => "SharingRefused",
            Self::StatusConflict => "StatusConflict",
        }
    }
}

impl fmt::Display for ReasonWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<Reason> for ReasonWord {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::AddressConflictOnWire => Self::AddressConflictOnWire,
            Reason::AddressInUse => Self::AddressInUse,
            Reason::AddressOutsidePools => Self::AddressOutsidePools,
            Reason::AddressReserved => Self::AddressReserved,
            Reason::FamilyUnavailable => Self::FamilyUnavailable,
            Reason::InvalidAddress => Self::InvalidAddress,
            Reason::PoolExhausted => Self::PoolExhausted,
            Reason::QuotaExceeded => Self::QuotaExceeded,
            // The ledger may learn words; until they have one here, nothing serves the Service.
            _ => Self::NoMatchingPool,
        }
    }
}

//! The prefixes that addresses are shown in now: the preferred one, and those that are leaving.

use alloc::string::String;
use alloc::vec::Vec;

use ipnet::Ipv6Net;

use crate::time::Time;

/// The prefixes in use, in the order in which their addresses are shown.
///
/// Equal values mean that nothing has to be written: lifetimes that the network renews all the time
/// change the shown `valid_until` only when it would mislead (see [`Generation::valid_until`]).
// Invariant: without a preferred generation there is no deprecated one; no prefix appears twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", default))]
pub struct Generations {
    /// The one for new connections; none while no prefix is known.
    pub preferred: Option<Generation>,
    /// Those that established connections still use, the latest first.
    pub deprecated: Vec<Generation>,
}

impl Generations {
    /// All of them, the preferred one first.
    pub fn iter(&self) -> impl Iterator<Item = &Generation> {
        self.preferred.iter().chain(&self.deprecated)
    }

    /// Whether no prefix is known.
    pub fn is_empty(&self) -> bool {
        self.preferred.is_none() && self.deprecated.is_empty()
    }
}

/// One prefix in use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Generation {
    /// The prefix of the addresses: what the [derivation](super::Derivation) made of `delegated`.
    pub prefix: Ipv6Net,
    /// The prefix that the network gave.
    pub delegated: Ipv6Net,
    /// When it became preferred.
    pub since: Time,
    /// When the network stops carrying it, as far as was told; `None`: never.
    ///
    /// Never more than some seconds later than the truth, and at least half of what is truly left:
    /// a renewal every ten minutes must not become a write every ten minutes.
    #[cfg_attr(feature = "serde", serde(default))]
    pub valid_until: Option<Time>,
    /// When a deprecated one leaves; `None` for the preferred one, and while the one that replaces
    /// it is not announced.
    #[cfg_attr(feature = "serde", serde(default))]
    pub until: Option<Time>,
    /// Index of the source that told of it, in the order of the configuration.
    #[cfg_attr(feature = "serde", serde(default))]
    pub source: usize,
    /// Where that source has it from.
    #[cfg_attr(feature = "serde", serde(default))]
    pub origin: String,
}

impl Generation {
    /// A generation that the network gave as it is, with no end.
    pub const fn new(prefix: Ipv6Net, since: Time) -> Self {
        Self {
            prefix,
            delegated: prefix,
            since,
            valid_until: None,
            until: None,
            source: 0,
            origin: String::new(),
        }
    }
}

//! What a user says about a prefix that may change.

use core::fmt;
use core::time::Duration;

use ipnet::Ipv6Net;

use super::derivation::Derivation;

/// How one prefix is followed. Every field has a default.
///
/// ```
/// use core::time::Duration;
/// use openelb_ipam::dynamic_prefix::Settings;
///
/// let patient = Settings { hold_down: Duration::from_mins(1), ..Settings::default() };
/// assert_eq!(patient.grace, Duration::from_hours(1));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Which part of what the network delegates is used; all of a /64 by default.
    pub derivation: Derivation,
    /// How long a new prefix must have been told of before it is used; 15 s by default, which covers
    /// a modem that dials twice and sources that report one after the other.
    pub hold_down: Duration,
    /// How long a replaced prefix stays announced, from the moment its successor is; 1 h by default.
    /// Never beyond its valid lifetime.
    pub grace: Duration,
    /// How many replaced prefixes may be announced at once, at most 16; 3 by default. Zero breaks
    /// every connection at a renumbering.
    pub generations: usize,
    /// Which prefixes count, and which are better.
    pub scope: Scope,
    /// How long a prefix that is still told of stays preferred before a better one replaces it; 1 min
    /// by default. One that is gone is replaced without that wait.
    pub minimum_dwell: Duration,
    /// How long to wait for [`Input::Announced`](super::Input::Announced) before the grace period
    /// begins without it; 1 min by default.
    pub confirm_within: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            derivation: Derivation::default(),
            hold_down: Duration::from_secs(15),
            grace: Duration::from_hours(1),
            generations: 3,
            scope: Scope::default(),
            minimum_dwell: Duration::from_mins(1),
            confirm_within: Duration::from_mins(1),
        }
    }
}

/// Which kinds of prefixes count, and in which order.
///
/// ```
/// use openelb_ipam::dynamic_prefix::Scope;
///
/// let unique_local = "fd00:1::/64".parse()?;
/// assert_eq!(Scope::GlobalFirst.rank(unique_local), Some(1));
/// assert_eq!(Scope::Global.rank(unique_local), None);
/// assert_eq!(Scope::Any.rank("fe80::/64".parse()?), None, "no address of a link is anybody's");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Scope {
    /// Global unicast prefixes (`2000::/3`), and unique local ones (`fc00::/7`, RFC 4193) while there is
    /// none.
    #[default]
    GlobalFirst,
    /// Global unicast prefixes only.
    Global,
    /// Unique local prefixes only.
    UniqueLocal,
    /// Both alike.
    Any,
}

impl Scope {
    /// How good a prefix is, 0 being best; `None` when it does not count.
    pub fn rank(self, prefix: Ipv6Net) -> Option<u8> {
        let bits = prefix.network().to_bits();
        // A prefix shorter than the block that it begins in is larger than the block.
        let is_global = bits >> 125 == 0b001 && prefix.prefix_len() >= 3;
        let is_unique_local = bits >> 121 == 0b111_1110 && prefix.prefix_len() >= 7;
        match (self, is_global, is_unique_local) {
            (Self::GlobalFirst | Self::Global | Self::Any, true, _) => Some(0),
            (Self::GlobalFirst, _, true) => Some(1),
            (Self::UniqueLocal | Self::Any, _, true) => Some(0),
            _ => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GlobalFirst | Self::Any => "global or unique local",
            Self::Global => "global",
            Self::UniqueLocal => "unique local",
        })
    }
}

/// More than any network hands out at once, and few enough for a Service's status.
pub(super) const MOST_GENERATIONS: usize = 16;

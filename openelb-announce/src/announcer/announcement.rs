//! What a front end wants announced.

use std::net::IpAddr;

use crate::claim::Probe;
use crate::link::InterfaceSelector;

/// One address to announce.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Announcement {
    /// The address, of either family.
    pub address: IpAddr,
    /// On which interfaces; they are looked for again whenever the host's interfaces change.
    pub interfaces: InterfaceSelector,
    /// How to make sure before the first announcement that nobody else uses the address.
    pub probe: Probe,
}

/// Why a set of announcements was not taken over. The previous set stays in force.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnnounceError {
    /// An address can have no owner that answers for it.
    #[error("{address} cannot be announced: it is {reason}; remove it from the set")]
    Unsuitable {
        /// The address.
        address: IpAddr,
        /// What it is instead of a host's address.
        reason: &'static str,
    },
    /// More different interface selectors than can be told apart.
    #[error("the set has more than {limit} different interface selectors")]
    TooManySelectors {
        /// How many there may be.
        limit: usize,
    },
    /// The I/O thread has ended.
    #[error("the announcer has ended ({reason}); start a new one")]
    Ended {
        /// Why it ended.
        reason: String,
    },
}

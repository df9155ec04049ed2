//! The desired set as the I/O thread walks it: checked, sorted, every selector stored once.

use std::net::IpAddr;

use super::announcement::{AnnounceError, Announcement};
use crate::claim::Probe;
use crate::driver::port::Role;
use crate::link::InterfaceSelector;

/// A checked set of announcements: sorted by address, each selector stored once.
///
/// It is made on the caller's thread, so that the I/O thread only has to walk it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DesiredSet {
    pub(crate) selectors: Vec<InterfaceSelector>,
    // Invariant: sorted by address then selector, no pair twice, every selector an index above.
    pub(crate) entries: Vec<Entry>,
}

/// One announcement of a [`DesiredSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) address: IpAddr,
    pub(crate) selector: u16,
    pub(crate) probe: Probe,
    pub(crate) owner: OwnerKey,
}

/// What decides who answers for an address, in four octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OwnerKey {
    /// Nothing: this host does.
    #[default]
    Sole,
}

impl OwnerKey {
    /// The role of the ports that announce the address.
    pub(crate) fn role(self) -> Role {
        match self {
            Self::Sole => Role::Sole,
        }
    }
}

impl DesiredSet {
    /// Checks and sorts `announcements`: O(n log n), some milliseconds for 10,000.
    pub(crate) fn new(announcements: Vec<Announcement>) -> Result<Self, AnnounceError> {
        let mut selectors: Vec<InterfaceSelector> = Vec::new();
        let mut entries = Vec::with_capacity(announcements.len());
        for Announcement {
            address,
            interfaces,
            probe,
        } in announcements
        {
            if let Some(reason) = unsuitable(address) {
                return Err(AnnounceError::Unsuitable { address, reason });
            }
            // Sets have a handful of selectors, mostly the one that was seen last.
            let known = selectors
                .iter()
                .rposition(|selector| *selector == interfaces);
            let place = known.unwrap_or(selectors.len());
            if known.is_none() {
                selectors.push(interfaces);
            }
            let selector = u16::try_from(place).map_err(|_| AnnounceError::TooManySelectors {
                limit: usize::from(u16::MAX) + 1,
            })?;
            entries.push(Entry {
                address,
                selector,
                probe,
                owner: OwnerKey::Sole,
            });
        }
        entries.sort_unstable();
        entries.dedup_by_key(|entry| (entry.address, entry.selector));
        Ok(Self { selectors, entries })
    }
}

/// What an address is when no station can own it.
fn unsuitable(address: IpAddr) -> Option<&'static str> {
    let is_broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    let is_mapped = matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    match address {
        _ if address.is_unspecified() => Some("the unspecified address"),
        _ if address.is_loopback() => Some("a loopback address"),
        _ if address.is_multicast() => Some("a multicast address"),
        _ if is_broadcast => Some("the broadcast address"),
        _ if is_mapped => Some("an IPv4-mapped IPv6 address"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

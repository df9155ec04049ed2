//! What should be announced: the whole set, checked and sorted at the door.

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

/// A checked set of announcements: sorted by address, each selector stored once.
///
/// It is made on the caller's thread, so that the I/O thread only has to walk it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Desired {
    pub(crate) selectors: Vec<InterfaceSelector>,
    // Invariant: sorted by address then selector, no pair twice, every selector an index above.
    pub(crate) entries: Vec<Entry>,
}

/// One announcement of a [`Desired`] set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) address: IpAddr,
    pub(crate) selector: u16,
    pub(crate) probe: Probe,
}

impl Desired {
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
mod tests {
    use super::*;

    fn announcement(address: &str, interfaces: &str) -> Announcement {
        Announcement {
            address: address.parse().unwrap(),
            interfaces: interfaces.parse().unwrap(),
            probe: Probe::Skip,
        }
    }

    #[test]
    fn a_set_is_sorted_and_repetitions_are_one() {
        let desired = Desired::new(vec![
            announcement("2001:db8::1", "eth0"),
            announcement("192.0.2.2", "eth1"),
            announcement("192.0.2.2", "eth0"),
            announcement("192.0.2.2", "eth1"),
        ])
        .unwrap();
        let entries: Vec<_> = desired
            .entries
            .iter()
            .map(|entry| {
                let selector = &desired.selectors[usize::from(entry.selector)];
                (entry.address.to_string(), selector.to_string())
            })
            .collect();
        let expected = [
            ("192.0.2.2", "eth0"),
            ("192.0.2.2", "eth1"),
            ("2001:db8::1", "eth0"),
        ];
        let mut sorted = entries;
        sorted.sort();
        assert_eq!(sorted, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn addresses_that_no_host_can_own_are_refused_by_name() {
        for (address, reason) in [
            ("0.0.0.0", "unspecified"),
            ("::", "unspecified"),
            ("127.0.0.1", "loopback"),
            ("::1", "loopback"),
            ("224.0.0.5", "multicast"),
            ("ff02::1", "multicast"),
            ("255.255.255.255", "broadcast"),
            ("::ffff:192.0.2.1", "mapped"),
        ] {
            let error = Desired::new(vec![announcement(address, "all")])
                .unwrap_err()
                .to_string();
            assert!(error.contains(address) && error.contains(reason), "{error}");
        }
    }
}

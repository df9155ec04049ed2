//! The desired set as the I/O thread walks it: checked, sorted, every selector stored once.

use std::collections::HashMap;
use std::net::IpAddr;

use super::announcement::{
    AnnounceError, Announcement, Desired, Election, Owner, RouterName, VirtualRouter,
};
use crate::claim::Probe;
use crate::driver::port::Role;
use crate::link::InterfaceSelector;
use crate::ownership::{GroupName, Shard};

/// A checked desired set: announcements sorted by address, each selector and shard stored once.
///
/// It is made on the caller's thread, so that the I/O thread only has to walk it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DesiredSet {
    pub(crate) selectors: Vec<InterfaceSelector>,
    // Invariant: sorted by address then selector, no pair twice, every number one of the lists here.
    pub(crate) entries: Vec<Entry>,
    pub(crate) shards: Vec<Shard>,
    pub(crate) election: Option<Election>,
    // Invariant: no name twice, all valid.
    pub(crate) routers: Vec<VirtualRouter>,
    /// The selector of each router, in the same order.
    pub(crate) router_selectors: Vec<u16>,
}

/// One announcement of a [`DesiredSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) address: IpAddr,
    pub(crate) selector: u16,
    pub(crate) probe: Probe,
    pub(crate) owner: OwnerKey,
}

/// What decides who answers for an address, in eight octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum OwnerKey {
    /// Nothing: this host does.
    #[default]
    Sole,
    /// The owner of the shard with this number.
    Elected(u32),
    /// The virtual router with this number.
    Router(u16),
}

impl DesiredSet {
    /// Checks and sorts what is `desired`: O(n log n), some milliseconds for 10,000.
    pub(crate) fn new(desired: Desired) -> Result<Self, AnnounceError> {
        check_routers(&desired.routers)?;
        let mut registry = Registry::new(desired.election.as_ref(), &desired.routers);
        let mut selectors: Vec<InterfaceSelector> = Vec::new();
        let mut entries = Vec::with_capacity(desired.announcements.len());
        for announcement in desired.announcements {
            let owner = registry.key(&announcement)?;
            let Announcement {
                address,
                interfaces,
                probe,
                ..
            } = announcement;
            if let Some(reason) = unsuitable(address) {
                return Err(AnnounceError::Unsuitable { address, reason });
            }
            let selector = number(&mut selectors, interfaces)?;
            entries.push(Entry {
                address,
                selector,
                probe,
                owner,
            });
        }
        let router_selectors = add_routers(&desired.routers, &mut selectors, &mut entries)?;
        entries.sort_unstable();
        entries.dedup_by_key(|entry| (entry.address, entry.selector, entry.owner));
        let shards = registry.shards;
        let set = Self {
            selectors,
            entries,
            shards,
            election: desired.election,
            routers: desired.routers,
            router_selectors,
        };
        set.check_owners()?;
        Ok(set)
    }

    /// The role of the ports that announce what is of `owner`.
    pub(crate) fn role(&self, owner: OwnerKey) -> Option<Role> {
        match owner {
            OwnerKey::Sole => Some(Role::Sole),
            OwnerKey::Elected(_) => Some(Role::Elected),
            OwnerKey::Router(place) => {
                let router = self.routers.get(usize::from(place))?;
                Some(Role::Router(
                    router.settings.family.into(),
                    router.settings.vrid.get(),
                ))
            }
        }
    }

    /// The shard that an entry is in, if it is elected.
    pub(crate) fn shard(&self, owner: OwnerKey) -> Option<Shard> {
        match owner {
            OwnerKey::Elected(place) => self.shards.get(place as usize).copied(),
            OwnerKey::Sole | OwnerKey::Router(_) => None,
        }
    }

    /// Entries are sorted by address, so those of one address are neighbours.
    fn check_owners(&self) -> Result<(), AnnounceError> {
        for pair in self.entries.windows(2) {
            if let [one, other] = pair
                && one.address == other.address
                && !is_of_one_link(one.address)
                && one.owner != other.owner
            {
                let address = one.address;
                return Err(AnnounceError::TwoOwners { address });
            }
        }
        Ok(())
    }
}

/// What the owners that announcements name stand for.
struct Registry<'a> {
    groups: HashMap<&'a GroupName, u16>,
    routers: HashMap<&'a RouterName, u16>,
    shards: Vec<Shard>,
    places: HashMap<Shard, u32>,
}

impl<'a> Registry<'a> {
    fn new(election: Option<&'a Election>, routers: &'a [VirtualRouter]) -> Self {
        let groups = election.into_iter().flat_map(|election| &election.groups);
        let names = routers.iter().map(|router| &router.name).zip(0..);
        Self {
            groups: groups.map(|group| (&group.name, group.shards)).collect(),
            routers: names.collect(),
            shards: Vec::new(),
            places: HashMap::new(),
        }
    }

    fn key(&mut self, announcement: &Announcement) -> Result<OwnerKey, AnnounceError> {
        let address = announcement.address;
        match &announcement.owner {
            Owner::Sole => Ok(OwnerKey::Sole),
            Owner::Elected { group, unit } => {
                let Some(shards) = self.groups.get(group) else {
                    let group = group.clone();
                    return Err(AnnounceError::NoSuchGroup { address, group });
                };
                let shard = Shard::of(group, *shards, unit);
                let next = u32::try_from(self.shards.len()).unwrap_or(u32::MAX);
                let place = *self.places.entry(shard).or_insert(next);
                if place == next {
                    self.shards.push(shard);
                }
                Ok(OwnerKey::Elected(place))
            }
            Owner::Router(router) => {
                let place = self.routers.get(router).copied();
                let missing = || AnnounceError::NoSuchRouter {
                    address,
                    router: router.clone(),
                };
                place.map(OwnerKey::Router).ok_or_else(missing)
            }
        }
    }
}

/// The number of a selector, which joins the others if it is new. Sets have a handful of them, mostly
/// the one that was seen last.
fn number(
    selectors: &mut Vec<InterfaceSelector>,
    wanted: InterfaceSelector,
) -> Result<u16, AnnounceError> {
    let known = selectors.iter().rposition(|selector| *selector == wanted);
    let place = known.unwrap_or(selectors.len());
    if known.is_none() {
        selectors.push(wanted);
    }
    u16::try_from(place).map_err(|_| AnnounceError::TooManySelectors {
        limit: usize::from(u16::MAX) + 1,
    })
}

/// Adds the addresses of virtual routers: an Active router answers for all of them, the link-local
/// one included, whether a service has them or not (RFC 9568 section 6.4.3).
fn add_routers(
    routers: &[VirtualRouter],
    selectors: &mut Vec<InterfaceSelector>,
    entries: &mut Vec<Entry>,
) -> Result<Vec<u16>, AnnounceError> {
    let mut router_selectors = Vec::with_capacity(routers.len());
    for (router, place) in routers.iter().zip(0..) {
        let selector = number(selectors, router.interface.clone())?;
        router_selectors.push(selector);
        entries.extend(router.settings.addresses.iter().map(|address| Entry {
            address: *address,
            selector,
            probe: Probe::Skip,
            owner: OwnerKey::Router(place),
        }));
    }
    Ok(router_selectors)
}

fn check_routers(routers: &[VirtualRouter]) -> Result<(), AnnounceError> {
    for (place, router) in routers.iter().enumerate() {
        let name = || router.name.clone();
        let mut before = routers.iter().take(place);
        if before.any(|other| other.name == router.name) {
            return Err(AnnounceError::TwoRouters { router: name() });
        }
        let is_same = |other: &&VirtualRouter| {
            let key = |it: &VirtualRouter| (it.settings.family, it.settings.vrid);
            other.interface == router.interface && key(other) == key(router)
        };
        if let Some(other) = routers.iter().take(place).find(is_same) {
            return Err(AnnounceError::SameVrid {
                router: name(),
                other: other.name.clone(),
                vrid: router.settings.vrid,
            });
        }
        let checked = router.settings.validate();
        checked.map_err(|reason| AnnounceError::Router {
            router: name(),
            reason,
        })?;
    }
    Ok(())
}

/// Two links may each have a router with this address: it means something on its link alone.
const fn is_of_one_link(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
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

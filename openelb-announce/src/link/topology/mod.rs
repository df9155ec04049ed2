//! What the host's network looks like: its links, their state and their addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::wire::Mac;

/// The links and addresses of one network namespace, as netlink told them.
///
/// A value without sockets: netlink fills it, [`crate::link::interface`] asks it. Invariant: an
/// address is only kept for a link that exists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Topology {
    links: BTreeMap<u32, Link>,
    /// A host that runs kube-proxy in IPVS mode has tens of thousands on one link.
    addresses: BTreeMap<u32, BTreeSet<IpNet>>,
    /// Names that a link had before it was renamed. Links are followed by index, so a renamed one
    /// keeps its announcements until another link takes the name.
    former_names: BTreeMap<String, u32>,
}

/// One network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The kernel's number for it; stays the same when it is renamed.
    pub(crate) index: u32,
    /// Its present name.
    pub(crate) name: String,
    /// Further names by which the administrator may call it (`ip link property`).
    pub(crate) alternative_names: Vec<String>,
    /// Its present hardware address, when it has one of Ethernet's form.
    pub(crate) mac: Option<Mac>,
    /// Is it set up and does it have a carrier?
    pub(crate) is_up: bool,
    /// What kind of neighbour discovery it can carry.
    pub(crate) media: Media,
    /// The bond, team or bridge that it is a port of.
    pub(crate) master: Option<u32>,
}

/// Can a link carry ARP and Neighbor Discovery?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// Yes: an Ethernet-like link with hardware addresses.
    Ethernet,
    /// No: the loopback interface.
    Loopback,
    /// No: it is marked `NOARP`, so nobody resolves addresses on it.
    NoArp,
    /// No: a point-to-point link has no neighbours to resolve.
    PointToPoint,
    /// No: its hardware addresses are not Ethernet's.
    Foreign,
}

impl Topology {
    /// Every link, by index.
    pub(crate) fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// The link with this index.
    pub(crate) fn link(&self, index: u32) -> Option<&Link> {
        self.links.get(&index)
    }

    /// The link that is called `name`, now or, while nobody else took the name, formerly.
    pub(crate) fn link_named(&self, name: &str) -> Option<&Link> {
        let is_called = |link: &&Link| {
            link.name == name || link.alternative_names.iter().any(|other| other == name)
        };
        self.links().find(is_called).or_else(|| {
            self.former_names
                .get(name)
                .and_then(|index| self.link(*index))
        })
    }

    /// The addresses of a link with their prefix lengths.
    pub(crate) fn addresses(&self, index: u32) -> impl Iterator<Item = &IpNet> {
        self.addresses.get(&index).into_iter().flatten()
    }

    /// Every address that the host itself has, with the index of its link.
    pub(crate) fn own_addresses(&self) -> impl Iterator<Item = (IpAddr, u32)> {
        self.addresses
            .iter()
            .flat_map(|(index, nets)| nets.iter().map(|net| (net.addr(), *index)))
    }

    /// Adds a link or takes its new state; true when anything changed.
    pub(crate) fn put_link(&mut self, link: Link) -> bool {
        let old = self.links.get(&link.index);
        if old == Some(&link) {
            return false;
        }
        if let Some(old) = old.filter(|old| old.name != link.name) {
            self.former_names.insert(old.name.clone(), link.index);
        }
        self.former_names.remove(&link.name);
        self.links.insert(link.index, link);
        true
    }

    /// Forgets a link and its addresses; true when it was known.
    pub(crate) fn remove_link(&mut self, index: u32) -> bool {
        self.addresses.remove(&index);
        self.former_names.retain(|_, former| *former != index);
        self.links.remove(&index).is_some()
    }

    /// Adds an address of a link; true when it is new and the link is known.
    pub(crate) fn put_address(&mut self, index: u32, net: IpNet) -> bool {
        self.links.contains_key(&index) && self.addresses.entry(index).or_default().insert(net)
    }

    /// Forgets an address of a link; true when it was known.
    pub(crate) fn remove_address(&mut self, index: u32, net: IpNet) -> bool {
        let Some(nets) = self.addresses.get_mut(&index) else {
            return false;
        };
        let changed = nets.remove(&net);
        if nets.is_empty() {
            self.addresses.remove(&index);
        }
        changed
    }

    /// Keeps the former names of links that still exist: what a fresh dump cannot know.
    pub(crate) fn inherit_names(&mut self, before: &Self) {
        for (name, index) in &before.former_names {
            if self.links.contains_key(index) && self.links().all(|link| link.name != *name) {
                self.former_names.insert(name.clone(), *index);
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;

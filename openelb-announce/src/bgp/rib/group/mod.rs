//! What slots have in common, kept once: attributes, where they lead, and who hears of them.

use crate::bgp::attribute::Attributes;
use crate::bgp::family::Family;
use crate::bgp::route::{NextHopMode, PeerSelection, Route};
use hashbrown::{DefaultHashBuilder, HashTable};
use smallvec::SmallVec;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::Arc;

/// Everything about a path of a prefix except the prefix: the same for thousands of slots.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Group {
    /// The family of the slots.
    pub(super) family: Family,
    /// What is said, to whom; the first that names a peer is for it, else the first for all.
    pub(super) variants: SmallVec<[Variant; 1]>,
    /// The nodes that the prefix has a path through, beside this one.
    pub(super) nodes: Arc<[IpAddr]>,
}

/// What one route says about a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Variant {
    pub(super) peers: PeerSelection,
    pub(super) attributes: Arc<Attributes>,
    pub(super) prepend: u8,
    pub(super) target: Target,
    pub(super) audience: Audience,
}

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target {
    /// To this speaker.
    Own,
    /// To this address.
    Address(IpAddr),
}

/// Which sessions a path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Audience {
    /// All.
    Everyone,
    /// Those that can hear of one path only.
    WithoutAddPath,
    /// Those that can hear of several and want more than `rank` of them.
    AddPath {
        /// How many paths of the prefix come before this one.
        rank: usize,
    },
    /// None: whoever the variant names does not hear of the path, whatever others would say.
    Nobody,
}

impl Group {
    /// The path that every prefix has: that of a session without add-path, or the only one.
    pub(super) fn single(family: Family, routes: &[Route]) -> Self {
        let mut nodes: Vec<IpAddr> = routes
            .iter()
            .flat_map(|route| nodes_of(family, &route.next_hop))
            .collect();
        nodes.sort_unstable();
        nodes.dedup();
        Self {
            family,
            variants: routes.iter().map(single_variant).collect(),
            // The empty slice is shared by all: nothing is allocated.
            nodes: if nodes.is_empty() {
                Arc::default()
            } else {
                nodes.into()
            },
        }
    }

    /// The path through `node`.
    pub(super) fn through(node: IpAddr, family: Family, routes: &[Route]) -> Self {
        let variant = |route| node_variant(node, family, route);
        Self {
            family,
            variants: routes.iter().map(variant).collect(),
            nodes: Arc::default(),
        }
    }

    /// Whether no session at all hears of the path.
    pub(super) fn is_silent(&self) -> bool {
        let mut variants = self.variants.iter();
        variants.all(|variant| variant.audience == Audience::Nobody)
    }
}

fn single_variant(route: &Route) -> Variant {
    let (target, audience) = match &route.next_hop {
        NextHopMode::Own => (Target::Own, Audience::Everyone),
        NextHopMode::Exactly(address) => (Target::Address(*address), Audience::Everyone),
        NextHopMode::Nodes(nodes) if nodes.is_empty() => (Target::Own, Audience::Nobody),
        NextHopMode::Nodes(_) => (Target::Own, Audience::WithoutAddPath),
    };
    variant(route, target, audience)
}

fn node_variant(node: IpAddr, family: Family, route: &Route) -> Variant {
    let rank = nodes_of(family, &route.next_hop).position(|other| other == node);
    let audience = rank.map_or(Audience::Nobody, |rank| Audience::AddPath { rank });
    variant(route, Target::Address(node), audience)
}

fn variant(route: &Route, target: Target, audience: Audience) -> Variant {
    Variant {
        peers: route.peers.clone(),
        attributes: Arc::clone(&route.attributes),
        prepend: route.prepend,
        target,
        audience,
    }
}

/// The nodes of a list that count for `family`: its own, or all if it has none of its own, for
/// sessions that carry the other family's next hops (RFC 8950).
fn nodes_of(family: Family, mode: &NextHopMode) -> impl Iterator<Item = IpAddr> + '_ {
    let nodes: &[IpAddr] = match mode {
        NextHopMode::Nodes(nodes) => nodes,
        NextHopMode::Own | NextHopMode::Exactly(_) => &[],
    };
    let fits = move |node: &IpAddr| Family::of(*node) == family;
    let any_fits = nodes.iter().any(fits);
    nodes
        .iter()
        .copied()
        .filter(move |node| !any_fits || fits(node))
}

/// Groups by number, each content once, freed when no slot has them any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups {
    entries: Vec<Entry>,
    index: HashTable<u32>,
    hasher: DefaultHashBuilder,
    free: Vec<u32>,
    // Every group without slots is here, perhaps twice and perhaps with slots again.
    idle: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Entry {
    group: Option<Group>,
    slots: u32,
    stamp: u32,
}

impl Groups {
    /// The group with this number; `None` for one that is gone.
    pub(super) fn find(&self, id: u32) -> Option<&Group> {
        self.entry(id)?.group.as_ref()
    }

    /// Tells the tenants of one number apart, for whoever remembers something about a group.
    pub(super) fn stamp(&self, id: u32) -> u32 {
        self.entry(id).map_or(0, |entry| entry.stamp)
    }

    /// How many groups there are.
    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// The number of a group with this content. It stays until [`sweep`](Self::sweep) at least.
    pub(super) fn intern(&mut self, group: Group) -> u32 {
        let hash = self.hasher.hash_one(&group);
        let equal = |id: &u32| self.find(*id) == Some(&group);
        if let Some(id) = self.index.find(hash, equal) {
            return *id;
        }
        let id = self.place(group);
        self.idle.push(id);
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.index.insert_unique(hash, id, |id| {
            let group = entries
                .get(*id as usize)
                .and_then(|entry| entry.group.as_ref());
            group.map_or(0, |group| hasher.hash_one(group))
        });
        id
    }

    /// Counts a slot in.
    pub(super) fn hold(&mut self, id: u32) {
        if let Some(entry) = self.entries.get_mut(id as usize) {
            entry.slots += 1;
        }
    }

    /// Counts a slot out.
    pub(super) fn release(&mut self, id: u32) {
        if let Some(entry) = self.entries.get_mut(id as usize) {
            entry.slots = entry.slots.saturating_sub(1);
            if entry.slots == 0 {
                self.idle.push(id);
            }
        }
    }

    /// Forgets the groups that no slot has.
    pub(super) fn sweep(&mut self) {
        for id in std::mem::take(&mut self.idle) {
            let Some(entry) = self.entries.get_mut(id as usize) else {
                continue;
            };
            if entry.slots > 0 {
                continue;
            }
            let Some(group) = entry.group.take() else {
                continue;
            };
            let hash = self.hasher.hash_one(&group);
            if let Ok(found) = self.index.find_entry(hash, |other| *other == id) {
                found.remove();
            }
            self.free.push(id);
        }
    }

    fn entry(&self, id: u32) -> Option<&Entry> {
        self.entries.get(id as usize)
    }

    fn place(&mut self, group: Group) -> u32 {
        if let Some(id) = self.free.pop()
            && let Some(entry) = self.entries.get_mut(id as usize)
        {
            entry.group = Some(group);
            entry.stamp = entry.stamp.wrapping_add(1);
            return id;
        }
        let id =
            u32::try_from(self.entries.len()).expect("four thousand million groups fill memory");
        self.entries.push(Entry {
            group: Some(group),
            slots: 0,
            stamp: 0,
        });
        id
    }
}

#[cfg(test)]
mod tests;

//! From the routes of one prefix to its slots: one for the single path, one for each node's.

use super::{Changes, Rib, SINGLE_PATH, VACANT};
use crate::bgp::prefix::Prefix;
use crate::bgp::rib::group::Group;
use crate::bgp::route::Route;
use std::net::IpAddr;
use std::sync::Arc;

impl Rib {
    /// Makes `routes`, which all lead to one prefix, all that leads there; names the slots to
    /// `wanted`.
    pub(super) fn put(
        &mut self,
        routes: &[Route],
        changes: &mut Changes,
        mut wanted: impl FnMut(u32),
    ) {
        let Some(prefix) = routes.first().map(|route| route.prefix) else {
            return;
        };
        let single = Group::single(prefix.family(), routes);
        if single.is_silent() {
            self.clear(prefix, changes);
            return;
        }
        let nodes = Arc::clone(&single.nodes);
        let group = self.intern_single(single);
        let slot = self.find_or_take(prefix, SINGLE_PATH);
        let before = self.nodes_of(slot);
        self.assign(slot, group, changes);
        wanted(slot);
        if nodes.is_empty() && before.is_empty() {
            return;
        }
        let paths = path_ids(&nodes);
        for (path, node) in path_ids(&before) {
            if !paths.contains(&(path, node)) {
                self.vacate(prefix, path, changes);
            }
        }
        for (path, node) in paths {
            let group = Group::through(node, prefix.family(), routes);
            let group = self.groups.intern(group);
            let slot = self.find_or_take(prefix, path);
            self.assign(slot, group, changes);
            wanted(slot);
        }
    }

    /// Neighbouring prefixes tend to share their group: comparing it with the last one is cheaper
    /// than hashing all of it.
    fn intern_single(&mut self, group: Group) -> u32 {
        if self.groups.find(self.last_group) != Some(&group) {
            self.last_group = self.groups.intern(group);
        }
        self.last_group
    }

    /// Takes out all that leads to `prefix`.
    pub(super) fn clear(&mut self, prefix: Prefix, changes: &mut Changes) {
        let Some(slot) = self.find(prefix, SINGLE_PATH) else {
            return;
        };
        for (path, _) in path_ids(&self.nodes_of(slot)) {
            self.vacate(prefix, path, changes);
        }
        self.vacate(prefix, SINGLE_PATH, changes);
    }

    fn vacate(&mut self, prefix: Prefix, path: u32, changes: &mut Changes) {
        if let Some(slot) = self.find(prefix, path) {
            self.assign(slot, VACANT, changes);
        }
    }

    fn nodes_of(&self, slot: u32) -> Arc<[IpAddr]> {
        let group = self.group_of(slot);
        group.map_or_else(Arc::default, |group| Arc::clone(&group.nodes))
    }
}

/// The path identifiers of sorted nodes: the same for a node whatever prefix it stands for, whoever
/// announces it and however often this speaker restarts (FNV-1a, as `OpenELB` has them).
///
/// Should two nodes of a list collide, the later one takes the next number that is free.
pub(in crate::bgp::rib) fn path_ids(nodes: &[IpAddr]) -> Vec<(u32, IpAddr)> {
    let mut paths: Vec<(u32, IpAddr)> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let mut id = match node {
            IpAddr::V4(address) => fnv1a(&address.octets()),
            IpAddr::V6(address) => fnv1a(&address.octets()),
        };
        while id <= SINGLE_PATH || paths.iter().any(|(other, _)| *other == id) {
            id = id.wrapping_add(1);
        }
        paths.push((id, *node));
    }
    paths
}

fn fnv1a(octets: &[u8]) -> u32 {
    octets.iter().fold(0x811c_9dc5, |hash, octet| {
        (hash ^ u32::from(*octet)).wrapping_mul(0x0100_0193)
    })
}

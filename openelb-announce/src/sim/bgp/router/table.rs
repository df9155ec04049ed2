//! What a model router was told: its Adj-RIB-In, which is also its forwarding table.

use crate::bgp::attribute::Attributes;
use crate::bgp::family::{Family, FamilySet};
use crate::bgp::message::{DecodeContext, Notification, Update, Verdict};
use crate::bgp::next_hop::NextHop;
use crate::bgp::prefix::{Nlri, Prefix};
use std::collections::BTreeMap;

/// One path as a router was told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Where it leads.
    pub next_hop: NextHop,
    /// What is said about it.
    pub attributes: Attributes,
    /// It is from a session that is gone, and kept for a while.
    pub is_stale: bool,
}

/// The paths of a router, by prefix and path identifier.
#[derive(Clone, Debug, Default)]
pub struct Table {
    paths: BTreeMap<(Prefix, Option<u32>), Path>,
    deletes: u64,
}

/// What an UPDATE was.
pub(super) enum Applied {
    Routes(Vec<String>),
    EndOfRib(Family),
}

impl Table {
    /// Every path, stale ones too.
    pub const fn paths(&self) -> &BTreeMap<(Prefix, Option<u32>), Path> {
        &self.paths
    }

    /// The only path to a prefix.
    pub fn path(&self, prefix: Prefix) -> Option<&Path> {
        let mut paths = self.paths.range((prefix, None)..=(prefix, Some(u32::MAX)));
        paths.next().map(|(_, path)| path)
    }

    /// How many paths were ever taken out: packets to them were lost from then on.
    pub const fn deletes(&self) -> u64 {
        self.deletes
    }

    pub(super) fn apply(
        &mut self,
        body: &[u8],
        context: &DecodeContext,
    ) -> Result<Applied, Notification> {
        let update = Update::decode(body, context)?;
        if let Some(family) = update.end_of_rib() {
            if context.families.contains(family) {
                return Ok(Applied::EndOfRib(family));
            }
            let words = format!("End-of-RIB of {family}, which was not negotiated");
            return Ok(Applied::Routes(vec![words]));
        }
        let mut complaints: Vec<String> = update.faults().iter().map(ToString::to_string).collect();
        if update.verdict() != Verdict::Accept {
            complaints.push("an UPDATE whose routes cannot be believed".to_owned());
        }
        for Nlri { path_id, prefix } in update.withdrawn() {
            if self.paths.remove(&(prefix, path_id)).is_some() {
                self.deletes += 1;
            }
        }
        for reach in update.reached() {
            for Nlri { path_id, prefix } in reach.nlri {
                complaints.extend(complaint(prefix, reach.next_hop, context));
                let path = Path {
                    next_hop: reach.next_hop,
                    attributes: update.attributes(),
                    is_stale: false,
                };
                self.paths.insert((prefix, path_id), path);
            }
        }
        Ok(Applied::Routes(complaints))
    }

    pub(super) fn mark_stale(&mut self, kept: FamilySet) {
        self.retain(|prefix, _| kept.contains(prefix.family()));
        for path in self.paths.values_mut() {
            path.is_stale = true;
        }
    }

    pub(super) fn drop_stale(&mut self, families: FamilySet) {
        self.retain(|prefix, path| !path.is_stale || !families.contains(prefix.family()));
    }

    pub(super) fn drop_stale_except(&mut self, kept: FamilySet) {
        self.retain(|prefix, path| !path.is_stale || kept.contains(prefix.family()));
    }

    pub(super) fn clear(&mut self) {
        self.retain(|_, _| false);
    }

    fn retain(&mut self, keep: impl Fn(Prefix, &Path) -> bool) {
        let before = self.paths.len();
        self.paths.retain(|(prefix, _), path| keep(*prefix, path));
        self.deletes += u64::try_from(before - self.paths.len()).unwrap_or(u64::MAX);
    }
}

/// What is wrong with the next hop of a route, if anything is: judged without the decoder's help.
fn complaint(prefix: Prefix, next_hop: NextHop, context: &DecodeContext) -> Option<String> {
    let is_fit = match (prefix.family(), next_hop) {
        (Family::Ipv4Unicast, NextHop::V4(_)) => true,
        (Family::Ipv4Unicast, NextHop::V6ForV4(_)) => context.extended_next_hop.is_some(),
        (Family::Ipv6Unicast, NextHop::V6 { global, .. }) => global.to_ipv4_mapped().is_none(),
        (Family::Ipv6Unicast, NextHop::LinkLocal(_)) => true,
        _ => false,
    };
    let is_wanted = context.families.contains(prefix.family());
    (!is_fit || !is_wanted).then(|| format!("{prefix} through {next_hop}"))
}

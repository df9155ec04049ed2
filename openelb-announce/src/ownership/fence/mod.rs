//! An outer fence: something beyond the segment that must agree before a shard is claimed.
//!
//! Two halves of a split segment each elect an owner, and both are right: no client hears both. Where
//! the nodes have another way to each other, say a Kubernetes Lease, and a second owner must not be
//! even then, shards are hashed into fence groups ([`Settings::fences`](super::Settings::fences)), and a node claims a shard
//! only while it holds the permit of its group. The price: whoever cannot reach the fence owns nothing.
//!
//! Just one node can hold a permit, so all shards of a fence group rank the nodes alike and are handed over
//! together. Of groups with other eligible nodes that share a fence group, those go without an owner whose
//! first-ranked node does not hold the permit: give such nodes enough fence groups, or the same standing.
//!
//! The machine asks with [`Output::WantPermit`] and [`Output::ReleasePermit`] and is answered with
//! [`Input::Permit`](super::Input::Permit); [`Fence`] is what stands on the other side.

use super::terms::Output;
use crate::time::Time;

/// Grants permits, each to one node at a time.
///
/// A fence that promises no overlap must end a permit before anybody else can get it, by any clock:
/// the instant that it tells its holder lies as much before the end as clocks may differ.
pub trait Fence {
    /// Tries to get the permit of a fence group, and renews it once it is there. Harmless when that
    /// goes on already.
    fn want(&mut self, fence: u16);

    /// Gives the permit back, or stops trying.
    fn release(&mut self, fence: u16);

    /// The next news for [`Input::Permit`](super::Input::Permit): a permit that is held until an
    /// instant, or one that is lost.
    fn poll_permit(&mut self) -> Option<(u16, Option<Time>)>;
}

/// Hands an output of the machine to its fence; returns it when it is not for the fence.
pub fn carry_out(fence: &mut impl Fence, output: Output) -> Option<Output> {
    match output {
        Output::WantPermit(group) => fence.want(group),
        Output::ReleasePermit(group) => fence.release(group),
        other => return Some(other),
    }
    None
}

#[cfg(test)]
mod tests;

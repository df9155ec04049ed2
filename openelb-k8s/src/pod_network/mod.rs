//! What a `PodNetwork` and the Nodes mean together: ranges, the pod CIDRs of each node, what is free.
//!
//! Pure: the controller decides with it who gets what, the speaker what is announced, so that both see
//! the same CIDRs of a node.

pub mod cni;
mod free;
mod node;
mod plan;
#[cfg(test)]
mod tests;

pub use self::free::{Exhausted, Free};
pub use self::node::{Clash, NodeCidrs, clashes};
pub use self::plan::{Kernel, Mesh, Plan, read};

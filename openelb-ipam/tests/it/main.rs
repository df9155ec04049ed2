//! The ledger as its users see it: acceptance cases, invariants, crashes.
//!
//! Case numbers refer to the acceptance lists of the predecessors: what OpenELB, MetalLB and the
//! Kubernetes `LoadBalancer` contract promise their users. Cases about announcing addresses or
//! about objects of an API live with the crates that do that.

#[cfg(test)]
mod desk;
#[cfg(test)]
mod kubernetes_contract;
#[cfg(test)]
mod metallb;
#[cfg(test)]
mod model;
#[cfg(test)]
mod openelb;
#[cfg(test)]
mod pool_edits;
#[cfg(test)]
mod prefix_machine;
#[cfg(test)]
mod prefix_model;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod state_machine;
#[cfg(test)]
mod strategies;
#[cfg(test)]
mod two_writers;

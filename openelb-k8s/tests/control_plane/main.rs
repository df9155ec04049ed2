//! The objects and the controller against a real control plane: etcd, kube-apiserver and
//! kube-controller-manager, in a network namespace that the tests make.
//!
//! It takes root, and the programs that `make envtest` builds. Where either is missing a test says
//! loudly that it was skipped, and fails when the environment says `CI=true`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails, wherever its code stands"
)]

mod booting;
mod chart;
mod cluster;
mod conflicting;
mod controller;
mod documents;
mod installation;
mod objects;
mod operating;
mod renumbering;
mod running;
mod speaking;
mod upstream;
mod webhook;

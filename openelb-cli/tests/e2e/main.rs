//! The real `openelb` binary in network namespaces of its own: one test a promise to the user.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails, wherever its code stands"
)]

mod cli;
mod cluster;
mod fabric;
mod ledger;
mod node;
mod random;
mod stage;

mod adhoc;
mod bgp;
mod conflict;
mod demo;
mod elected;
mod election;
mod fence;
mod harness;
mod health;
mod kill_loop;
mod kubernetes;
mod lifecycle;
mod reload;
mod renumbering;
mod rights;
mod routed;
mod vip;

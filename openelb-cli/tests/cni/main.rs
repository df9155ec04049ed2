//! The CNI IPAM plugin as a container runtime meets it: the real binary, real files, real peers.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails, wherever its code stands"
)]

mod plugin;
mod skip;

mod bridge;
mod commands;
mod crash;
mod differential;
mod disk;
mod documents;
mod reboot;

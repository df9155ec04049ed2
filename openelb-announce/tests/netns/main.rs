//! The announcer against the kernel, `arping`, `ndisc6`, `tcpdump` and `tshark`, in network
//! namespaces that each test makes and removes.
//!
//! As root they run directly; for others each test runs itself again inside new user, network and
//! mount namespaces. Where that is not allowed a test says loudly that it was skipped, and fails
//! when the environment says `CI=true`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "everything here is a test, also outside of functions marked so"
)]

mod announcing;
mod capture;
mod conflicts;
mod frozen;
mod interfaces;
mod kernel_routes;
mod moving;
mod neighbors;
mod ownership;
mod privileges;
mod process;
mod resolving;
mod scale;
mod snooping;
mod warnings;
mod wire;
mod world;

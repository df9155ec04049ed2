//! What only sockets can show of the BGP speaker: two of ours, and ours beside FRR, in network
//! namespaces that the tests make and remove.
//!
//! It takes root, network namespaces and FRR. Where one is missing a test says loudly that it was
//! skipped, and fails when the environment says `CI=true`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "everything here is a test, also outside of functions marked so"
)]

mod addresses;
mod endings;
mod hops;
#[path = "../bgp_peers/lab.rs"]
mod lab;
mod learning;
mod listening;
mod node;
mod passwords;
#[expect(dead_code, reason = "the matrix of peers uses the rest of it")]
#[path = "../bgp_peers/router/mod.rs"]
mod router;
mod sessions;
mod unnumbered;
mod watching;
#[expect(dead_code, reason = "the layer 2 tests use the rest of it")]
#[path = "../netns/world.rs"]
mod world;

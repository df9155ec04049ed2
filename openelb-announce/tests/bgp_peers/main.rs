//! The speaker against FRR, BIRD, `GoBGP`, `ExaBGP` and `OpenBGPD`, each in a network namespace of its
//! own, which the test makes and removes.
//!
//! It takes root, network namespaces and the five programs. Where one is missing a test says loudly
//! that it was skipped, and fails when the environment says `CI=true`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::similar_names,
    reason = "everything here is a test, also outside of functions marked so"
)]

mod families;
mod generations;
mod hostile;
mod kernel;
mod lab;
mod learning;
mod living;
mod ours;
mod paths;
mod refresh;
mod restart;
mod router;
mod routes;
mod row;
mod scale;
mod separate;
mod smoke;
mod transport;
mod trouble;
mod unnumbered;
mod watching;
#[expect(dead_code, reason = "the layer 2 tests use the rest of it")]
#[path = "../netns/world.rs"]
mod world;

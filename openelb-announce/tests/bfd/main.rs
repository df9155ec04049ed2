//! BFD sessions with FRR's `bfdd` and with BIRD, in network namespaces that each test makes and
//! removes.
//!
//! It takes root, network namespaces and the two programs. Where one is missing a test says loudly
//! that it was skipped, and fails when the environment says `CI=true`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "everything here is a test, also outside of functions marked so"
)]

mod authentication;
#[path = "../netns/capture.rs"]
mod capture;
mod changing;
mod coming_up;
mod failing;
mod node;
mod peer;
mod wire;
#[expect(dead_code, reason = "the layer 2 tests use the rest of it")]
#[path = "../netns/world.rs"]
mod world;

//! The speaker against FRR, BIRD, `GoBGP`, `ExaBGP` and `OpenBGPD`, each in a network namespace of its
//! own, which the test makes and removes.
//!
//! It takes root, network namespaces and the five programs. Where one is missing a test says loudly
//! that it was skipped, and fails when the environment says `CI=true`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "everything here is a test, also outside of functions marked so"
)]

mod lab;
#[allow(dead_code, reason = "the tests of the speaker use the rest of it")]
mod router;
mod smoke;
#[expect(dead_code, reason = "the layer 2 tests use the rest of it")]
#[path = "../netns/world.rs"]
mod world;

//! The sources of a `DynamicPrefix` beside radvd, Kea, dhcpcd and the kernel, in network namespaces
//! that each test makes and removes.
//!
//! It takes root and those programs. Where something is missing a test says loudly that it was
//! skipped, and fails when the environment says `CI=true`. What is asserted is which prefixes are
//! told with which lifetimes, never how long that takes.
#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test, also outside of functions marked so"
)]

mod delegation;
mod kernel;
mod routers;
mod world;

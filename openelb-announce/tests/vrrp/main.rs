//! Virtual routers beside keepalived and FRR's `vrrpd`, in network namespaces that each test makes
//! and removes.
//!
//! | module | shows |
//! |---|---|
//! | `taking_over` | each side takes over from the other, for every kind of other router |
//! | `failing` | what becomes of addresses when we are killed, frozen, or lose the link |
//! | `deciding` | who is Active: equal priorities, preemption, several routers, strangers |
//! | `speaking` | unicast, checksums, hop limits, what goes over the wire |
//! | `renumbering` | addresses of a new prefix join those of the former one, which leave later |
//! | `virtual_mac` | answers from the virtual MAC, and switches that follow it |
//! | `accepting` | packets to the addresses in accept mode, and that nothing is left behind |
//! | `privileges` | what each thread may do, and what is said when that is too little |
//!
//! It takes root, network namespaces and the two programs. Where one is missing a test says loudly
//! that it was skipped, and fails when the environment says `CI=true`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "everything here is a test, also outside of functions marked so; how long a takeover took \
              is printed, and nothing depends on it"
)]

mod accepting;
#[path = "../netns/capture.rs"]
mod capture;
mod deciding;
mod failing;
mod frr;
mod keepalived;
mod node;
mod other;
mod privileges;
mod process;
mod renumbering;
mod speaking;
mod taking_over;
mod virtual_mac;
#[expect(dead_code, reason = "the layer 2 tests use the rest of it")]
#[path = "../netns/world.rs"]
mod world;

//! Measures the engine beside the ways the field does it.
//!
//! `make bench` runs `benches/goals.rs`: every goal beside the machine's own floor and the
//! baselines, in one table. `cargo bench --bench index` gives criterion's view of the same
//! operations. What is measured, and how, is in `docs/performance.md`.

#![expect(
    clippy::missing_panics_doc,
    reason = "a benchmark that cannot set up its pools has nothing better to do than stop"
)]

pub mod contender;
pub mod fill;
pub mod floor;
pub mod goals;
pub mod markdown;
pub mod memory;
pub mod meter;
pub mod packet;
pub mod shell;

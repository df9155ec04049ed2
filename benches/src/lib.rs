//! Measures the engine beside the ways the field does it.
//!
//! `make bench` runs `benches/goals.rs`: every goal beside the machine's own floor and the
//! baselines, in one table. `cargo bench --bench index` gives criterion's view of the same
//! operations. What is measured, and how, is in `docs/performance.md`.

pub mod contender;
pub mod fill;
pub mod floor;
pub mod meter;

//! The controller against an API server in this process, which can go wrong in every way that the
//! real one can: refuse, stall, break connections, forget history, answer and not be heard.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected fails, wherever its code stands"
)]

mod server;

mod controller;
mod differential;
mod objects;
#[cfg(feature = "envtest")]
mod speaker;
mod trouble;

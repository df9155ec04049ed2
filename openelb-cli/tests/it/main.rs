//! The real binary, one file per verb: what it prints, what it exits with, what it leaves behind.
//!
//! Nothing is announced here (`--no-announce`): what happens on the wire is tested in `tests/e2e`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    clippy::format_collect,
    clippy::format_push_string,
    reason = "a failed step is a failed test, and its output is read by people"
)]

mod announce;
mod bad_inputs;
mod bgp;
mod bulk;
mod completions;
mod control;
mod doctor;
mod explain;
mod health;
mod import;
mod ip;
mod layer2;
mod man;
mod metrics;
mod pool;
mod prefix;
mod read_only;
mod reload;
mod restart;
mod run;
mod status;
mod testenv;
mod validate;
mod vrrp;

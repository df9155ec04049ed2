//! Measures failover in network namespaces: what a client loses when the node that answers for an
//! address dies, freezes, is cut off or hands over, beside keepalived and FRR in the same
//! run.
//!
//! Needs root. `OPENELB_REPETITIONS` (20) is how often each fault happens, `OPENELB_HOG_MINUTES`
//! (half a minute) how long the machine is overloaded. Words after `--` choose parts by name,
//! `OPENELB_CONTENDER` and `OPENELB_FAULT` what is measured.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measuring program prints its table and stops at the first thing that goes wrong"
)]

#[path = "../l2/asker.rs"]
mod asker;
mod contender;
mod crowd;
mod desired;
mod drill;
mod echo;
mod faults;
mod floor;
mod frr;
mod hogs;
mod idle;
mod keepalived;
mod meter;
mod node;
mod process;
mod steps;
mod table;
mod watch;
mod world;

use std::process::ExitCode;

use table::Table;
use world::World;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().map(String::as_str) == Some(node::ARGUMENT) {
        node::run(&arguments[1..]);
        return ExitCode::SUCCESS;
    }
    // `cargo test --benches` starts every benchmark without this; nothing is measured then.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    if !nix::unistd::geteuid().is_root() || World::new().is_none() {
        eprintln!("SKIPPED failover: network namespaces cannot be made here (run as root)");
        let is_ci = std::env::var("CI").as_deref() == Ok("true");
        return if is_ci {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        };
    }
    process::adopt_orphans();
    let chosen: Vec<_> = arguments.iter().filter(|it| !it.starts_with('-')).collect();
    let mut table = Table::default();
    for (name, measure) in PARTS {
        if chosen.is_empty() || chosen.iter().any(|it| *it == name) {
            measure(&mut table);
        }
    }
    ExitCode::SUCCESS
}

/// A part by its name.
type Part = (&'static str, fn(&mut Table));

const PARTS: [Part; 5] = [
    ("steps", steps::measure),
    ("faults", faults::measure),
    ("crowd", crowd::measure),
    ("hogs", hogs::measure),
    ("idle", idle::measure),
];

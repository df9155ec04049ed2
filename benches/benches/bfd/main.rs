//! Measures BFD in network namespaces, beside FRR's `bfdd` and BIRD in the same run, and prints one
//! table.
//!
//! Needs root. What FRR and BIRD do is left out where they are not installed.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a measuring program prints its table and stops at the first thing that goes wrong"
)]

mod daemon;
mod detection;
mod load;
mod neighbor;
mod steps;
mod table;
mod world;

use std::process::ExitCode;

use table::Table;
use world::World;

fn main() -> ExitCode {
    // `cargo test --benches` starts every benchmark without this; nothing is measured then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let mut table = Table::default();
    steps::measure(&mut table);
    let is_root = nix::unistd::geteuid().is_root();
    if let Some(world) = is_root.then(World::new).flatten() {
        for millis in [300, 50] {
            detection::measure(&world, millis, &mut table);
        }
        for millis in [300, 50] {
            load::measure(&world, millis, &mut table);
        }
    } else {
        eprintln!("SKIPPED bfd: network namespaces cannot be made here (run as root)");
        if std::env::var("CI").as_deref() == Ok("true") {
            return ExitCode::FAILURE;
        }
    }
    table.print();
    ExitCode::SUCCESS
}

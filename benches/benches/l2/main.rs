//! Measures the ARP and NDP announcer in network namespaces, beside the kernel's own answers in the
//! same run, and prints one table.
//!
//! Needs root, or unprivileged user namespaces: then it runs itself again inside new ones.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a measuring program prints its table and stops at the first thing that goes wrong"
)]

mod asker;
mod latency;
mod load;
mod memory;
mod moving;
mod process;
mod table;
mod world;

use std::process::ExitCode;

use table::Table;
use world::World;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().map(String::as_str) == Some(memory::ARGUMENT) {
        memory::measure_here(&arguments);
        return ExitCode::SUCCESS;
    }
    if !nix::unistd::geteuid().is_root() {
        return world::run_again_in_user_namespace();
    }
    let Some(world) = World::new() else {
        eprintln!(
            "SKIPPED l2: network namespaces cannot be made here (run as root, with iproute2)"
        );
        return world::skipped();
    };
    let mut table = Table::default();
    latency::measure(&world, &mut table);
    load::measure(&world, &mut table);
    moving::measure(&world, &mut table);
    memory::measure(&world, &mut table);
    table.print();
    ExitCode::SUCCESS
}

//! Measures the BGP speaker and its parts in network namespaces, beside `GoBGP`, BIRD and `ExaBGP` in
//! the same run, towards a plain sink and FRR, and prints one table.
//!
//! Needs root. Programs that are not installed are named, and their columns stay empty.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a measuring program prints its table and stops at the first thing that goes wrong"
)]

mod contender;
mod endpoint;
mod frr;
mod ours;
mod parts;
mod rivals;
mod routes;
mod table;
mod world;

use std::process::ExitCode;

use openelb_benches::memory::Counting;
use table::Table;
use world::World;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(ours::ARGUMENT) {
        ours::measure_here();
        return ExitCode::SUCCESS;
    }
    let mut table = Table::default();
    parts::measure(&mut table);
    let Some(world) = World::new() else {
        eprintln!("SKIPPED bgp beyond its parts: run as root, with iproute2");
        table.print();
        return ExitCode::SUCCESS;
    };
    ours::measure(&world, &mut table);
    rivals::measure(&world, &mut table);
    ours::compare(&mut table);
    table.print();
    ExitCode::SUCCESS
}

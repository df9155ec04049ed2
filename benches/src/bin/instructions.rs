//! One operation many times, for callgrind: `instructions OPERATION COUNT`.

use std::env::args;
use std::hint::black_box;
use std::process::ExitCode;

use openelb_benches::contender::{Contender, Index};
use openelb_benches::fill::{Fill, Pool, SLASH_8, SLASH_16, SLASH_24};
use openelb_benches::goals::ledger::Ledger;
use openelb_ipam::{Family, Occupancy, RangeSet};

fn main() -> ExitCode {
    let (operation, count) = (
        args().nth(1),
        args().nth(2).and_then(|count| count.parse().ok()),
    );
    let (Some(operation), Some(count)) = (operation, count) else {
        return ExitCode::from(2);
    };
    match operation.as_str() {
        "next-24" => next_free(SLASH_24, Fill::HalfContiguous, count),
        "next-16-contiguous" => next_free(SLASH_16, Fill::HalfContiguous, count),
        "next-16-random" => next_free(SLASH_16, Fill::HalfRandom, count),
        "next-8-contiguous" => next_free(SLASH_8, Fill::HalfContiguous, count),
        "next-8-random" => next_free(SLASH_8, Fill::HalfRandom, count),
        "exhausted-16" => next_free(SLASH_16, Fill::Full, count),
        "take-next-64" => take_next(count),
        "contains-16" => contains(count),
        "release-and-take-16" => release_and_take(count),
        "allocate-and-release" => Ledger::with_owners(10_000).allocate_and_release(count),
        "restore" => Ledger::with_owners(count).restore_once(),
        "repeat" => Ledger::with_owners(10_000).repeat_one(count),
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

fn next_free(pool: Pool, fill: Fill, count: u32) {
    let index = Index::new(pool, fill);
    for _ in 0..count {
        black_box(black_box(&index).next_free());
    }
}

fn take_next(count: u32) {
    let pool: RangeSet = "2001:db8::/64".parse().expect("a valid prefix");
    let mut index = Occupancy::new(Family::V6, &pool);
    for _ in 0..count {
        if let Some(next) = index.first_free() {
            index.take(next);
        }
    }
}

fn contains(count: u32) {
    let index = Index::new(SLASH_16, Fill::HalfRandom);
    for n in 0..count {
        black_box(index.contains(SLASH_16.first + n));
    }
}

/// Half of the operations find the address free, half taken; each is made the other and back.
fn release_and_take(count: u32) {
    let mut index = Index::new(SLASH_16, Fill::Full);
    for n in 0..count {
        let address = SLASH_16.first + n.wrapping_mul(40_503) % SLASH_16.size;
        index.release(address);
        index.take(address);
    }
}

//! The election of owners under random faults, seed by seed: a few in every test run, a million at night.
//!
//! `OPENELB_SEEDS=1000000 cargo test --release --features sim --test election -- --nocapture` runs that
//! many on all cores. `OPENELB_SEED=7 OPENELB_SEEDS=1 cargo test --features sim --test election a_seed --
//! --nocapture` prints all that happens in one.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![expect(
    clippy::print_stdout,
    reason = "the figures of a long run are meant to be read"
)]

mod exhaustive;
mod healing;

use openelb_announce::sim::ownership::{Cluster, Figures, Scenario};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[test]
fn under_random_faults_no_invariant_of_the_election_is_broken() {
    let first = number("OPENELB_SEED").unwrap_or(0);
    let count = number("OPENELB_SEEDS").unwrap_or(SEEDS);
    let cores = std::thread::available_parallelism().unwrap().get();
    let next = AtomicU64::new(first);
    #[expect(
        clippy::disallowed_methods,
        reason = "says how fast scenarios run; nothing is asserted on it"
    )]
    let start = std::time::Instant::now();
    let work = || {
        let seeds = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let seeds = seeds.take_while(|seed| *seed < first + count);
        seeds.map(hold).fold(
            (Figures::default(), Duration::ZERO),
            |(worst, sum), (figures, span)| (worst.worst(figures), sum + span),
        )
    };
    let (figures, simulated) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let results = workers.into_iter().map(|worker| worker.join().unwrap());
        results.fold(
            (Figures::default(), Duration::ZERO),
            |(worst, sum), (figures, span)| (worst.worst(figures), sum + span),
        )
    });
    let count = f64::from(u32::try_from(count).unwrap());
    let took = start.elapsed().as_secs_f64();
    let rate = count / took / f64::from(u32::try_from(cores).unwrap());
    println!(
        "{count} scenarios of {:.1} s on average in {took:.1} s on {cores} cores: {rate:.0} a second and core",
        simulated.as_secs_f64() / count
    );
    println!("{figures}");
}

#[test]
fn a_seed_can_be_replayed_and_read() {
    let scenario = Scenario::random(number("OPENELB_SEED").unwrap_or(1));
    println!("{scenario}");
    let verdict = Cluster::explain(&scenario);
    println!("{}", verdict.journal.join("\n"));
    assert_eq!(verdict.violation, None);
    assert!(!verdict.journal.is_empty());
    assert_eq!(verdict.figures, Cluster::run(&scenario).figures);
}

/// Runs a seed; when an invariant breaks, prints the smallest history that breaks one.
fn hold(seed: u64) -> (Figures, Duration) {
    let scenario = Scenario::random(seed);
    let verdict = Cluster::run(&scenario);
    let Some(violation) = &verdict.violation else {
        return (verdict.figures, scenario.duration());
    };
    let fails = |candidate: &Scenario| {
        let found = Cluster::run(candidate).violation;
        found.is_some_and(|found| found.invariant == violation.invariant)
    };
    let small = scenario.shrunk(fails);
    let explained = Cluster::explain(&small);
    println!("{small}\n{}", explained.journal.join("\n"));
    panic!(
        "{violation}\nreplay it with OPENELB_SEED={seed}; above is the smallest history found that breaks it"
    );
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// About two seconds of a debug build.
const SEEDS: u64 = 60;

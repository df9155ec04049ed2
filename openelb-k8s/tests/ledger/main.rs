//! Two and three controllers at once, against a model of an API server that delays, loses and repeats
//! nothing it should not: the rules of the ledger hold after every step of thousands of interleavings.
//!
//! `OPENELB_LEDGER_SEED=N` runs one interleaving and prints its journal; `OPENELB_LEDGER_RUNS=N` runs
//! that many instead of the usual number, from the seed `OPENELB_LEDGER_FIRST` on.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]
#![expect(
    clippy::assigning_clones,
    clippy::too_many_lines,
    reason = "what users may do is one list, written plainly"
)]

mod cases;
mod conflict;
mod dice;
mod golden;
mod judge;
mod lab;
mod load;
mod objects;
mod prefix;
mod rivals;
mod server;
mod station;
mod stranger;
mod user;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use world::{Plan, World};

/// Interleavings of an ordinary run.
const RUNS: u64 = 1_000;

#[test]
fn the_rules_hold_in_every_interleaving() {
    let variable = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    if let Some(seed) = variable("OPENELB_LEDGER_SEED") {
        let plan = Plan {
            is_told: true,
            ..Plan::default()
        };
        let mut world = World::new(seed, plan);
        let outcome = catch_unwind(AssertUnwindSafe(|| world.run()));
        println!("{}", world.journal());
        assert_eq!(outcome.expect("a panic"), Ok(()), "seed {seed}");
        return;
    }
    let first = variable("OPENELB_LEDGER_FIRST").unwrap_or(0);
    let runs = variable("OPENELB_LEDGER_RUNS").unwrap_or(RUNS);
    for seed in first..first + runs {
        if let Some(failure) = failure(seed, Plan::default()) {
            panic!("OPENELB_LEDGER_SEED={seed} shows it again: {failure}");
        }
    }
}

/// The judge must see what goes wrong: a server that compares no versions breaks the first rules.
#[test]
fn a_server_that_compares_no_versions_is_found_out() {
    let plan = Plan {
        compares_versions: false,
        ..Plan::default()
    };
    let failures = (0..12).filter(|seed| failure(*seed, plan).is_some());
    assert!(failures.count() > 2, "the judge sees nothing");
}

/// A controller that hears of its records before they are written shows addresses that have none: the
/// judge must see it.
#[test]
fn a_status_before_its_record_is_found_out() {
    let plan = Plan {
        confirms_early: true,
        ..Plan::default()
    };
    let failures = (0..24).filter_map(|seed| failure(seed, plan));
    let seen = failures.filter(|why| why.starts_with("L1") || why.starts_with("L2"));
    assert!(seen.count() > 6, "the judge sees nothing");
}

/// What went wrong in an interleaving, with the end of its journal: the story is told when the same
/// happens again.
fn failure(seed: u64, plan: Plan) -> Option<String> {
    if !plan.is_told {
        let told = Plan {
            is_told: true,
            ..plan
        };
        let outcome = catch_unwind(|| World::new(seed, plan).run());
        return match outcome {
            Ok(Ok(())) => None,
            _ => failure(seed, told).or_else(|| Some("it does not happen again".to_owned())),
        };
    }
    let mut world = World::new(seed, plan);
    let outcome = catch_unwind(AssertUnwindSafe(|| world.run()));
    let why = match outcome {
        Ok(Ok(())) => return None,
        Ok(Err(why)) => why,
        Err(_) => "a panic".to_owned(),
    };
    Some(format!("{why}\n{}", world.end_of_journal()))
}

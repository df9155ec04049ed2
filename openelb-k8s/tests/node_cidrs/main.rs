//! Two and three controllers at once give pod CIDRs to nodes, against a model of an API server: the
//! rules hold after every step of thousands of interleavings.
//!
//! `OPENELB_NODE_CIDRS_SEED=N` runs one interleaving and prints its journal;
//! `OPENELB_NODE_CIDRS_RUNS=N` runs that many instead of the usual number.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod cases;
#[path = "../ledger/dice.rs"]
mod dice;
mod judge;
mod server;
mod world;

use server::Honesty;
use world::World;

/// Interleavings of an ordinary run.
const RUNS: u64 = 1_500;

#[test]
fn no_prefix_is_given_twice_leaked_or_moved_in_any_interleaving() {
    let variable = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    if let Some(seed) = variable("OPENELB_NODE_CIDRS_SEED") {
        let mut world = World::new(seed, Honesty::default());
        let outcome = world.run();
        println!("{}", world.journal.join("\n"));
        return assert_eq!(outcome, Ok(()), "seed {seed}");
    }
    for seed in 0..variable("OPENELB_NODE_CIDRS_RUNS").unwrap_or(RUNS) {
        let mut world = World::new(seed, Honesty::default());
        if let Err(why) = world.run() {
            let from = world.journal.len().saturating_sub(60);
            let story = world.journal[from..].join("\n");
            panic!("OPENELB_NODE_CIDRS_SEED={seed} shows it again: {why}\n{story}");
        }
    }
}

/// The judge must see what goes wrong.
#[test]
fn a_server_that_compares_no_versions_or_no_uids_is_found_out() {
    for honesty in [
        Honesty {
            compares_versions: false,
            ..Honesty::default()
        },
        Honesty {
            compares_uids: false,
            ..Honesty::default()
        },
    ] {
        let failures = (0..400).filter(|seed| World::new(*seed, honesty).run().is_err());
        assert!(failures.count() > 0, "the judge sees nothing: {honesty:?}");
    }
}

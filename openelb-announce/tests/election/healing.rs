//! A split ends about when the two sides count each other as dead, which they do at different moments.
//!
//! The histories are few of many hundreds: those in which a client was left with a node that gave way.

use openelb_announce::ownership::Profile;
use openelb_announce::random::Random;
use openelb_announce::sim::ownership::{Cluster, Fault, Node, Scenario, Step};
use openelb_announce::sim::{Clock, Impairment};
use std::time::Duration;

#[test]
fn a_client_follows_an_owner_that_never_knew_of_the_node_that_stood_in_for_it() {
    for profile in [Profile::Calm, Profile::Normal, Profile::Fast] {
        let (dead_after, interval) = spans(profile);
        for seed in 10..20 {
            let mut random = Random::new(seed);
            let phase = random.between(Duration::ZERO, interval);
            let cut = dead_after.saturating_sub(interval)
                + random.between(Duration::ZERO, interval * 3 / 2);
            let steps = vec![
                step(Duration::ZERO, Fault::Start(0)),
                step(Duration::ZERO, Fault::Start(1)),
                step(Duration::ZERO, Fault::Start(2)),
                step(3 * (dead_after + interval) + phase, Fault::Split(1)),
                step(cut, Fault::Heal),
            ];
            check(&scenario(profile, seed, steps));
        }
    }
}

#[test]
fn a_client_does_not_stay_with_a_node_that_announced_itself_between_a_heal_and_the_first_beat() {
    for profile in [Profile::Normal, Profile::Fast] {
        let (dead_after, interval) = spans(profile);
        for seed in 150..160 {
            let mut random = Random::new(seed);
            let cut =
                dead_after.saturating_sub(interval / 2) + random.between(Duration::ZERO, interval);
            // The first node acquires within an interval after D; its third round follows 3 s later.
            let first_round = dead_after + interval / 2 + Duration::from_millis(100);
            let later = first_round + Duration::from_millis(100);
            let third_round = first_round + Duration::from_secs(3);
            let split = third_round.saturating_sub(cut + random.between(Duration::ZERO, interval));
            let steps = vec![
                step(Duration::ZERO, Fault::Start(0)),
                step(later, Fault::Start(1)),
                step(Duration::ZERO, Fault::Start(2)),
                step(split.saturating_sub(later), Fault::Split(1)),
                step(cut, Fault::Heal),
            ];
            check(&scenario(profile, seed, steps));
        }
    }
}

/// Three equal nodes and a client.
fn scenario(profile: Profile, seed: u64, steps: Vec<Step>) -> Scenario {
    let node = Node {
        weight: 100,
        preference: 0,
        clock: Clock::default(),
        excluded: 0,
    };
    let (dead_after, interval) = spans(profile);
    Scenario {
        seed,
        profile,
        hold: Duration::from_secs(30),
        dwell: Duration::from_secs(10),
        preempt: false,
        is_signed: false,
        fence_after: Some(dead_after),
        nodes: vec![node; 3],
        groups: vec![8],
        clients: 1,
        cable: Impairment::default(),
        steps,
        quiet: 2 * (dead_after + interval) + Duration::from_secs(2),
    }
}

/// D and T.
fn spans(profile: Profile) -> (Duration, Duration) {
    let timing = profile.timing();
    (timing.dead_after(), timing.interval())
}

fn step(after: Duration, fault: Fault) -> Step {
    Step { after, fault }
}

fn check(scenario: &Scenario) {
    let verdict = Cluster::run(scenario);
    if let Some(violation) = verdict.violation {
        let journal = Cluster::explain(scenario).journal.join("\n");
        panic!("{scenario}\n{journal}\n{violation}");
    }
}

//! Whatever happens to two to five nodes: never two owners for long, always one in the end.

use super::bus::*;
use crate::ownership::{Input, Standing};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Run(u64),
    Freeze(usize, u64),
    Restart(usize, bool),
    Split(u8, u64),
    OneWay(usize, usize, u64),
    Exclude(usize, bool),
    Drain(usize, bool),
    Flap(usize, u64),
    Lossy(u16, u64),
}

fn step() -> impl Strategy<Value = Step> {
    let node = || 0..5_usize;
    prop_oneof![
        4 => (0..4000_u64).prop_map(Step::Run),
        2 => (node(), 0..4000_u64).prop_map(|(node, span)| Step::Freeze(node, span)),
        2 => (node(), any::<bool>()).prop_map(|(node, back)| Step::Restart(node, back)),
        2 => (1..31_u8, 0..5000_u64).prop_map(|(side, span)| Step::Split(side, span)),
        2 => (node(), node(), 0..5000_u64).prop_map(|(from, to, span)| Step::OneWay(from, to, span)),
        1 => (node(), any::<bool>()).prop_map(|(node, is)| Step::Exclude(node, is)),
        1 => (node(), any::<bool>()).prop_map(|(node, is)| Step::Drain(node, is)),
        1 => (node(), 0..3000_u64).prop_map(|(node, span)| Step::Flap(node, span)),
        1 => (0..500_u16, 0..5000_u64).prop_map(|(loss, span)| Step::Lossy(loss, span)),
    ]
}

fn apply(bus: &mut Bus, step: &Step, boot: &mut u64) {
    let count = bus.nodes.len();
    match *step {
        Step::Run(span) => bus.run(millis(span)),
        Step::Freeze(node, span) => {
            bus.freeze(node % count, true);
            bus.run(millis(span));
            bus.freeze(node % count, false);
        }
        Step::Restart(node, is_back) => {
            *boot += 1;
            bus.restart(
                node % count,
                if is_back {
                    1_000 - *boot
                } else {
                    1_000 + *boot
                },
            );
        }
        Step::Split(side, span) => {
            let is_left = |node: usize| side >> node & 1 == 1;
            let pairs = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
            bus.cut
                .extend(pairs.filter(|(from, to)| is_left(*from) != is_left(*to)));
            bus.run(millis(span));
            bus.cut.clear();
        }
        Step::OneWay(from, to, span) => {
            bus.cut.insert((from % count, to % count));
            bus.run(millis(span));
            bus.cut.clear();
        }
        Step::Exclude(node, is) => {
            bus.standing(
                node % count,
                if is {
                    Standing::Excluded
                } else {
                    Standing::default()
                },
            );
        }
        Step::Drain(node, is) => bus.input(node % count, Input::Drain(is)),
        Step::Flap(node, span) => {
            bus.input(node % count, Input::Link { up: false });
            bus.run(millis(span));
            bus.input(node % count, Input::Link { up: true });
        }
        Step::Lossy(loss, span) => {
            bus.loss = loss;
            bus.run(millis(span));
            bus.loss = 0;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn metallb_49_after_any_history_every_shard_has_exactly_one_owner_within_the_bound(
        count in 2..=5_usize, seed in any::<u64>(), doubles in any::<bool>(),
        steps in proptest::collection::vec(step(), 0..12),
    ) {
        let mut bus = Bus::new(count, seed);
        bus.doubles = doubles;
        let mut boot = 0;
        for step in &steps {
            apply(&mut bus, step, &mut boot);
        }
        // Somebody must be eligible.
        bus.standing(0, Standing::default());
        // A restart with the clock set back is believed after D, and listens for D and T; what is
        // still contended then is settled within D + T.
        bus.run((DEAD + INTERVAL) * 2 + millis(100));
        for _ in 0..20 {
            bus.run(millis(100));
            prop_assert!(bus.is_settled(), "{:?}", bus.owners());
        }
    }

    #[test]
    fn in_one_connected_segment_a_freeze_or_a_death_never_makes_two_owners(
        count in 2..=5_usize, seed in any::<u64>(),
        steps in proptest::collection::vec((0..5_usize, any::<bool>(), 0..3000_u64), 0..8),
    ) {
        let mut bus = Bus::new(count, seed);
        bus.run(seconds(3));
        let mut boot = 1;
        for (node, freezes, span) in steps {
            let node = node % count;
            if freezes {
                bus.freeze(node, true);
            } else {
                bus.nodes[node].is_dead = true;
            }
            for _ in 0..span / 20 {
                bus.run(millis(20));
                let owners = bus.owners();
                prop_assert!(owners.iter().all(|owners| owners.len() <= 1), "{:?}", owners);
            }
            if freezes {
                bus.freeze(node, false);
            } else {
                boot += 1;
                bus.restart(node, boot);
            }
        }
    }

    #[test]
    fn the_rate_of_beats_is_bounded_whatever_happens(
        seed in any::<u64>(), steps in proptest::collection::vec(step(), 0..12),
    ) {
        let mut bus = Bus::new(3, seed);
        let start = bus.now;
        let mut boot = 0;
        for step in &steps {
            apply(&mut bus, step, &mut boot);
        }
        // 33 beats an interval at most, of each start of a node.
        let intervals = (bus.now - start).as_millis() / 300 + 1;
        let most = 33 * 3 * (intervals + u128::from(boot) + 12);
        prop_assert!(u128::from(bus.sent) <= most, "{} of {most}", bus.sent);
    }
}

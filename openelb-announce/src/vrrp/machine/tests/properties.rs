//! What holds for any two to five routers on one link, whatever happened before.

use super::bench::{every, in_256ths, ms, v2, v3, v6};
use super::lan::{DELAY, Lan};
use crate::vrrp::Settings;
use crate::vrrp::machine::{Event, Input, State};
use proptest::prelude::*;
use std::time::Duration;

#[test]
fn openelb_49_when_the_active_router_dies_the_next_takes_over_in_time_and_announces() {
    for settings in [v3(), v6(), every(v3(), 10), v2()] {
        let interval = settings.interval.duration();
        for phase in 0..20 {
            let mut lan = lan(&settings, &[200, 150, 100], phase);
            lan.run(interval * 10 + interval * u32::try_from(phase).unwrap() / 20);
            assert_eq!(lan.active(), [0]);
            lan.kill(0);
            let took = lan.run_until(interval * 5, |lan| lan.active() == [1]);
            // In version 2 the skew is a part of a second, which is the interval here.
            let skew = in_256ths(interval, 256 - 150);
            assert!(
                took <= interval * 3 + skew + DELAY,
                "{took:?} after phase {phase}"
            );
            assert!(
                took >= interval * 2 + skew,
                "{took:?}: it must not jump the queue"
            );
            let announced = lan.hosts[1].count(|event| matches!(event, Event::Active { .. }));
            assert_eq!(announced, 1);
            assert_eq!(lan.hosts[2].machine.state(), State::Backup);
        }
    }
}

#[test]
fn when_the_active_router_leaves_the_next_takes_over_after_its_skew() {
    let mut lan = lan(&v3(), &[200, 150, 100], 1);
    lan.run(ms(10_000));
    lan.input(0, Input::Shutdown);
    let took = lan.run_until(ms(2000), |lan| lan.active() == [1]);
    assert!(took <= in_256ths(ms(1000), 256 - 150) + DELAY, "{took:?}");
}

#[test]
fn openelb_50_ipv4_and_ipv6_are_separate_virtual_routers_of_one_vrid() {
    let first = |settings: Settings, priority| Settings {
        priority,
        ..settings
    };
    let mut lan = Lan::new(
        [
            first(v3(), 200),
            first(v6(), 100),
            first(v3(), 100),
            first(v6(), 200),
        ],
        1,
    );
    lan.run(ms(10_000));
    assert_eq!(
        lan.active(),
        [0, 3],
        "one for each family, on different hosts"
    );
    lan.kill(0);
    lan.run(ms(4000));
    assert_eq!(lan.active(), [2, 3], "IPv4 moves, IPv6 stays");
    assert!(
        lan.hosts
            .iter()
            .all(|host| host.machine.counters().refused == 0)
    );
}

#[test]
fn after_a_partition_one_remains_and_announces_again_at_once() {
    let mut lan = lan(&v3(), &[200, 150, 100], 1);
    lan.run(ms(10_000));
    lan.partition(&[0]);
    lan.run(ms(10_000));
    assert_eq!(
        lan.active(),
        [0, 1],
        "each side has one, as clients are cut off too"
    );
    lan.cut.clear();
    lan.measure_anew();
    let healed = lan.now;
    lan.run(ms(5000));
    assert_eq!(lan.active(), [0]);
    assert!(
        lan.longest_overlap <= ms(1000) + DELAY,
        "{:?}",
        lan.longest_overlap
    );
    let again = lan.hosts[0].events.iter();
    let mut again = again.filter(|(_, event)| *event == Event::Reannounce);
    let (first, _) = again.next().expect("it announces again");
    assert!(*first - healed <= ms(1000) + DELAY);
}

/// Its farewell would make the third take over if the answer of the second were lost.
#[test]
fn a_router_that_was_frozen_hastens_nobody_when_it_goes_on() {
    let mut lan = lan(&v3(), &[100, 200, 150], 1);
    lan.run(ms(10_000));
    lan.freeze(1);
    lan.run(ms(10_000));
    assert_eq!(lan.active(), [1, 2]);
    // The second hears the first no longer, but the third.
    lan.cut = vec![(2, 0)];
    lan.thaw(1);
    lan.run(ms(900));
    assert_eq!(lan.active(), [2]);
}

#[test]
fn a_router_that_comes_back_takes_over_only_where_it_may() {
    for (preempt, expected) in [(true, 0), (false, 1)] {
        let mut lan = lan(&Settings { preempt, ..v3() }, &[200, 100], 1);
        lan.run(ms(10_000));
        lan.kill(0);
        lan.run(ms(10_000));
        lan.boot(0);
        lan.measure_anew();
        lan.run(ms(10_000));
        assert_eq!(lan.active(), [expected]);
        assert!(
            lan.longest_overlap <= DELAY * 2,
            "{:?}",
            lan.longest_overlap
        );
    }
}

/// Something that happens to the link or to a host.
#[derive(Clone, Debug)]
enum Trouble {
    Kill(usize),
    Boot(usize),
    Freeze(usize),
    Thaw(usize),
    Partition(Vec<usize>),
    OneWay(usize, usize),
    Heal,
    Loss(u16),
    Leave(usize),
    Health(usize, u8),
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let host = 0..5usize;
    prop_oneof![
        host.clone().prop_map(Trouble::Kill),
        host.clone().prop_map(Trouble::Boot),
        host.clone().prop_map(Trouble::Freeze),
        host.clone().prop_map(Trouble::Thaw),
        prop::collection::vec(host.clone(), 0..3).prop_map(Trouble::Partition),
        (host.clone(), host.clone()).prop_map(|(from, to)| Trouble::OneWay(from, to)),
        Just(Trouble::Heal),
        (0..500u16).prop_map(Trouble::Loss),
        host.clone().prop_map(Trouble::Leave),
        (host, 0..=255u8).prop_map(|(host, priority)| Trouble::Health(host, priority)),
    ]
}

fn apply(lan: &mut Lan, trouble: Trouble) {
    let count = lan.hosts.len();
    let host = |it: usize| it % count;
    match trouble {
        Trouble::Kill(it) => lan.kill(host(it)),
        Trouble::Boot(it) => lan.boot(host(it)),
        Trouble::Freeze(it) => lan.freeze(host(it)),
        Trouble::Thaw(it) if lan.hosts[host(it)].is_frozen => lan.thaw(host(it)),
        Trouble::Thaw(_) => {}
        Trouble::Partition(side) => lan.partition(&side),
        Trouble::OneWay(from, to) => lan.cut.push((host(from), host(to))),
        Trouble::Heal => lan.cut.clear(),
        Trouble::Loss(loss) => lan.loss = loss,
        Trouble::Leave(it) => say(lan, host(it), Input::Shutdown),
        Trouble::Health(it, priority) => say(lan, host(it), Input::Priority(priority)),
    }
}

/// Commands reach only hosts that run.
fn say(lan: &mut Lan, host: usize, input: Input<'_>) {
    if lan.hosts[host].is_alive && !lan.hosts[host].is_frozen {
        lan.input(host, input);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_happened_one_router_is_active_once_it_is_quiet(
        priorities in prop::collection::vec(1..=254u8, 2..=5),
        preempt: bool,
        is_v2: bool,
        troubles in prop::collection::vec((trouble(), 0..6000u64), 0..12),
        seed: u64,
    ) {
        let settings = Settings { preempt, ..if is_v2 { v2() } else { v3() } };
        let mut lan = lan(&settings, &priorities, seed);
        for (trouble, millis) in troubles {
            apply(&mut lan, trouble);
            lan.run(ms(millis));
        }
        lan.loss = 0;
        lan.cut.clear();
        for host in 0..lan.hosts.len() {
            if lan.hosts[host].is_frozen && lan.hosts[host].is_alive {
                lan.thaw(host);
            }
        }
        // Contenders hear each other at the latest with the next advertisement; whoever listens has
        // waited long enough after twice three intervals and their skews.
        lan.run(ms(1000) + DELAY);
        lan.measure_anew();
        lan.run(ms(8000));
        prop_assert!(lan.longest_overlap <= DELAY * 2, "{:?}", lan.longest_overlap);
        let fit = |host: usize| {
            let host = &lan.hosts[host];
            host.is_alive && host.machine.priority() > 0
        };
        let fit: Vec<usize> = (0..lan.hosts.len()).filter(|it| fit(*it)).collect();
        let active = lan.active();
        prop_assert_eq!(active.len(), usize::from(!fit.is_empty()), "{:?} of {:?}", active, fit);
        if preempt {
            // Of equal ones the first stays: a Backup follows whoever has at least its priority.
            let priority = |host: usize| lan.hosts[host].machine.priority();
            let best = fit.into_iter().map(priority).max();
            prop_assert_eq!(active.first().map(|it| priority(*it)), best);
        }
    }

    #[test]
    fn while_all_hear_each_other_no_two_answer_however_they_freeze_and_die(
        priorities in prop::collection::vec(1..=254u8, 2..=5),
        troubles in prop::collection::vec((0..4u8, 0..5usize, 0..6000u64), 0..20),
        seed: u64,
    ) {
        let mut lan = lan(&v3(), &priorities, seed);
        lan.run(ms(10_000));
        lan.measure_anew();
        for (kind, host, millis) in troubles {
            let trouble = match kind {
                0 => Trouble::Kill(host),
                1 => Trouble::Boot(host),
                2 => Trouble::Freeze(host),
                _ => Trouble::Thaw(host),
            };
            apply(&mut lan, trouble);
            lan.run(ms(millis));
        }
        // One that preempts and one that is preempted answer together until the advertisement arrives.
        prop_assert!(lan.longest_overlap <= DELAY * 2, "{:?}", lan.longest_overlap);
    }

    /// Without preemption: a router that preempts need not wait until a frozen one is silent.
    #[test]
    fn a_router_that_was_frozen_never_goes_on_answering_beside_the_one_that_took_over(
        priorities in prop::collection::vec(1..=254u8, 2..=5),
        troubles in prop::collection::vec((0..5usize, 0..8000u64, 0..8000u64), 1..20),
        seed: u64,
    ) {
        let mut lan = lan(&Settings { preempt: false, ..v3() }, &priorities, seed);
        lan.run(ms(10_000));
        for (host, frozen, awake) in troubles {
            let host = lan.active().first().copied().unwrap_or(host % priorities.len());
            lan.freeze(host);
            lan.run(ms(frozen));
            lan.thaw(host);
            lan.run(ms(awake));
        }
        prop_assert!(!lan.has_woken_beside_another);
    }

    #[test]
    fn a_link_that_loses_a_tenth_never_has_two_for_longer_than_it_loses_in_a_row(
        priorities in prop::collection::vec(1..=254u8, 2..=5),
        seed: u64,
    ) {
        let mut lan = lan(&every(v3(), 100), &priorities, seed);
        lan.loss = 100;
        lan.run(Duration::from_mins(5));
        // Ten in a row of both directions would be 10^-20.
        prop_assert!(lan.longest_overlap <= ms(10_000), "{:?}", lan.longest_overlap);
        let changes: usize = lan.hosts.iter().map(|host| {
            host.count(|event| matches!(event, Event::Active { .. }))
        }).sum();
        prop_assert!(changes <= 60, "{changes} changes in five minutes");
    }
}

fn lan(settings: &Settings, priorities: &[u8], seed: u64) -> Lan {
    let of = |priority: &u8| Settings {
        priority: *priority,
        ..settings.clone()
    };
    Lan::new(priorities.iter().map(of), seed)
}

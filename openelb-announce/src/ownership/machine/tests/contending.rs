//! Two that claim the same, and links that work one way: rules R3 and R5, and liveness by hearsay.

use super::bus::*;
use crate::ownership::{Event, Input, Standing, Why};
use crate::time::Time;

fn reannounced(events: &[Event]) -> usize {
    events
        .iter()
        .filter(|event| matches!(event, Event::Reannounce { .. }))
        .count()
}

/// By all nodes.
fn announced(bus: &Bus) -> usize {
    let nodes = bus.nodes.iter();
    nodes.map(|node| reannounced(&node.events)).sum()
}

#[test]
fn both_halves_of_a_split_own_everything_and_one_owner_is_left_after_the_heal() {
    let mut bus = Bus::settled(4);
    bus.split(Some(|node| node < 2));
    bus.run(seconds(3));
    assert!(
        bus.owners().iter().all(|owners| owners.len() == 2),
        "{:?}",
        bus.owners()
    );
    bus.forget();
    bus.split(None);
    let took = bus.run_until(Bus::is_settled);
    assert!(took <= INTERVAL + millis(20), "{took:?}");
    bus.run(seconds(5));
    bus.check_owners();
    let kept = (0..4)
        .map(|node| reannounced(bus.events(node)))
        .sum::<usize>();
    assert!(kept >= ALL, "every winner announces again: {kept}");
    // Nobody lost a shard to find it without an owner.
    let acquired = |event: &&Event| matches!(event, Event::Acquired { .. });
    assert_eq!(
        bus.nodes
            .iter()
            .flat_map(|node| &node.events)
            .filter(acquired)
            .count(),
        0
    );
}

#[test]
fn a_loss_between_two_nodes_is_no_death_while_a_third_hears_both() {
    let mut bus = Bus::settled(3);
    let before = bus.owners();
    bus.cut.extend([(0, 1), (1, 0)]);
    bus.run(seconds(20));
    assert_eq!(bus.owners(), before);
    let status = bus.nodes[0].machine.status(bus.now);
    let other = status
        .nodes
        .iter()
        .find(|node| node.node == name(1))
        .unwrap();
    assert!(other.is_indirect && !other.is_mutual);
    // A death is still one, for everybody, at the same time.
    bus.nodes[1].is_dead = true;
    let took = bus.run_until(Bus::is_settled);
    assert!(took <= DEAD + millis(5), "{took:?}");
}

#[test]
fn what_is_given_up_out_of_hearing_is_taken_by_the_only_one_that_can() {
    // Node 0 does not hear node 1, but node 2 does, and nobody but node 0 may follow.
    let mut bus = Bus::settled(3);
    bus.standing(2, Standing::Excluded);
    bus.run(seconds(1));
    bus.cut.insert((1, 0));
    bus.run(seconds(3));
    let had = bus.count(1);
    assert!(had > 0);
    bus.standing(1, Standing::Excluded);
    let took = bus.run_until(Bus::is_settled);
    assert!(took <= DEAD + INTERVAL, "{took:?}");
    assert_eq!(bus.count(0), ALL);
}

#[test]
fn a_node_that_is_not_heard_by_the_claimer_yields_to_it() {
    // Node 1 hears nobody but receives other traffic; node 0 hears it.
    let mut bus = Bus::settled(2);
    bus.cut.insert((0, 1));
    for _ in 0..60 {
        bus.run(millis(50));
        let now = bus.now;
        bus.input(1, Input::Reception(now));
    }
    bus.check_owners();
    assert_eq!([bus.count(0), bus.count(1)], [0, ALL]);
    let yielded = |event: &Event| {
        matches!(
            event,
            Event::Lost {
                why: Why::Yielded(_),
                ..
            }
        )
    };
    assert!(bus.events(0).iter().any(yielded));
}

#[test]
fn a_deaf_node_is_outshouted_and_what_it_had_is_taken_over() {
    let mut bus = Bus::settled(3);
    bus.cut.extend([(0, 2), (1, 2)]);
    bus.run(seconds(3));
    let answered = |bus: &Bus, index| {
        bus.answerers(index)
            .iter()
            .filter(|node| **node != 2)
            .count()
    };
    assert!(
        (0..SHARDS).all(|index| answered(&bus, index) == 1),
        "{:?}",
        bus.owners()
    );
    // The deaf one took over everything, and knows that it may be mistaken.
    let doubtful =
        |event: &&Event| matches!(event, Event::Acquired { is_doubtful, .. } if *is_doubtful);
    assert!(bus.events(2).iter().filter(doubtful).count() > 0);
    bus.forget();
    bus.run(seconds(20));
    let announced: usize = (0..2).map(|node| reannounced(bus.events(node))).sum();
    assert!(announced <= ALL * 3, "{announced} in 20 s");
    assert!(announced >= ALL, "{announced} in 20 s");
    // It hears again: everything is as it was within moments.
    bus.cut.clear();
    bus.run(INTERVAL * 2);
    bus.check_owners();
}

#[test]
fn a_node_that_was_doubtful_announces_again_once_it_hears() {
    let mut bus = Bus::settled(2);
    bus.nodes[0].is_dead = true;
    bus.run(seconds(2));
    assert_eq!(bus.count(1), ALL);
    let doubtful =
        |event: &&Event| matches!(event, Event::Acquired { is_doubtful, .. } if *is_doubtful);
    let doubtful = bus.events(1).iter().filter(doubtful).count();
    assert!(doubtful > 0);
    let now = bus.now;
    bus.input(1, Input::Reception(now));
    assert_eq!(reannounced(bus.events(1)), doubtful);
}

#[test]
fn what_a_node_may_have_claimed_out_of_hearing_before_it_started_anew_is_announced_again() {
    for boot in [2, 0] {
        let mut bus = Bus::settled(3);
        bus.split(Some(|node| node == 1));
        bus.run(seconds(3));
        assert_eq!(bus.count(0) + bus.count(2), ALL);
        assert_eq!(bus.count(1), ALL);
        // No beat of its first process comes through after the heal.
        bus.split(None);
        bus.restart(1, boot);
        bus.forget();
        bus.run(INTERVAL + millis(20));
        assert_eq!(announced(&bus), ALL, "boot {boot}");
        bus.run(seconds(3));
        assert_eq!(announced(&bus), ALL, "boot {boot}");
    }
}

#[test]
fn a_node_that_starts_again_and_again_lets_others_announce_once_in_ten_seconds() {
    let mut bus = Bus::settled(2);
    for boot in 2..22 {
        bus.nodes[1].is_dead = true;
        bus.run(millis(1500));
        bus.restart(1, boot);
        bus.run(millis(500));
    }
    let announced = reannounced(bus.events(0));
    assert!(
        announced > 2 * ALL && announced <= 5 * ALL,
        "{announced} in 40 s"
    );
}

#[test]
fn a_node_that_was_heard_until_it_started_anew_or_left_makes_nobody_announce() {
    let mut bus = Bus::settled(2);
    bus.restart(1, 2);
    bus.run(seconds(3));
    bus.input(1, Input::Leave);
    bus.run(seconds(5));
    bus.restart(1, 3);
    bus.run(seconds(3));
    assert_eq!(reannounced(bus.events(0)), 0);
}

#[test]
fn a_node_that_claims_before_it_is_known_to_be_deaf_is_outshouted_once_it_is() {
    let mut bus = Bus::settled(2);
    bus.cut.extend([(0, 1), (1, 0)]);
    bus.restart(0, 2);
    bus.run_until(|bus| bus.count(0) == ALL && bus.count(1) == ALL);
    bus.forget();
    // The first that is heard of node 1 is its claims, when node 0 has beaten for so short a time that
    // node 1 need not have heard it.
    bus.cut.remove(&(1, 0));
    bus.input(1, Input::Drain(true));
    bus.run(millis(5));
    assert_eq!(reannounced(bus.events(0)), 0);
    bus.run(INTERVAL * 2);
    assert_eq!(reannounced(bus.events(0)), ALL);
    assert_eq!(bus.count(0), ALL);
}

#[test]
fn claims_that_may_be_replayed_are_outshouted_but_never_yielded_to() {
    let mut bus = Bus::settled(2);
    let joined = bus.join(settings(2, 100), vec![group(Standing::default())]);
    bus.run(seconds(3));
    // It hears nothing and its clock is back, so nobody can tell it from its own echo.
    bus.cut.extend([(0, joined), (1, joined)]);
    bus.restart(joined, 50);
    bus.run(DEAD + INTERVAL * 2);
    assert_eq!(bus.count(joined), ALL);
    assert_eq!(bus.count(0) + bus.count(1), ALL);
    assert_eq!(announced(&bus), ALL);
    bus.run(seconds(12));
    assert_eq!(announced(&bus), 2 * ALL);
    // It is gone, but may have been heard last.
    bus.nodes[joined].is_dead = true;
    bus.run(DEAD + INTERVAL);
    assert_eq!(announced(&bus), 3 * ALL);
    bus.run(seconds(30));
    assert_eq!(announced(&bus), 3 * ALL);
}

#[test]
fn nobody_yields_to_a_node_that_only_has_had_no_time_to_hear_it() {
    let mut bus = Bus::settled(2);
    bus.split(Some(|node| node == 0));
    bus.run(seconds(3));
    bus.forget();
    bus.split(None);
    for _ in 0..200 {
        bus.run(millis(5));
        let owners = bus.owners();
        assert!(owners.iter().all(|owners| !owners.is_empty()), "{owners:?}");
    }
    bus.check_owners();
}

#[test]
fn a_disagreement_about_the_number_of_shards_is_reported_and_still_gives_one_owner() {
    use crate::ownership::{Group, GroupName, Mismatch, Shard};
    let mut bus = Bus::new(1, 1);
    let other = Group {
        name: GroupName::default(),
        shards: 2 * SHARDS,
        standing: Standing::default(),
    };
    bus.join(settings(1, 1), vec![other]);
    bus.run(seconds(5));
    for unit in 0..200 {
        let unit = format!("unit-{unit}");
        let group = GroupName::default();
        let coarse = Shard::of(&group, SHARDS, &unit);
        let fine = Shard::of(&group, 2 * SHARDS, &unit);
        let owners = [
            bus.nodes[0].machine.owns(coarse),
            bus.nodes[1].machine.owns(fine),
        ];
        assert_eq!(owners.iter().filter(|owns| **owns).count(), 1, "{unit}");
    }
    let is_told = |event: &Event| {
        matches!(
            event,
            Event::Mismatch {
                what: Mismatch::Shards { .. },
                ..
            }
        )
    };
    assert!((0..2).all(|node| bus.events(node).iter().filter(|it| is_told(it)).count() == 1));
}

#[test]
fn a_claim_that_arrives_late_from_a_frozen_queue_takes_nothing() {
    let mut bus = Bus::settled(2);
    // Node 0 dies with a beat in its queue, which leaves long after.
    let stale = bus.overheard(0);
    bus.nodes[0].is_dead = true;
    bus.run(seconds(5));
    assert_eq!(bus.count(1), ALL);
    let received = bus.now;
    bus.input(
        1,
        Input::Datagram {
            octets: &stale,
            hop_limit: 255,
            received,
        },
    );
    bus.run(seconds(2));
    assert_eq!(bus.count(1), ALL);
    assert!(received > Time::ZERO);
}

#[test]
fn an_owner_that_nobody_spoke_to_for_a_while_is_not_taken_for_deaf() {
    let mut bus = Bus::settled(2);
    bus.nodes[1].is_dead = true;
    bus.run(seconds(2));
    // The owner has heard nothing for long when the other starts, is frozen, and wakes as its time
    // to listen ends: the beats that wait for it say so.
    bus.restart(1, 2);
    bus.freeze(1, true);
    bus.run(millis(1300));
    bus.freeze(1, false);
    for _ in 0..100 {
        bus.run(millis(10));
        bus.check_owners();
    }
}

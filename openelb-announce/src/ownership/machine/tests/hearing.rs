//! Who is believed: keys, hop limits, replays, restarts, and names used twice.

use super::bus::*;
use crate::machine::Machine as _;
use crate::ownership::{
    Event, Input, Key, KeyRing, Mismatch, Output, Phase, Refusal, Standing, Timing,
};
use std::sync::Arc;

fn refusals(bus: &Bus, place: usize) -> Vec<Refusal> {
    let reason = |event: &Event| match event {
        Event::Refused { reason, .. } => Some(*reason),
        _ => None,
    };
    bus.events(place).iter().filter_map(reason).collect()
}

fn hear(bus: &mut Bus, place: usize, octets: &[u8], hop_limit: u8) {
    let received = bus.now;
    bus.input(
        place,
        Input::Datagram {
            octets,
            hop_limit,
            received,
        },
    );
}

#[test]
fn a_datagram_from_beyond_the_link_is_counted_and_changes_nothing() {
    let mut bus = Bus::settled(2);
    let octets = bus.overheard(0);
    for _ in 0..5 {
        hear(&mut bus, 1, &octets, 254);
    }
    assert_eq!(refusals(&bus, 1), [Refusal::HopLimit]);
    let status = bus.nodes[1].machine.status(bus.now);
    assert_eq!(status.counters.refused[&Refusal::HopLimit], 5);
}

#[test]
fn a_stranger_with_another_key_is_reported_once_and_never_heard() {
    let mut bus = Bus::settled(2);
    let before = bus.owners();
    let mut stranger = settings(9, 1);
    stranger.keys = KeyRing::new(Key::new(&[9; 32]).unwrap(), []);
    bus.join(stranger, vec![group(Standing::default())]);
    bus.run(seconds(10));
    assert_eq!(refusals(&bus, 0), [Refusal::Key]);
    let status = bus.nodes[0].machine.status(bus.now);
    assert!(status.counters.refused[&Refusal::Key] > 10);
    assert_eq!(status.nodes.len(), 1);
    assert!(
        before
            .iter()
            .zip(bus.owners())
            .all(|(before, after)| after.contains(&before[0]))
    );
}

#[test]
fn octets_of_no_beat_and_of_another_version_are_told_apart() {
    let mut bus = Bus::settled(2);
    hear(&mut bus, 0, b"hello", 255);
    let mut octets = bus.overheard(1).to_vec();
    octets[2] = 2;
    hear(&mut bus, 0, &octets, 255);
    octets[2] = 1;
    octets[40] ^= 1;
    hear(&mut bus, 0, &octets, 255);
    assert_eq!(
        refusals(&bus, 0),
        [Refusal::Malformed, Refusal::Version, Refusal::Signature]
    );
}

#[test]
fn the_same_beat_over_the_other_family_is_no_refusal() {
    let mut bus = Bus::settled(3);
    let before = bus.owners();
    bus.doubles = true;
    bus.run(seconds(20));
    assert_eq!(bus.owners(), before);
    assert!((0..3).all(|node| refusals(&bus, node).is_empty()));
}

#[test]
fn replayed_beats_of_a_dead_node_do_not_bring_it_back() {
    let mut bus = Bus::settled(2);
    let mut recorded = Vec::new();
    for _ in 0..3 {
        recorded.push(bus.overheard(0));
        bus.run(millis(400));
    }
    bus.nodes[0].is_dead = true;
    bus.run(seconds(60));
    bus.forget();
    for _ in 0..100 {
        for octets in &recorded {
            hear(&mut bus, 1, octets, 255);
        }
        bus.run(millis(100));
    }
    assert_eq!(bus.count(1), ALL);
    assert!(!bus.events(1).contains(&Event::NodeUp(name(0))));
}

#[test]
fn replayed_beats_of_a_dead_node_do_not_impress_one_that_restarted_since() {
    let mut bus = Bus::settled(3);
    let recorded: Vec<Arc<[u8]>> = (0..20)
        .map(|_| {
            bus.run(millis(50));
            bus.overheard(0)
        })
        .collect();
    bus.nodes[0].is_dead = true;
    bus.run(seconds(10));
    // It does not know node 0, and these beats are in order; but they name no beat of its own.
    bus.restart(1, 2);
    bus.run(seconds(3));
    bus.forget();
    for octets in &recorded {
        hear(&mut bus, 1, octets, 255);
        bus.run(millis(20));
    }
    bus.run(seconds(3));
    bus.check_owners();
}

#[test]
fn a_restarted_node_is_known_again_at_once() {
    let mut bus = Bus::settled(3);
    bus.restart(0, 2);
    bus.run(millis(20));
    bus.check_owners();
    assert_eq!(bus.count(0), 0);
    bus.run(seconds(3));
    assert!(
        bus.nodes[1]
            .machine
            .status(bus.now)
            .nodes
            .iter()
            .all(|node| node.is_mutual)
    );
}

#[test]
fn a_node_restarted_with_its_clock_set_back_is_heard_once_the_old_one_counts_as_dead() {
    let mut bus = Bus::settled(3);
    let mut node = settings(3, 100);
    node.seed = 5;
    let joined = bus.join(node, vec![group(Standing::default())]);
    bus.run(seconds(60));
    bus.forget();
    assert!(bus.count(joined) > 0);
    bus.restart(joined, 50);
    bus.run(DEAD + INTERVAL + millis(50));
    bus.check_owners();
    assert_eq!(bus.count(joined), 0);
    let status = bus.nodes[0].machine.status(bus.now);
    let seen = status
        .nodes
        .iter()
        .find(|node| node.node == name(3))
        .unwrap();
    assert!(seen.is_mutual && seen.age < INTERVAL);
    let is_duplicate = |event: &Event| matches!(event, Event::DuplicateNode(_));
    assert!(
        !bus.nodes
            .iter()
            .any(|node| node.events.iter().any(is_duplicate))
    );
}

#[test]
fn a_node_restarted_with_its_clock_set_back_is_heard_by_one_that_it_does_not_hear() {
    let mut bus = Bus::settled(3);
    let joined = bus.join(settings(3, 100), vec![group(Standing::default())]);
    bus.run(seconds(3));
    // Only the word of the others tells node 0 that these beats are no replayed ones.
    bus.cut.insert((0, joined));
    bus.restart(joined, 50);
    bus.run(DEAD * 2 + INTERVAL * 2);
    let status = bus.nodes[0].machine.status(bus.now);
    let seen = status.nodes.iter().find(|node| node.node == name(3));
    assert!(seen.is_some_and(|node| !node.is_mutual && node.age < INTERVAL));
    bus.nodes[1].is_dead = true;
    bus.run(DEAD + INTERVAL * 2);
    bus.check_owners();
}

#[test]
fn a_node_restarted_with_its_clock_set_back_is_dated_by_whom_it_hears() {
    let mut bus = Bus::settled(2);
    let joined = bus.join(settings(2, 100), vec![group(Standing::default())]);
    bus.run(seconds(3));
    // It does not hear node 0, and node 1, which it does hear, can tell node 0 nothing of it.
    bus.cut.extend([(0, joined), (joined, 1)]);
    bus.restart(joined, 50);
    bus.run(DEAD * 2 + INTERVAL * 2);
    let status = bus.nodes[0].machine.status(bus.now);
    let seen = status.nodes.iter().find(|node| node.node == name(2));
    assert!(seen.is_some_and(|node| !node.is_mutual && node.age < INTERVAL));
    bus.run(seconds(3));
    bus.check_owners();
}

#[test]
fn of_two_nodes_with_one_name_the_later_start_keeps_it_and_everybody_knows() {
    let mut bus = Bus::settled(3);
    let twin = bus.join(settings(0, 2), vec![group(Standing::default())]);
    bus.run(seconds(5));
    assert_eq!(bus.nodes[0].machine.status(bus.now).phase, Phase::Shadowed);
    assert_eq!(
        bus.nodes[twin].machine.status(bus.now).phase,
        Phase::Running
    );
    bus.check_owners();
    assert_eq!(bus.count(0), 0);
    for node in [0, 1, 2, twin] {
        let told = bus
            .events(node)
            .iter()
            .filter(|it| **it == Event::DuplicateNode(name(0)));
        assert_eq!(told.count(), 1, "node {node}: {:?}", bus.events(node));
    }
    // Once the later one is gone, the other takes its name back.
    bus.nodes[twin].is_dead = true;
    bus.run(seconds(4));
    bus.check_owners();
    assert_eq!(bus.nodes[0].machine.status(bus.now).phase, Phase::Running);
    assert!(
        bus.nodes[1]
            .machine
            .status(bus.now)
            .nodes
            .iter()
            .all(|node| node.is_mutual)
    );
}

#[test]
fn a_node_that_hears_its_own_voice_does_not_mind() {
    let mut bus = Bus::settled(2);
    for _ in 0..10 {
        let octets = bus.overheard(0);
        hear(&mut bus, 0, &octets, 255);
        bus.run(millis(100));
    }
    assert!(bus.events(0).is_empty(), "{:?}", bus.events(0));
    bus.check_owners();
}

#[test]
fn an_order_to_drain_travels_and_is_confirmed() {
    let mut bus = Bus::settled(3);
    bus.input(
        0,
        Input::Order {
            node: &name(2),
            drain: true,
        },
    );
    bus.run(millis(20));
    assert!(bus.events(2).contains(&Event::Ordered {
        by: name(0),
        drain: true
    }));
    assert!(bus.events(0).contains(&Event::Obeyed {
        node: name(2),
        drain: true
    }));
    assert_eq!(bus.count(2), 0);
    bus.check_owners();
    bus.input(
        1,
        Input::Order {
            node: &name(2),
            drain: false,
        },
    );
    bus.run(millis(20));
    assert!(bus.events(2).contains(&Event::Ordered {
        by: name(1),
        drain: false
    }));
    assert!(!bus.nodes[2].machine.status(bus.now).is_draining);
}

#[test]
fn an_order_to_nobody_is_given_up_and_reported() {
    let mut bus = Bus::settled(2);
    bus.input(
        0,
        Input::Order {
            node: &name(7),
            drain: true,
        },
    );
    bus.run(seconds(29));
    assert!(bus.events(0).is_empty());
    bus.run(seconds(2));
    assert_eq!(bus.events(0), [Event::Unheeded { node: name(7) }]);
}

#[test]
fn another_timing_is_reported_once_and_respected() {
    let mut bus = Bus::settled(1);
    let mut slow = settings(1, 1);
    slow.timing = Timing::new(seconds(1), millis(3300)).unwrap();
    let slow = bus.join(slow, vec![group(Standing::default())]);
    bus.run(seconds(60));
    let is_told = |event: &&Event| {
        matches!(
            event,
            Event::Mismatch {
                what: Mismatch::Timing { .. },
                ..
            }
        )
    };
    assert_eq!(bus.events(0).iter().filter(is_told).count(), 1);
    assert!(bus.count(slow) > 0);
    bus.check_owners();
    // It is not dead before its own D, though that is far longer than this node's.
    bus.freeze(slow, true);
    bus.forget();
    bus.run(millis(2250));
    assert!(!bus.events(0).contains(&Event::NodeDown(name(1))));
    bus.run(millis(1100));
    assert!(bus.events(0).contains(&Event::NodeDown(name(1))));
}

#[test]
fn one_node_too_many_is_refused_and_the_others_stay() {
    let mut bus = Bus::new(1, 1);
    for number in 1..=130 {
        let mut machine = crate::ownership::Machine::new();
        machine.handle_input(Input::Configure(&settings(number, 1), &[]), bus.now);
        machine.handle_input(Input::Link { up: true }, bus.now);
        machine.handle_timeout(bus.now);
        while let Some(output) = machine.poll_output() {
            if let Output::Transmit(octets) = output {
                hear(&mut bus, 0, &octets, 255);
            }
        }
    }
    assert_eq!(bus.nodes[0].machine.status(bus.now).nodes.len(), 128);
    assert_eq!(refusals(&bus, 0), [Refusal::TooManyNodes; 2]);
}

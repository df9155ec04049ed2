//! Starting, taking over, handing over, draining, leaving, fencing: rules R0 to R2 and R4.

use super::bus::*;
use crate::machine::Machine as _;
use crate::ownership::{
    Event, Group, GroupName, How, Input, Machine, Output, Phase, Shard, Standing, Why,
};
use crate::time::Time;

fn acquired(events: &[Event], wanted: How) -> usize {
    let is_wanted = |event: &&Event| matches!(event, Event::Acquired { how, .. } if *how == wanted);
    events.iter().filter(is_wanted).count()
}

fn lost(events: &[Event]) -> Vec<&Why> {
    let mut all = Vec::new();
    for event in events {
        if let Event::Lost { why, .. } = event {
            all.push(why);
        }
    }
    all
}

fn weight(weight: u16) -> Standing {
    Standing::Eligible {
        weight,
        preference: 0,
    }
}

#[test]
fn a_node_alone_listens_for_d_and_then_owns_everything() {
    let mut bus = Bus::new(1, 1);
    bus.run(millis(999));
    assert_eq!(bus.count(0), 0);
    assert_eq!(bus.events(0), [Event::Listening]);
    bus.run(INTERVAL + millis(1));
    assert_eq!(bus.count(0), ALL);
    assert_eq!(acquired(bus.events(0), How::Cold), ALL);
}

#[test]
fn nothing_is_said_before_configuration_and_link() {
    let mut machine = Machine::new();
    machine.handle_input(Input::Link { up: true }, Time::ZERO);
    machine.handle_timeout(Time::ZERO + seconds(10));
    assert_eq!(
        (machine.poll_output(), machine.poll_timeout()),
        (None, None)
    );
    let settings = settings(0, 1);
    let mut machine = Machine::new();
    machine.handle_input(Input::Configure(&settings, &[]), Time::ZERO);
    machine.handle_timeout(Time::ZERO + seconds(10));
    assert_eq!(
        (machine.poll_output(), machine.poll_timeout()),
        (None, None)
    );
}

#[test]
fn nodes_that_start_together_share_the_shards_and_move_none() {
    for seed in 0..20 {
        let mut bus = Bus::new(4, seed);
        bus.run(seconds(3));
        bus.check_owners();
        for node in 0..4 {
            assert!(bus.count(node) > 0, "{seed}: {:?}", bus.owners());
            assert!(
                lost(bus.events(node)).is_empty(),
                "{seed}: {:?}",
                bus.events(node)
            );
        }
    }
}

#[test]
fn a_death_is_taken_over_within_d_and_nothing_else_moves() {
    let mut bus = Bus::settled(3);
    let before = bus.owners();
    bus.nodes[0].is_dead = true;
    let took = bus.run_until(Bus::is_settled);
    assert!(took <= DEAD, "{took:?}");
    for (before, after) in before.iter().zip(bus.owners()) {
        assert!(before == &vec![0] || *before == after);
    }
    bus.run(millis(10));
    let taken = acquired(bus.events(1), How::Takeover) + acquired(bus.events(2), How::Takeover);
    assert_eq!(
        taken,
        before.iter().filter(|owners| **owners == [0]).count()
    );
    assert!(bus.events(1).contains(&Event::NodeDown(name(0))));
}

#[test]
fn metallb_49_a_node_that_joins_gets_only_what_moves_to_it_and_only_after_the_hold() {
    let mut bus = Bus::settled(3);
    let before = bus.owners();
    let joined = bus.join(settings(3, 1), vec![group(Standing::default())]);
    bus.run(seconds(29));
    assert_eq!(
        bus.owners(),
        before,
        "nothing moves before the hold is over"
    );
    bus.run(seconds(20));
    bus.check_owners();
    assert!(bus.count(joined) > 0);
    for (before, after) in before.iter().zip(bus.owners()) {
        assert!(*before == after || after == [joined]);
    }
    assert_eq!(
        acquired(bus.events(joined), How::Handover),
        bus.count(joined)
    );
}

#[test]
fn metallb_49_removing_a_node_that_owns_nothing_changes_nothing() {
    let mut bus = Bus::settled(3);
    let joined = bus.join(settings(3, 1), vec![group(Standing::Excluded)]);
    bus.run(seconds(60));
    let before = bus.owners();
    assert_eq!(bus.count(joined), 0);
    bus.nodes[joined].is_dead = true;
    bus.run(seconds(5));
    assert_eq!(bus.owners(), before);
}

#[test]
fn metallb_51_a_preferred_node_gets_everything_and_an_excluded_one_nothing() {
    let mut bus = Bus::new(3, 1);
    bus.standing(
        0,
        Standing::Eligible {
            weight: 1,
            preference: 1,
        },
    );
    bus.standing(1, Standing::Excluded);
    bus.run(seconds(3));
    assert_eq!([bus.count(0), bus.count(1), bus.count(2)], [ALL, 0, 0]);
    // The preferred one becomes unhealthy: preference counts for nothing then.
    bus.standing(0, Standing::Excluded);
    bus.run(millis(10));
    assert_eq!([bus.count(0), bus.count(1), bus.count(2)], [0, 0, ALL]);
}

#[test]
fn metallb_51_weights_share_the_shards_in_proportion() {
    let mut bus = Bus::new(2, 1);
    bus.standing(0, weight(900));
    bus.standing(1, weight(100));
    bus.run(seconds(3));
    bus.check_owners();
    assert!(bus.count(0) > 3 * bus.count(1), "{:?}", bus.owners());
}

#[test]
fn a_drained_node_hands_everything_over_within_a_few_milliseconds() {
    let mut bus = Bus::settled(3);
    let had = bus.count(0);
    bus.input(0, Input::Drain(true));
    assert_eq!(bus.count(0), 0, "it stops answering at once");
    assert!(bus.events(0).contains(&Event::Drained));
    assert!(
        lost(bus.events(0))
            .iter()
            .all(|why| matches!(why, Why::HandedTo(_)))
    );
    let took = bus.run_until(Bus::is_settled);
    assert!(took <= millis(5), "{took:?}");
    let taken = acquired(bus.events(1), How::Handover) + acquired(bus.events(2), How::Handover);
    assert_eq!(taken, had);
}

#[test]
fn an_heir_does_not_wait_for_a_node_that_still_listens() {
    for leaves in [false, true] {
        let mut bus = Bus::settled(1);
        bus.join(settings(1, 1), vec![group(Standing::default())]);
        bus.run(millis(700));
        bus.join(settings(2, 1), vec![group(Standing::default())]);
        bus.run(millis(800));
        let phase = |node: usize| bus.nodes[node].machine.status(bus.now).phase;
        assert_eq!(phase(1), Phase::Running);
        assert!(matches!(phase(2), Phase::Listening { .. }));
        if leaves {
            bus.input(0, Input::Leave);
        } else {
            bus.nodes[0].is_dead = true;
            bus.run(millis(50));
            bus.restart(0, 2);
        }
        bus.run(millis(5));
        assert_eq!(bus.count(1), ALL, "leaves: {leaves}");
    }
}

#[test]
fn many_drains_in_a_row_are_each_obeyed_at_once() {
    let mut bus = Bus::settled(3);
    for round in 0..40 {
        let node = round % 3;
        bus.input(node, Input::Drain(true));
        let took = bus.run_until(|bus| bus.count(node) == 0 && bus.is_settled());
        assert!(took <= millis(5), "round {round}: {took:?}");
        bus.input(node, Input::Drain(false));
        bus.run(INTERVAL / 2);
    }
}

#[test]
fn a_drain_survives_the_loss_of_any_one_beat() {
    let mut bus = Bus::settled(2);
    bus.loss = 1000;
    bus.input(0, Input::Drain(true));
    bus.loss = 0;
    let took = bus.run_until(Bus::is_settled);
    assert!(took <= millis(5), "{took:?}");
}

#[test]
fn a_draining_node_without_a_successor_keeps_what_it_has_until_it_leaves() {
    let mut bus = Bus::settled(1);
    bus.input(0, Input::Drain(true));
    bus.run(seconds(5));
    assert_eq!(bus.count(0), ALL);
    bus.input(0, Input::Leave);
    assert_eq!(bus.count(0), 0);
    assert_eq!(bus.nodes[0].machine.status(bus.now).phase, Phase::Left);
}

#[test]
fn two_draining_nodes_hand_nothing_to_each_other() {
    let mut bus = Bus::settled(2);
    bus.input(0, Input::Drain(true));
    bus.input(1, Input::Drain(true));
    bus.run(seconds(60));
    bus.check_owners();
    let moved = lost(bus.events(0)).len() + lost(bus.events(1)).len();
    assert!(moved <= ALL, "{moved} moves");
}

#[test]
fn after_a_drain_the_shards_come_back_one_at_a_time() {
    let mut bus = Bus::settled(2);
    let before = bus.owners();
    bus.input(0, Input::Drain(true));
    bus.run(seconds(60));
    assert_eq!(bus.count(0), 0);
    bus.input(0, Input::Drain(false));
    bus.run(INTERVAL * 3);
    assert!((1..=4).contains(&bus.count(0)), "{}", bus.count(0));
    bus.run(seconds(30));
    assert_eq!(bus.owners(), before);
}

#[test]
fn a_node_that_may_not_preempt_leaves_the_shards_where_they_are() {
    let mut bus = Bus::new(2, 1);
    for node in 0..2 {
        bus.nodes[node].settings.preempt = false;
        bus.standing(node, Standing::default());
    }
    bus.run(seconds(3));
    bus.input(0, Input::Drain(true));
    bus.run(seconds(5));
    bus.input(0, Input::Drain(false));
    bus.run(seconds(90));
    assert_eq!([bus.count(0), bus.count(1)], [0, ALL]);
}

#[test]
fn a_leaving_node_is_followed_within_a_few_milliseconds() {
    let mut bus = Bus::settled(3);
    bus.input(1, Input::Leave);
    assert!(lost(bus.events(1)).iter().all(|why| **why == Why::Left));
    let took = bus.run_until(Bus::is_settled);
    assert!(took <= millis(5), "{took:?}");
    bus.run(millis(10));
    assert_eq!(bus.nodes[1].machine.orphans(), 0, "it hears who took over");
}

#[test]
fn an_excluded_node_gives_up_even_when_nobody_can_follow() {
    let mut bus = Bus::settled(1);
    bus.standing(0, Standing::Excluded);
    assert_eq!(bus.count(0), 0);
    assert!(lost(bus.events(0)).iter().all(|why| **why == Why::Excluded));
    bus.standing(0, Standing::default());
    bus.run(millis(5));
    assert_eq!(bus.count(0), ALL);
}

#[test]
fn a_fallen_weight_moves_shards_at_once_and_a_risen_one_slowly() {
    let mut bus = Bus::settled(2);
    bus.run(seconds(60));
    bus.standing(0, weight(1));
    bus.run(millis(10));
    assert!(bus.count(0) < 3, "{}", bus.count(0));
    bus.standing(0, weight(100));
    bus.run(INTERVAL);
    assert!(bus.count(0) < 5, "{}", bus.count(0));
    bus.run(seconds(30));
    assert!(bus.count(0) > 5, "{}", bus.count(0));
    bus.check_owners();
}

#[test]
fn a_frozen_node_falls_silent_before_another_takes_over_and_listens_when_it_goes_on() {
    let mut bus = Bus::settled(2);
    bus.freeze(0, true);
    for _ in 0..300 {
        bus.run(millis(10));
        assert!(
            bus.owners().iter().all(|owners| owners.len() <= 1),
            "{:?}",
            bus.owners()
        );
    }
    assert_eq!(bus.count(1), ALL);
    bus.freeze(0, false);
    assert_eq!(bus.count(0), 0);
    assert!(lost(bus.events(0)).iter().all(|why| **why == Why::Fenced));
    bus.run(seconds(10));
    bus.check_owners();
    assert_eq!(bus.count(0), 0, "it may not come back before the hold");
    assert!(lost(bus.events(1)).is_empty());
}

#[test]
fn a_node_frozen_for_less_than_it_takes_to_die_loses_nothing() {
    let mut bus = Bus::settled(3);
    let before = bus.owners();
    for _ in 0..5 {
        bus.freeze(0, true);
        bus.run(millis(550));
        bus.freeze(0, false);
        bus.run(seconds(2));
    }
    assert_eq!(bus.owners(), before);
    assert!((0..3).all(|node| lost(bus.events(node)).is_empty()));
    assert!((0..3).all(|node| {
        !bus.events(node)
            .iter()
            .any(|it| matches!(it, Event::NodeDown(_)))
    }));
}

#[test]
fn a_fence_from_outside_works_at_once_and_tells_the_others() {
    let mut bus = Bus::settled(2);
    bus.input(0, Input::Fence);
    assert_eq!(bus.count(0), 0);
    let took = bus.run_until(Bus::is_settled);
    assert!(took <= millis(5), "{took:?}");
}

#[test]
fn a_node_whose_beats_do_not_leave_falls_silent_though_it_runs() {
    let mut bus = Bus::settled(1);
    let mut rounds = 0;
    while bus.count(0) > 0 {
        let at = bus.nodes[0].machine.poll_timeout().unwrap();
        bus.run(at - bus.now);
        bus.input(0, Input::Unsent);
        rounds += 1;
        assert!(rounds < 10, "it goes on though nothing leaves");
    }
    // Nor does it claim anything before a beat has left.
    for _ in 0..30 {
        let at = bus.nodes[0].machine.poll_timeout().unwrap();
        bus.run(at - bus.now);
        bus.input(0, Input::Unsent);
        assert_eq!(bus.count(0), 0);
    }
    bus.run(seconds(3));
    assert_eq!(bus.count(0), ALL);
}

#[test]
fn a_node_whose_beats_do_not_leave_takes_nothing_over_until_one_does() {
    let mut bus = Bus::settled(2);
    let kept = bus.count(0);
    bus.cut.insert((1, 0));
    bus.run(millis(800));
    let mute = bus.now + millis(400);
    bus.cut.insert((0, 1));
    while bus.now < mute {
        let at = bus.nodes[0].machine.poll_timeout().unwrap();
        let sent = bus.nodes[0].machine.status(bus.now).counters.sent;
        bus.run(at - bus.now);
        if bus.nodes[0].machine.status(bus.now).counters.sent > sent {
            bus.input(0, Input::Unsent);
        }
    }
    assert!(bus.events(0).contains(&Event::NodeDown(name(1))));
    assert_eq!(bus.count(0), kept);
    bus.run(INTERVAL * 2);
    assert_eq!(bus.count(0), ALL);
}

#[test]
fn what_the_first_beat_that_claims_it_could_not_say_is_not_owned_before_another_does() {
    let mut bus = Bus::new(1, 1);
    bus.run_until(|bus| bus.count(0) == ALL);
    bus.forget();
    bus.input(0, Input::Unsent);
    // The other family refuses it too.
    bus.input(0, Input::Unsent);
    assert_eq!(bus.count(0), 0);
    assert_eq!(lost(bus.events(0)).len(), ALL);
    bus.run(millis(10));
    assert_eq!(bus.count(0), ALL);
    assert_eq!(acquired(bus.events(0), How::Cold), ALL);
    // What was said before stays.
    bus.input(0, Input::Unsent);
    assert_eq!(bus.count(0), ALL);
}

#[test]
fn a_caller_that_reports_the_failed_beat_at_once_is_told_of_no_acquisition() {
    let mut machine = Machine::new();
    let groups = [group(Standing::default())];
    machine.handle_input(Input::Configure(&settings(0, 1), &groups), Time::ZERO);
    machine.handle_input(Input::Link { up: true }, Time::ZERO);
    let mut refused = 0;
    let mut now = Time::ZERO;
    while now < Time::ZERO + seconds(10) {
        while let Some(output) = machine.poll_output() {
            let is_acquired = matches!(&output, Output::Event(Event::Acquired { .. }));
            assert!(!is_acquired, "{now}: {output:?}");
            // The socket takes beats until there is something to claim.
            let is_running = machine.status(now).phase == Phase::Running;
            if matches!(output, Output::Transmit(_)) && is_running {
                refused += 1;
                machine.handle_input(Input::Unsent, now);
            }
        }
        now = machine.poll_timeout().unwrap();
        machine.handle_timeout(now);
    }
    assert!(refused > 1);
}

#[test]
fn a_link_that_goes_down_takes_everything_and_listening_begins_anew_when_it_comes_up() {
    let mut bus = Bus::settled(1);
    bus.input(0, Input::Link { up: false });
    assert_eq!(bus.count(0), 0);
    assert!(lost(bus.events(0)).iter().all(|why| **why == Why::LinkDown));
    bus.run(seconds(5));
    assert_eq!(bus.nodes[0].machine.poll_timeout(), None);
    bus.input(0, Input::Link { up: true });
    bus.run(millis(999));
    assert_eq!(bus.count(0), 0);
    bus.run(seconds(1));
    assert_eq!(bus.count(0), ALL);
}

#[test]
fn handing_over_the_same_configuration_again_is_free() {
    let mut bus = Bus::settled(2);
    bus.run(millis(100));
    let before = bus.sent;
    for _ in 0..10 {
        bus.standing(0, Standing::default());
    }
    assert_eq!(bus.sent, before);
    assert!(bus.events(0).is_empty());
}

#[test]
fn a_group_that_is_new_to_all_nodes_is_shared_without_contention() {
    let mut bus = Bus::settled(3);
    let name = GroupName::new("service-7");
    let new = Group {
        name: name.clone(),
        shards: 1,
        standing: Standing::default(),
    };
    for node in 0..3 {
        bus.nodes[node].groups.push(new.clone());
        bus.standing(node, Standing::default());
        bus.run(millis(20));
    }
    bus.run(seconds(1));
    let shard = Shard {
        group: name.id(),
        index: 0,
    };
    let owners = bus
        .nodes
        .iter()
        .filter(|node| node.machine.owns(shard))
        .count();
    assert_eq!(owners, 1);
    let events = bus.nodes.iter().flat_map(|node| &node.events);
    assert_eq!(
        events
            .filter(|event| matches!(event, Event::Lost { .. }))
            .count(),
        0
    );
    // And one that is gone is given up.
    for node in 0..3 {
        bus.nodes[node].groups.pop();
        bus.standing(node, Standing::default());
    }
    assert!(!bus.nodes.iter().any(|node| node.machine.owns(shard)));
}

#[test]
fn changing_timing_and_keys_moves_nothing() {
    use crate::ownership::{Key, KeyRing, Profile};
    let mut bus = Bus::settled(3);
    let before = bus.owners();
    let key = |octet| Key::new(&[octet; 32]).unwrap();
    let rings = [
        KeyRing::new(key(7), [key(8)]),
        KeyRing::new(key(8), [key(7)]),
        KeyRing::new(key(8), []),
    ];
    for ring in rings {
        for node in 0..3 {
            bus.nodes[node].settings.keys = ring.clone();
            bus.standing(node, Standing::default());
            bus.run(millis(700));
        }
    }
    for profile in [Profile::Calm, Profile::Normal] {
        for node in 0..3 {
            bus.nodes[node].settings.timing = profile.timing();
            bus.standing(node, Standing::default());
            bus.run(seconds(2));
        }
    }
    assert_eq!(bus.owners(), before);
    assert!((0..3).all(|node| lost(bus.events(node)).is_empty()));
}

#[test]
fn nothing_is_owned_before_a_beat_has_claimed_it() {
    // Node 1 starts anew while node 0 is frozen; node 0 wakes up, beats, hears of it, and is frozen
    // again before it could beat once more.
    let mut bus = Bus::settled(2);
    bus.nodes[1].is_dead = true;
    bus.run(millis(220));
    bus.restart(1, 2);
    bus.freeze(0, true);
    bus.run(millis(460));
    bus.freeze(0, false);
    bus.freeze(0, true);
    for _ in 0..90 {
        bus.run(millis(10));
        let owners = bus.owners();
        assert!(owners.iter().all(|owners| owners.len() <= 1), "{owners:?}");
    }
}

#[test]
fn a_node_that_is_fenced_again_and_again_gets_nothing_back_in_between() {
    let mut bus = Bus::settled(2);
    bus.run(seconds(60));
    bus.input(0, Input::Fence);
    for _ in 0..10 {
        bus.run(seconds(20));
        assert_eq!([bus.count(0), bus.count(1)], [0, ALL]);
        bus.input(0, Input::Fence);
    }
    bus.run(seconds(60));
    bus.check_owners();
    assert!(bus.count(0) > 0);
}

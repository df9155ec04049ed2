//! The comparison, on its own and against a kernel made of a map.

use super::{Step, plan};
use crate::link::routes::{Entry, Hop};
use ipnet::{IpNet, Ipv4Net};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const METRIC: u32 = 2048;

fn net(number: u8) -> IpNet {
    Ipv4Net::new([10, 244, number, 0].into(), 24)
        .unwrap()
        .into()
}

fn hops(lasts: &[u8]) -> BTreeSet<Hop> {
    let hop = |last: &u8| Hop {
        gateway: [192, 0, 2, *last].into(),
        link: 2,
    };
    lasts.iter().map(hop).collect()
}

fn entry(number: u8, lasts: &[u8]) -> Entry {
    Entry::new(net(number), METRIC, &hops(lasts))
}

fn wanted(routes: &[(u8, &[u8])]) -> BTreeMap<IpNet, BTreeSet<Hop>> {
    let route = |(number, lasts): &(u8, &[u8])| (net(*number), hops(lasts));
    routes.iter().map(route).collect()
}

fn nothing() -> BTreeSet<IpNet> {
    BTreeSet::new()
}

#[test]
fn what_is_as_it_should_be_costs_no_step() {
    let wanted = wanted(&[(1, &[1, 2]), (2, &[1])]);
    let held = vec![entry(2, &[1]), entry(1, &[1, 2])];
    assert_eq!(plan(&wanted, held, METRIC, &nothing()), []);
}

#[test]
fn the_order_of_the_gateways_is_no_difference() {
    let mut held = entry(1, &[1, 2]);
    held.hops.reverse();
    let wanted = wanted(&[(1, &[1, 2])]);
    assert_eq!(plan(&wanted, vec![held], METRIC, &nothing()), []);
}

#[test]
fn what_is_new_is_added_before_what_is_old_is_removed() {
    let steps = plan(
        &wanted(&[(1, &[1]), (2, &[2])]),
        vec![entry(2, &[1]), entry(3, &[1])],
        METRIC,
        &nothing(),
    );
    let change = Step::Change {
        from: vec![entry(2, &[1])],
        to: entry(2, &[2]),
    };
    let removal = Step::Remove(entry(3, &[1]));
    assert_eq!(steps, [Step::Add(entry(1, &[1])), change, removal]);
}

#[test]
fn another_metric_is_another_route() {
    let mut former = entry(1, &[1]);
    former.metric = 200;
    let steps = plan(
        &wanted(&[(1, &[1])]),
        vec![former.clone()],
        METRIC,
        &nothing(),
    );
    assert_eq!(steps, [Step::Add(entry(1, &[1])), Step::Remove(former)]);
}

#[test]
fn a_route_of_another_kind_is_replaced() {
    let mut odd = entry(1, &[]);
    odd.is_odd = true;
    let steps = plan(&wanted(&[(1, &[1])]), vec![odd.clone()], METRIC, &nothing());
    let to = entry(1, &[1]);
    assert_eq!(
        steps,
        [Step::Change {
            from: vec![odd],
            to
        }]
    );
}

#[test]
fn of_several_routes_to_a_destination_the_right_one_stays() {
    let held = vec![entry(1, &[1]), entry(1, &[2])];
    let steps = plan(&wanted(&[(1, &[2])]), held, METRIC, &nothing());
    let change = Step::Change {
        from: vec![entry(1, &[1])],
        to: entry(1, &[2]),
    };
    assert_eq!(steps, [change]);
}

#[test]
fn nothing_is_taken_from_what_a_former_process_left_while_it_is_spared() {
    let spared = BTreeSet::from([net(1), net(2)]);
    let held = || vec![entry(1, &[1, 2]), entry(2, &[1])];
    let some = wanted(&[(1, &[1])]);
    assert_eq!(plan(&some, held(), METRIC, &spared), []);
    let another = wanted(&[(1, &[3])]);
    let change = Step::Change {
        from: vec![entry(1, &[1, 2])],
        to: entry(1, &[1, 2, 3]),
    };
    assert_eq!(plan(&another, held(), METRIC, &spared), [change]);
}

/// What the kernel holds after the steps.
fn carried_out(held: &[Entry], steps: &[Step]) -> Vec<Entry> {
    let mut held = held.to_vec();
    for step in steps {
        match step {
            Step::Add(entry) => {
                let is_same =
                    |it: &Entry| (it.destination, it.metric) == (entry.destination, entry.metric);
                assert!(!held.iter().any(is_same), "it is there: {entry}");
                held.push(entry.clone());
            }
            Step::Change { from, to } => {
                held.retain(|it| !from.contains(it) && it != to);
                held.push(to.clone());
            }
            Step::Remove(entry) => {
                assert!(held.contains(entry), "it is not there: {entry}");
                held.retain(|it| it != entry);
            }
        }
    }
    held.sort();
    held
}

fn some_hops() -> impl Strategy<Value = BTreeSet<Hop>> {
    prop::collection::btree_set(1_u8..5, 1..4)
        .prop_map(|lasts| hops(&lasts.into_iter().collect::<Vec<_>>()))
}

fn some_held() -> impl Strategy<Value = Vec<Entry>> {
    let one = (
        0_u8..6,
        prop_oneof![Just(METRIC), Just(200)],
        some_hops(),
        any::<bool>(),
    );
    let one = one.prop_map(|(number, metric, hops, is_odd)| {
        let mut entry = Entry::new(net(number), metric, &hops);
        if is_odd {
            entry.is_odd = true;
            entry.hops.clear();
        }
        entry
    });
    prop::collection::vec(one, 0..10).prop_map(|mut held| {
        held.sort();
        held.dedup();
        held
    })
}

proptest! {
    #[test]
    fn the_steps_lead_to_what_is_wanted_and_then_there_are_none(
        wanted in prop::collection::btree_map((0_u8..6).prop_map(net), some_hops(), 0..6),
        held in some_held(),
    ) {
        let steps = plan(&wanted, held.clone(), METRIC, &nothing());
        let after = carried_out(&held, &steps);
        let expected = wanted.iter().map(|(net, hops)| Entry::new(*net, METRIC, hops));
        prop_assert_eq!(&after, &expected.collect::<Vec<_>>());
        prop_assert_eq!(plan(&wanted, after, METRIC, &nothing()), []);
    }

    #[test]
    fn a_spared_destination_loses_no_gateway_and_nobody_else_gains_one(
        wanted in prop::collection::btree_map((0_u8..6).prop_map(net), some_hops(), 0..6),
        held in some_held(),
        spared in prop::collection::btree_set((0_u8..6).prop_map(net), 0..6),
    ) {
        let steps = plan(&wanted, held.clone(), METRIC, &spared);
        let after = carried_out(&held, &steps);
        let through = |all: &[Entry], net: &IpNet| -> BTreeSet<Hop> {
            let its = all.iter().filter(|it| it.destination == *net);
            its.flat_map(Entry::hop_set).collect()
        };
        for number in 0..6 {
            let net = net(number);
            let (before, after) = (through(&held, &net), through(&after, &net));
            let asked = wanted.get(&net).cloned().unwrap_or_default();
            if spared.contains(&net) {
                prop_assert!(after.is_superset(&before) && after.is_superset(&asked));
            } else {
                prop_assert_eq!(after, asked);
            }
        }
    }
}

//! Links that go down, come back, or carry beats one way only.

use std::collections::BTreeMap;

use super::super::capture::Capture;
use super::super::world::{Host, World, eventually, with_hosts};
use super::cluster::{Family, Plan, mac, segment, shares, until_mutual};
use openelb_announce::announcer::SegmentStatus;

/// Nothing that `host` beats leaves the bridge's port any more, though it hears everybody.
fn silence_beats(world: &World, host: &Host) {
    let port = format!("p{}eth0", host.number);
    world.on_switch("nft add table netdev t");
    world.on_switch(&format!(
        "nft add chain netdev t in {{ type filter hook ingress device {port} priority 0 ; }}"
    ));
    world.on_switch("nft add rule netdev t in udp dport 7947 drop");
}

#[test]
fn what_a_node_had_whose_link_goes_down_moves_and_does_not_come_back_at_once_with_the_link() {
    with_hosts(|_, [one, two, client]| {
        let plan = Plan::default();
        let (census, nodes, before) = plan.form([&one, &two], &client);
        assert_eq!(shares(&before).len(), 2);
        one.sh("ip link set eth0 down");
        eventually("the other has everything", || {
            shares(&census.settled(&plan.addresses()))
                .into_keys()
                .eq([mac(&two)])
        });
        one.sh("ip link set eth0 up");
        until_mutual(&nodes.each_ref(), 1);
        let back = census.asked();
        census.ask_more(200);
        assert_eq!(
            census.answers(back, mac(&one)),
            0,
            "the hold time is ten minutes"
        );
        assert_eq!(census.doubles(0), []);
        // Its addresses came back with the link, and its beats are heard: it can take over again.
        two.sh("ip link set eth0 down");
        eventually("the first has everything", || {
            shares(&census.settled(&plan.addresses()))
                .into_keys()
                .eq([mac(&one)])
        });
    });
}

#[test]
fn a_node_that_nobody_hears_any_more_gives_way_to_those_who_took_over() {
    with_hosts(|world, [one, two, three, client]| {
        let plan = Plan::default();
        let (census, nodes, before) = plan.form([&one, &two, &three], &client);
        assert!(shares(&before).contains_key(&mac(&one)));
        silence_beats(world, &one);
        eventually("it answers for nothing", || {
            !shares(&census.settled(&plan.addresses())).contains_key(&mac(&one))
        });
        let settled = census.asked();
        census.ask_more(100);
        assert_eq!(census.doubles(settled), []);
        eprintln!("{} questions were answered twice", census.doubles(0).len());
        // Heard again, it takes part without a fight.
        world.on_switch("nft delete table netdev t");
        until_mutual(&nodes.each_ref(), 2);
        census.ask_more(100);
        assert_eq!(census.doubles(settled), []);
    });
}

#[test]
fn two_nodes_that_do_not_hear_each_other_but_a_third_change_nothing() {
    with_hosts(|_, [one, two, three, client]| {
        let plan = Plan::default();
        let (census, _nodes, before) = plan.form([&one, &two, &three], &client);
        // One way only: the second no longer hears the first.
        two.sh("nft add table netdev t");
        two.sh("nft add chain netdev t in { type filter hook ingress device eth0 priority 0 ; }");
        let first = one.mac("eth0");
        two.sh(&format!(
            "nft add rule netdev t in ether saddr {first} udp dport 7947 drop"
        ));
        // Longer than any death takes.
        census.ask_more(300);
        assert_eq!(census.settled(&plan.addresses()), before);
        assert_eq!(census.doubles(0), []);
    });
}

/// Nothing reaches `host` any more, though it is heard by everybody.
fn deafen(world: &World, host: &Host) {
    let port = format!("p{}eth0", host.number);
    world.on_switch("nft add table netdev t");
    world.on_switch(&format!(
        "nft add chain netdev t out {{ type filter hook egress device {port} priority 0 ; policy drop ; }}"
    ));
}

#[test]
fn a_node_that_hears_nothing_announces_what_it_takes_over_once() {
    with_hosts(|world, [one, two, client]| {
        let plan = Plan {
            families: &[Family::V4],
            ..Plan::default()
        };
        let (census, nodes, before) = plan.form([&one, &two], &client);
        let capture = Capture::start(&client, "arp");
        deafen(world, &one);
        let all = segment(&nodes[0]).shards.len();
        let owned = |status: &SegmentStatus| {
            let shards = status.shards.iter();
            shards.filter(|shard| shard.owned_for.is_some()).count()
        };
        eventually("it takes everything over", || {
            owned(&segment(&nodes[0])) == all
        });
        // Longer than the second and third announcement would take.
        census.ask_more(300);
        let sender = mac(&one);
        let display = format!("arp.isgratuitous && eth.src == {sender}");
        let mut announced: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for frame in capture.frames(&display, &["arp.src.proto_ipv4", "frame.time_epoch"]) {
            let at = frame[1].parse().unwrap();
            announced.entry(frame[0].clone()).or_default().push(at);
        }
        for (address, owner) in before.iter().filter(|(_, owner)| **owner != sender) {
            let times = announced.remove(&address.to_string()).unwrap_or_default();
            // A round takes milliseconds, the next would come after a second, a refresh after three.
            let is_repeat = |pair: &&[f64]| (0.5..2.0).contains(&(pair[1] - pair[0]));
            assert_eq!(
                times.windows(2).find(is_repeat),
                None,
                "{address} of {owner}"
            );
            assert!(!times.is_empty(), "{address} of {owner}");
        }
        // It hears again, and they agree.
        world.on_switch("nft delete table netdev t");
        eventually("everything has one owner", || {
            let heard = census.asked();
            census.ask_more(50);
            census.doubles(heard).is_empty()
        });
    });
}

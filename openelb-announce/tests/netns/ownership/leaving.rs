//! Nodes that go on purpose hand over what they have.

use openelb_announce::announcer::Event;
use openelb_announce::ownership::{self, How};

use super::super::announcing::until_event;
use super::super::world::{eventually, with_hosts};
use super::cluster::{Plan, mac, name, segment, shares};

#[test]
fn a_drained_node_hands_over_everything_and_takes_part_again_when_it_is_told_to() {
    with_hosts(|_, [one, two, client]| {
        let plan = Plan {
            hold: std::time::Duration::from_secs(1),
            ..Plan::default()
        };
        let (census, nodes, before) = plan.form([&one, &two], &client);
        assert_eq!(shares(&before).len(), 2);
        let drained = census.asked();
        nodes[0].drain(true);
        until_event(&nodes[0], "it has nothing left", |event| {
            let drained = ownership::Event::Drained;
            matches!(event, Event::Ownership { event, .. } if *event == drained).then_some(())
        });
        let owners = census.settled(&plan.addresses());
        assert_eq!(shares(&owners).into_keys().collect::<Vec<_>>(), [mac(&two)]);
        assert_eq!(census.doubles(0), []);
        let silences = plan.addresses().into_iter();
        let longest = silences.map(|it| census.longest_silence(drained, it)).max();
        eprintln!("longest silence while draining: {longest:?} x 10 ms");
        assert!(longest <= Some(50), "a death takes longer than {longest:?}");
        nodes[0].drain(false);
        eventually("it has a share again", || {
            shares(&census.settled(&plan.addresses())).contains_key(&mac(&one))
        });
        assert_eq!(census.doubles(0), []);
    });
}

#[test]
fn a_node_drains_when_another_one_orders_it_to() {
    with_hosts(|_, [one, two, client]| {
        let plan = Plan::default();
        let (census, nodes, _) = plan.form([&one, &two], &client);
        nodes[0].order_drain(&name(2), true);
        until_event(&nodes[0], "it was obeyed", |event| {
            let obeyed = |event: &ownership::Event| matches!(event, ownership::Event::Obeyed { node, drain: true } if *node == name(2));
            matches!(event, Event::Ownership { event, .. } if obeyed(event)).then_some(())
        });
        eventually("the other has everything", || {
            let owners = census.settled(&plan.addresses());
            shares(&owners).into_keys().collect::<Vec<_>>() == [mac(&one)]
        });
        // A desired set that says nothing new does not undo the order.
        nodes[1].set(plan.desired(2)).unwrap();
        let told = census.asked();
        census.ask_more(100);
        assert_eq!(census.answers(told, mac(&two)), 0);
        assert!(segment(&nodes[1]).status.is_draining);
        assert_eq!(census.doubles(0), []);
    });
}

#[test]
fn contract_30_a_node_that_is_stopped_hands_over_before_it_goes() {
    with_hosts(|_, [one, two, client]| {
        let plan = Plan::default();
        let (census, [leaving, _staying], before) = plan.form([&one, &two], &client);
        let stopped = census.asked();
        leaving.stop();
        // By now the others have everything: nobody waits for a death.
        census.ask_more(30);
        assert_eq!(census.answers(census.asked() - 40, mac(&one)), 0);
        let owners = census.settled(&plan.addresses());
        assert_eq!(shares(&owners).into_keys().collect::<Vec<_>>(), [mac(&two)]);
        assert_eq!(census.doubles(0), []);
        for (address, owner) in before {
            let silence = census.longest_silence(stopped, address);
            eprintln!("{address} of {owner}: silent for {silence} x 10 ms");
            assert!(silence <= 50, "a death takes longer than {silence}");
        }
    });
}

#[test]
fn a_node_that_is_stopped_right_after_a_beat_is_heard_to_leave() {
    with_hosts(|_, [one, two, client]| {
        let plan = Plan::default();
        let (_census, [leaving, staying], _) = plan.form([&one, &two], &client);
        let shards = segment(&leaving).shards.into_iter();
        let share = shards.filter(|shard| shard.owned_for.is_some()).count();
        assert!(share > 0);
        while staying.events().try_recv().is_ok() {}
        // It is said at once, so the word that this node leaves has to wait for its turn.
        leaving.order_drain(&name(3), true);
        leaving.stop();
        let mut taken = Vec::new();
        eventually("the other has everything", || {
            while let Ok(event) = staying.events().try_recv() {
                if let Event::Ownership { event, .. } = event
                    && let ownership::Event::Acquired { how, .. } = event
                {
                    taken.push(how);
                }
            }
            taken.len() >= share
        });
        let is_handed_over = |how: &How| *how == How::Handover;
        assert!(taken.iter().all(is_handed_over), "a death: {taken:?}");
    });
}

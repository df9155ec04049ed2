//! An owner that is stopped and goes on later has lost everything meanwhile, and knows it.

use super::super::world::{eventually, with_hosts};
use super::census::Census;
use super::cluster::{Plan, mac, shares, until_mutual};

#[test]
fn an_owner_that_was_stopped_answers_nothing_when_it_goes_on_and_its_heirs_keep_what_they_have() {
    with_hosts(|_, [one, two, three, client]| {
        let plan = Plan::default();
        let census = Census::start(&client, &plan.addresses());
        let sleeper = plan.spawn_plain(&one);
        let nodes = [&two, &three].map(|host| plan.join(host));
        until_mutual(&nodes.each_ref(), 2);
        let before = census.settled(&plan.addresses());
        let asleep = mac(&one);
        assert!(shares(&before).contains_key(&asleep));
        sleeper.signal("STOP");
        eventually("others answer for everything", || {
            !shares(&census.settled(&plan.addresses())).contains_key(&asleep)
        });
        // Questions for everything wait at its sockets by now; what was asked before it stopped does
        // not count.
        let stopped = census.asked();
        census.ask_more(50);
        sleeper.signal("CONT");
        // It listens, is heard, and takes nothing back: the hold time of this test is ten minutes.
        until_mutual(&nodes.each_ref(), 2);
        census.ask_more(250);
        assert_eq!(census.answers(stopped, asleep), 0, "not one stale answer");
        assert_eq!(census.doubles(0), []);
    });
}

//! What the controller does when the API server, others or itself go wrong.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::world::{EIPS, SERVICES, World};
use crate::server::{Fault, Verb};

#[tokio::test(start_paused = true)]
async fn a_storm_of_conflicts_only_delays() {
    let world = World::new("192.0.2.0/28");
    let mut count = 0;
    world.fake.rule(Box::new(move |call| {
        let is_ledger = call.verb.is_write() && call.plural == "eips";
        count += usize::from(is_ledger);
        (is_ledger && count % 4 != 0).then_some(Fault::Fail(409))
    }));
    let _controller = world.start("a");
    for number in 0..8 {
        world.service(&format!("s{number}"));
        sleep(Duration::from_millis(300)).await;
    }
    world.settle().await;
    assert!((0..8).all(|number| !world.address(&format!("s{number}")).is_empty()));
    world.judge();
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_everything_that_happened_meanwhile_is_made_good() {
    let world = World::new("192.0.2.1-192.0.2.3");
    let _controller = world.start("a");
    world.service("stays");
    world.service("goes");
    world.settle().await;
    let stays = world.address("stays");
    world.fake.faults(|faults| faults.cut("a"));
    world.delete("goes");
    world.service("comes");
    sleep(Duration::from_mins(10)).await;
    assert_eq!(world.address("comes"), "");
    world.fake.forget_history();
    world.fake.faults(|faults| faults.mend("a"));
    world.settle().await;
    assert_eq!(world.address("stays"), stays);
    assert!(!world.address("comes").is_empty());
    assert!(world.read("goes").is_none());
    world.judge();
}

#[tokio::test(start_paused = true)]
async fn two_controllers_that_both_lead_give_no_address_twice() {
    let world = World::new("192.0.2.0/27");
    let _controllers = [world.start("a"), world.start("b")];
    for number in 0..20 {
        world.service(&format!("s{number}"));
    }
    world.settle().await;
    for number in 0..10 {
        world.delete(&format!("s{number}"));
        world.service(&format!("t{number}"));
    }
    world.settle().await;
    assert_eq!(world.records().as_object().unwrap().len(), 20);
    world.judge();
}

#[tokio::test(start_paused = true)]
async fn a_controller_whose_watches_stand_still_harms_nobody() {
    let world = World::new("192.0.2.0/28");
    let _controllers = [world.start("a"), world.start("b")];
    world.service("one");
    world.settle().await;
    world.fake.faults(|faults| faults.hold("b", true));
    world.delete("one");
    for number in 0..5 {
        world.service(&format!("s{number}"));
    }
    world.settle().await;
    world.fake.faults(|faults| faults.hold("b", false));
    world.settle().await;
    assert_eq!(world.records().as_object().unwrap().len(), 5);
    world.judge();
}

#[tokio::test(start_paused = true)]
async fn an_address_that_another_controller_wrote_is_reported_and_left() {
    let world = World::new("192.0.2.1");
    world.service("one");
    let status = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "one"}, "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}}});
    let path = format!("{SERVICES}/one/status?fieldManager=stranger");
    world
        .fake
        .user_as("PATCH", &path, &status, "application/apply-patch+yaml")
        .unwrap();
    let _controller = world.start("a");
    world.settle().await;
    assert_eq!(world.address("one"), "203.0.113.9");
    let forced = world
        .fake
        .journal()
        .into_iter()
        .filter(|entry| entry.call.plural == "services" && entry.call.verb.is_write());
    assert_eq!(forced.filter(|entry| entry.status == Some(200)).count(), 0);
    assert!(!world.events("one").is_empty(), "somebody is told");
}

#[tokio::test(start_paused = true)]
async fn one_pool_that_is_nonsense_stops_nothing_else() {
    let world = World::new("192.0.2.1");
    let nonsense = json!({"metadata": {"name": "nonsense"}, "spec": {"address": "somewhere", "protocol": "none"}});
    world.fake.user("POST", EIPS, &nonsense).unwrap();
    let _controller = world.start("a");
    world.service("one");
    world.settle().await;
    assert_eq!(world.address("one"), "192.0.2.1");
}

#[tokio::test(start_paused = true)]
async fn events_that_cannot_be_written_delay_no_address_and_are_not_repeated_for_ever() {
    let world = World::new("192.0.2.1");
    world.fake.rule(Box::new(|call| {
        (call.plural == "events").then_some(Fault::Fail(500))
    }));
    let _controller = world.start("a");
    for number in 0..30 {
        world.service(&format!("s{number}"));
    }
    world.settle().await;
    sleep(Duration::from_hours(1)).await;
    assert_eq!(world.address("s0"), "192.0.2.1");
    let journal = world.fake.journal();
    let events = journal
        .iter()
        .filter(|entry| entry.call.plural == "events" && entry.call.verb != Verb::List);
    assert!(
        events.count() <= 120,
        "one for each decision, each a few times at most"
    );
    assert_ne!(
        world.fake.user("GET", EIPS, &Value::Null).unwrap()["items"],
        Value::Null
    );
}

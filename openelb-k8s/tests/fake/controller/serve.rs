//! What the controller does while nothing goes wrong.

use serde_json::{Value, json};

use super::world::{EIPS, World};

#[tokio::test(start_paused = true)]
async fn a_service_gets_an_address_and_who_waits_gets_it_when_it_is_free() {
    let world = World::new("192.0.2.1-192.0.2.2");
    let _controller = world.start("a");
    for name in ["one", "two", "three"] {
        world.service(name);
        world.settle().await;
    }
    assert_eq!(
        (world.address("one"), world.address("three")),
        ("192.0.2.1".to_owned(), String::new())
    );
    world.delete("one");
    world.settle().await;
    assert!(world.read("one").is_none(), "its finalizer came off");
    assert_eq!(world.address("three"), "192.0.2.1");
    world.judge();
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_no_load_balancer_any_more_gives_its_address_back() {
    let world = World::new("192.0.2.1");
    let _controller = world.start("a");
    world.service("one");
    world.settle().await;
    world.edit("one", &json!({"spec": {"type": "ClusterIP"}}));
    world.settle().await;
    assert!(
        world
            .records()
            .as_object()
            .is_none_or(serde_json::Map::is_empty),
        "{}",
        world.records()
    );
    let service = world.read("one").unwrap();
    assert_eq!(service["metadata"]["finalizers"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_a_pool_moves_nobody_and_serves_who_waits() {
    let world = World::new("192.0.2.1");
    let _controller = world.start("a");
    world.service("one");
    world.settle().await;
    world.service("two");
    world.settle().await;
    assert_eq!(world.address("two"), "");
    let patch = json!({"spec": {"address": "192.0.2.8/30"}});
    world
        .fake
        .user("PATCH", &format!("{EIPS}/pool"), &patch)
        .unwrap();
    world.settle().await;
    assert_eq!(
        world.address("one"),
        "192.0.2.1",
        "it keeps what the pool no longer has"
    );
    assert!(world.address("two").starts_with("192.0.2."));
    world.judge();
}

#[tokio::test(start_paused = true)]
async fn a_world_that_has_not_changed_costs_no_write() {
    let world = World::new("192.0.2.0/24,198.51.100.0/24");
    for number in 0..SERVICES {
        world.service(&format!("s{number}"));
    }
    let controller = world.start("a");
    world.settle().await;
    assert_eq!(world.records().as_object().unwrap().len(), SERVICES);
    controller.crash();
    let (version, writes) = (world.fake.version(), world.writes());
    let _controller = world.start("b");
    world.settle().await;
    world.fake.forget_history();
    world.settle().await;
    assert_eq!(
        world.writes() - writes,
        0,
        "after a restart and after a relist"
    );
    assert_eq!(world.fake.version() - version, 1, "the one that forgot");
}

#[tokio::test(start_paused = true)]
async fn a_crowd_costs_one_write_each_and_a_few_of_the_ledger() {
    let world = World::new("192.0.2.0/24,198.51.100.0/24");
    for number in 0..SERVICES {
        world.service(&format!("s{number}"));
    }
    let _controller = world.start("a");
    world.settle().await;
    let journal = world.fake.journal();
    let count = |plural: &str| {
        journal
            .iter()
            .filter(|entry| entry.call.verb.is_write() && entry.call.plural == plural)
            .count()
    };
    assert_eq!(count("services"), SERVICES);
    assert!(count("eips") < 30, "{} writes of the ledger", count("eips"));
    assert!(count("events") <= SERVICES, "{} Events", count("events"));
    world.judge();
}

const SERVICES: usize = 300;

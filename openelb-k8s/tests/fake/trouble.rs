//! What the fake server does wrong when it is told to, seen by a client.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams, PostParams};
use kube::runtime::watcher::{self, watcher as watched};
use openelb_k8s::api::Eip;
use openelb_k8s::client::{Event, Scope, Watch};
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::server::{Fake, Fault, Verb};

#[tokio::test(start_paused = true)]
async fn a_client_whose_watches_are_held_learns_later() {
    let (fake, maps) = world();
    let config = watcher::Config::default();
    let mut events = watched(maps.clone(), config).boxed();
    while !matches!(
        events.try_next().await.unwrap(),
        Some(watcher::Event::InitDone)
    ) {}
    fake.faults(|faults| faults.hold("a", true));
    maps.create(&PostParams::default(), &ConfigMap::named("late"))
        .await
        .unwrap();
    assert!(
        timeout(Duration::from_secs(200), events.next())
            .await
            .is_err()
    );
    fake.faults(|faults| faults.hold("a", false));
    let event = timeout(Duration::from_secs(1), events.try_next())
        .await
        .unwrap()
        .unwrap();
    assert!(
        matches!(event, Some(watcher::Event::Apply(map)) if map.metadata.name.as_deref() == Some("late"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_that_nobody_answers_is_asked_for_again() {
    let fake = Fake::new();
    fake.user(
        "POST",
        EIPS,
        &json!({"metadata": {"name": "p"}, "spec": {"address": "192.0.2.1"}}),
    )
    .unwrap();
    let mut is_first = true;
    fake.rule(Box::new(move |call| {
        let is_hung = call.verb == Verb::List && std::mem::take(&mut is_first);
        is_hung.then_some(Fault::HangBefore)
    }));
    let before = Instant::now();
    let mut watch = Watch::<Eip>::new(fake.client("a"), Scope::all());
    assert!(matches!(watch.next().await, Event::Restart));
    let interrupted = watch.next().await;
    assert!(matches!(interrupted, Event::Interrupted(it) if it.status.is_none()));
    assert!(matches!(watch.next().await, Event::Restart));
    assert!(matches!(watch.next().await, Event::Applied(eip) if eip.metadata.name == "p"));
    assert!(matches!(watch.next().await, Event::Synced));
    assert!(
        before.elapsed() < Duration::from_mins(1),
        "on the clock of the test"
    );
    // What is whole has no limit: a watch may be silent for as long as nothing happens.
    let silence = timeout(Duration::from_hours(1), watch.next()).await;
    assert!(silence.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_watch_whose_beginning_nobody_answers_is_asked_for_again_at_its_place() {
    let fake = Fake::new();
    let mut is_first = true;
    fake.rule(Box::new(move |call| {
        let is_hung = call.verb == Verb::Watch && std::mem::take(&mut is_first);
        is_hung.then_some(Fault::HangBefore)
    }));
    let before = Instant::now();
    let mut watch = Watch::<Eip>::new(fake.client("a"), Scope::all());
    assert!(matches!(watch.next().await, Event::Restart));
    assert!(matches!(watch.next().await, Event::Synced));
    let eip = json!({"metadata": {"name": "p"}, "spec": {"address": "192.0.2.1"}});
    fake.user("POST", EIPS, &eip).unwrap();
    let interrupted = watch.next().await;
    let Event::Interrupted(interruption) = interrupted else {
        panic!("{interrupted:?}");
    };
    assert!(interruption.why.contains("no answer"), "{interruption:?}");
    assert!(matches!(watch.next().await, Event::Applied(eip) if eip.metadata.name == "p"));
    assert!(
        before.elapsed() < Duration::from_mins(1),
        "on the clock of the test"
    );
    // What runs has no limit.
    let silence = timeout(Duration::from_hours(1), watch.next()).await;
    assert!(silence.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_list_that_takes_any_version_may_be_an_old_one() {
    let (fake, maps) = world();
    let old = fake.version();
    fake.faults(|faults| faults.list_at("a", old));
    maps.create(&PostParams::default(), &ConfigMap::named("new"))
        .await
        .unwrap();
    let any = maps.list(&ListParams::default().match_any()).await.unwrap();
    let newest = maps.list(&ListParams::default()).await.unwrap();
    assert_eq!((any.items.len(), newest.items.len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn trouble_comes_as_statuses_delays_and_silence() {
    let (fake, maps) = world();
    let mut faults = vec![
        Fault::HangBefore,
        Fault::HangAfter,
        Fault::Delay(Duration::from_secs(7)),
        Fault::Fail(429),
    ];
    fake.rule(Box::new(move |call| {
        (call.verb == Verb::Create).then(|| faults.pop()).flatten()
    }));
    let create = |name: &'static str| {
        let maps = maps.clone();
        async move {
            maps.create(&PostParams::default(), &ConfigMap::named(name))
                .await
        }
    };
    let refused = create("refused").await.unwrap_err();
    assert!(matches!(refused, kube::Error::Api(status) if status.reason == "TooManyRequests"));
    let before = Instant::now();
    create("slow").await.unwrap();
    assert_eq!(before.elapsed(), Duration::from_secs(7));
    let silent = [create("written").boxed(), create("unwritten").boxed()];
    for request in silent {
        assert!(timeout(Duration::from_mins(10), request).await.is_err());
    }
    let names = maps.list(&ListParams::default()).await.unwrap().items;
    let names: Vec<String> = names
        .into_iter()
        .filter_map(|map| map.metadata.name)
        .collect();
    assert_eq!(names, ["slow", "written"]);
    assert_eq!(fake.requests(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_breaks_the_schema_of_its_kind_is_refused() {
    let fake = Fake::new();
    let eip = |address: serde_json::Value| json!({"metadata": {"name": "p"}, "spec": {"address": address, "nonsense": 1}});
    let refused = fake.user("POST", EIPS, &eip(json!(7))).unwrap_err();
    assert_eq!(
        (
            refused["code"].as_u64(),
            refused["details"]["causes"][0]["field"].as_str()
        ),
        (Some(422), Some("spec.address"))
    );
    let stored = fake
        .user("POST", EIPS, &eip(json!("192.0.2.0/24")))
        .unwrap();
    assert_eq!(
        stored["spec"]["nonsense"],
        serde_json::Value::Null,
        "unknown fields are pruned"
    );
}

fn world() -> (Fake, Api<ConfigMap>) {
    let fake = Fake::new();
    let maps = Api::default_namespaced(fake.client("a"));
    (fake, maps)
}

trait Named {
    fn named(name: &str) -> Self;
}

impl Named for ConfigMap {
    fn named(name: &str) -> Self {
        let mut map = Self::default();
        map.metadata.name = Some(name.to_owned());
        map
    }
}

const EIPS: &str = "/apis/network.kubesphere.io/v1alpha2/eips";

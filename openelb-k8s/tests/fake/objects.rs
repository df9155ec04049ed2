//! The fake server's own promises: versions, watches, ownership of fields, what goes wrong.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, Service};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::watcher::{self, watcher as watched};
use serde_json::{Value, json};

use crate::server::{Fake, Fault};

#[tokio::test(start_paused = true)]
async fn a_write_made_from_an_old_version_is_refused() {
    let fake = Fake::new();
    let maps: Api<ConfigMap> = Api::default_namespaced(fake.client("a"));
    let made = maps
        .create(&PostParams::default(), &map("x"))
        .await
        .unwrap();
    let mut newer = made.clone();
    newer.data = Some([("k".to_owned(), "v".to_owned())].into());
    maps.replace("x", &PostParams::default(), &newer)
        .await
        .unwrap();
    let refused = maps
        .replace("x", &PostParams::default(), &made)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, kube::Error::Api(status) if status.code == 409 && status.reason == "Conflict")
    );
}

#[tokio::test(start_paused = true)]
async fn a_watcher_sees_what_is_there_and_what_happens_then() {
    let fake = Fake::new();
    let maps: Api<ConfigMap> = Api::default_namespaced(fake.client("a"));
    for number in 0..7 {
        maps.create(&PostParams::default(), &map(&format!("m{number}")))
            .await
            .unwrap();
    }
    let config = watcher::Config::default().page_size(3);
    let mut events = watched(maps.clone(), config).boxed();
    let mut seen = Vec::new();
    while let Some(event) = events.try_next().await.unwrap() {
        match event {
            watcher::Event::InitApply(object) => seen.push(object.metadata.name.unwrap()),
            watcher::Event::InitDone => break,
            _ => {}
        }
    }
    assert_eq!(seen, ["m0", "m1", "m2", "m3", "m4", "m5", "m6"]);
    maps.delete("m3", &DeleteParams::default()).await.unwrap();
    let event = events.try_next().await.unwrap().unwrap();
    assert!(
        matches!(event, watcher::Event::Delete(object) if object.metadata.name.as_deref() == Some("m3"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_watcher_lists_again_when_history_is_forgotten() {
    let fake = Fake::new();
    let maps: Api<ConfigMap> = Api::default_namespaced(fake.client("a"));
    let mut events = watched(maps.clone(), watcher::Config::default()).boxed();
    until_listed(&mut events).await;
    fake.faults(|faults| faults.cut("a"));
    fake.user("POST", MAPS, &json!({"metadata": {"name": "missed"}}))
        .unwrap();
    fake.forget_history();
    fake.faults(|faults| faults.mend("a"));
    let listed = until_listed(&mut events).await;
    assert_eq!(listed, ["missed"]);
}

#[tokio::test(start_paused = true)]
async fn finalizers_hold_an_object_until_the_last_is_gone() {
    let fake = Fake::new();
    let body = json!({"metadata": {"name": "x", "finalizers": ["a/b", "c/d"]}});
    fake.user("POST", MAPS, &body).unwrap();
    let one = format!("{MAPS}/x");
    let dying = fake.user("DELETE", &one, &Value::Null).unwrap();
    assert_eq!(
        dying["metadata"]["deletionTimestamp"],
        "2026-01-01T00:00:00Z"
    );
    let added = fake.user(
        "PATCH",
        &one,
        &json!({"metadata": {"finalizers": ["a/b", "e/f"]}}),
    );
    assert_eq!(added.unwrap_err()["code"], 422);
    fake.user("PATCH", &one, &json!({"metadata": {"finalizers": ["c/d"]}}))
        .unwrap();
    assert_eq!(
        fake.user("GET", &one, &Value::Null).unwrap()["metadata"]["finalizers"],
        json!(["c/d"])
    );
    fake.user("PATCH", &one, &json!({"metadata": {"finalizers": null}}))
        .unwrap();
    assert_eq!(
        fake.user("GET", &one, &Value::Null).unwrap_err()["code"],
        404
    );
}

#[tokio::test(start_paused = true)]
async fn the_status_of_a_service_lets_metadata_through_and_nothing_of_the_wish() {
    let fake = Fake::new();
    fake.user("POST", SERVICES, &service("web")).unwrap();
    let services: Api<Service> = Api::default_namespaced(fake.client("a"));
    let apply = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "labels": {"pool": "p"}, "finalizers": ["x/y"]},
        "spec": {"type": "ClusterIP"}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
    });
    let after = services
        .patch_status("web", &PatchParams::apply("ours"), &Patch::Apply(&apply))
        .await
        .unwrap();
    assert_eq!(after.spec.unwrap().type_.as_deref(), Some("LoadBalancer"));
    assert_eq!(after.metadata.labels.unwrap()["pool"], "p");
    assert_eq!(after.metadata.finalizers.unwrap(), ["x/y"]);
    let ingress = after
        .status
        .unwrap()
        .load_balancer
        .unwrap()
        .ingress
        .unwrap();
    assert_eq!(ingress[0].ip.as_deref(), Some("192.0.2.1"));
}

#[tokio::test(start_paused = true)]
async fn an_apply_names_who_owns_the_field_and_takes_it_only_with_force() {
    let fake = Fake::new();
    fake.user("POST", SERVICES, &service("web")).unwrap();
    let services: Api<Service> = Api::default_namespaced(fake.client("a"));
    let ingress = |ip: &str| json!({"apiVersion": "v1", "kind": "Service", "status": {"loadBalancer": {"ingress": [{"ip": ip}]}}});
    services
        .patch_status(
            "web",
            &PatchParams::default(),
            &Patch::Merge(ingress("192.0.2.1")),
        )
        .await
        .unwrap();
    let ours = PatchParams::apply("ours");
    let refused = services
        .patch_status("web", &ours, &Patch::Apply(ingress("192.0.2.2")))
        .await
        .unwrap_err();
    let kube::Error::Api(status) = refused else {
        panic!("{refused}");
    };
    assert_eq!(
        status.message,
        "Apply failed with 1 conflict: conflict with \"unknown\" with subresource \"status\" using v1: .status.loadBalancer.ingress"
    );
    let taken = services
        .patch_status(
            "web",
            &ours.clone().force(),
            &Patch::Apply(ingress("192.0.2.2")),
        )
        .await
        .unwrap();
    let managers: Vec<String> = taken
        .metadata
        .managed_fields
        .unwrap()
        .into_iter()
        .filter_map(|entry| entry.manager)
        .collect();
    assert_eq!(managers, ["ours", "kubectl"]);
    let version = fake.version();
    services
        .patch_status("web", &ours, &Patch::Apply(ingress("192.0.2.2")))
        .await
        .unwrap();
    assert_eq!(
        fake.version(),
        version,
        "nothing changed, so nothing is written"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_applied_no_more_goes_away_unless_another_owns_it() {
    let fake = Fake::new();
    let maps: Api<ConfigMap> = Api::default_namespaced(fake.client("a"));
    let apply = |manager: &'static str, data: Value| {
        let maps = maps.clone();
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data});
        async move {
            maps.patch("x", &PatchParams::apply(manager), &Patch::Apply(body))
                .await
                .unwrap()
                .data
        }
    };
    apply("one", json!({"shared": "1", "mine": "2"})).await;
    apply("two", json!({"shared": "1", "theirs": "3"})).await;
    let data = apply("one", json!({})).await.unwrap();
    assert_eq!(data.into_keys().collect::<Vec<_>>(), ["shared", "theirs"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_an_error_to_the_client_and_a_fact_to_the_server() {
    let fake = Fake::new();
    fake.rule(Box::new(|call| call.verb.is_write().then_some(Fault::Lose)));
    let maps: Api<ConfigMap> = Api::default_namespaced(fake.client("a"));
    assert!(
        maps.create(&PostParams::default(), &map("x"))
            .await
            .is_err()
    );
    fake.calm();
    assert_eq!(
        maps.list(&ListParams::default()).await.unwrap().items.len(),
        1
    );
    let statuses: Vec<Option<u16>> = fake.journal().iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [None, Some(200)]);
}

#[tokio::test]
async fn over_http_it_is_the_same_server() {
    let fake = Fake::new();
    let address = fake.listen("remote").await;
    let config = kube::Config::new(format!("http://{address}").parse().unwrap());
    let maps: Api<ConfigMap> = Api::default_namespaced(kube::Client::try_from(config).unwrap());
    maps.create(&PostParams::default(), &map("x"))
        .await
        .unwrap();
    let mut events = watched(maps.clone(), watcher::Config::default()).boxed();
    assert_eq!(until_listed(&mut events).await, ["x"]);
    fake.user("DELETE", &format!("{MAPS}/x"), &Value::Null)
        .unwrap();
    let waited = tokio::time::timeout(Duration::from_secs(30), events.try_next()).await;
    assert!(matches!(
        waited.unwrap().unwrap(),
        Some(watcher::Event::Delete(_))
    ));
    assert_eq!(fake.journal()[0].call.client, "remote");
}

async fn until_listed<S>(events: &mut S) -> Vec<String>
where
    S: futures_util::Stream<Item = watcher::Result<watcher::Event<ConfigMap>>> + Unpin,
{
    let mut names = Vec::new();
    loop {
        match events.next().await.unwrap() {
            Ok(watcher::Event::Init) => names.clear(),
            Ok(watcher::Event::InitApply(object)) => names.push(object.metadata.name.unwrap()),
            Ok(watcher::Event::InitDone) => return names,
            Ok(_) => {}
            Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
}

fn map(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: kube::api::ObjectMeta {
            name: Some(name.to_owned()),
            ..Default::default()
        },
        ..Default::default()
    }
}

fn service(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}})
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const SERVICES: &str = "/api/v1/namespaces/default/services";

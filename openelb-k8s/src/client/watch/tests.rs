//! Watches of an API server that answers from a script.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use tower::service_fn;

use super::{Event, Key, Scope, Watch};
use crate::cluster::{Namespace, Service};

#[tokio::test(start_paused = true)]
async fn a_bad_object_of_a_list_is_told_by_itself_and_the_others_arrive() {
    let list = r#"{"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[
        {"metadata":{"name":"a","namespace":"n","managedFields":[{"manager":"x"}],"annotations":{
        "kubectl.kubernetes.io/last-applied-configuration":"{}","kept":"yes"}}},
        {"metadata":{"name":"b","namespace":"n"},"spec":{"ports":[{"port":"http"}]}},
        {"metadata":{"name":"c","namespace":"n"}}]}"#;
    let (client, _) = script([(200, list)]);
    let mut watch = Watch::<Service>::new(client, Scope::all());
    assert_eq!(watch.next().await, Event::Restart);
    let first = watch.next().await;
    let Event::Applied(first) = first else {
        panic!("{first:?}");
    };
    assert_eq!(first.metadata.name, "a");
    let kept: Vec<_> = first.metadata.annotations.keys().collect();
    assert_eq!(kept, ["kept"]);
    let unreadable = watch.next().await;
    let Event::Unreadable { key, why } = unreadable else {
        panic!("{unreadable:?}");
    };
    assert_eq!(key.to_string(), "n/b");
    assert!(why.contains("http"), "{why}");
    assert!(matches!(watch.next().await, Event::Applied(service) if service.metadata.name == "c"));
    assert_eq!(watch.next().await, Event::Synced);
}

#[tokio::test(start_paused = true)]
async fn changes_follow_the_list_and_a_lost_connection_goes_on_at_its_place() {
    let deleted = r#"{"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"9"}}}"#;
    let (client, asked) = script([(200, LIST), (500, ""), (200, deleted)]);
    let mut watch = Watch::<Namespace>::new(client, Scope::all());
    for _ in 0..3 {
        watch.next().await;
    }
    assert!(matches!(watch.next().await, Event::Interrupted(it) if it.status == Some(500)));
    let gone = Key {
        name: "a".to_owned(),
        ..Key::default()
    };
    assert_eq!(watch.next().await, Event::Deleted(gone));
    let asked = asked.lock().unwrap();
    assert!(asked[2].contains("resourceVersion=7"), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_forgotten_begins_a_new_list() {
    let expired = r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}"#;
    for gone in [(410, ""), (200, expired)] {
        let (client, _) = script([(200, LIST), gone, (200, LIST)]);
        let mut watch = Watch::<Namespace>::new(client, Scope::all());
        for _ in 0..3 {
            watch.next().await;
        }
        assert!(matches!(watch.next().await, Event::Interrupted(it) if it.status == Some(410)));
        assert_eq!(watch.next().await, Event::Restart);
        assert!(matches!(watch.next().await, Event::Applied(_)));
        assert_eq!(watch.next().await, Event::Synced);
    }
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_the_server_lacks_is_told_as_such() {
    let (client, _) = script([(404, "404 page not found")]);
    let mut watch = Watch::<Namespace>::new(client, Scope::all());
    assert_eq!(watch.next().await, Event::Restart);
    assert!(matches!(watch.next().await, Event::Interrupted(it) if it.status == Some(404)));
}

#[tokio::test(start_paused = true)]
async fn a_scope_becomes_the_path_and_the_selectors() {
    let (client, asked) = script([(200, LIST)]);
    let scope = Scope::of_namespace("lb").named("key").with_labels("a=b");
    let mut watch = Watch::<Service>::new(client, scope);
    watch.next().await;
    watch.next().await;
    let asked = asked.lock().unwrap();
    let uri = &asked[0];
    assert!(uri.starts_with("/api/v1/namespaces/lb/services?"), "{uri}");
    assert!(uri.contains("fieldSelector=metadata.name%3Dkey"), "{uri}");
    assert!(uri.contains("labelSelector=a%3Db"), "{uri}");
}

/// A client whose requests get these answers in turn, then none for ever; and what was asked.
fn script<const N: usize>(answers: [(u16, &'static str); N]) -> (Client, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
    let seen = asked.clone();
    let service = service_fn(move |request: Request<Body>| {
        seen.lock().unwrap().push(request.uri().to_string());
        let answer = answers.lock().unwrap().pop_front();
        async move {
            let Some((status, text)) = answer else {
                return std::future::pending().await;
            };
            let body = Body::from(text.as_bytes().to_vec());
            let answer = Response::builder().status(status).body(body).unwrap();
            Ok::<_, Infallible>(answer)
        }
    });
    (Client::new(service, "default"), asked)
}

const LIST: &str = r#"{"metadata":{"resourceVersion":"7"},"items":[{"metadata":{"name":"a"}}]}"#;

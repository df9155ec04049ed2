//! What becomes of the same and of different happenings.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use kube::client::Body;
use tokio::time::sleep;
use tower::service_fn;

use super::book::Book;
use super::{Happening, Key, Recorder, Watched};
use crate::client::{Act, Writer};
use crate::cluster::Service;

#[test]
fn an_event_says_what_happened_to_whom_and_who_says_so() {
    let mut book = Book::new("openelb-k8s-controller", "pod-1");
    let line = book.enter(&happening("has 192.0.2.1"), NOW).unwrap();
    assert_eq!(line.request.act, Act::Create);
    let body = &line.request.body;
    assert_eq!(body["regarding"]["kind"], "Service");
    assert_eq!(body["regarding"]["uid"], "u1");
    assert_eq!(body["type"], "Normal");
    assert_eq!(body["note"], "has 192.0.2.1");
    assert_eq!(body["reportingInstance"], "pod-1");
    assert_eq!(body["eventTime"], "1970-01-01T00:00:00.000000Z");
    assert_eq!(line.request.key.namespace, "shop");
}

#[test]
fn the_same_again_is_counted_at_most_once_a_minute() {
    let mut book = Book::new("c", "i");
    let first = book.enter(&happening("full"), NOW).unwrap();
    for second in 1..60 {
        assert!(book.enter(&happening("full"), after(second)).is_none());
    }
    let again = book.enter(&happening("full"), after(60)).unwrap();
    assert_eq!(again.request.act, Act::Merge);
    assert_eq!(again.request.key, first.request.key);
    assert_eq!(again.request.body["series"]["count"], 61);
}

#[test]
fn another_note_is_another_event() {
    let mut book = Book::new("c", "i");
    book.enter(&happening("has 192.0.2.1"), NOW).unwrap();
    let other = book.enter(&happening("has 192.0.2.2"), after(1)).unwrap();
    assert_eq!(other.request.act, Act::Create);
}

#[test]
fn what_the_api_server_no_longer_has_is_made_anew() {
    let mut book = Book::new("c", "i");
    let line = book.enter(&happening("full"), NOW).unwrap();
    book.forget(line.id);
    let again = book.enter(&happening("full"), after(60)).unwrap();
    assert_eq!(again.request.act, Act::Create);
}

#[test]
fn events_of_objects_without_a_namespace_are_where_kubectl_looks() {
    let mut book = Book::new("c", "i");
    let mut happening = happening("x");
    happening.key.namespace.clear();
    let line = book.enter(&happening, NOW).unwrap();
    assert_eq!(line.request.key.namespace, "default");
}

#[test]
fn a_hundred_thousand_different_events_are_not_all_remembered() {
    let mut book = Book::new("c", "i");
    for number in 0..100_000 {
        book.enter(&happening(&number.to_string()), NOW).unwrap();
    }
    let text = format!("{book:?}");
    assert!(text.matches("Entry").count() < 10_000);
}

#[tokio::test(start_paused = true)]
async fn an_event_waits_until_there_was_no_write_for_a_moment() {
    let (client, asked) = server();
    let writes = Writer::new(client.clone(), "c", 4);
    let (recorder, run) = Recorder::new(client, writes.clone(), "c", "i");
    tokio::spawn(run);
    recorder.record(happening("full"));
    for _ in 0..40 {
        writes.read::<Service>(&Key::default()).await.unwrap();
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(events(&asked), 0);
    sleep(Duration::from_millis(250)).await;
    assert_eq!(events(&asked), 1);
}

#[tokio::test(start_paused = true)]
async fn no_event_waits_for_ever() {
    let (client, asked) = server();
    let writes = Writer::new(client.clone(), "c", 4);
    let (recorder, run) = Recorder::new(client, writes.clone(), "c", "i");
    tokio::spawn(run);
    recorder.record(happening("full"));
    for _ in 0..120 {
        writes.read::<Service>(&Key::default()).await.unwrap();
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(events(&asked), 1);
}

/// An API server that has one Service and takes every Event; and what it was asked.
fn server() -> (Client, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let service = service_fn(move |request: Request<Body>| {
        seen.lock().unwrap().push(request.uri().to_string());
        let body = Body::from(br#"{"metadata":{"name":"web"}}"#.to_vec());
        async move { Ok::<_, Infallible>(Response::new(body)) }
    });
    (Client::new(service, "default"), asked)
}

fn events(asked: &Mutex<Vec<String>>) -> usize {
    let asked = asked.lock().unwrap();
    asked.iter().filter(|uri| uri.contains("/events")).count()
}

fn happening(note: &str) -> Happening {
    Happening {
        resource: Service::RESOURCE,
        key: Key {
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
        },
        uid: "u1".to_owned(),
        is_warning: false,
        reason: "AssignIP",
        action: "AssignIP",
        note: note.to_owned(),
    }
}

fn after(seconds: i64) -> Timestamp {
    NOW + SignedDuration::from_secs(seconds)
}

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

//! The parts of the loop: what goes first, what is waited for, how long things took.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Response;
use kube::client::Body;
use tokio::time::advance;
use tower::service_fn;

use super::feed::Feeds;
use super::latency::Latency;
use super::writes::{Done, Writes};
use crate::api::EipStatus;
use crate::client::{Client, Key, Writer};
use crate::cluster::{Service, ServiceType};
use crate::controller::{Change, Input, Kind, Outcome, ServiceApply, Write, WriteId};

#[tokio::test]
async fn writes_of_the_ledger_go_before_those_of_services() {
    let (writer, asked) = server();
    let mut queue = Writes::new(writer, 1);
    queue.push(service_write(1));
    queue.push(service_write(2));
    queue.push(ledger_write(3));
    let mut ended = Vec::new();
    while ended.len() < 3 {
        queue.start();
        ended.push(queue.next().await.id.0);
    }
    assert_eq!(ended, [3, 1, 2]);
    assert_eq!(asked.lock().unwrap().len(), 3);
    assert!(queue.next_begun().await.is_none());
}

#[tokio::test]
async fn every_write_is_answered_with_its_outcome_and_its_service() {
    let (writer, _) = server();
    let mut queue = Writes::new(writer, 4);
    queue.push(service_write(7));
    queue.start();
    let done = queue.next().await;
    assert_eq!((done.id, done.kind), (WriteId(7), "Service"));
    assert_eq!(done.outcome_word(), "done");
    assert_eq!(done.service, Some(key()));
}

#[test]
fn a_controller_is_ready_once_every_kind_was_seen_whole_and_stays_so() {
    let mut feeds = Feeds::default();
    for kind in Kind::ALL {
        assert!(!feeds.missing().is_empty());
        feeds.learn(&Input::Synced(kind));
    }
    assert!(feeds.missing().is_empty());
    feeds.learn(&Input::Restart(Kind::Service));
    assert!(feeds.missing().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_service_waits_from_its_first_event_to_the_answer_of_its_write() {
    let mut latency = Latency::default();
    latency.learn(&event(&[]));
    advance(Duration::from_millis(30)).await;
    latency.learn(&event(&[]));
    advance(Duration::from_millis(20)).await;
    assert_eq!(latency.answered(&done()), Some(Duration::from_millis(50)));
    assert_eq!(latency.answered(&done()), None, "once");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_has_its_address_waits_for_nothing() {
    let mut latency = Latency::default();
    latency.learn(&event(&[]));
    latency.learn(&event(&["192.0.2.1"]));
    assert_eq!(latency.answered(&done()), None);
}

fn event(addresses: &[&str]) -> Input {
    let mut service = Service::default();
    service.metadata.namespace = key().namespace;
    service.metadata.name = key().name;
    service.spec.kind = ServiceType::LoadBalancer;
    let ingress = addresses.iter().map(|ip| crate::cluster::Ingress {
        ip: (*ip).to_owned(),
        ..Default::default()
    });
    service.status.load_balancer.ingress = ingress.collect();
    Input::Service(Box::new(service))
}

fn done() -> Done {
    Done {
        id: WriteId(1),
        kind: "Service",
        service: Some(key()),
        outcome: Outcome::Done {
            resource_version: "8".to_owned(),
        },
    }
}

fn key() -> Key {
    Key {
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
    }
}

fn service_write(id: u64) -> Write {
    let Key { namespace, name } = key();
    Write {
        id: WriteId(id),
        what: Change::Service {
            namespace,
            name,
            apply: Arc::new(ServiceApply::default()),
        },
    }
}

fn ledger_write(id: u64) -> Write {
    Write {
        id: WriteId(id),
        what: Change::EipStatus {
            name: "edge".to_owned(),
            resource_version: "7".to_owned(),
            status: Box::new(EipStatus::default()),
        },
    }
}

/// A writer to a server that takes everything; and the paths that it was asked.
fn server() -> (Writer, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let service = service_fn(move |request: http::Request<Body>| {
        seen.lock().unwrap().push(request.uri().path().to_owned());
        let answer = r#"{"metadata":{"name":"web","resourceVersion":"8"}}"#;
        let answer = Response::new(Body::from(answer.as_bytes().to_vec()));
        async { Ok::<_, Infallible>(answer) }
    });
    let client = Client::new(service, "default");
    (Writer::new(client, "m", 4), asked)
}

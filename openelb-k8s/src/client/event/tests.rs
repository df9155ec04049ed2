//! What becomes of the same and of different happenings.

use jiff::{SignedDuration, Timestamp};

use super::book::Book;
use super::{Happening, Key, Watched};
use crate::client::Act;
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

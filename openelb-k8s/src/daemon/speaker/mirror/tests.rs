//! What is known while lists come, watches break and objects cannot be read.

use super::{ConfigMap, Event, Key, Keys, Material, Mirror, News, PasswordSource};
use crate::api::Eip;
use crate::client::Interruption;

fn eip(name: &str) -> News {
    News::Eip(Event::Applied(Eip::new(name, "192.0.2.0/24")))
}

fn key(name: &str) -> Key {
    Key {
        namespace: String::new(),
        name: name.to_owned(),
    }
}

fn names(mirror: &Mirror) -> Vec<&str> {
    mirror.cluster.eips.keys().map(String::as_str).collect()
}

#[test]
fn nothing_is_complete_before_every_kind_was_listed() {
    let mut mirror = Mirror::new();
    assert_eq!(mirror.missing().len(), 11);
    assert!(mirror.take(News::Eip(Event::Synced)));
    assert!(!mirror.missing().contains(&"Eip"));
    for news in [
        News::Service(Event::Synced),
        News::Slice(Event::Synced),
        News::Node(Event::Synced),
        News::BgpConf(Event::Synced),
        News::BgpPeer(Event::Synced),
        News::Layer2Conf(Event::Synced),
        News::DynamicPrefix(Event::Synced),
        News::PodNetwork(Event::Synced),
        News::ConfigMap(Event::Synced),
    ] {
        mirror.take(news);
    }
    assert_eq!(mirror.missing(), ["Secret"]);
}

#[test]
fn during_a_new_list_the_old_objects_hold_and_what_it_does_not_name_goes_at_its_end() {
    let mut mirror = Mirror::new();
    for news in [eip("a"), eip("b"), News::Eip(Event::Synced)] {
        mirror.take(news);
    }
    assert!(!mirror.take(News::Eip(Event::Restart)));
    assert_eq!(names(&mirror), ["a", "b"]);
    assert!(!mirror.take(eip("b")), "it is the same");
    assert_eq!(names(&mirror), ["a", "b"]);
    assert!(mirror.take(News::Eip(Event::Synced)));
    assert_eq!(names(&mirror), ["b"]);
}

#[test]
fn an_object_that_cannot_be_read_stays_as_it_was_known() {
    let mut mirror = Mirror::new();
    mirror.take(eip("a"));
    mirror.take(News::Eip(Event::Restart));
    let (key, why) = (key("a"), "spec.address is a number".to_owned());
    assert!(!mirror.take(News::Eip(Event::Unreadable { key, why })));
    mirror.take(News::Eip(Event::Synced));
    assert_eq!(names(&mirror), ["a"]);
}

#[test]
fn an_interruption_changes_nothing_but_is_known_until_the_watch_is_back() {
    let mut mirror = Mirror::new();
    mirror.take(eip("a"));
    mirror.take(News::Eip(Event::Synced));
    let interruption = Interruption {
        why: "connection refused".to_owned(),
        status: None,
    };
    assert!(!mirror.take(News::Eip(Event::Interrupted(interruption))));
    assert_eq!(names(&mirror), ["a"]);
    assert_eq!(mirror.interrupted(), ["Eip"]);
    mirror.take(News::Eip(Event::Deleted(key("a"))));
    assert!(mirror.interrupted().is_empty() && names(&mirror).is_empty());
}

#[test]
fn a_kind_that_is_not_installed_is_not_waited_for() {
    let mut mirror = Mirror::new();
    let interruption = Interruption {
        why: "not found".to_owned(),
        status: Some(404),
    };
    mirror.take(News::Layer2Conf(Event::Interrupted(interruption)));
    assert!(!mirror.missing().contains(&"Layer2Conf"));
}

#[test]
fn what_only_counts_writes_is_no_change() {
    let mut mirror = Mirror::new();
    let version = |version: &str| {
        let mut eip = Eip::new("a", "192.0.2.0/24");
        eip.metadata.resource_version = Some(version.to_owned());
        News::Eip(Event::Applied(eip))
    };
    assert!(mirror.take(version("1")));
    assert!(!mirror.take(version("2")));
}

#[test]
fn texts_come_from_the_shelf_or_their_absence_is_told_by_name() {
    let mut mirror = Mirror::new();
    let secret = r#"{"metadata": {"name": "tor"}, "data": {"password": "aHVudGVyMgo="}}"#;
    let secret = serde_json::from_str(secret).unwrap();
    mirror.take(News::Secret(Event::Applied(secret)));
    let mut policy = ConfigMap::default();
    policy.metadata.name = "policy".to_owned();
    mirror.take(News::ConfigMap(Event::Applied(policy)));
    let source = |name, key| PasswordSource::Secret { name, key };
    let shelf = &mirror.shelf;
    let password = shelf.password(source("tor", "password"));
    assert_eq!(password.unwrap(), b"hunter2", "without the newline");
    for (told, words) in [
        (
            shelf.password(source("tor", "key")).unwrap_err(),
            "`tor` has no key `key`",
        ),
        (
            shelf.key(source("l2", "key")).unwrap_err(),
            "no Secret `l2`",
        ),
        (shelf.policy("policy").unwrap_err(), "no key `gobgp.conf`"),
        (shelf.policy("other").unwrap_err(), "no ConfigMap `other`"),
    ] {
        assert!(told.contains(words) && !told.contains("hunter2"), "{told}");
    }
    assert!(!format!("{shelf:?}").contains("hunter2"));
}

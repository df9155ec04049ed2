//! What is said of sources, and when it is said again.

use std::fs;
use std::time::Duration;

use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::Sighting;
use serde_json::json;

use super::{Upstream, is_news, wanted};
use crate::api::DynamicPrefix;
use crate::prefix::Source;

fn home(sources: &serde_json::Value) -> DynamicPrefix {
    serde_json::from_value(json!({
        "apiVersion": "network.kubesphere.io/v1alpha2",
        "kind": "DynamicPrefix",
        "metadata": {"name": "home"},
        "spec": {"sources": sources},
    }))
    .unwrap()
}

fn sighting(preferred: Option<u64>, valid: Option<u64>) -> Sighting {
    Sighting {
        source: 0,
        origin: "wan0".to_owned(),
        prefix: "2001:db8:a::/64".parse().unwrap(),
        preferred_until: preferred.map(|seconds| Time(seconds * 1_000)),
        valid_until: valid.map(|seconds| Time(seconds * 1_000)),
    }
}

#[test]
fn a_node_reads_what_is_of_nodes_and_the_controller_the_rest() {
    let object = home(&json!([
        {"address": {"interface": "wan0"}},
        {"static": {"prefix": "2001:db8::/56"}},
        {"file": {"path": "/run/prefix"}},
    ]));
    let places = |is_of_node: bool| {
        let wanted = wanted([&object], |it| it.is_of_node() == is_of_node);
        let home = wanted.get("home").unwrap().iter();
        home.map(|(place, _)| *place).collect::<Vec<_>>()
    };
    assert_eq!(places(true), [0, 2]);
    assert_eq!(places(false), [1]);
    assert!(wanted([&object], |_| false).is_empty());
}

#[test]
fn a_life_that_is_renewed_is_told_when_half_of_it_is_over_and_a_shorter_one_at_once() {
    let now = Time(1_000_000);
    let known = sighting(Some(2_000), Some(3_000));
    assert!(!is_news(&known, &sighting(Some(2_900), Some(4_900)), now));
    assert!(is_news(&known, &sighting(Some(3_001), Some(3_000)), now));
    assert!(!is_news(&known, &sighting(Some(1_999), Some(3_000)), now));
    assert!(is_news(&known, &sighting(Some(1_500), Some(3_000)), now));
    assert!(is_news(&known, &sighting(None, Some(3_000)), now));
    assert!(!is_news(&sighting(None, None), &sighting(None, None), now));
}

#[tokio::test]
async fn what_a_file_says_is_told_and_what_it_says_no_more_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prefix");
    fs::write(&path, "2001:db8:a::/64\n").unwrap();
    let object = home(&json!([{"file": {"path": path}}]));
    let mut upstream = Upstream::start();
    upstream.want(wanted([&object], Source::is_of_node));
    let mut prefixes = Vec::new();
    for content in ["2001:db8:a::/64\n", "2001:db8:b::/64\n"] {
        fs::write(&path, content).unwrap();
        while prefixes != [content.trim()] {
            let told = tokio::time::timeout(Duration::from_secs(30), upstream.changed());
            told.await.expect("the file is read");
            let said = upstream.said();
            prefixes = said.iter().map(|it| it.prefix.clone()).collect();
            assert!(said.iter().all(|it| it.name == "home" && it.source == 0));
        }
    }
    upstream.want(wanted([], Source::is_of_node));
    while !upstream.said().is_empty() {
        upstream.changed().await;
    }
}

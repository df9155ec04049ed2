//! Reviews as the API server asks for them.

use openelb_ipam::PoolSpec;
use serde_json::{Value, json};

use super::answer;

#[test]
fn a_good_pool_is_taken() {
    let response = review("CREATE", "Eip", &eip("edge", "192.0.2.0/24"), &Value::Null);
    assert_eq!(response["allowed"], true);
    assert_eq!(response["uid"], "r1");
}

#[test]
fn a_pool_that_cannot_be_used_is_refused_with_the_key_and_what_to_do() {
    let response = review("CREATE", "Eip", &eip("edge", "192.0.2.0/33"), &Value::Null);
    assert_eq!(response["allowed"], false);
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.contains("spec.address"), "{message}");
}

#[test]
fn a_pool_that_overlaps_another_is_refused_and_names_it() {
    let response = review(
        "CREATE",
        "Eip",
        &eip("edge", "198.51.100.128/25"),
        &Value::Null,
    );
    assert_eq!(response["allowed"], false);
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.contains("other"), "{message}");
}

#[test]
fn a_pool_does_not_overlap_itself() {
    let (old, new) = (
        eip("other", "198.51.100.0/24"),
        eip("other", "198.51.100.0/25"),
    );
    assert_eq!(review("UPDATE", "Eip", &new, &old)["allowed"], true);
}

#[test]
fn what_is_wrong_already_can_still_lose_its_finalizer_or_be_deleted() {
    let old = eip("edge", "192.0.2.0/33");
    let mut new = old.clone();
    new["metadata"]["finalizers"] = json!([]);
    assert_eq!(review("UPDATE", "Eip", &new, &old)["allowed"], true);
    assert_eq!(review("DELETE", "Eip", &Value::Null, &old)["allowed"], true);
    let mut leaving = eip("edge", "192.0.2.0/34");
    leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(review("UPDATE", "Eip", &leaving, &old)["allowed"], true);
}

#[test]
fn a_field_of_another_type_is_refused() {
    let mut eip = eip("edge", "192.0.2.0/24");
    eip["spec"]["priority"] = json!("high");
    assert_eq!(
        review("CREATE", "Eip", &eip, &Value::Null)["allowed"],
        false
    );
}

#[test]
fn a_peer_with_a_field_that_is_not_supported_is_refused() {
    let peer = |conf: Value| {
        json!({"apiVersion": "network.kubesphere.io/v1alpha2", "kind": "BgpPeer",
            "metadata": {"name": "tor"}, "spec": {"conf": conf}})
    };
    let good = peer(json!({"peerAs": 65001, "neighborAddress": "192.0.2.254"}));
    let response = review("CREATE", "BgpPeer", &good, &Value::Null);
    assert_eq!(response["allowed"], true, "{response}");
    let bad = peer(json!({"peerAs": 65001, "neighborAddress": "192.0.2.254", "vrf": "red"}));
    let response = review("CREATE", "BgpPeer", &bad, &Value::Null);
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.contains("spec.conf.vrf"), "{message}");
}

#[test]
fn a_speaker_without_a_number_is_judged_as_validate_judges_it() {
    let conf = json!({"apiVersion": "network.kubesphere.io/v1alpha2", "kind": "BgpConf",
        "metadata": {"name": "default"}, "spec": {"as": 65000, "routerId": "x"}});
    let response = review("CREATE", "BgpConf", &conf, &Value::Null);
    assert_eq!(response["allowed"], false, "{response}");
}

#[test]
fn what_is_no_review_is_an_error() {
    assert!(answer(b"{}", &[]).is_err());
}

fn review(operation: &str, kind: &str, object: &Value, old: &Value) -> Value {
    let body = json!({"request": {"uid": "r1", "kind": {"kind": kind}, "operation": operation,
        "object": object, "oldObject": old}});
    let other = PoolSpec::new("other".parse().unwrap(), ["198.51.100.0/24"]);
    let answer = answer(body.to_string().as_bytes(), &[other]).unwrap();
    answer["response"].clone()
}

fn eip(name: &str, address: &str) -> Value {
    json!({"apiVersion": "network.kubesphere.io/v1alpha2", "kind": "Eip",
        "metadata": {"name": name}, "spec": {"address": address}})
}

//! What leaves for each change, and what the machine hears of each answer.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::Response;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tower::service_fn;

use super::{Failure, Outcome, carry_out, outcome};
use crate::api::{AddressBlock, EipStatus};
use crate::client::{FieldOwner, Writer};
use crate::cluster::Ingress;
use crate::controller::{Change, ServiceApply};
use crate::names;

#[tokio::test]
async fn a_new_address_is_one_request_with_everything_in_it() {
    let answer = json!({"metadata": {"name": "web", "resourceVersion": "8"}});
    let (writer, asked) = server([answer]);
    let apply = ServiceApply {
        uid: "u1".to_owned(),
        resource_version: "7".to_owned(),
        finalizer: true,
        label: Some("edge".to_owned()),
        ingress: Some(vec![ingress("192.0.2.1")]),
        ..ServiceApply::default()
    };
    let outcome = carry_out(&writer, service(apply)).await.unwrap();
    assert!(matches!(outcome, Outcome::Done { resource_version } if resource_version == "8"));
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    let (line, body) = &asked[0];
    assert!(line.starts_with("PATCH /api/v1/namespaces/shop/services/web/status?"));
    assert!(line.ends_with("&force=false"), "{line}");
    assert_eq!(body["metadata"]["resourceVersion"], "7");
    assert_eq!(body["metadata"]["uid"], "u1");
    assert_eq!(
        body["metadata"]["finalizers"],
        json!([names::SERVICE_FINALIZER])
    );
    assert_eq!(body["metadata"]["labels"][names::POOL_LABEL], "edge");
    assert_eq!(
        body["status"]["loadBalancer"]["ingress"][0]["ip"],
        "192.0.2.1"
    );
}

#[tokio::test]
async fn what_openelb_owned_as_well_goes_with_a_second_request() {
    let still = json!({
        "metadata": {
            "name": "web", "resourceVersion": "8",
            "finalizers": [names::SERVICE_FINALIZER, "example.com/other"],
            "labels": {names::POOL_LABEL: "edge", "app": "web"},
        },
        "status": {"conditions": [{"type": names::ADDRESS_ASSIGNED_CONDITION}]},
    });
    let (writer, asked) = server([still, json!({"metadata": {"resourceVersion": "9"}})]);
    let outcome = carry_out(&writer, service(ServiceApply::default())).await;
    assert!(matches!(outcome, Ok(Outcome::Done { resource_version }) if resource_version == "9"));
    let asked = asked.lock().unwrap();
    let body = &asked[1].1;
    let removed = &body["metadata"]["$deleteFromPrimitiveList/finalizers"];
    assert_eq!(removed, &json!([names::SERVICE_FINALIZER]));
    assert_eq!(body["metadata"]["labels"], json!({names::POOL_LABEL: null}));
    assert_eq!(body["metadata"]["resourceVersion"], "8");
    assert_eq!(body["status"]["conditions"][0]["$patch"], "delete");
}

#[tokio::test]
async fn the_status_of_a_pool_is_replaced_only_at_its_version() {
    let (writer, asked) = server([json!({"metadata": {"resourceVersion": "8"}})]);
    let change = Change::EipStatus {
        name: "edge".to_owned(),
        resource_version: "7".to_owned(),
        status: Box::new(EipStatus {
            usage: 1,
            ..EipStatus::default()
        }),
    };
    carry_out(&writer, change).await.unwrap();
    let asked = asked.lock().unwrap();
    let (line, body) = &asked[0];
    let path = "PUT /apis/network.kubesphere.io/v1alpha2/eips/edge/status?fieldManager=m";
    assert_eq!(line, path);
    assert_eq!(body["metadata"]["resourceVersion"], "7");
    assert_eq!(body["status"]["usage"], 1);
}

#[tokio::test]
async fn a_block_is_created_once_and_then_replaced_or_deleted_at_its_version() {
    let done = json!({"metadata": {"resourceVersion": "8"}});
    let (writer, asked) = server([done.clone(), done, json!({"kind": "Status"})]);
    let block = AddressBlock::around("edge", "192.0.2.1".parse().unwrap());
    let name = block.metadata.name.clone();
    for resource_version in [None, Some("7".to_owned())] {
        let block = Box::new(block.clone());
        let change = Change::Block {
            resource_version,
            block,
        };
        carry_out(&writer, change).await.unwrap();
    }
    let resource_version = "8".to_owned();
    let change = Change::BlockDelete {
        name,
        resource_version,
    };
    carry_out(&writer, change).await.unwrap();
    let asked = asked.lock().unwrap();
    let methods: Vec<_> = asked
        .iter()
        .map(|(line, _)| line.split(' ').next())
        .collect();
    assert_eq!(methods, [Some("POST"), Some("PUT"), Some("DELETE")]);
    assert_eq!(asked[0].1["metadata"].get("resourceVersion"), None);
    assert_eq!(asked[1].1["metadata"]["resourceVersion"], "7");
    assert_eq!(asked[2].1["preconditions"]["resourceVersion"], "8");
}

#[test]
fn a_stranger_among_the_owners_is_the_one_that_is_named() {
    let owner = |manager: &str| FieldOwner {
        manager: manager.to_owned(),
        field: ".status.loadBalancer.ingress".to_owned(),
    };
    let named = |managers: &[&str]| {
        let owners = managers.iter().map(|manager| owner(manager)).collect();
        match outcome(&Failure::Conflict { owners }) {
            Outcome::Owned { manager, .. } => Some(manager),
            _ => None,
        }
    };
    assert_eq!(named(&["manager", "metallb"]).as_deref(), Some("metallb"));
    assert_eq!(
        named(&["openelb-manager"]).as_deref(),
        Some("openelb-manager")
    );
    assert_eq!(named(&[]), None);
}

#[test]
fn an_api_server_that_is_too_busy_has_not_refused() {
    let told = |status| {
        let reason = String::new();
        outcome(&Failure::Rejected { status, reason })
    };
    assert!(matches!(told(429), Outcome::Unknown));
    assert!(matches!(told(503), Outcome::Unknown));
    assert!(matches!(told(422), Outcome::Rejected { status: 422, .. }));
}

fn service(apply: ServiceApply) -> Change {
    Change::Service {
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
        apply: Arc::new(apply),
    }
}

fn ingress(ip: &str) -> Ingress {
    Ingress {
        ip: ip.to_owned(),
        ..Ingress::default()
    }
}

/// What was asked: method and path, and the body.
type Asked = Arc<Mutex<Vec<(String, Value)>>>;

/// A writer to a server that gives these answers in turn.
fn server<const N: usize>(answers: [Value; N]) -> (Writer, Asked) {
    let asked = Asked::default();
    let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
    let seen = asked.clone();
    let service = service_fn(move |request: http::Request<Body>| {
        let (answers, seen) = (answers.clone(), seen.clone());
        async move {
            let line = format!("{} {}", request.method(), request.uri());
            let body = request.into_body().collect_bytes().await.unwrap();
            let body = serde_json::from_slice(&body).unwrap();
            seen.lock().unwrap().push((line, body));
            let answer = answers.lock().unwrap().pop_front().unwrap().to_string();
            Ok::<_, Infallible>(Response::new(Body::from(answer.into_bytes())))
        }
    });
    let client = Client::new(service, "default");
    (Writer::new(client, "m", 1), asked)
}

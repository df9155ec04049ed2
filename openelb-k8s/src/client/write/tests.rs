//! Requests as they leave, and what is made of every kind of answer.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::Response;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tower::service_fn;

use super::{Act, Failure, FieldOwner, Key, Request, Watched, Writer};
use crate::cluster::Service;

#[tokio::test]
async fn an_apply_names_its_manager_and_goes_to_the_status() {
    let (writer, asked) = writer(200, r#"{"metadata":{"resourceVersion":"12"}}"#);
    let apply = request(Act::Apply { force: false });
    assert_eq!(writer.send(apply).await, Ok("12".to_owned()));
    assert_eq!(
        *asked.lock().unwrap(),
        ["PATCH /api/v1/namespaces/shop/services/web/status?fieldManager=openelb%2Fn1&force=false"]
    );
    assert_eq!(writer.waiting(), 0);
}

#[tokio::test]
async fn of_an_answer_that_nobody_reads_only_the_metadata_is_asked_for() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let service = service_fn(move |request: http::Request<Body>| {
        let accept = request.headers()[http::header::ACCEPT].to_str().unwrap();
        seen.lock().unwrap().push(accept.to_owned());
        let body = Body::from(br#"{"metadata":{"name":"web"}}"#.to_vec());
        async move { Ok::<_, Infallible>(Response::new(body)) }
    });
    let writer = Writer::new(Client::new(service, "default"), "m", 1);
    let act = || Act::Apply { force: false };
    writer.send(request(act())).await.unwrap();
    let service: Service = writer.send_for(request(act())).await.unwrap();
    assert_eq!(service.metadata.name, "web");
    let asked = asked.lock().unwrap();
    assert!(asked[0].contains("as=PartialObjectMetadata"), "{asked:?}");
    assert_eq!(asked[1], "application/json");
}

#[tokio::test]
async fn a_creation_names_only_the_namespace() {
    let (writer, asked) = writer(409, r#"{"code":409,"reason":"AlreadyExists"}"#);
    let creation = Request {
        subresource: None,
        ..request(Act::Create)
    };
    assert_eq!(writer.send(creation).await, Err(Failure::Exists));
    let asked = asked.lock().unwrap();
    assert_eq!(
        *asked,
        ["POST /api/v1/namespaces/shop/services?fieldManager=openelb%2Fn1"]
    );
}

#[tokio::test]
async fn a_conflict_of_apply_names_who_owns_what() {
    let causes = json!([{
        "reason": "FieldManagerConflict",
        "message": "conflict with \"metallb\" with subresource \"status\" using v1",
        "field": ".status.loadBalancer.ingress",
    }]);
    let failure = fails(
        409,
        &json!({"code": 409, "reason": "Conflict", "details": {"causes": causes}}),
    )
    .await;
    let owner = FieldOwner {
        manager: "metallb".to_owned(),
        field: ".status.loadBalancer.ingress".to_owned(),
    };
    assert_eq!(
        failure,
        Failure::Conflict {
            owners: vec![owner]
        }
    );
    assert_eq!(
        failure.to_string(),
        "metallb owns .status.loadBalancer.ingress"
    );
}

#[tokio::test]
async fn a_stale_version_is_a_conflict_without_owners() {
    let failure = fails(409, &json!({"code": 409, "reason": "Conflict"})).await;
    assert_eq!(failure, Failure::Conflict { owners: Vec::new() });
}

#[tokio::test]
async fn a_patch_for_an_object_that_was_made_anew_finds_none() {
    let causes = json!([{"reason": "FieldValueInvalid", "message": "m", "field": "metadata.uid"}]);
    let failure = fails(422, &json!({"code": 422, "details": {"causes": causes}})).await;
    assert_eq!(failure, Failure::NotFound);
}

#[tokio::test]
async fn what_may_have_happened_is_unknown_and_what_was_not_begun_is_rejected() {
    for (status, is_unknown) in [
        (400, false),
        (401, false),
        (403, false),
        (422, false),
        (429, false),
        (500, true),
        (502, true),
        (503, false),
        (504, true),
    ] {
        let failure = fails(status, &json!({"code": status, "message": "m"})).await;
        assert_eq!(
            matches!(failure, Failure::Unknown(_)),
            is_unknown,
            "{status}"
        );
        let is_rejected =
            matches!(failure, Failure::Rejected { status: told, .. } if told == status);
        assert_eq!(is_rejected, !is_unknown, "{status}");
    }
    assert_eq!(fails(404, &json!({"code": 404})).await, Failure::NotFound);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_unknown() {
    let silent = service_fn(|_: http::Request<Body>| async {
        std::future::pending::<Result<Response<Body>, Infallible>>().await
    });
    let writer = Writer::new(Client::new(silent, "default"), "m", 1);
    let failure = writer.send(request(Act::Merge)).await;
    assert!(matches!(failure, Err(Failure::Unknown(_))));
}

#[tokio::test]
async fn a_lost_connection_is_unknown() {
    let broken = service_fn(|_: http::Request<Body>| async {
        Err::<Response<Body>, _>(std::io::Error::other("reset by peer"))
    });
    let writer = Writer::new(Client::new(broken, "default"), "m", 1);
    let failure = writer.send(request(Act::Merge)).await;
    assert!(matches!(failure, Err(Failure::Unknown(why)) if why.contains("reset")));
}

async fn fails(status: u16, answer: &Value) -> Failure {
    let (writer, _) = writer(status, &answer.to_string());
    writer.send(request(Act::Replace)).await.unwrap_err()
}

fn request(act: Act) -> Request {
    Request {
        resource: Service::RESOURCE,
        key: Key {
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
        },
        subresource: Some("status"),
        act,
        body: json!({}),
    }
}

/// A writer to a server with one answer to everything; and what it was asked.
fn writer(status: u16, answer: &str) -> (Writer, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (seen, answer) = (asked.clone(), answer.as_bytes().to_vec());
    let service = service_fn(move |request: http::Request<Body>| {
        let line = format!("{} {}", request.method(), request.uri());
        seen.lock().unwrap().push(line);
        let body = Body::from(answer.clone());
        async move {
            let answer = Response::builder().status(status).body(body).unwrap();
            Ok::<_, Infallible>(answer)
        }
    });
    let client = Client::new(service, "default");
    (Writer::new(client, "openelb/n1", 4), asked)
}

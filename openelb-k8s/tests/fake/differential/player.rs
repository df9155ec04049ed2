//! Plays the script to a server.

use std::collections::BTreeMap;

use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use super::answer::{Answer, Names};
use super::script::{self, Step};

/// Every step in order, and the answers with what servers make up replaced by names.
pub(super) async fn play(client: &Client) -> Vec<Answer> {
    let mut names = Names::default();
    let mut known = BTreeMap::new();
    let mut answers = Vec::new();
    for step in script::steps() {
        let (status, mut body) = send(client, &step, &known).await;
        known.insert(step.name, body.clone());
        names.normalise(&mut body);
        answers.push(Answer {
            step: step.name.to_owned(),
            status,
            body,
        });
    }
    answers
}

async fn send(client: &Client, step: &Step, known: &BTreeMap<&str, Value>) -> (u16, Value) {
    let body = match &step.body {
        Value::Null => Vec::new(),
        body => filled(&body.to_string(), known).into_bytes(),
    };
    let request = http::Request::builder()
        .method(step.method)
        .uri(filled(&step.path, known))
        .header(http::header::CONTENT_TYPE, step.content_type)
        .header(http::header::USER_AGENT, "script/1")
        .body(Body::from(body))
        .unwrap();
    let response = client.send(request).await.unwrap();
    let status = response.status().as_u16();
    let octets = axum::body::to_bytes(axum::body::Body::new(response.into_body()), usize::MAX);
    let text = String::from_utf8(octets.await.unwrap().to_vec()).unwrap();
    if step.path.contains("watch=true") && status == 200 {
        return (status, events(&text));
    }
    (
        status,
        serde_json::from_str(&text).unwrap_or_else(|_| json!(text)),
    )
}

/// The events of a watch, without the bookmarks that come when they come.
fn events(text: &str) -> Value {
    let events = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let ends = |event: &Value| {
        !event["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"].is_null()
    };
    events
        .filter(|event| event["type"] != "BOOKMARK" || ends(event))
        .collect()
}

/// Puts in what earlier answers said: `$version(step)`, `$uid(step)`, `$continue(step)`.
fn filled(text: &str, known: &BTreeMap<&str, Value>) -> String {
    let mut text = text.to_owned();
    for (step, answer) in known {
        for (word, field) in [
            ("version", "resourceVersion"),
            ("uid", "uid"),
            ("continue", "continue"),
        ] {
            let wanted = format!("${word}({step})");
            if text.contains(&wanted) {
                text = text.replace(&wanted, answer["metadata"][field].as_str().unwrap());
            }
        }
    }
    text
}

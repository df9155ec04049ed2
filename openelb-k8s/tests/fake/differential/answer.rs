//! An answer without what differs from one server to the next, and what two of them differ in.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The answer to one step of the script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// The step.
    pub step: String,
    /// The HTTP status.
    pub status: u16,
    /// The body, or the events of a watch.
    pub body: Value,
}

/// A place at which two answers differ.
#[derive(Debug)]
pub(super) struct Difference {
    /// The place, as in `body.metadata.name`.
    pub path: String,
    real: Value,
    fake: Value,
}

/// Names for the values that every server makes up itself: the same value has the same name.
#[derive(Debug, Default)]
pub(super) struct Names {
    uids: Vec<String>,
    versions: Vec<String>,
}

impl Answer {
    /// What is different in `fake`.
    pub(super) fn differences(&self, fake: &Self) -> Vec<Difference> {
        let mut differences = Vec::new();
        compare(
            "status",
            &json!(self.status),
            &json!(fake.status),
            &mut differences,
        );
        compare("body", &self.body, &fake.body, &mut differences);
        differences
    }
}

impl Names {
    /// Puts names in the place of what a server makes up: uids, versions, times, addresses, ports.
    pub(super) fn normalise(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.field(name, value);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.normalise(item)),
            _ => {}
        }
    }

    fn field(&mut self, name: &str, value: &mut Value) {
        match (name, &*value) {
            ("uid", Value::String(uid)) => *value = json!(named(&mut self.uids, "uid", uid)),
            ("resourceVersion", Value::String(version)) => {
                *value = json!(named(&mut self.versions, "version", version));
            }
            ("creationTimestamp" | "deletionTimestamp" | "time", Value::String(_)) => {
                *value = json!("time");
            }
            ("clusterIP", Value::String(ip)) if ip != "None" => *value = json!("address"),
            ("clusterIPs", Value::Array(ips)) => *value = json!(ips.len()),
            ("nodePort" | "healthCheckNodePort", Value::Number(_)) => *value = json!("port"),
            ("continue", Value::String(token)) if !token.is_empty() => *value = json!("token"),
            ("message", Value::String(text)) => *value = json!(self.without_made_up(text)),
            ("managedFields", Value::Array(entries)) => {
                let mut entries = entries.clone();
                entries.sort_by_key(|entry| {
                    let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
                    (text("manager"), text("operation"), text("subresource"))
                });
                for entry in &mut entries {
                    self.normalise(entry);
                }
                *value = json!(entries);
            }
            ("metadata", Value::Object(metadata))
                if !metadata.contains_key("name") && !metadata.contains_key("uid") =>
            {
                // Of a list or a bookmark: which version it is depends on who else writes.
                let mut metadata = metadata.clone();
                if metadata.contains_key("resourceVersion") {
                    metadata.insert("resourceVersion".to_owned(), json!("some version"));
                }
                *value = Value::Object(metadata);
                if let Some(token) = value.get_mut("continue").filter(|token| *token != "") {
                    *token = json!("token");
                }
            }
            _ => self.normalise(value),
        }
    }

    fn without_made_up(&self, text: &str) -> String {
        let text = match text.split_once(", current: ") {
            Some((beginning, _)) => format!("{beginning}, current: some version"),
            None => text.to_owned(),
        };
        let versions = self.versions.iter().map(|version| format!("({version})"));
        let text = versions.fold(text, |text, version| text.replace(&version, "(version)"));
        let known = self.uids.iter().enumerate();
        known.fold(text, |text, (place, uid)| {
            text.replace(uid, &format!("uid-{place}"))
        })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, real, fake } = self;
        write!(formatter, "{path}: real {real}, fake {fake}")
    }
}

fn named(known: &mut Vec<String>, kind: &str, value: &str) -> String {
    let place = known
        .iter()
        .position(|known| known == value)
        .unwrap_or_else(|| {
            known.push(value.to_owned());
            known.len() - 1
        });
    format!("{kind}-{place}")
}

fn compare(path: &str, real: &Value, fake: &Value, into: &mut Vec<Difference>) {
    match (real, fake) {
        (Value::Object(left), Value::Object(right)) => {
            let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            for name in names {
                compare(
                    &format!("{path}.{name}"),
                    &real[name.as_str()],
                    &fake[name.as_str()],
                    into,
                );
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (place, (left, right)) in left.iter().zip(right).enumerate() {
                compare(&format!("{path}[{place}]"), left, right, into);
            }
        }
        (real, fake) if real != fake => into.push(Difference {
            path: path.to_owned(),
            real: real.clone(),
            fake: fake.clone(),
        }),
        _ => {}
    }
}

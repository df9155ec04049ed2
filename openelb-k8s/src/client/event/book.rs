//! Which Events were sent, so that the same again becomes a count and not another object.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Happening;
use crate::client::{Act, Key, Request, Resource};

/// The Events of the last minutes: 60 bytes each, however long their texts.
#[derive(Debug)]
pub(super) struct Book {
    controller: String,
    instance: String,
    entries: HashMap<u64, Entry>,
}

/// A request for one Event.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) id: u64,
    pub(super) request: Request,
}

#[derive(Debug)]
struct Entry {
    /// When it was made, which is also its name.
    made: Timestamp,
    count: u32,
    seen: Timestamp,
    sent: Timestamp,
}

impl Book {
    pub(super) fn new(controller: &str, instance: &str) -> Self {
        Self {
            controller: controller.to_owned(),
            instance: instance.to_owned(),
            entries: HashMap::new(),
        }
    }

    /// What to send: a new Event, the count of one that was sent, or nothing because its count was
    /// sent a moment ago.
    pub(super) fn enter(&mut self, happening: &Happening, now: Timestamp) -> Option<Line> {
        self.tidy(now);
        let id = id(happening);
        let Some(entry) = self.entries.get_mut(&id) else {
            let entry = Entry {
                made: now,
                count: 1,
                seen: now,
                sent: now,
            };
            self.entries.insert(id, entry);
            let request = self.creation(happening, now);
            return Some(Line { id, request });
        };
        entry.count = entry.count.saturating_add(1);
        entry.seen = now;
        if now.duration_since(entry.sent) < BETWEEN_COUNTS {
            return None;
        }
        entry.sent = now;
        let series = json!({"count": entry.count, "lastObservedTime": micros(now)});
        let request = Request {
            resource: EVENTS,
            key: key(happening, entry.made),
            subresource: None,
            act: Act::Merge,
            body: json!({ "series": series }),
        };
        Some(Line { id, request })
    }

    pub(super) fn forget(&mut self, id: u64) {
        self.entries.remove(&id);
    }

    fn creation(&self, happening: &Happening, now: Timestamp) -> Request {
        let key = key(happening, now);
        let body = json!({
            "apiVersion": EVENTS.api_version(),
            "kind": EVENTS.kind,
            "metadata": {"namespace": key.namespace, "name": key.name},
            "eventTime": micros(now),
            "type": if happening.is_warning { "Warning" } else { "Normal" },
            "reason": happening.reason,
            "action": happening.action,
            "note": happening.note,
            "reportingController": self.controller,
            "reportingInstance": self.instance,
            "regarding": {
                "apiVersion": happening.resource.api_version(),
                "kind": happening.resource.kind,
                "namespace": happening.key.namespace,
                "name": happening.key.name,
                "uid": happening.uid,
            },
        });
        Request {
            resource: EVENTS,
            key,
            subresource: None,
            act: Act::Create,
            body,
        }
    }

    fn tidy(&mut self, now: Timestamp) {
        if self.entries.len() < MOST_ENTRIES {
            return;
        }
        self.entries
            .retain(|_, entry| now.duration_since(entry.seen) < REMEMBERED);
        if self.entries.len() >= MOST_ENTRIES {
            // All are recent. Forgetting costs an Event too many, remembering costs memory.
            self.entries.clear();
        }
    }
}

fn id(happening: &Happening) -> u64 {
    let mut hasher = DefaultHasher::new();
    happening.resource.kind.hash(&mut hasher);
    happening.key.hash(&mut hasher);
    happening.uid.hash(&mut hasher);
    happening.is_warning.hash(&mut hasher);
    happening.reason.hash(&mut hasher);
    happening.note.hash(&mut hasher);
    hasher.finish()
}

/// Name and namespace of the Event. What has no namespace has its Events in `default`, where kubectl
/// looks for them.
fn key(happening: &Happening, made: Timestamp) -> Key {
    let namespace = match happening.key.namespace.as_str() {
        "" => "default",
        namespace => namespace,
    };
    Key {
        namespace: namespace.to_owned(),
        name: format!("{}.{:x}", happening.key.name, made.as_nanosecond()),
    }
}

/// `MicroTime` has exactly six digits.
fn micros(at: Timestamp) -> String {
    format!("{at:.6}")
}

const EVENTS: Resource = Resource {
    group: "events.k8s.io",
    version: "v1",
    kind: "Event",
    plural: "events",
};

/// The count of a series is a matter of minutes, not of each time.
const BETWEEN_COUNTS: SignedDuration = SignedDuration::from_secs(60);

/// As long as API conventions let a series go on without news.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(10);

/// About half a megabyte.
const MOST_ENTRIES: usize = 8_192;

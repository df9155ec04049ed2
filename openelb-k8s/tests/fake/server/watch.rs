//! A watch: where it stands in the log, and the lines that it brings.

use std::sync::Arc;

use serde_json::{Value, json};

use super::failure::Failure;
use super::read;
use super::request::Request;
use super::resource::Resource;
use super::selector::Selection;
use super::store::{Change, Store};

/// A watch.
#[derive(Debug)]
pub(crate) struct Watch {
    resource: Arc<Resource>,
    request: Request,
    selection: Selection,
    /// Everything up to here was brought.
    version: u64,
    /// What was there when it began, as far as it was asked for.
    initial: Option<Vec<Arc<Value>>>,
}

impl Watch {
    /// Begins a watch.
    pub(crate) fn begin(
        store: &Store,
        resource: Arc<Resource>,
        request: Request,
        stale: Option<u64>,
    ) -> Result<Self, Failure> {
        let selection = read::selection(&request);
        let wanted: u64 = request
            .parameter("resourceVersion")
            .parse()
            .unwrap_or_default();
        let current = store.version();
        if wanted > current {
            let message = format!("Too large resource version: {wanted}, current: {current}");
            return Err(Failure::too_large(&message));
        }
        let from_now = wanted == 0 || request.is_set("sendInitialEvents");
        let version = if from_now {
            stale.unwrap_or(current).max(wanted)
        } else {
            wanted
        };
        let tells = from_now && request.parameter("sendInitialEvents") != "false";
        let initial = if tells {
            Some(store.at(&resource, version, &selection)?)
        } else {
            None
        };
        Ok(Self {
            resource,
            request,
            selection,
            version,
            initial,
        })
    }

    /// The lines for what happened since the last call, or that the watch has ended with the last
    /// of them.
    pub(crate) fn advance(&mut self, store: &Store) -> Result<String, String> {
        let mut lines = String::new();
        if let Some(initial) = self.initial.take() {
            for object in &initial {
                self.line("ADDED", object, &mut lines);
            }
            if self.request.is_set("sendInitialEvents") {
                lines.push_str(&self.bookmark(true));
            }
        }
        let changes = match store.changes_after(&self.resource, self.version) {
            Ok(changes) => changes,
            Err(failure) => return Err(lines + &line("ERROR", &failure.status())),
        };
        for change in changes {
            if let Some(kind) = self.kind_of(change) {
                let object = match (kind, &change.before) {
                    ("DELETED", Some(before)) if !change.is_gone => {
                        &at_version(before, change.version)
                    }
                    _ => &change.object,
                };
                self.line(kind, object, &mut lines);
            }
            self.version = change.version;
        }
        Ok(lines)
    }

    /// A line that says how far the watch has come. A watch that was asked to tell what there is
    /// marks the end of that so.
    pub(crate) fn bookmark(&self, ends_initial: bool) -> String {
        let mut metadata =
            json!({"resourceVersion": self.version.to_string(), "creationTimestamp": null});
        if ends_initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let (kind, api_version) = (&self.resource.kind, self.resource.api_version());
        line(
            "BOOKMARK",
            &json!({"kind": kind, "apiVersion": api_version, "metadata": metadata}),
        )
    }

    /// A bookmark at the newest version, for a watch that has seen everything.
    pub(crate) fn bookmark_at(&mut self, version: u64) -> String {
        self.version = self.version.max(version);
        self.bookmark(false)
    }

    /// Whether it wants bookmarks.
    pub(crate) fn wants_bookmarks(&self) -> bool {
        self.request.is_set("allowWatchBookmarks")
    }

    fn kind_of(&self, change: &Change) -> Option<&'static str> {
        let was_held = change
            .before
            .as_ref()
            .is_some_and(|before| self.selection.holds(before));
        let is_held = !change.is_gone && self.selection.holds(&change.object);
        match (was_held, is_held) {
            (false, true) => Some("ADDED"),
            (true, true) => Some("MODIFIED"),
            (true, false) => Some("DELETED"),
            (false, false) => None,
        }
    }

    fn line(&self, kind: &str, object: &Arc<Value>, into: &mut String) {
        into.push_str(&line(kind, &read::formed(object, &self.request)));
    }
}

/// What a selector lost sight of is told as it was, under the version at which it was lost.
fn at_version(object: &Arc<Value>, version: u64) -> Arc<Value> {
    let mut object = Value::clone(object);
    object["metadata"]["resourceVersion"] = json!(version.to_string());
    Arc::new(object)
}

fn line(kind: &str, object: &Value) -> String {
    let mut line = json!({"type": kind, "object": object}).to_string();
    line.push('\n');
    line
}

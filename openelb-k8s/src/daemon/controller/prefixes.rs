//! The prefixes of the cluster in this process: what the watches say of them, their writes and Events.

use std::collections::BTreeSet;
use std::mem;

use openelb_ipam::Time;
use openelb_ipam::relative::Projection;
use serde_json::json;
use tokio::task::JoinSet;

use crate::api::{DynamicPrefix, NodeAnnouncement};
use crate::client::{Act, Event, Failure, Happening, Key, Recorder, Request, Watched, Writer};
use crate::conflict::Conflicts;
use crate::daemon::upstream::{Upstream, wanted};
use crate::follow::{Happened, Leader, Step};
use crate::prefix::Source;

/// What decides about prefixes, and what carries its decisions out.
#[derive(Debug)]
pub(super) struct Prefixes {
    leader: Leader,
    leads: bool,
    /// Something was learned since the last step. A step reads every specification: far too much for
    /// each turn of a loop that serves ten thousand Services.
    is_due: bool,
    /// The sources that are looked at once for the whole cluster, while this controller leads.
    upstream: Upstream,
    /// What the list under way has named; `None` between lists.
    listing: [Option<BTreeSet<String>>; 2],
    is_synced: [bool; 2],
    writer: Writer,
    recorder: Recorder,
    begun: JoinSet<Written>,
    /// As it was told last.
    view: Projection,
}

/// A write that ended: what was written, and the version after it.
type Written = (DynamicPrefix, Result<String, Failure>);

/// What a watch said, of either kind.
#[derive(Debug)]
pub(super) enum News {
    Prefix(Box<Event<DynamicPrefix>>),
    Node(Box<Event<NodeAnnouncement>>),
}

impl Prefixes {
    pub(super) fn new(writer: Writer, recorder: Recorder) -> Self {
        Self {
            leader: Leader::default(),
            leads: false,
            is_due: true,
            upstream: Upstream::start(),
            listing: [None, None],
            is_synced: [false; 2],
            writer,
            recorder,
            begun: JoinSet::new(),
            view: Projection::default(),
        }
    }

    /// Whether all prefixes are known: before, addresses that follow one would be taken for lost.
    pub(super) const fn is_synced(&self) -> bool {
        let [prefixes, nodes] = self.is_synced;
        prefixes && nodes
    }

    /// Takes what a watch said. What nodes tell of addresses in conflict goes to `conflicts`: the same
    /// watch brings it.
    pub(super) fn learn(&mut self, news: News, conflicts: &mut Conflicts, now: Time) {
        self.is_due = true;
        match news {
            News::Prefix(event) => match *event {
                Event::Applied(object) => {
                    self.list(PREFIXES, &object.metadata.name);
                    self.leader.see(object, now);
                }
                Event::Deleted(key) => self.leader.lose(&key.name),
                other => drop(self.go_on(PREFIXES, other)),
            },
            News::Node(event) => match *event {
                Event::Applied(node) => {
                    self.list(NODES, &node.metadata.name);
                    conflicts.hear(&node);
                    self.leader.hear(node);
                }
                Event::Deleted(key) => {
                    conflicts.lose(&key.name);
                    self.leader.lose_node(&key.name);
                }
                other => {
                    if let Some(listed) = self.go_on(NODES, other) {
                        conflicts.keep(&listed);
                    }
                }
            },
        }
    }

    pub(super) fn lead(&mut self, leads: bool) {
        self.leads = leads;
        self.is_due = true;
        self.leader.lead(leads);
    }

    /// Does what is due; gives back how addresses are shown from now on, if that changed. Costs nothing
    /// where nothing was learned and no time has come.
    pub(super) fn step(&mut self, now: Time) -> Option<Projection> {
        let is_time = self.poll_timeout().is_some_and(|at| at <= now);
        if !mem::take(&mut self.is_due) && !is_time {
            return None;
        }
        // The leader knows by itself what is static.
        let is_asked = |it: &Source| matches!(it, Source::Http { .. } | Source::Dns { .. });
        let objects = self.leader.objects().filter(|_| self.leads);
        self.upstream.want(wanted(objects, is_asked));
        self.leader.hear_own(self.upstream.said());
        for step in self.leader.step(now) {
            match step {
                Step::Write(object) => {
                    self.begun.spawn(write(self.writer.clone(), *object));
                }
                Step::Happened(it) => self.happened(it),
            }
        }
        let view = self.leader.projection();
        (*view != self.view).then(|| view.clone_into(&mut self.view))?;
        Some(self.view.clone())
    }

    /// How addresses are shown now.
    pub(super) const fn view(&self) -> &Projection {
        &self.view
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.leader.poll_timeout()
    }

    /// The next write that ended, or `None` when the sources say something else: then a
    /// [`step`](Self::step) is due. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Option<Written> {
        loop {
            tokio::select! {
                Some(ended) = self.begun.join_next() => match ended {
                    Ok(written) => return Some(written),
                    Err(error) => tracing::error!(%error, "a write ended without an answer"),
                },
                () = self.upstream.changed() => return None,
            }
        }
    }

    pub(super) fn answered(&mut self, ended: Option<Written>, now: Time) {
        self.is_due = true;
        let Some((object, outcome)) = ended else {
            return;
        };
        if let Err(failure) = &outcome {
            let name = &object.metadata.name;
            tracing::debug!(name, %failure, "the status of a DynamicPrefix was not written");
        }
        self.leader.written(object, outcome.ok(), now);
    }

    /// The objects as they are known, for metrics.
    pub(super) fn objects(&self) -> impl Iterator<Item = &DynamicPrefix> {
        self.leader.objects()
    }

    fn list(&mut self, kind: usize, name: &str) {
        if let Some(Some(listed)) = self.listing.get_mut(kind) {
            listed.insert(name.to_owned());
        }
    }

    /// Gives back all that a list named which is complete now.
    fn go_on<T>(&mut self, kind: usize, event: Event<T>) -> Option<BTreeSet<String>> {
        match event {
            Event::Restart => self.set_listing(kind, Some(BTreeSet::new())),
            Event::Synced => return self.end_list(kind),
            // What cannot be read is still there.
            Event::Unreadable { key, why } => {
                tracing::warn!(object = %key, why, "no valid object: what was known of it holds");
                self.list(kind, &key.name);
            }
            // The kind is not installed: there is nothing to wait for.
            Event::Interrupted(interruption) if interruption.status == Some(404) => {
                self.set_synced(kind);
            }
            Event::Interrupted(interruption) => {
                tracing::warn!(why = interruption.why, "a watch of prefixes pauses");
            }
            Event::Applied(_) | Event::Deleted(_) => {}
        }
        None
    }

    /// What a list did not name is gone.
    fn end_list(&mut self, kind: usize) -> Option<BTreeSet<String>> {
        let listed = self.listing.get_mut(kind).and_then(Option::take);
        self.set_synced(kind);
        let listed = listed?;
        let (prefixes, nodes) = self.leader.known();
        if kind == PREFIXES {
            prefixes
                .difference(&listed)
                .for_each(|name| self.leader.lose(name));
        } else {
            nodes
                .difference(&listed)
                .for_each(|name| self.leader.lose_node(name));
        }
        Some(listed)
    }

    fn set_listing(&mut self, kind: usize, listed: Option<BTreeSet<String>>) {
        if let Some(listing) = self.listing.get_mut(kind) {
            *listing = listed;
        }
    }

    fn set_synced(&mut self, kind: usize) {
        if let Some(synced) = self.is_synced.get_mut(kind) {
            *synced = true;
        }
    }

    fn happened(&self, it: Happened) {
        let (name, reason, note) = (&it.name, it.reason, &it.note);
        if it.is_warning {
            tracing::warn!(name, reason, "{note}");
        } else {
            tracing::info!(name, reason, "{note}");
        }
        self.recorder.record(Happening {
            resource: DynamicPrefix::RESOURCE,
            key: key(&it.name),
            uid: it.uid,
            is_warning: it.is_warning,
            reason: it.reason,
            action: "Follow",
            note: it.note,
        });
    }
}

/// Replaces the status, if the object is still of the version that it was decided for.
async fn write(writer: Writer, object: DynamicPrefix) -> Written {
    let metadata = &object.metadata;
    let body = json!({
        "apiVersion": object.api_version,
        "kind": object.kind,
        "metadata": {
            "name": metadata.name,
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
        },
        "spec": object.spec,
        "status": object.status,
    });
    let request = Request {
        resource: DynamicPrefix::RESOURCE,
        key: key(&metadata.name),
        subresource: Some("status"),
        act: Act::Replace,
        body,
    };
    let outcome = writer.send(request).await;
    (object, outcome)
}

fn key(name: &str) -> Key {
    Key {
        namespace: String::new(),
        name: name.to_owned(),
    }
}

const PREFIXES: usize = 0;
const NODES: usize = 1;

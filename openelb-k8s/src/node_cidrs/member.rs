//! What is known of a node, and what became of the requests about it.

use std::hash::Hash;

use ipnet::IpNet;
use openelb_ipam::Time;

use super::{Object, Outcome, WriteId};
use crate::cluster::Node;
use crate::controller::{Retry, is_older};
use crate::pod_network::{NodeCidrs, Plan};

/// A node, or the name of one that records speak of.
#[derive(Debug, Default)]
pub(super) struct Member {
    /// As it was last seen; `None`: it is not there, as far as known.
    pub(super) seen: Option<Seen>,
    pub(super) flight: Option<Flight>,
    pub(super) retry: Retry,
    /// A `uid` that a reading proved to be gone for good.
    gone: Option<String>,
    /// What was last to be written into the node of a `uid`: it may come to be whatever was answered.
    promise: Option<(String, Vec<IpNet>)>,
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) id: WriteId,
    pub(super) errand: Errand,
}

/// What a request is for.
#[derive(Debug)]
pub(super) enum Errand {
    /// To learn whether the node of this `uid` is there; empty: how the node is.
    Ask(String),
    /// To give these to the node of this `uid`.
    Assign(String, Vec<IpNet>),
}

/// What decides about a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    version: Option<String>,
    pub(super) uid: String,
    /// Wherever they are written.
    pub(super) cidrs: NodeCidrs,
    /// What its specification says, which stays.
    pub(super) spec: NodeCidrs,
    pub(super) is_deleting: bool,
    node: Node,
}

/// What an answer means to the rest.
#[derive(Debug)]
pub(super) enum Answered {
    /// The node has these now.
    Given(Vec<IpNet>),
    /// It is known better now.
    Told,
    /// It is tried again then.
    Failed(Time),
    /// The server will not have it; looked at again then.
    Refused(String, Time),
}

impl Member {
    /// Takes an object in, unless it is older than what is known.
    pub(super) fn see(&mut self, node: &Node) {
        let version = node.metadata.resource_version.as_deref();
        let known = self.seen.as_ref().and_then(|seen| seen.version.as_deref());
        if version
            .zip(known)
            .is_some_and(|(new, known)| is_older(new, known))
        {
            return;
        }
        // Of all that a node says, labels select it, and annotations and specification have its
        // prefixes.
        let mut kept = Node::default();
        kept.metadata.labels.clone_from(&node.metadata.labels);
        self.seen = Some(Seen {
            version: version.map(str::to_owned),
            uid: node.metadata.uid.clone().unwrap_or_default(),
            cidrs: NodeCidrs::of(node),
            spec: NodeCidrs::of_spec(node),
            is_deleting: node.metadata.deletion_timestamp.is_some(),
            node: kept,
        });
        self.retry.refresh();
    }

    pub(super) fn uid(&self) -> Option<&str> {
        self.seen.as_ref().map(|seen| &*seen.uid)
    }

    /// Whether the node of this `uid` was seen last.
    pub(super) fn is(&self, uid: &str) -> bool {
        self.uid() == Some(uid)
    }

    /// Whether the node of this `uid` is gone for good.
    pub(super) fn is_gone(&self, uid: &str) -> bool {
        self.gone.as_deref() == Some(uid)
    }

    /// The node, if the network is for it.
    pub(super) fn selected(&self, plan: &Plan) -> Option<&Seen> {
        self.seen.as_ref().filter(|seen| plan.selects(&seen.node))
    }

    /// Notes what is to be written into the node of this `uid`.
    pub(super) fn promise(&mut self, uid: &str, cidrs: &[IpNet]) {
        self.promise = Some((uid.to_owned(), cidrs.to_vec()));
    }

    /// What the node may still come to have without a record: that went with a `PodNetwork` which
    /// somebody removed.
    pub(super) fn promised(&self) -> impl Iterator<Item = IpNet> {
        let seen = self.seen.as_ref().filter(|seen| seen.spec.is_unset());
        let promise = self.promise.iter();
        let mine = promise.filter(move |(uid, _)| seen.is_some_and(|seen| seen.uid == *uid));
        mine.flat_map(|(_, cidrs)| cidrs).copied()
    }

    /// Takes the answer to a request in.
    pub(super) fn answered(
        &mut self,
        flight: &Flight,
        outcome: Outcome,
        seed: impl Hash,
        now: Time,
    ) -> Answered {
        match (&flight.errand, outcome) {
            (Errand::Ask(asked), Outcome::Found(Object::Node(node))) => {
                if node.metadata.uid.as_deref() != Some(asked) && !asked.is_empty() {
                    self.gone = Some(asked.clone());
                }
                // An answer may be older than what the watch has told since: it corrects what is known
                // of a node, and makes none that the watch does not show.
                if self.seen.is_some() {
                    self.see(&node);
                }
                self.retry.refresh();
                if self.is(asked) || self.is_gone(asked) {
                    return Answered::Told;
                }
                Answered::Failed(self.retry.fail(seed, now))
            }
            (Errand::Ask(asked), Outcome::NotFound) => {
                if self.is(asked) {
                    self.seen = None;
                }
                self.gone = Some(asked.clone());
                self.retry.refresh();
                Answered::Told
            }
            (Errand::Assign(uid, cidrs), Outcome::Done { resource_version }) => {
                self.retry.succeed();
                let same = self.seen.as_mut().filter(|seen| seen.uid == *uid);
                if let Some(seen) = same {
                    seen.assign(cidrs, resource_version);
                }
                Answered::Given(cidrs.clone())
            }
            (Errand::Assign(_, cidrs), Outcome::Rejected { status, reason }) => {
                let list = super::output::list(cidrs);
                let why = format!("the API server refuses {list}: {status} {reason}");
                Answered::Refused(why, self.retry.go_stale(seed, now))
            }
            // Another node has the name, somebody else wrote, or nobody knows: it is read again.
            (Errand::Assign(..), _) => Answered::Failed(self.retry.go_stale(seed, now)),
            (Errand::Ask(_), _) => Answered::Failed(self.retry.fail(seed, now)),
        }
    }
}

impl Seen {
    /// Notes what was just written, before the watch shows it.
    fn assign(&mut self, cidrs: &[IpNet], version: String) {
        if self
            .version
            .as_ref()
            .is_some_and(|known| is_older(&version, known))
        {
            return;
        }
        let texts = cidrs.iter().map(ToString::to_string);
        let mut node = Node::default();
        node.spec.pod_cidrs = texts.collect();
        self.cidrs = NodeCidrs::of(&node);
        self.spec = NodeCidrs::of_spec(&node);
        self.version = Some(version).filter(|version| !version.is_empty());
    }
}

//! Which node gets which pod CIDRs, written so that several controllers at once give none twice.
//!
//! A [`Machine`] is told what the API server shows of the `PodNetwork` and of the Nodes, and what became
//! of its writes, and says what to write next. It does no I/O and reads no clock; the ranges are
//! openelb-ipam's business. It stands beside the controller of Services and shares nothing with it.
//!
//! # The rules
//!
//! The record of who has a prefix is `PodNetwork.status.used`, with the `uid` of each node beside it.
//! What follows holds with any number of controllers that all believe to lead, whatever writes are
//! lost or late, and wherever one of them stops:
//!
//! 1. No prefix is written into two nodes.
//! 2. A node is given a prefix only after its record was confirmed by a write that named the version
//!    which it replaced.
//! 3. Records of nodes that are gone are removed.
//! 4. What a node has in its specification is never changed.
//! 5. A world that does not change costs no write.
//!
//! # How they are held
//!
//! A record names a `uid`, and goes only when a reading *after* it was seen has shown that no node of
//! that `uid` is there: one that is gone never comes back. The write to a Node names the `uid` too, so
//! one that is late meets its own node or none. Hence a record is there as long as its node can still be
//! written, and no other node gets the prefix meanwhile. The API server itself refuses to change
//! `spec.podCIDRs` once it is set: that is why a record may also go when its node shows others.

mod commit;
mod input;
mod ledger;
mod member;
mod output;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use openelb_ipam::Time;

pub use input::{Input, Kind, Object, Outcome};
pub use ledger::Standing;
pub use output::{About, Change, Occurrence, Output, Write, WriteId};

use crate::names;
use ledger::Ledger;
use member::Member;

/// The controller of node CIDRs: objects and answers in, writes out.
#[derive(Debug)]
pub struct Machine {
    /// Tells the moments of repeated attempts of several controllers apart.
    seed: u64,
    ledger: Option<Ledger>,
    /// Nodes that are there, and those that only records name.
    members: BTreeMap<Arc<str>, Member>,
    /// Names seen in a list that is not complete yet.
    listing: BTreeMap<Kind, BTreeSet<String>>,
    synced: BTreeSet<Kind>,
    is_leading: bool,
    timers: BTreeSet<(Time, Subject)>,
    flights: BTreeMap<WriteId, Subject>,
    outputs: VecDeque<Output>,
    /// What was said last about each node, so that it is said once.
    told: BTreeMap<Arc<str>, String>,
    last_write: u64,
}

/// What a request or a timer is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    Ledger,
    Node(Arc<str>),
}

impl Machine {
    /// A machine that has seen nothing and does not lead. No two controllers of a cluster should have
    /// the same `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            ledger: None,
            members: BTreeMap::new(),
            listing: BTreeMap::new(),
            synced: BTreeSet::new(),
            is_leading: false,
            timers: BTreeSet::new(),
            flights: BTreeMap::new(),
            outputs: VecDeque::new(),
            told: BTreeMap::new(),
            last_write: 0,
        }
    }

    /// Learns one thing. O(nodes) when it changes something.
    pub fn handle_input(&mut self, input: Input, now: Time) {
        match input {
            Input::Restart(kind) => {
                self.listing.insert(kind, BTreeSet::new());
            }
            Input::Synced(kind) => self.end_list(kind),
            Input::Network(network) => {
                let name = network.metadata.name.clone();
                self.name(Kind::Network, &name);
                if name == names::DEFAULT_POD_NETWORK {
                    Ledger::see(&mut self.ledger, *network);
                }
            }
            Input::NetworkGone(name) => self.lose_network(&name),
            Input::Node(node) => {
                let name = Arc::from(node.metadata.name.as_str());
                self.name(Kind::Node, &name);
                self.members.entry(name).or_default().see(&node);
            }
            Input::NodeGone(name) => self.lose_node(&name),
            Input::Unreadable { kind, name } => self.name(kind, &name),
            Input::Leading(is_leading) => self.is_leading = is_leading,
            Input::Written { id, outcome } => self.handle_answer(id, outcome, now),
        }
        self.settle(now);
    }

    /// Does what is due. Call it when [`poll_timeout`](Self::poll_timeout) says so; earlier or later
    /// does no harm.
    pub fn handle_timeout(&mut self, now: Time) {
        while self.timers.first().is_some_and(|(at, _)| *at <= now) {
            self.timers.pop_first();
        }
        self.settle(now);
    }

    /// The next thing to be done, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do; `None` is never.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Whether it leads, and both kinds were seen whole: before, it writes nothing.
    pub fn is_working(&self) -> bool {
        self.is_leading && self.synced.len() == Kind::ALL.len()
    }

    /// How the nodes stand; `None` without a `PodNetwork`.
    pub fn standing(&self) -> Option<Standing> {
        self.ledger
            .as_ref()
            .map(|ledger| ledger.standing(&self.members))
    }

    fn name(&mut self, kind: Kind, name: &str) {
        if let Some(listed) = self.listing.get_mut(&kind) {
            listed.insert(name.to_owned());
        }
    }

    /// What a complete list did not name is gone.
    fn end_list(&mut self, kind: Kind) {
        self.synced.insert(kind);
        let Some(listed) = self.listing.remove(&kind) else {
            return;
        };
        match kind {
            Kind::Network if !listed.contains(names::DEFAULT_POD_NETWORK) => {
                self.lose_network(names::DEFAULT_POD_NETWORK);
            }
            Kind::Network => {}
            Kind::Node => {
                let all: Vec<_> = self.members.keys().cloned().collect();
                let gone = all.iter().filter(|name| !listed.contains(&***name));
                gone.for_each(|name| self.lose_node(name));
            }
        }
    }

    fn lose_network(&mut self, name: &str) {
        // Requests that are under way answer to nobody; what they wrote went with the object.
        if name == names::DEFAULT_POD_NETWORK {
            self.ledger = None;
            self.flights
                .retain(|_, subject| *subject != Subject::Ledger);
        }
    }

    fn lose_node(&mut self, name: &str) {
        if let Some(member) = self.members.get_mut(name) {
            member.seen = None;
        }
        self.told.remove(name);
    }

    /// Goes as far as possible with what is known.
    fn settle(&mut self, now: Time) {
        if !self.is_working() || self.ledger.is_none() {
            return;
        }
        self.inquire(now);
        self.commit(now);
        self.assign(now);
        let ledger = self.ledger.as_ref();
        self.members.retain(|name, member| {
            let is_recorded = ledger.is_some_and(|ledger| ledger.uids.contains_key(name));
            member.seen.is_some() || member.flight.is_some() || is_recorded
        });
    }

    /// Reads the nodes that records name and that look different, or are not seen at all.
    fn inquire(&mut self, now: Time) {
        let Some(ledger) = &self.ledger else { return };
        let uids: Vec<_> = ledger.uids.clone().into_iter().collect();
        for (name, uid) in uids {
            let member = self.members.entry(Arc::clone(&name)).or_default();
            // A record that somebody wrote by hand names nobody: the node of its name has it.
            let is_known = if uid.is_empty() {
                member.seen.is_some() || member.is_gone("")
            } else {
                member.is(&uid) || member.is_gone(&uid)
            };
            if (member.retry.is_stale || !is_known)
                && self.may(&Subject::Node(Arc::clone(&name)), now)
            {
                self.read_node(&name, &uid);
            }
        }
        let stale = self.members.iter().filter(|(_, it)| it.retry.is_stale);
        let stale =
            stale.map(|(name, it)| (Arc::clone(name), it.uid().unwrap_or_default().to_owned()));
        let stale: Vec<_> = stale.collect();
        for (name, uid) in stale {
            if self.may(&Subject::Node(Arc::clone(&name)), now) {
                self.read_node(&name, &uid);
            }
        }
    }

    /// Gives nodes what is recorded for them.
    fn assign(&mut self, now: Time) {
        let Some(ledger) = &self.ledger else { return };
        for (name, uid, cidrs) in ledger.to_assign(&self.members) {
            if !self.may(&Subject::Node(Arc::clone(&name)), now) {
                continue;
            }
            let what = Change::Node {
                name: name.to_string(),
                uid: uid.clone(),
                cidrs: cidrs.clone(),
            };
            let id = self.issue(Subject::Node(Arc::clone(&name)), what);
            if let Some(member) = self.members.get_mut(&name) {
                member.promise(&uid, &cidrs);
                let errand = member::Errand::Assign(uid, cidrs);
                member.flight = Some(member::Flight { id, errand });
            }
        }
    }

    fn read_node(&mut self, name: &Arc<str>, uid: &str) {
        let what = Change::ReadNode(name.to_string());
        let id = self.issue(Subject::Node(Arc::clone(name)), what);
        let member = self.members.entry(Arc::clone(name)).or_default();
        let errand = member::Errand::Ask(uid.to_owned());
        member.flight = Some(member::Flight { id, errand });
    }

    /// Whether a request about it may begin; sets a timer when it rests.
    fn may(&mut self, subject: &Subject, now: Time) -> bool {
        let (is_free, retry) = match subject {
            Subject::Ledger => match &self.ledger {
                Some(ledger) => (ledger.flight.is_none(), Some(&ledger.retry)),
                None => (false, None),
            },
            Subject::Node(name) => match self.members.get(name) {
                Some(member) => (member.flight.is_none(), Some(&member.retry)),
                None => (true, None),
            },
        };
        let until = retry.and_then(|retry| retry.rests_until(now));
        if let Some(until) = until {
            self.timers.insert((until, subject.clone()));
        }
        is_free && until.is_none()
    }

    /// Asks for a write, or a reading.
    fn issue(&mut self, subject: Subject, what: Change) -> WriteId {
        self.last_write += 1;
        let id = WriteId(self.last_write);
        self.flights.insert(id, subject);
        self.outputs.push_back(Output::Write(Write { id, what }));
        id
    }

    fn handle_answer(&mut self, id: WriteId, outcome: Outcome, now: Time) {
        match self.flights.remove(&id) {
            Some(Subject::Ledger) => self.ledger_answered(id, outcome, now),
            Some(Subject::Node(name)) => self.node_answered(&name, id, outcome, now),
            // Of an object that is gone.
            None => {}
        }
    }

    fn node_answered(&mut self, name: &Arc<str>, id: WriteId, outcome: Outcome, now: Time) {
        let seed = (self.seed, name);
        let Some(member) = self.members.get_mut(name) else {
            return;
        };
        let Some(flight) = member.flight.take_if(|flight| flight.id == id) else {
            return;
        };
        let until = match member.answered(&flight, outcome, seed, now) {
            member::Answered::Given(cidrs) => {
                self.tell_given(name, &cidrs);
                None
            }
            member::Answered::Told => None,
            member::Answered::Failed(until) => Some(until),
            member::Answered::Refused(why, until) => {
                self.warn(name, "PodCIDRsRefused", &why);
                Some(until)
            }
        };
        if let Some(until) = until {
            self.timers.insert((until, Subject::Node(Arc::clone(name))));
        }
    }

    fn tell_given(&mut self, name: &Arc<str>, cidrs: &[ipnet::IpNet]) {
        let note = format!("has the pod CIDRs {}", output::list(cidrs));
        let occurrence = self.about_node(name, false, "PodCIDRsAssigned", note);
        self.outputs.push_back(Output::Happened(occurrence));
    }

    /// Warns about a node, once while the words stay the same.
    fn warn(&mut self, name: &Arc<str>, reason: &'static str, note: &str) {
        let text = format!("{reason}: {note}");
        if self.told.get(name) == Some(&text) {
            return;
        }
        self.told.insert(Arc::clone(name), text);
        let occurrence = self.about_node(name, true, reason, note.to_owned());
        self.outputs.push_back(Output::Happened(occurrence));
    }

    fn about_node(
        &self,
        name: &Arc<str>,
        is_warning: bool,
        reason: &'static str,
        note: String,
    ) -> Occurrence {
        let uid = self.members.get(name).and_then(|member| member.uid());
        Occurrence {
            about: About::Node(name.to_string()),
            uid: uid.unwrap_or_default().to_owned(),
            is_warning,
            reason,
            note,
        }
    }
}

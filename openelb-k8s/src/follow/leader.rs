//! Who decides about the prefixes of a cluster: one machine for each, while this controller leads.
//!
//! The state of a machine is the status of its object, which is written by compare-and-swap. Two
//! controllers that both believe to lead hear the same sources; one of them loses its write, and goes
//! on from what the other wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use ipnet::Ipv6Net;
use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::{Event, Input, Machine, Settings, Sighting};
use openelb_ipam::relative::{Overlap, Projection};

use super::{generations, is_same, projection, state, status, time};
use crate::api::{
    AnnouncementState, DynamicPrefix, DynamicPrefixStatus, NodeAnnouncement, ObservedPrefix,
    PrefixObservation,
};
use crate::prefix::{self, Source};

/// The prefixes of a cluster: objects in, statuses out. It does no I/O and reads no clock.
#[derive(Debug, Default)]
pub struct Leader {
    prefixes: BTreeMap<String, Followed>,
    nodes: BTreeMap<String, Node>,
    own: Vec<ObservedPrefix>,
    leads: bool,
    /// By the statuses as they stand.
    view: Projection,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Replaces the status of an object, to be answered by [`Leader::written`].
    Write(Box<DynamicPrefix>),
    /// Something that its user should hear of: an Event.
    Happened(Happened),
}

/// Something that the user of a prefix should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// Name of the object.
    pub name: String,
    /// Its uid; empty when the server gave none.
    pub uid: String,
    /// Whether somebody may have to act.
    pub is_warning: bool,
    /// One word of a fixed set.
    pub reason: &'static str,
    /// A sentence.
    pub note: String,
}

impl Leader {
    /// An object, new or changed.
    pub fn see(&mut self, object: DynamicPrefix, now: Time) {
        let known = self.prefixes.entry(object.metadata.name.clone());
        known.or_default().see(object, now);
        self.look();
    }

    /// An object is gone.
    pub fn lose(&mut self, name: &str) {
        self.prefixes.remove(name);
        self.look();
    }

    /// What a node sees and announces.
    pub fn hear(&mut self, node: NodeAnnouncement) {
        let announced = node.status.addresses.iter();
        let announced = announced.filter(|it| it.state == AnnouncementState::Announced);
        let announced = announced.filter_map(|it| it.address.parse().ok());
        let known = Node {
            announced: announced.collect(),
            sees: node.status.prefixes,
        };
        self.nodes.insert(node.metadata.name, known);
    }

    /// What the sources say that are of no node, and that this controller reads: all of it.
    pub fn hear_own(&mut self, sees: Vec<ObservedPrefix>) {
        self.own = sees;
    }

    /// A node is gone, and with it what it saw.
    pub fn lose_node(&mut self, name: &str) {
        self.nodes.remove(name);
    }

    /// The names of all objects and nodes that are known, for who was told a new list.
    pub fn known(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        (
            self.prefixes.keys().cloned().collect(),
            self.nodes.keys().cloned().collect(),
        )
    }

    /// Whether this controller leads: only then anything is decided.
    pub fn lead(&mut self, leads: bool) {
        self.leads = leads;
        for followed in self.prefixes.values_mut().filter(|_| !leads) {
            followed.machine = None;
            followed.told.clear();
        }
    }

    /// Decides what is due, and says what is to be done.
    pub fn step(&mut self, now: Time) -> Vec<Step> {
        let mut steps = Vec::new();
        for followed in self.prefixes.values_mut().filter(|_| self.leads) {
            followed.step(&self.nodes, &self.own, &self.view, now, &mut steps);
        }
        steps
    }

    /// A write ended: the version after it, or nothing when it did not happen for sure.
    pub fn written(&mut self, object: DynamicPrefix, version: Option<String>, now: Time) {
        let Some(followed) = self.prefixes.get_mut(&object.metadata.name) else {
            return;
        };
        followed.is_writing = false;
        match version {
            Some(version) if followed.object.metadata.uid == object.metadata.uid => {
                followed.object.status = object.status;
                followed.object.metadata.resource_version = Some(version);
            }
            _ => followed.rests_until = Some(now + PAUSE),
        }
        self.look();
    }

    /// When [`step`](Self::step) has something to do; `None` is never.
    pub fn poll_timeout(&self) -> Option<Time> {
        // While a write is under way only its answer brings it on, and while it rests only the end of
        // that: a deadline that passed meanwhile would be due again and again.
        let all = self.prefixes.values();
        let idle = all.filter(|it| self.leads && !it.is_writing);
        let wakes = idle.filter_map(|it| {
            let due = || it.machine.as_ref().and_then(Machine::poll_timeout);
            it.rests_until.or_else(due)
        });
        wakes.min()
    }

    /// How the world sees addresses that follow a prefix: by the statuses, never by a machine.
    pub const fn projection(&self) -> &Projection {
        &self.view
    }

    /// The objects as they are known.
    pub fn objects(&self) -> impl Iterator<Item = &DynamicPrefix> {
        self.prefixes.values().map(|it| &it.object)
    }

    fn look(&mut self) {
        self.view = projection(self.objects());
    }
}

/// What a node tells.
#[derive(Debug)]
struct Node {
    announced: BTreeSet<IpAddr>,
    sees: Vec<ObservedPrefix>,
}

/// One prefix.
#[derive(Debug, Default)]
struct Followed {
    object: DynamicPrefix,
    machine: Option<Machine>,
    /// What the machine was told last, by source, origin and prefix.
    told: BTreeMap<Told, Sighting>,
    is_writing: bool,
    rests_until: Option<Time>,
}

type Told = (usize, String, Ipv6Net);

/// What all sources say now.
#[derive(Default)]
struct Heard {
    sightings: BTreeMap<Told, Sighting>,
    failing: BTreeMap<usize, String>,
    observations: Vec<PrefixObservation>,
}

impl Followed {
    fn see(&mut self, object: DynamicPrefix, now: Time) {
        let is_other = self.object.metadata.uid != object.metadata.uid;
        let is_respecified = self.object.spec != object.spec;
        // Somebody else wrote it: that is the state now. The watch may be faster than the answer to a
        // write of ours.
        let theirs = generations(&object.status);
        let mine = self.machine.as_ref().map(Machine::generations);
        let is_overtaken = mine != Some(&theirs) && theirs != generations(&self.object.status);
        self.object = object;
        if is_other || is_overtaken {
            self.machine = None;
            self.told.clear();
        } else if is_respecified
            && let (Some(machine), Some(meant)) =
                (&mut self.machine, prefix::followed(&self.object).prefix)
        {
            machine.handle_input(Input::Configure(meant.settings), now);
        }
        self.rests_until = None;
    }

    fn step(
        &mut self,
        nodes: &BTreeMap<String, Node>,
        own: &[ObservedPrefix],
        view: &Projection,
        now: Time,
        steps: &mut Vec<Step>,
    ) {
        if self.is_writing || self.rests_until.is_some_and(|until| now < until) {
            return;
        }
        self.rests_until = None;
        let meant = prefix::followed(&self.object);
        let (settings, sources) = match meant.prefix {
            Some(meant) => (meant.settings, meant.sources),
            // What cannot be meant keeps the prefix that was in use for its lifetime.
            None => (Settings::default(), Vec::new()),
        };
        let heard = self.hear(nodes, own, &sources);
        let object = &self.object;
        let machine = self
            .machine
            .get_or_insert_with(|| Machine::restore(settings, state(&object.status), now));
        tell(machine, &mut self.told, &heard, now);
        let preferred = machine.generations().preferred.as_ref();
        if let Some(prefix) = preferred.map(|it| it.prefix)
            && is_announced(nodes, prefix)
        {
            machine.handle_input(Input::Announced { prefix }, now);
        }
        machine.handle_timeout(now);
        let explained = machine.explain(now);
        let overlap = view.overlap_of(&object.metadata.name);
        let mut wanted = status(object, &explained, heard.observations, overlap, now);
        if let Some(problem) = meant.problems.iter().find(|it| it.is_error()) {
            status::refuse(&mut wanted, problem);
        } else if let Some(problem) = meant.problems.first() {
            status::warn(&mut wanted, problem);
        }
        while let Some(event) = machine.poll_event() {
            steps.extend(happened(object, &event).map(Step::Happened));
        }
        if let Some(overlap) = overlap.filter(|it| !status::tells_of(&object.status, it)) {
            steps.push(Step::Happened(overlapping(object, overlap)));
        }
        if !is_same(&wanted, &object.status) {
            steps.push(Step::Write(Box::new(self.rewritten(wanted))));
            self.is_writing = true;
        }
    }

    fn rewritten(&self, status: DynamicPrefixStatus) -> DynamicPrefix {
        DynamicPrefix {
            status,
            ..self.object.clone()
        }
    }

    fn hear(
        &self,
        nodes: &BTreeMap<String, Node>,
        own: &[ObservedPrefix],
        sources: &[Source],
    ) -> Heard {
        let mut heard = Heard::default();
        for (source, meant) in sources.iter().enumerate() {
            if let Source::Static { prefix } = meant {
                let word = ObservedPrefix {
                    prefix: prefix.to_string(),
                    origin: "as configured".to_owned(),
                    ..ObservedPrefix::default()
                };
                heard.note("", source, &word);
            }
        }
        let of_nodes = nodes
            .iter()
            .map(|(node, known)| (node.as_str(), &*known.sees));
        let mut working = BTreeSet::new();
        for (node, sees) in of_nodes.chain([("", own)]) {
            let name = &self.object.metadata.name;
            let words = sees.iter().filter(|it| it.name == *name);
            let failing = words.clone().filter(|it| !it.problem.is_empty());
            let failing: BTreeSet<u32> = failing.map(|it| it.source).collect();
            for word in words {
                let source = usize::try_from(word.source).unwrap_or(usize::MAX);
                // A node has no say in what is looked at once for the whole cluster, nor the reverse.
                let is_of_node = sources.get(source).map(Source::is_of_node);
                if is_of_node == Some(!node.is_empty()) {
                    heard.note(node, source, word);
                    // What was seen before it failed is still told of.
                    working.extend((!failing.contains(&word.source)).then_some(source));
                }
            }
        }
        // A source that one node can read is not failing.
        heard.failing.retain(|source, _| !working.contains(source));
        heard
    }
}

impl Heard {
    fn note(&mut self, node: &str, source: usize, word: &ObservedPrefix) {
        if !word.problem.is_empty() {
            let why = [
                word.problem.as_str(),
                if node.is_empty() { "" } else { " on node " },
                node,
            ];
            self.failing.entry(source).or_insert_with(|| why.concat());
        }
        let Ok(prefix) = word.prefix.parse::<Ipv6Net>() else {
            return;
        };
        let origin = match (node, word.origin.as_str()) {
            ("", origin) => origin.to_owned(),
            (node, origin) => format!("{origin} of node {node}"),
        };
        let until = |text: &Option<String>| text.as_deref().and_then(time);
        self.observations.push(PrefixObservation {
            node: node.to_owned(),
            source: u32::try_from(source).unwrap_or(u32::MAX),
            origin: word.origin.clone(),
            prefix: word.prefix.clone(),
            preferred_until: word.preferred_until.clone(),
            valid_until: word.valid_until.clone(),
        });
        let key = (source, origin.clone(), prefix);
        let sighting = Sighting {
            source,
            origin,
            prefix,
            preferred_until: until(&word.preferred_until),
            valid_until: until(&word.valid_until),
        };
        self.sightings.insert(key, sighting);
    }
}

/// Tells a machine what is different from what it was told before.
fn tell(machine: &mut Machine, told: &mut BTreeMap<Told, Sighting>, heard: &Heard, now: Time) {
    let gone = told
        .keys()
        .filter(|key| !heard.sightings.contains_key(*key));
    for (source, origin, prefix) in gone.cloned() {
        let gone = Input::Gone {
            source,
            origin,
            prefix,
        };
        machine.handle_input(gone, now);
    }
    for (key, sighting) in &heard.sightings {
        if told.get(key) != Some(sighting) {
            machine.handle_input(Input::Seen(sighting.clone()), now);
        }
    }
    told.clone_from(&heard.sightings);
    let failing = machine.state().failing.clone();
    for source in failing.keys().filter(|it| !heard.failing.contains_key(it)) {
        machine.handle_input(Input::Worked { source: *source }, now);
    }
    for (source, why) in heard
        .failing
        .iter()
        .filter(|(at, why)| failing.get(at) != Some(*why))
    {
        let (source, why) = (*source, why.clone());
        machine.handle_input(Input::Failed { source, why }, now);
    }
}

/// Whether any node announces an address of a prefix.
fn is_announced(nodes: &BTreeMap<String, Node>, prefix: Ipv6Net) -> bool {
    let mut all = nodes.values().filter_map(|node| {
        let first = IpAddr::V6(prefix.network());
        node.announced.range(first..).next()
    });
    all.any(|address| matches!(address, IpAddr::V6(it) if prefix.contains(it)))
}

/// The Event of what a machine did; nothing for what nobody has to hear of.
fn happened(object: &DynamicPrefix, event: &Event) -> Option<Happened> {
    let (is_warning, reason) = match event {
        Event::Detected { .. } => (false, "PrefixDetected"),
        Event::Renumbered { .. } => (false, "Renumbered"),
        Event::Deprecated { .. } => (false, "Deprecated"),
        Event::Withdrawn { .. } => (false, "Withdrawn"),
        Event::Degraded { .. } => (true, "Degraded"),
        Event::Recovered => (false, "Recovered"),
        Event::Refused { .. } => (true, "PrefixRefused"),
        _ => return None,
    };
    Some(about(object, is_warning, reason, event))
}

/// The Event about a prefix that another object has.
fn overlapping(object: &DynamicPrefix, overlap: &Overlap) -> Happened {
    about(object, true, status::CONFLICT, overlap)
}

fn about(
    object: &DynamicPrefix,
    is_warning: bool,
    reason: &'static str,
    note: &impl ToString,
) -> Happened {
    Happened {
        name: object.metadata.name.clone(),
        uid: object.metadata.uid.clone().unwrap_or_default(),
        is_warning,
        reason,
        note: note.to_string(),
    }
}

/// After a write that did not happen, unless the watch brings news before.
const PAUSE: Duration = Duration::from_secs(2);

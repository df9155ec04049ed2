//! Addresses that no node announces because another station on the link has them, as the speakers tell.
//!
//! A speaker probes before it announces, and its `NodeAnnouncement` shows what it found. The word of one
//! node is not enough to take an address from a Service: where another node announces it, what answered
//! is that node, seen in the midst of a handover or over a link that carries ARP and loses the beats of
//! the election. So an address is in conflict only once nobody announces it, and for some seconds.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use openelb_ipam::Time;

use crate::api::{AnnouncedAddress, AnnouncementState, NodeAnnouncement};
use crate::speaker::record::MOST_SHOWN;

/// Addresses in conflict, each with a sentence about who was seen where.
pub type View = BTreeMap<IpAddr, String>;

/// What all nodes tell of conflicts: their records in, a [`View`] out. It does no I/O and reads no clock.
#[derive(Debug, Default)]
pub struct Conflicts {
    nodes: BTreeMap<String, Node>,
    suspects: BTreeMap<IpAddr, Suspicion>,
    is_due: bool,
    view: View,
}

/// What a node tells.
#[derive(Debug)]
struct Node {
    announced: HashSet<IpAddr>,
    /// Whether the record has room for all that the node announces.
    is_whole: bool,
    conflicts: View,
}

/// An address that was seen in conflict.
#[derive(Debug)]
struct Suspicion {
    since: Time,
    /// Since when no node sees it; it may be probing again.
    unseen: Option<Time>,
    is_told: bool,
    cause: String,
}

impl Conflicts {
    /// What a node announces, and what it may not. O(addresses of the record).
    pub fn hear(&mut self, node: &NodeAnnouncement) {
        let name = &node.metadata.name;
        let entries = &node.status.addresses;
        let with = |state: AnnouncementState| {
            let entries = entries.iter().filter(move |it| it.state == state);
            entries.filter_map(|it| Some((it.address.parse().ok()?, it)))
        };
        let announced = with(AnnouncementState::Announced).map(|(address, _)| address);
        let conflicts = with(AnnouncementState::Conflict);
        let known = Node {
            announced: announced.collect(),
            is_whole: entries.len() < MOST_SHOWN,
            conflicts: conflicts.map(|(at, it)| (at, cause(name, it))).collect(),
        };
        self.nodes.insert(name.clone(), known);
        self.is_due = true;
    }

    /// A node is gone, and with it what it saw.
    pub fn lose(&mut self, node: &str) {
        self.nodes.remove(node);
        self.is_due = true;
    }

    /// Only these nodes exist: what a list of them did not name is gone.
    pub fn keep(&mut self, listed: &BTreeSet<String>) {
        self.nodes.retain(|name, _| listed.contains(name));
        self.is_due = true;
    }

    /// All addresses that are in conflict now, if that changed since the last call. Costs nothing where
    /// nothing was heard and no time has come.
    pub fn step(&mut self, now: Time) -> Option<View> {
        let is_time = self.poll_timeout().is_some_and(|at| at <= now);
        if !std::mem::take(&mut self.is_due) && !is_time {
            return None;
        }
        self.suspect(now);
        let told = self.suspects.iter().filter(|(_, it)| it.is_told);
        let view: View = told.map(|(at, it)| (*at, it.cause.clone())).collect();
        (view != self.view).then(|| view.clone_into(&mut self.view))?;
        Some(view)
    }

    /// When [`step`](Self::step) has something to do although nothing was heard.
    pub fn poll_timeout(&self) -> Option<Time> {
        let due = self.suspects.values().filter_map(|it| match it.unseen {
            Some(unseen) => Some(unseen + CLEAR),
            None if !it.is_told => Some(it.since + HOLD),
            None => None,
        });
        due.min()
    }

    fn suspect(&mut self, now: Time) {
        let seen = self.seen();
        for (address, cause) in &seen {
            let new = || Suspicion {
                since: now,
                unseen: None,
                is_told: false,
                cause: cause.clone(),
            };
            let suspicion = self.suspects.entry(*address).or_insert_with(new);
            suspicion.unseen = None;
            suspicion.is_told |= now >= suspicion.since + HOLD;
        }
        let nodes = &self.nodes;
        self.suspects.retain(|address, it| {
            if seen.contains_key(address) {
                return true;
            }
            let unseen = *it.unseen.get_or_insert(now);
            now < unseen + CLEAR && !is_announced(nodes, address)
        });
    }

    /// What some node sees in conflict, and no node announces.
    fn seen(&self) -> View {
        let mut seen = View::new();
        for (name, node) in &self.nodes {
            for (address, cause) in &node.conflicts {
                let mut others = self.nodes.iter().filter(|(other, _)| *other != name);
                if others.all(|(_, other)| other.is_whole) && !is_announced(&self.nodes, address) {
                    seen.entry(*address).or_insert_with(|| cause.clone());
                }
            }
        }
        seen
    }
}

fn is_announced(nodes: &BTreeMap<String, Node>, address: &IpAddr) -> bool {
    nodes.values().any(|node| node.announced.contains(address))
}

fn cause(node: &str, entry: &AnnouncedAddress) -> String {
    let station = match entry.station.as_str() {
        "" => "another station",
        station => station,
    };
    let place = match entry.interface.as_str() {
        "" => String::new(),
        interface => format!(" on {interface}"),
    };
    format!("node {node} sees {station}{place}")
}

/// Longer than a handover takes and records lag behind, shorter than the five seconds between two attempts
/// of a speaker, in which it shows no conflict while it probes.
const HOLD: Duration = Duration::from_secs(3);

/// Longer than an attempt takes: seven seconds of probing (RFC 5227, section 2.1.1), and the record's
/// second.
const CLEAR: Duration = Duration::from_secs(10);

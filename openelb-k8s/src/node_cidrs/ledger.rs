//! The records of a `PodNetwork`, and what they are to be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipnet::IpNet;
use openelb_ipam::Family;

use super::WriteId;
use super::member::{Member, Seen};
use crate::api::{PodNetwork, PodNetworkStatus};
use crate::controller::{Retry, is_older};
use crate::pod_network::{Clash, Exhausted, Free, Plan, clashes, read};
use crate::problem::Problem;

/// Prefix to node.
pub(super) type Records = BTreeMap<IpNet, Arc<str>>;

/// The `PodNetwork` as the server last showed it.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) network: PodNetwork,
    pub(super) plan: Option<Plan>,
    pub(super) problems: Vec<Problem>,
    pub(super) records: Records,
    pub(super) uids: BTreeMap<Arc<str>, String>,
    /// Entries that are no prefix: nobody knows what they mean, so they stay.
    strange: BTreeMap<String, String>,
    pub(super) flight: Option<Flight>,
    pub(super) retry: Retry,
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) id: WriteId,
    /// What is true once it succeeded; `None`: it reads.
    pub(super) status: Option<Box<PodNetworkStatus>>,
}

/// What the records are to be, and what is wrong.
#[derive(Debug, Default)]
pub(super) struct Decided {
    pub(super) records: Records,
    pub(super) uids: BTreeMap<Arc<str>, String>,
    pub(super) clashes: Vec<Clash>,
    /// Nodes with a prefix outside the ranges.
    pub(super) outside: Vec<(Arc<str>, IpNet)>,
    /// Nodes with a prefix that cannot be read, and why.
    pub(super) unreadable: Vec<(Arc<str>, String)>,
    /// Nodes that wait because a family has nothing left.
    pub(super) waiting: Vec<Arc<str>>,
    pub(super) exhausted: Option<Exhausted>,
}

/// How the nodes stand, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Nodes that the network is for.
    pub nodes: usize,
    /// Those that have pod CIDRs.
    pub assigned: usize,
    /// Those that wait because nothing is free.
    pub waiting: usize,
    /// Prefixes on record.
    pub records: usize,
    /// Pairs of nodes with one address.
    pub clashes: usize,
}

impl Ledger {
    /// Takes an object in, unless it is older than what is known.
    pub(super) fn see(known: &mut Option<Self>, network: PodNetwork) {
        let new = &network.metadata;
        match known {
            Some(ledger) if ledger.network.metadata.uid == new.uid => {
                let version = |meta: &crate::api::ObjectMeta| meta.resource_version.clone();
                let versions = version(new).zip(version(&ledger.network.metadata));
                if versions.is_some_and(|(new, known)| is_older(&new, &known)) {
                    return;
                }
                ledger.put(network);
                ledger.retry.refresh();
            }
            _ => *known = Some(Self::of(network)),
        }
    }

    fn of(network: PodNetwork) -> Self {
        let mut ledger = Self {
            network: PodNetwork::default(),
            plan: None,
            problems: Vec::new(),
            records: Records::new(),
            uids: BTreeMap::new(),
            strange: BTreeMap::new(),
            flight: None,
            retry: Retry::default(),
        };
        ledger.put(network);
        ledger
    }

    /// Makes this what is known.
    pub(super) fn put(&mut self, network: PodNetwork) {
        (self.plan, self.problems) = read(&network);
        self.records.clear();
        self.strange.clear();
        self.uids.clear();
        for (text, node) in &network.status.used {
            let Ok(cidr) = text.parse::<IpNet>() else {
                self.strange.insert(text.clone(), node.clone());
                continue;
            };
            let node: Arc<str> = node.as_str().into();
            let uid = network.status.uids.get(&*node).cloned();
            self.uids.insert(Arc::clone(&node), uid.unwrap_or_default());
            self.records.insert(cidr.trunc(), node);
        }
        self.network = network;
    }

    /// What the records are to be, by what is known of the nodes.
    pub(super) fn decide(&self, members: &BTreeMap<Arc<str>, Member>) -> Decided {
        let mut decided = Decided {
            records: self.records.clone(),
            uids: self.uids.clone(),
            ..Decided::default()
        };
        decided.forget(members);
        if let Some(plan) = &self.plan {
            decided.adopt(plan, members);
            if plan.allocates {
                decided.allocate(plan, members);
            }
        }
        let claims = decided.records.iter().map(|(cidr, name)| (&**name, *cidr));
        let shown = members.iter().flat_map(|(name, member)| {
            let cidrs = member.seen.iter().flat_map(Seen::all);
            cidrs.map(|cidr| (&**name, cidr))
        });
        decided.clashes = clashes(claims.chain(shown));
        let uids = std::mem::take(&mut decided.uids);
        let owners: BTreeSet<_> = decided.records.values().collect();
        let uids = uids.into_iter();
        decided.uids = uids.filter(|(name, _)| owners.contains(name)).collect();
        decided
    }

    /// The records as the object writes them.
    pub(super) fn written(&self, decided: &Decided) -> BTreeMap<String, String> {
        let records = decided.records.iter();
        let records = records.map(|(cidr, name)| (cidr.to_string(), name.to_string()));
        records.chain(self.strange.clone()).collect()
    }

    /// Nodes that have a confirmed record of every family and show nothing yet: name, `uid`, prefixes.
    pub(super) fn to_assign(
        &self,
        members: &BTreeMap<Arc<str>, Member>,
    ) -> Vec<(Arc<str>, String, Vec<IpNet>)> {
        let Some(plan) = self.plan.as_ref().filter(|plan| plan.allocates) else {
            return Vec::new();
        };
        let mut held: BTreeMap<&str, Vec<IpNet>> = BTreeMap::new();
        for (cidr, name) in &self.records {
            held.entry(name).or_default().push(*cidr);
        }
        let of = |name: &Arc<str>, member: &Member| {
            let seen = member.selected(plan).filter(|seen| seen.is_bare())?;
            if self.uids.get(name) != Some(&seen.uid) || seen.uid.is_empty() {
                return None;
            }
            let held = held.get(&**name)?;
            let cidrs = plan.families().map(|family| of_family(held, family));
            let cidrs = cidrs.collect::<Option<Vec<_>>>()?;
            Some((Arc::clone(name), seen.uid.clone(), cidrs))
        };
        let members = members.iter();
        members
            .filter_map(|(name, member)| of(name, member))
            .collect()
    }

    /// How the nodes stand. O(n log n).
    pub(super) fn standing(&self, members: &BTreeMap<Arc<str>, Member>) -> Standing {
        let decided = self.decide(members);
        let plan = self.plan.as_ref();
        let nodes = members.values();
        let nodes = nodes.filter_map(|member| member.selected(plan?));
        let nodes: Vec<_> = nodes.collect();
        Standing {
            nodes: nodes.len(),
            assigned: nodes
                .iter()
                .filter(|seen| !seen.cidrs.cidrs.is_empty())
                .count(),
            waiting: decided.waiting.len(),
            records: self.records.len(),
            clashes: decided.clashes.len(),
        }
    }
}

impl Decided {
    /// Takes out what is nobody's any more.
    fn forget(&mut self, members: &BTreeMap<Arc<str>, Member>) {
        for (name, uid) in &mut self.uids {
            let Some(member) = members.get(name) else {
                continue;
            };
            let is_gone = member.is_gone(uid);
            match &member.seen {
                // A node that was made anew keeps what its name has: nobody else may have it yet.
                Some(seen) if seen.uid != *uid && (is_gone || uid.is_empty()) => {
                    uid.clone_from(&seen.uid);
                }
                None if is_gone => self.records.retain(|_, owner| owner != name),
                _ => {}
            }
        }
        let uids = &self.uids;
        self.records.retain(|cidr, name| {
            let seen = members.get(name).and_then(|member| member.seen.as_ref());
            let mut seen = seen
                .filter(|seen| uids.get(name) == Some(&seen.uid))
                .into_iter();
            // The specification is set once: what is not in it never comes into it.
            !seen.any(|seen| !seen.spec.cidrs.is_empty() && seen.all().all(|it| it != *cidr))
        });
    }

    /// Records what nodes have from elsewhere.
    fn adopt(&mut self, plan: &Plan, members: &BTreeMap<Arc<str>, Member>) {
        for (name, member) in members {
            let Some(seen) = member.selected(plan) else {
                continue;
            };
            let problems = seen.cidrs.problems.iter().take(1);
            let problems =
                problems.map(|(fact, next)| format!("{}: {fact}; {next}", seen.cidrs.key));
            self.unreadable
                .extend(problems.map(|text| (Arc::clone(name), text)));
            let promised = member.promised().filter(|cidr| plan.contains(cidr));
            for cidr in seen.all().chain(promised) {
                if plan.ranges.is_empty() {
                    continue;
                }
                if !plan.contains(&cidr) {
                    self.outside.push((Arc::clone(name), cidr));
                } else if self.may_record(name, seen) && overlapping(&self.records, &cidr).is_none()
                {
                    self.record(name, seen, cidr);
                }
            }
        }
    }

    /// Gives nodes without any what is free, all families or none.
    fn allocate(&mut self, plan: &Plan, members: &BTreeMap<Arc<str>, Member>) {
        let mut free = None;
        for (name, member) in members {
            let seen = member.selected(plan).filter(|seen| seen.is_bare());
            let Some(seen) = seen.filter(|seen| self.may_record(name, seen)) else {
                continue;
            };
            let held = self.records.iter().filter(|(_, owner)| *owner == name);
            let held: Vec<_> = held.map(|(cidr, _)| *cidr).collect();
            let missing = plan
                .families()
                .filter(|family| of_family(&held, *family).is_none());
            let missing: Vec<_> = missing.collect();
            if missing.is_empty() {
                continue;
            }
            let free = free.get_or_insert_with(|| {
                let shown = members.values().filter_map(|it| it.seen.as_ref());
                let shown = shown.flat_map(Seen::all);
                Free::of(plan, self.records.keys().copied().chain(shown))
            });
            match free.take(missing) {
                Ok(cidrs) => cidrs
                    .into_iter()
                    .for_each(|cidr| self.record(name, seen, cidr)),
                Err(exhausted) => {
                    self.exhausted = Some(exhausted);
                    self.waiting.push(Arc::clone(name));
                }
            }
        }
    }

    /// Whether the records of the name are this node's, or there are none.
    fn may_record(&self, name: &Arc<str>, seen: &Seen) -> bool {
        let uid = self.uids.get(name);
        !seen.uid.is_empty() && uid.is_none_or(|uid| *uid == seen.uid)
    }

    fn record(&mut self, name: &Arc<str>, seen: &Seen, cidr: IpNet) {
        self.records.insert(cidr, Arc::clone(name));
        self.uids.insert(Arc::clone(name), seen.uid.clone());
    }
}

impl Seen {
    /// Whether nothing says what its prefixes are, and it stays.
    fn is_bare(&self) -> bool {
        self.cidrs.is_unset() && self.spec.is_unset() && !self.is_deleting
    }

    /// Every prefix that it has anywhere.
    fn all(&self) -> impl Iterator<Item = IpNet> {
        let more = self.spec.cidrs.iter();
        let more = more.filter(|cidr| !self.cidrs.cidrs.contains(cidr));
        self.cidrs.cidrs.iter().chain(more).copied()
    }
}

fn of_family(cidrs: &[IpNet], family: Family) -> Option<IpNet> {
    let mut cidrs = cidrs.iter();
    cidrs
        .find(|cidr| Family::of(cidr.addr()) == family)
        .copied()
}

/// A record that has an address in common with a prefix. O(length × log n).
fn overlapping<'a>(records: &'a Records, cidr: &IpNet) -> Option<(&'a IpNet, &'a Arc<str>)> {
    let inside = records.range(cidr..).next();
    inside
        .filter(|(other, _)| cidr.contains(*other))
        .or_else(|| {
            let lengths = 0..cidr.prefix_len();
            let mut wider = lengths.filter_map(|length| IpNet::new(cidr.addr(), length).ok());
            wider.find_map(|wider| records.get_key_value(&wider.trunc()))
        })
}

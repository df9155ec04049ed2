//! What objects say that nobody stands behind any more: records, addresses, finalizers and counts that
//! a controller at rest would not leave.
//!
//! [`leaks`] is pure and looks at objects alone, not at what the controller plans. While a controller
//! works, what it is about to write is missing for a moment: only what is told twice is a leak.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use super::Cluster;
use crate::api::{AnnouncementState, owners_of};
use crate::cluster::Service;
use crate::names;
use crate::wish::{Serving, Wish, wish};

/// Something that nobody stands behind. Its text is one line, without the next step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Leak {
    /// The object that says it, such as `eip/edge` or `service/shop/web`.
    pub object: String,
    /// What it says.
    pub says: Says,
    /// The address, finalizer, count or pool that it says it of.
    pub what: String,
    /// What is wrong with that.
    pub but: String,
    /// What to do.
    pub next: &'static str,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            object,
            says,
            what,
            but,
            ..
        } = self;
        write!(f, "{object}: {says} {what}: {but}")
    }
}

/// What an object says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Says {
    /// An address is a Service's.
    Record,
    /// The Service has an address.
    Address,
    /// The object must not be deleted yet.
    Finalizer,
    /// So many addresses of the pool are used.
    Usage,
    /// Its records are of a pool.
    Pool,
    /// The node announces an address.
    Announcement,
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Record => "record of",
            Self::Address => "address",
            Self::Finalizer => "finalizer",
            Self::Usage => "usage",
            Self::Pool => "pool",
            Self::Announcement => "announcement of",
        })
    }
}

/// Everything that nobody stands behind, in the order of the objects. O(n log n) in the objects and
/// their records.
pub fn leaks(cluster: &Cluster, serving: &Serving) -> Vec<Leak> {
    let mut audit = Audit::new(cluster, serving);
    audit.records();
    audit.services();
    audit.pools();
    audit.blocks();
    audit.announcements();
    audit.found.sort();
    audit.found
}

struct Audit<'a> {
    cluster: &'a Cluster,
    services: BTreeMap<String, (&'a Service, Standing)>,
    found: Vec<Leak>,
}

/// What a Service is to this project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is served.
    Served,
    /// It was, and what it has is to go.
    Leaving,
    /// It never was.
    Foreign,
}

/// Whose an address is, and which object says so.
struct Record<'a> {
    kind: &'static str,
    name: &'a str,
    address: &'a str,
    owner: &'a str,
}

impl<'a> Audit<'a> {
    fn new(cluster: &'a Cluster, serving: &Serving) -> Self {
        let services = cluster.services.iter();
        let services = services.map(|it| (name(it), (it, standing(it, serving))));
        Self {
            cluster,
            services: services.collect(),
            found: Vec::new(),
        }
    }

    fn add(&mut self, object: String, says: Says, what: &str, but: String, next: &'static str) {
        let what = what.to_owned();
        self.found.push(Leak {
            object,
            says,
            what,
            but,
            next,
        });
    }

    fn records(&mut self) {
        for record in records(self.cluster) {
            let Some(but) = self.against(&record) else {
                continue;
            };
            let object = format!("{}/{}", record.kind, record.name);
            self.add(object, Says::Record, record.address, but, WAIT);
        }
    }

    fn against(&self, record: &Record<'_>) -> Option<String> {
        let owner = record.owner;
        let Some((service, standing)) = self.services.get(owner) else {
            return Some(format!("there is no Service {owner}"));
        };
        if *standing != Standing::Served {
            return Some(format!("the Service {owner} wants none"));
        }
        // A record that follows a prefix is no address: what is shown for it depends on the prefix.
        let address: IpAddr = record.address.parse().ok()?;
        let is_shown = service.shown().any(|shown| shown == address);
        (!is_shown).then(|| format!("the Service {owner} does not show it"))
    }

    fn services(&mut self) {
        let mut owned: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for record in records(self.cluster) {
            owned
                .entry(record.owner)
                .or_default()
                .insert(record.address);
        }
        let mut found = Vec::new();
        for (name, (service, standing)) in &self.services {
            let records = owned.remove(name.as_str()).unwrap_or_default();
            match standing {
                Standing::Served => {
                    let lost = service.shown().filter(|it| !is_recorded(*it, &records));
                    found.extend(lost.map(|it| (name.clone(), Says::Address, it.to_string())));
                }
                Standing::Leaving if records.is_empty() => {
                    let finalizers = service.metadata.finalizers.iter();
                    let held = finalizers.filter(|it| *it == names::SERVICE_FINALIZER);
                    found.extend(held.map(|it| (name.clone(), Says::Finalizer, it.clone())));
                }
                Standing::Leaving | Standing::Foreign => {}
            }
        }
        for (name, says, what) in found {
            let (but, next) = match says {
                Says::Address => ("no pool has a record of it", EXPLAIN),
                _ => ("no pool has a record of the Service", TAKE_OFF),
            };
            self.add(format!("service/{name}"), says, &what, but.to_owned(), next);
        }
    }

    fn pools(&mut self) {
        let mut used: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for block in &self.cluster.blocks {
            let addresses = block.spec.used.keys().map(String::as_str);
            used.entry(&block.spec.eip).or_default().extend(addresses);
        }
        for eip in &self.cluster.eips {
            let mut used = used.remove(&*eip.metadata.name).unwrap_or_default();
            used.extend(eip.status.used.keys().map(String::as_str));
            let (object, count) = (format!("eip/{}", eip.metadata.name), used.len());
            let usage = eip.status.usage;
            if usize::try_from(usage) != Ok(count) {
                let but = format!("{count} have a record");
                self.add(object.clone(), Says::Usage, &usage.to_string(), but, WAIT);
            }
            let finalizer = names::EIP_FINALIZER;
            let is_held = eip.metadata.finalizers.iter().any(|it| it == finalizer);
            if eip.metadata.deletion_timestamp.is_some() && is_held && used.is_empty() {
                let but = "it is being deleted, and nobody has an address of it".to_owned();
                self.add(object, Says::Finalizer, finalizer, but, TAKE_OFF);
            }
        }
    }

    fn blocks(&mut self) {
        let eips = self.cluster.eips.iter();
        let eips: BTreeSet<_> = eips.map(|eip| eip.metadata.name.as_str()).collect();
        for block in &self.cluster.blocks {
            let pool = block.spec.eip.as_str();
            if !eips.contains(pool) {
                let object = format!("addressblock/{}", block.metadata.name);
                let but = "there is no such Eip".to_owned();
                self.add(object, Says::Pool, pool, but, DELETE);
            }
        }
    }

    fn announcements(&mut self) {
        for node in &self.cluster.announcements {
            let announced = node.status.addresses.iter();
            for it in announced.filter(|it| it.state == AnnouncementState::Announced) {
                let service = self.services.get(&it.service);
                let is_shown = service.is_some_and(|(service, _)| {
                    service.shown().any(|shown| it.address.parse() == Ok(shown))
                });
                if !is_shown {
                    let object = format!("nodeannouncement/{}", node.metadata.name);
                    let but = format!("the Service {} does not show it", it.service);
                    self.add(object, Says::Announcement, &it.address, but, SPEAKER);
                }
            }
        }
    }
}

fn records(cluster: &Cluster) -> impl Iterator<Item = Record<'_>> {
    let in_status = cluster.eips.iter();
    let in_status = in_status.map(|it| ("eip", &*it.metadata.name, &it.status.used));
    let in_blocks = cluster.blocks.iter();
    let in_blocks = in_blocks.map(|it| ("addressblock", &*it.metadata.name, &it.spec.used));
    in_status.chain(in_blocks).flat_map(|(kind, name, used)| {
        used.iter().flat_map(move |(address, record)| {
            owners_of(record).map(move |owner| Record {
                kind,
                name,
                address,
                owner,
            })
        })
    })
}

/// Whether one of a Service's records is of an address that it shows. One that follows a prefix may be
/// of any.
fn is_recorded(address: IpAddr, records: &BTreeSet<&str>) -> bool {
    let mut records = records.iter();
    records.any(|it| it.parse().map_or(true, |it: IpAddr| it == address))
}

fn standing(service: &Service, serving: &Serving) -> Standing {
    // Whom the pool is for does not matter here, so neither does the Namespace.
    match wish(service, None, serving) {
        Wish::Ask(..) | Wish::Refused(_) => Standing::Served,
        Wish::Nothing => Standing::Leaving,
        Wish::NotOurs => Standing::Foreign,
    }
}

fn name(service: &Service) -> String {
    let metadata = &service.metadata;
    format!("{}/{}", metadata.namespace, metadata.name)
}

const WAIT: &str =
    "look again in a minute; if it stays, see whether a controller leads, and its log";
const EXPLAIN: &str = "ask `openelb explain svc/NAME -n NAMESPACE` whose it is";
const TAKE_OFF: &str = "see whether a controller leads; with none installed, take it off as \
                        `openelb manifests --uninstall-steps` does";
const DELETE: &str = "see whether a controller leads; with none installed, delete it";
const SPEAKER: &str = "see whether the node's speaker runs and reaches the API server";

//! What must hold in every version of the world that ever was, and what once it has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::world::World;
use crate::server::Change;

/// The world at one version.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What each Service has.
    held: BTreeMap<String, BTreeSet<String>>,
    /// What each Service had first.
    first: BTreeMap<String, BTreeSet<String>>,
    /// Address and owner, as the pool records them.
    records: BTreeMap<String, String>,
}

impl World {
    /// Judges every version of the world, and the world at rest: nothing is recorded for nobody.
    pub(super) fn judge(&self) {
        let seen = self.judge_history();
        let given: BTreeMap<String, String> = seen
            .held
            .iter()
            .flat_map(|(name, addresses)| {
                addresses.iter().map(move |one| (one.clone(), name.clone()))
            })
            .collect();
        assert_eq!(
            seen.records, given,
            "at rest, the records are what the Services have"
        );
    }

    /// Judges every version of the world: no address in two Services, none in a Service that is not
    /// recorded for it, none moved. Returns the last.
    pub(super) fn judge_history(&self) -> Seen {
        let mut seen = Seen::default();
        for change in self
            .fake
            .history(&["services", "eips.network.kubesphere.io"])
        {
            seen.learn(&change);
            seen.judge(change.version);
        }
        seen
    }
}

impl Seen {
    fn learn(&mut self, change: &Change) {
        let object = &change.object;
        if object["kind"] == "Eip" {
            self.records = recorded(object);
            return;
        }
        let name = format!("default/{}", object["metadata"]["name"].as_str().unwrap());
        if change.is_gone {
            self.first.remove(&name);
            self.held.remove(&name);
            return;
        }
        let addresses = addresses(object);
        if !addresses.is_empty() {
            let first = self
                .first
                .entry(name.clone())
                .or_insert_with(|| addresses.clone());
            assert_eq!(
                *first, addresses,
                "version {}: {name} is moved",
                change.version
            );
        }
        let before = self.held.insert(name.clone(), addresses.clone());
        let is_lost = before.is_some_and(|it| !it.is_empty()) && addresses.is_empty();
        assert!(
            !is_lost || !wants(object),
            "version {}: {name} has no address any more, and nobody asked for it",
            change.version
        );
    }

    fn judge(&self, version: u64) {
        let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, addresses) in &self.held {
            for address in addresses {
                let other = owners.insert(address, name);
                assert_eq!(other, None, "version {version}: {address} is given twice");
                let record = self.records.get(address);
                assert_eq!(
                    record,
                    Some(name),
                    "version {version}: {address} is given and not recorded"
                );
            }
        }
    }
}

/// Whether a Service is to have an address.
fn wants(service: &Value) -> bool {
    let is_leaving = !service["metadata"]["deletionTimestamp"].is_null();
    service["spec"]["type"] == "LoadBalancer" && !is_leaving
}

fn addresses(service: &Value) -> BTreeSet<String> {
    let ingress = service["status"]["loadBalancer"]["ingress"].as_array();
    let ips = ingress
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["ip"].as_str());
    ips.map(str::to_owned).collect()
}

fn recorded(eip: &Value) -> BTreeMap<String, String> {
    let used = eip["status"]["used"].as_object();
    let text = |owner: &Value| owner.as_str().unwrap_or_default().to_owned();
    let entries = used.into_iter().flatten();
    entries
        .map(|(address, owner)| (address.clone(), text(owner)))
        .collect()
}

//! What the API server has said so far, kept through its absence.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tracing::{info, warn};

use crate::api::{BgpConf, BgpPeer, DynamicPrefix, Eip, Layer2Conf, ObjectMeta, PodNetwork};
use crate::bgp::{Material, PasswordSource};
use crate::client::{ConfigMap, Event, Key, Secret};
use crate::cluster::{EndpointSlice, Node, Service};
use crate::layer2::Keys;
use crate::names;
use crate::speaker::{Cluster, Name};

/// Everything that is watched.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    /// The objects that decide.
    pub(super) cluster: Cluster,
    /// The texts that objects only name.
    pub(super) shelf: Shelf,
    lists: BTreeMap<&'static str, List>,
}

/// What one of the watches told.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a thousand of them wait at most, and each is taken apart at once"
)]
pub(super) enum News {
    Service(Event<Service>),
    Slice(Event<EndpointSlice>),
    Node(Event<Node>),
    Eip(Event<Eip>),
    BgpConf(Event<BgpConf>),
    BgpPeer(Event<BgpPeer>),
    Layer2Conf(Event<Layer2Conf>),
    DynamicPrefix(Event<DynamicPrefix>),
    PodNetwork(Event<PodNetwork>),
    ConfigMap(Event<ConfigMap>),
    Secret(Event<Secret>),
}

impl Mirror {
    /// A mirror that waits for a list of every kind.
    pub(super) fn new() -> Self {
        Self {
            lists: KINDS.iter().map(|kind| (*kind, List::default())).collect(),
            ..Self::default()
        }
    }

    /// Takes in what a watch told, and says whether anything is different now.
    pub(super) fn take(&mut self, news: News) -> bool {
        let (cluster, texts) = (&mut self.cluster, &mut self.shelf);
        let lists = &mut self.lists;
        match news {
            News::Service(event) => list_of(lists, "Service").take(event, &mut cluster.services),
            News::Slice(event) => list_of(lists, "EndpointSlice").take(event, &mut cluster.slices),
            News::Node(event) => list_of(lists, "Node").take(event, &mut cluster.nodes),
            News::Eip(event) => list_of(lists, "Eip").take(event, &mut cluster.eips),
            News::BgpConf(event) => list_of(lists, "BgpConf").take(event, &mut cluster.bgp_confs),
            News::BgpPeer(event) => list_of(lists, "BgpPeer").take(event, &mut cluster.bgp_peers),
            News::Layer2Conf(event) => {
                list_of(lists, "Layer2Conf").take(event, &mut cluster.layer2_confs)
            }
            News::DynamicPrefix(event) => {
                list_of(lists, "DynamicPrefix").take(event, &mut cluster.prefixes)
            }
            News::PodNetwork(event) => {
                list_of(lists, "PodNetwork").take(event, &mut cluster.pod_networks)
            }
            News::ConfigMap(event) => {
                list_of(lists, "ConfigMap").take(event, &mut texts.config_maps)
            }
            News::Secret(event) => list_of(lists, "Secret").take(event, &mut texts.secrets),
        }
    }

    /// The kinds that no complete list came of yet. Until there are none, nothing may be concluded
    /// from what is missing.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        let missing = self.lists.iter().filter(|(_, list)| !list.is_complete);
        missing.map(|(kind, _)| *kind).collect()
    }

    /// The kinds whose watch is interrupted: what is known of them may be old.
    pub(super) fn interrupted(&self) -> Vec<&'static str> {
        let interrupted = self.lists.iter().filter(|(_, list)| list.is_interrupted);
        interrupted.map(|(kind, _)| *kind).collect()
    }
}

/// The annotations that decide: those of a Node that say which prefixes its pods have.
const READ: [&str; 2] = [names::POD_CIDR_ANNOTATION, names::POD_CIDRS_ANNOTATION];

/// How far the list of one kind has come.
#[derive(Debug, Default)]
struct List {
    /// What the list that is under way has named so far.
    named: Option<BTreeSet<Key>>,
    is_complete: bool,
    is_interrupted: bool,
}

impl List {
    fn take<T: Object>(&mut self, event: Event<T>, objects: &mut BTreeMap<T::Place, T>) -> bool {
        if !matches!(event, Event::Interrupted(_) | Event::Restart) {
            self.is_interrupted = false;
        }
        match event {
            // What was known still holds until the new list says otherwise.
            Event::Restart => self.named = Some(BTreeSet::new()),
            Event::Applied(mut object) => {
                let meta = object.meta();
                // They change with every write, and decide nothing here.
                meta.resource_version = None;
                meta.annotations.retain(|key, _| READ.contains(&key));
                let key = key_of(meta);
                self.name(&key);
                let place = T::place(key);
                let is_known = objects.get(&place) == Some(&object);
                objects.insert(place, object);
                return !is_known;
            }
            Event::Unreadable { key, why } => {
                warn!(kind = T::KIND, object = %key, why, "an object cannot be read; what was known of it holds");
                self.name(&key);
            }
            Event::Deleted(key) => return objects.remove(&T::place(key)).is_some(),
            Event::Synced => return self.complete(objects),
            Event::Interrupted(interruption) => {
                if !self.is_interrupted {
                    let why = &interruption.why;
                    info!(
                        kind = T::KIND,
                        why, "the API server does not answer; announcing goes on"
                    );
                }
                self.is_interrupted = true;
                // The kind is not installed: there is nothing to wait for.
                if interruption.status == Some(404) && !self.is_complete {
                    return self.complete(objects);
                }
            }
        }
        false
    }

    fn name(&mut self, key: &Key) {
        if let Some(named) = &mut self.named {
            named.insert(key.clone());
        }
    }

    /// What the list did not name is gone.
    fn complete<T: Object>(&mut self, objects: &mut BTreeMap<T::Place, T>) -> bool {
        let was_complete = std::mem::replace(&mut self.is_complete, true);
        let before = objects.len();
        if let Some(named) = self.named.take() {
            let named: BTreeSet<_> = named.into_iter().map(T::place).collect();
            objects.retain(|place, _| named.contains(place));
        }
        !was_complete || objects.len() != before
    }
}

fn list_of<'a>(lists: &'a mut BTreeMap<&'static str, List>, kind: &'static str) -> &'a mut List {
    lists.entry(kind).or_default()
}

/// A watched object, and where it is kept.
trait Object: Clone + PartialEq {
    const KIND: &'static str;
    type Place: Ord;

    fn meta(&mut self) -> &mut ObjectMeta;
    fn place(key: Key) -> Self::Place;
}

fn key_of(meta: &ObjectMeta) -> Key {
    Key {
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
    }
}

fn in_namespace(key: Key) -> Name {
    (key.namespace, key.name)
}

fn by_name(key: Key) -> String {
    key.name
}

macro_rules! objects {
    ($($kind:ident at $place:ident by $by:ident;)*) => {$(
        impl Object for $kind {
            const KIND: &'static str = stringify!($kind);
            type Place = $place;

            fn meta(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }

            fn place(key: Key) -> $place {
                $by(key)
            }
        }
    )*

        const KINDS: &[&str] = &[$(stringify!($kind)),*];
    };
}

objects! {
    Service at Name by in_namespace;
    EndpointSlice at Name by in_namespace;
    Node at String by by_name;
    Eip at String by by_name;
    BgpConf at String by by_name;
    BgpPeer at String by by_name;
    Layer2Conf at String by by_name;
    DynamicPrefix at String by by_name;
    PodNetwork at String by by_name;
    ConfigMap at String by by_name;
    Secret at String by by_name;
}

/// The Secrets and `ConfigMap`s of the installation's namespace.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    config_maps: BTreeMap<String, ConfigMap>,
    secrets: BTreeMap<String, Secret>,
}

impl Material for Shelf {
    fn password(&self, source: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        self.read(source)
    }

    fn policy(&self, config_map: &str) -> Result<String, String> {
        let found = self.config_maps.get(config_map);
        let found = found.ok_or_else(|| format!("there is no ConfigMap `{config_map}`"))?;
        let key = names::POLICY_KEY;
        let text = found.data.get(key);
        text.cloned()
            .ok_or_else(|| format!("ConfigMap `{config_map}` has no key `{key}`"))
    }
}

impl Keys for Shelf {
    fn key(&self, source: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        self.read(source)
    }
}

impl Shelf {
    fn read(&self, source: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        match source {
            PasswordSource::Secret { name, key } => {
                let secret = self.secrets.get(name);
                let secret = secret.ok_or_else(|| format!("there is no Secret `{name}`"))?;
                let value = secret.value(key);
                let value = value.ok_or_else(|| format!("Secret `{name}` has no key `{key}`"))?;
                // A newline at the end is of the editor, not of the password.
                Ok(value.trim_ascii_end().to_vec())
            }
            PasswordSource::File(path) => {
                let text = std::fs::read(Path::new(path));
                let text = text.map_err(|error| format!("{path}: {error}"))?;
                let line = text
                    .split(|octet| *octet == b'\n')
                    .next()
                    .unwrap_or_default();
                Ok(line.trim_ascii_end().to_vec())
            }
        }
    }
}

#[cfg(test)]
mod tests;

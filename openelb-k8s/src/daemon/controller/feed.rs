//! The watches of the controller, as inputs of its machine.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::mpsc;

use super::prefixes::News;
use crate::api::{AddressBlock, Eip};
use crate::client::{Client, Event, Interruption, Key, Scope, Watch, Watched};
use crate::cluster::{Namespace, Service};
use crate::controller::{Input, Kind};

/// What a watch has to say.
#[derive(Debug)]
pub(super) enum Fed {
    /// For the machine.
    Input(Input),
    /// The watch of a kind could not go on at once.
    Interrupted(Kind),
    /// Of prefixes.
    Prefixes(News),
}

/// Starts a watch of every kind that the machine knows; each ends with the process. `seed` decides how
/// long they pause.
pub(super) fn start(client: &Client, seed: u64) -> mpsc::Receiver<Fed> {
    let (sender, fed) = mpsc::channel(WAITING);
    tokio::spawn(feed(client.clone(), EIPS, seed, sender.clone()));
    tokio::spawn(feed(client.clone(), BLOCKS, seed, sender.clone()));
    tokio::spawn(feed(client.clone(), NAMESPACES, seed, sender.clone()));
    tokio::spawn(feed(client.clone(), SERVICES, seed, sender.clone()));
    tokio::spawn(follow(client.clone(), News::Prefix, seed, sender.clone()));
    tokio::spawn(follow(client.clone(), News::Node, seed, sender));
    fed
}

/// Which kinds were not seen whole yet.
#[derive(Debug)]
pub(super) struct Feeds {
    missing: BTreeSet<Kind>,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            missing: Kind::ALL.into(),
        }
    }
}

impl Feeds {
    pub(super) fn learn(&mut self, input: &Input) {
        if let Input::Synced(kind) = input
            && self.missing.remove(kind)
            && self.missing.is_empty()
        {
            tracing::info!("every kind was seen whole");
        }
    }

    /// What is waited for, in words; empty once everything was seen. A later relist changes nothing:
    /// what was seen is still known.
    pub(super) fn missing(&self) -> Vec<String> {
        let words = self.missing.iter().map(|kind| format!("{kind:?}"));
        words.collect()
    }
}

/// How the objects of a kind become inputs.
struct Feed<T> {
    kind: Kind,
    applied: fn(T) -> Input,
    deleted: fn(Key) -> Input,
}

async fn feed<T: Watched>(client: Client, feed: Feed<T>, seed: u64, sender: mpsc::Sender<Fed>) {
    let kind = feed.kind;
    let mut hasher = DefaultHasher::new();
    (seed, kind).hash(&mut hasher);
    let mut watch = Watch::<T>::new(client, Scope::all()).with_seed(hasher.finish());
    loop {
        let told = match watch.next().await {
            Event::Restart => Fed::Input(Input::Restart(kind)),
            Event::Synced => Fed::Input(Input::Synced(kind)),
            Event::Applied(object) => Fed::Input((feed.applied)(object)),
            Event::Deleted(key) => Fed::Input((feed.deleted)(key)),
            Event::Unreadable { key, why } => {
                tracing::warn!(?kind, object = %key, why, "no valid object: it is left as it is");
                Fed::Input(Input::Unreadable {
                    kind,
                    namespace: key.namespace,
                    name: key.name,
                })
            }
            Event::Interrupted(interruption) => {
                complain(kind, &interruption);
                Fed::Interrupted(kind)
            }
        };
        // It fails when nobody is there any more: the process ends.
        if sender.send(told).await.is_err() {
            return;
        }
    }
}

async fn follow<T: Watched>(
    client: Client,
    news: fn(Box<Event<T>>) -> News,
    seed: u64,
    sender: mpsc::Sender<Fed>,
) {
    let mut hasher = DefaultHasher::new();
    (seed, T::RESOURCE.kind).hash(&mut hasher);
    let mut watch = Watch::<T>::new(client, Scope::all()).with_seed(hasher.finish());
    loop {
        let told = Fed::Prefixes(news(Box::new(watch.next().await)));
        // It fails when nobody is there any more: the process ends.
        if sender.send(told).await.is_err() {
            return;
        }
    }
}

fn complain(kind: Kind, interruption: &Interruption) {
    let why = &interruption.why;
    match interruption.status {
        Some(404) => {
            tracing::error!(
                ?kind,
                "the API server does not know the kind; install the CRDs"
            );
        }
        Some(403) => tracing::error!(?kind, why, "not allowed to see the kind; install the roles"),
        _ => tracing::warn!(?kind, why, "the watch pauses"),
    }
}

const EIPS: Feed<Eip> = Feed {
    kind: Kind::Eip,
    applied: |eip| Input::Eip(Box::new(eip)),
    deleted: |key| Input::EipGone(key.name),
};

const BLOCKS: Feed<AddressBlock> = Feed {
    kind: Kind::Block,
    applied: |block| Input::Block(Box::new(block)),
    deleted: |key| Input::BlockGone(key.name),
};

const NAMESPACES: Feed<Namespace> = Feed {
    kind: Kind::Namespace,
    applied: |namespace| Input::Namespace(Box::new(namespace)),
    deleted: |key| Input::NamespaceGone(key.name),
};

const SERVICES: Feed<Service> = Feed {
    kind: Kind::Service,
    applied: |service| Input::Service(Box::new(service)),
    deleted: |key| Input::ServiceGone {
        namespace: key.namespace,
        name: key.name,
    },
};

/// Inputs on their way. When the machine is slower than the API server, the watches wait.
const WAITING: usize = 512;

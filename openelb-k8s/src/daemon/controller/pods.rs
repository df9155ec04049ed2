//! The pod CIDRs of nodes: a loop of its own beside that of Services, which shares nothing with it but
//! the leadership and the connections.

use std::hash::{DefaultHasher, Hash, Hasher};

use openelb_ipam::Time;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::api::PodNetwork;
use crate::client::{Client, Event, Happening, Key, Recorder, Scope, Watch, Watched, Writer, give};
use crate::cluster::Node;
use crate::daemon::clock::Clock;
use crate::names;
use crate::node_cidrs::{
    About, Input, Kind, Machine, Occurrence, Outcome, Output, Standing, WriteId,
};

/// What the process holds of the loop, which ends with it. What was under way is found by the next
/// leader: a record without its node, or a node that shows what is on record.
#[derive(Debug)]
pub(super) struct Pods {
    leads: watch::Sender<bool>,
    standing: watch::Receiver<Option<Standing>>,
}

impl Pods {
    /// Starts the loop, which does not lead yet.
    pub(super) fn start(client: &Client, writer: Writer, recorder: Recorder, seed: u64) -> Self {
        let (leads, told) = watch::channel(false);
        let (shown, standing) = watch::channel(None);
        let (sender, fed) = mpsc::channel(WAITING);
        follow(client, seed, &sender, &NETWORKS);
        follow(client, seed, &sender, &NODES);
        let pods = Loop {
            machine: Machine::new(seed),
            writer,
            recorder,
            begun: JoinSet::new(),
            clock: Clock::start(),
            shown,
        };
        tokio::spawn(pods.run(fed, told));
        Self { leads, standing }
    }

    /// Says whether this process leads.
    pub(super) fn lead(&self, leads: bool) {
        self.leads.send_replace(leads);
    }

    /// How the nodes stand; `None` without a `PodNetwork`.
    pub(super) fn standing(&self) -> Option<Standing> {
        *self.standing.borrow()
    }
}

struct Loop {
    machine: Machine,
    writer: Writer,
    recorder: Recorder,
    begun: JoinSet<(WriteId, Outcome)>,
    clock: Clock,
    shown: watch::Sender<Option<Standing>>,
}

impl Loop {
    async fn run(mut self, mut fed: mpsc::Receiver<Input>, mut told: watch::Receiver<bool>) {
        loop {
            self.carry_out();
            let wake = self.machine.poll_timeout();
            // Every arm is cancel-safe: queues and a join set keep what they have.
            tokio::select! {
                changed = told.changed() => {
                    // The process ends.
                    if changed.is_err() {
                        return;
                    }
                    let leads = *told.borrow_and_update();
                    self.input(Input::Leading(leads));
                }
                Some(ended) = self.begun.join_next() => {
                    // A write that panicked is never answered: its object waits for the next leader.
                    if let Ok((id, outcome)) = ended {
                        self.input(Input::Written { id, outcome });
                    }
                }
                Some(input) = fed.recv() => {
                    self.input(input);
                    // Nodes that come together get their prefixes by one write.
                    while let Ok(input) = fed.try_recv() {
                        self.input(input);
                    }
                }
                () = until(self.clock, wake) => self.machine.handle_timeout(self.clock.now()),
            }
        }
    }

    fn input(&mut self, input: Input) {
        self.machine.handle_input(input, self.clock.now());
    }

    fn carry_out(&mut self) {
        let mut is_changed = false;
        while let Some(output) = self.machine.poll_output() {
            is_changed = true;
            match output {
                Output::Write(write) => {
                    let writer = self.writer.clone();
                    self.begun
                        .spawn(async move { (write.id, give(&writer, write.what).await) });
                }
                Output::Happened(occurrence) => self.happened(occurrence),
            }
        }
        if is_changed || self.shown.borrow().is_none() {
            self.shown.send_replace(self.machine.standing());
        }
    }

    fn happened(&self, occurrence: Occurrence) {
        let (resource, name) = match occurrence.about {
            About::Network => (PodNetwork::RESOURCE, names::DEFAULT_POD_NETWORK.to_owned()),
            About::Node(name) => (Node::RESOURCE, name),
        };
        let (kind, reason, note) = (resource.kind, occurrence.reason, &occurrence.note);
        if occurrence.is_warning {
            tracing::warn!(kind, name, reason, "{note}");
        } else {
            tracing::info!(kind, name, reason, "{note}");
        }
        self.recorder.record(Happening {
            resource,
            key: Key {
                namespace: String::new(),
                name,
            },
            uid: occurrence.uid,
            is_warning: occurrence.is_warning,
            reason: occurrence.reason,
            action: "AssignPodCIDRs",
            note: occurrence.note,
        });
    }
}

async fn until(clock: Clock, wake: Option<Time>) {
    match wake {
        Some(wake) => sleep(wake - clock.now()).await,
        None => std::future::pending().await,
    }
}

/// How the objects of a kind become inputs.
struct Feed<T> {
    kind: Kind,
    applied: fn(Box<T>) -> Input,
    deleted: fn(String) -> Input,
}

fn follow<T: Watched + Sync>(
    client: &Client,
    seed: u64,
    sender: &mpsc::Sender<Input>,
    feed: &Feed<T>,
) {
    let &Feed {
        kind,
        applied,
        deleted,
    } = feed;
    let mut hasher = DefaultHasher::new();
    (seed, kind).hash(&mut hasher);
    let mut watch = Watch::<T>::new(client.clone(), Scope::all()).with_seed(hasher.finish());
    let sender = sender.clone();
    tokio::spawn(async move {
        loop {
            let input = match watch.next().await {
                Event::Restart => Input::Restart(kind),
                Event::Synced => Input::Synced(kind),
                Event::Applied(object) => applied(Box::new(object)),
                Event::Deleted(key) => deleted(key.name),
                Event::Unreadable { key, why } => {
                    tracing::warn!(kind = T::RESOURCE.kind, object = %key, why, "no valid object: it is left as it is");
                    Input::Unreadable {
                        kind,
                        name: key.name,
                    }
                }
                Event::Interrupted(interruption) => {
                    // An installation of before has neither the kind nor the right: nothing is given.
                    let why = interruption.why;
                    tracing::debug!(kind = T::RESOURCE.kind, why, "the watch pauses");
                    continue;
                }
            };
            // It fails when nobody is there any more: the process ends.
            if sender.send(input).await.is_err() {
                return;
            }
        }
    });
}

const NETWORKS: Feed<PodNetwork> = Feed {
    kind: Kind::Network,
    applied: Input::Network,
    deleted: Input::NetworkGone,
};

const NODES: Feed<Node> = Feed {
    kind: Kind::Node,
    applied: Input::Node,
    deleted: Input::NodeGone,
};

/// Inputs on their way. When the machine is slower than the API server, the watches wait.
const WAITING: usize = 512;

//! Who leads: a Lease, held by one controller at a time.
//!
//! Leading saves work, it does not make anything safe: the ledger does, by compare-and-swap. So two
//! that both believe to lead, for the seconds that clocks and lost connections allow, do no harm.

use std::pin::pin;
use std::time::Duration;

use kube_lease_manager::{LeaseManager, LeaseManagerBuilder};
use serde::Deserialize;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{Backoff, Client, Event, Resource, Scope, Watch, Watched};
use crate::api::ObjectMeta;

/// What is to be held.
#[derive(Debug, Clone)]
pub struct Election {
    /// Namespace of the Lease.
    pub namespace: String,
    /// Name of the Lease. OpenELB's own makes its controller and this one take turns.
    pub lease: String,
    /// Who this is: different from every other candidate.
    pub identity: String,
}

impl Election {
    /// Begins to stand; the Lease is created when there is none.
    pub fn stand(self, client: Client) -> Leadership {
        let (told, leads) = watch::channel(false);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(campaign(self, client, told, stopped));
        Leadership {
            leads,
            campaign: Some((stop, task)),
        }
    }
}

/// Whether this process leads.
#[derive(Debug)]
pub struct Leadership {
    leads: watch::Receiver<bool>,
    campaign: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Leadership {
    /// That of a controller without others.
    pub fn always() -> Self {
        let (_, leads) = watch::channel(true);
        Self {
            leads,
            campaign: None,
        }
    }

    /// Whether it leads now.
    pub fn leads(&self) -> bool {
        *self.leads.borrow()
    }

    /// Waits for the next change and returns what it is then; without others, for ever. Dropping the
    /// future loses nothing.
    pub async fn changed(&mut self) -> bool {
        if self.leads.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        *self.leads.borrow_and_update()
    }

    /// Gives the Lease up, so that another one leads at once and not when it expires.
    pub async fn release(self) {
        let Some((stop, task)) = self.campaign else {
            return;
        };
        // It fails when the task has ended, and then nothing is held.
        let _ = stop.send(());
        if timeout(LONGEST_RELEASE, task).await.is_err() {
            tracing::warn!("the Lease could not be released in time; it expires by itself");
        }
    }
}

/// The part of a Lease that says whether it is free.
#[derive(Debug, Clone, Default, Deserialize)]
struct Lease {
    #[expect(dead_code, reason = "an object without metadata is none")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: LeaseSpec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LeaseSpec {
    holder_identity: Option<String>,
}

impl Watched for Lease {
    const RESOURCE: Resource = Resource {
        group: "coordination.k8s.io",
        version: "v1",
        kind: "Lease",
        plural: "leases",
    };
}

/// How a term ended.
enum End {
    /// The process is to stop.
    Stopped,
    /// The holder gave it up: the sooner it is asked for, the shorter nobody leads.
    Freed,
    /// The API server was out of reach for longer than the Lease lasts.
    Lost,
}

async fn campaign(
    election: Election,
    client: Client,
    told: watch::Sender<bool>,
    mut stopped: oneshot::Receiver<()>,
) {
    let scope = Scope::of_namespace(&election.namespace).named(&election.lease);
    let mut lease = Watch::<Lease>::new(client.clone(), scope);
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        let built = tokio::select! {
            // Nothing is held yet.
            _ = &mut stopped => return,
            built = builder(&election, client.clone()).build() => built,
        };
        let manager = match built {
            Ok(manager) => manager,
            Err(error) => {
                tracing::warn!(%error, "the Lease cannot be asked for");
                sleep(backoff.pause()).await;
                continue;
            }
        };
        backoff.reset();
        match term(&manager, &told, &mut stopped, &mut lease).await {
            End::Freed => {}
            End::Lost => {
                told.send_replace(false);
            }
            End::Stopped => {
                if *told.borrow()
                    && let Err(error) = manager.release().await
                {
                    tracing::warn!(%error, "the Lease is not released; it expires by itself");
                }
                told.send_replace(false);
                return;
            }
        }
    }
}

/// Asks for the Lease, keeps it while it has it, and tells both.
async fn term(
    manager: &LeaseManager,
    told: &watch::Sender<bool>,
    stopped: &mut oneshot::Receiver<()>,
    lease: &mut Watch<Lease>,
) -> End {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    let mut reached = Instant::now();
    // Kept across the turns of the loop: a renewal that is cut short would be begun anew for ever.
    let mut change = pin!(manager.changed());
    loop {
        tokio::select! {
            _ = &mut *stopped => return End::Stopped,
            changed = &mut change => {
                match changed {
                    Ok(leads) => {
                        told.send_replace(leads);
                        backoff.reset();
                        reached = Instant::now();
                    }
                    Err(error) => {
                        tracing::warn!(%error, "the Lease cannot be renewed or asked for");
                        if reached.elapsed() > LEASE {
                            return End::Lost;
                        }
                        sleep(backoff.pause()).await;
                    }
                }
                change.set(manager.changed());
            }
            // Cancel-safe by its contract.
            event = lease.next() => {
                let is_free = matches!(&event, Event::Applied(lease)
                    if lease.spec.holder_identity.as_deref().unwrap_or_default().is_empty());
                if is_free && !*told.borrow() {
                    return End::Freed;
                }
            }
        }
    }
}

fn builder(election: &Election, client: Client) -> LeaseManagerBuilder {
    LeaseManagerBuilder::new(client, &election.lease)
        .with_namespace(&election.namespace)
        .with_identity(&election.identity)
        .with_duration(LEASE.as_secs())
        .with_grace(GRACE.as_secs())
}

/// How long a crashed holder keeps the others waiting: client-go's default.
const LEASE: Duration = Duration::from_secs(15);

/// How long before the end it is renewed. Three attempts fit in.
const GRACE: Duration = Duration::from_secs(8);

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// A pod has 30 s to end; the rest of it is for writes under way.
const LONGEST_RELEASE: Duration = Duration::from_secs(3);

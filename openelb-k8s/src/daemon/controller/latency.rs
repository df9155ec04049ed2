//! How long Services wait for their address: from the event that shows one without to the answer to
//! the write that gives it one.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::writes::Done;
use crate::client::Key;
use crate::cluster::ServiceType;
use crate::controller::{Input, Outcome};

/// Services without an address, and since when each is known.
#[derive(Debug, Default)]
pub(super) struct Latency {
    since: HashMap<Key, Instant>,
}

impl Latency {
    pub(super) fn learn(&mut self, input: &Input) {
        match input {
            Input::Service(service) => {
                let key = Key {
                    namespace: service.metadata.namespace.clone(),
                    name: service.metadata.name.clone(),
                };
                let has_none = service.spec.kind == ServiceType::LoadBalancer
                    && service.status.load_balancer.ingress.is_empty();
                // One that was told why it has none waits for a pool, not for this process.
                if has_none && service.status.conditions.is_empty() {
                    self.since.entry(key).or_insert_with(Instant::now);
                } else {
                    self.since.remove(&key);
                }
            }
            Input::ServiceGone { namespace, name } => {
                self.since.remove(&Key {
                    namespace: namespace.clone(),
                    name: name.clone(),
                });
            }
            _ => {}
        }
    }

    /// How long the Service of a write waited, if it did and the write succeeded.
    pub(super) fn answered(&mut self, done: &Done) -> Option<Duration> {
        let key = done.service.as_ref()?;
        if !matches!(done.outcome, Outcome::Done { .. }) {
            return None;
        }
        self.since.remove(key).map(|since| since.elapsed())
    }
}

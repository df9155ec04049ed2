//! What the measurement itself asks of the API server.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use openelb_benches::meter::clock;
use openelb_k8s::client::{Act, Event, Key, Request, Resource, Scope, Watch, Watched, Writer};
use openelb_k8s::cluster::Service;
use serde_json::{Value, json};

/// Writes under way at once; as many as the controller has.
pub(crate) const WIDTH: usize = 24;

/// A write to the API server.
pub(crate) fn write(resource: Resource, name: &str, act: Act, body: Value) -> Request {
    Request {
        resource,
        key: Key {
            namespace: NAMESPACE.to_owned(),
            name: name.to_owned(),
        },
        subresource: None,
        act,
        body,
    }
}

/// The writes, as many at once as there are connections; how long they took.
pub(crate) async fn all(writer: &Writer, requests: impl Iterator<Item = Request>) -> Duration {
    let start = clock();
    let sent = stream::iter(requests.map(|request| writer.send(request)));
    let answers: Vec<_> = sent.buffer_unordered(WIDTH).collect().await;
    let took = clock() - start;
    for answer in answers {
        answer.unwrap();
    }
    took
}

/// A new Service of a class.
pub(crate) fn service(name: &str, class: &str) -> Request {
    let body = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "type": "LoadBalancer",
            "loadBalancerClass": class,
            "allocateLoadBalancerNodePorts": false,
            "ports": [{"port": 80}],
        },
    });
    write(Service::RESOURCE, "", Act::Create, body)
}

/// What a load balancer has to write for a Service at least: its status.
pub(crate) fn status(name: &str, address: &str) -> Request {
    let body = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "status": {"loadBalancer": {"ingress": [{"ip": address}]}},
    });
    Request {
        subresource: Some("status"),
        ..write(Service::RESOURCE, name, Act::Apply { force: true }, body)
    }
}

/// Deletes a Service.
pub(crate) fn delete(name: &str) -> Request {
    write(Service::RESOURCE, name, Act::Delete, json!({}))
}

/// The Services, watched.
pub(crate) struct Services {
    watch: Watch<Service>,
    /// Names of those that have an address.
    pub(crate) served: BTreeSet<String>,
}

impl Services {
    /// A watch of all; nothing is sent before it is followed.
    pub(crate) fn new(client: openelb_k8s::client::Client) -> Self {
        Self {
            watch: Watch::new(client, Scope::of_namespace(NAMESPACE)),
            served: BTreeSet::new(),
        }
    }

    /// Follows them until all that exist are known.
    pub(crate) async fn list(&mut self) {
        while !self.follow().await {}
    }

    /// Follows them until it is so.
    pub(crate) async fn until(&mut self, mut is_so: impl FnMut(&BTreeSet<String>) -> bool) {
        while !is_so(&self.served) {
            self.follow().await;
        }
    }

    /// Takes the next event; whether it was the end of a list.
    async fn follow(&mut self) -> bool {
        let event = self.watch.next().await;
        let is_end = event == Event::Synced;
        match event {
            Event::Applied(service) => {
                let name = service.metadata.name;
                if service.status.load_balancer.ingress.is_empty() {
                    self.served.remove(&name);
                } else {
                    self.served.insert(name);
                }
            }
            Event::Deleted(key) => drop(self.served.remove(&key.name)),
            Event::Restart => self.served.clear(),
            Event::Synced => {}
            Event::Unreadable { why, .. } => panic!("{why}"),
            Event::Interrupted(interruption) => eprintln!("{}", interruption.why),
        }
        is_end
    }
}

/// Namespace of everything that is measured.
pub(crate) const NAMESPACE: &str = "default";

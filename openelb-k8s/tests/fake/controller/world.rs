//! A cluster with pools and Services, and controllers that come and go.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use openelb_k8s::names;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::server::Fake;

/// The cluster.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub fake: Fake,
}

/// A controller that runs; dropping it is a crash.
#[derive(Debug)]
pub(super) struct Controller(JoinHandle<()>);

impl World {
    /// A cluster with one pool, `192.0.2.0/29` without its first and last addresses or what is given.
    pub(super) fn new(address: &str) -> Self {
        let world = Self { fake: Fake::new() };
        world.pool("pool", address);
        world
    }

    /// Makes a pool, the default one.
    pub(super) fn pool(&self, name: &str, address: &str) {
        let annotations = json!({names::DEFAULT_EIP_ANNOTATION: "true"});
        let eip = json!({"metadata": {"name": name, "annotations": annotations}, "spec": {"address": address, "protocol": "none"}});
        self.fake.user("POST", EIPS, &eip).unwrap();
    }

    /// Makes a Service that opts in.
    pub(super) fn service(&self, name: &str) {
        let annotations = json!({names::OPT_IN_ANNOTATION: names::OPT_IN_VALUE});
        let spec = json!({"type": "LoadBalancer", "ports": [{"port": 80}]});
        let service = json!({"metadata": {"name": name, "annotations": annotations}, "spec": spec});
        self.fake.user("POST", SERVICES, &service).unwrap();
    }

    /// Edits a Service.
    pub(super) fn edit(&self, name: &str, patch: &Value) {
        self.fake
            .user("PATCH", &format!("{SERVICES}/{name}"), patch)
            .unwrap();
    }

    /// Deletes a Service; its finalizers may hold it.
    pub(super) fn delete(&self, name: &str) {
        self.fake
            .user("DELETE", &format!("{SERVICES}/{name}"), &Value::Null)
            .unwrap();
    }

    /// A Service as it is; none when it is gone.
    pub(super) fn read(&self, name: &str) -> Option<Value> {
        self.fake
            .user("GET", &format!("{SERVICES}/{name}"), &Value::Null)
            .ok()
    }

    /// The address of a Service; empty when it has none.
    pub(super) fn address(&self, name: &str) -> String {
        let service = self.read(name).unwrap_or_default();
        let ip = &service["status"]["loadBalancer"]["ingress"][0]["ip"];
        ip.as_str().unwrap_or_default().to_owned()
    }

    /// The records of a pool: address and owners.
    pub(super) fn records(&self) -> Value {
        let eip = self
            .fake
            .user("GET", &format!("{EIPS}/pool"), &Value::Null)
            .unwrap();
        eip["status"]["used"].clone()
    }

    /// The Events about a Service: reason and note.
    pub(super) fn events(&self, name: &str) -> Vec<(String, String)> {
        let events = self
            .fake
            .user("GET", "/apis/events.k8s.io/v1/events", &Value::Null)
            .unwrap();
        let events = events["items"].as_array().unwrap().clone();
        let about = events
            .into_iter()
            .filter(|event| event["regarding"]["name"] == name);
        about
            .map(|event| {
                let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
                (text("reason"), text("note"))
            })
            .collect()
    }

    /// Starts a controller that believes to lead, as the client of that name.
    pub(super) fn start(&self, name: &str) -> Controller {
        self.start_by_chance(name, 0)
    }

    /// The same, with its waits from a seed: again the same in every run.
    pub(super) fn start_by_chance(&self, name: &str, seed: u64) -> Controller {
        let client = self.fake.client(name);
        let mut hasher = DefaultHasher::new();
        (name, self.fake.version(), seed).hash(&mut hasher);
        let seed = hasher.finish();
        Controller(tokio::spawn(async move {
            let arguments = ["openelb-k8s", "controller", "--leader-elect=false"];
            openelb_k8s::daemon::control(&arguments, client, seed, std::future::pending())
                .await
                .unwrap();
        }))
    }

    /// Waits until nobody has written anything for a while.
    pub(super) async fn settle(&self) {
        let mut before = self.writes();
        for _ in 0..LONGEST {
            sleep(QUIET).await;
            let now = self.writes();
            if now == before {
                return;
            }
            before = now;
        }
        panic!(
            "it never comes to rest; the last writes: {:?}",
            self.last_writes()
        );
    }

    /// How many requests so far could have changed something, Events apart.
    pub(super) fn writes(&self) -> usize {
        self.fake
            .journal()
            .iter()
            .filter(|entry| entry.call.verb.is_write() && entry.call.plural != "events")
            .count()
    }

    fn last_writes(&self) -> Vec<String> {
        let journal = self.fake.journal();
        let writes = journal
            .iter()
            .rev()
            .filter(|entry| entry.call.verb.is_write());
        writes.take(8).map(|entry| format!("{entry:?}")).collect()
    }
}

impl Controller {
    /// Ends it between two of its steps, whatever it was doing.
    pub(super) fn crash(self) {
        drop(self);
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Longer than any pause of a controller that has something to do.
const QUIET: Duration = Duration::from_secs(65);
const LONGEST: usize = 40;

pub(super) const EIPS: &str = "/apis/network.kubesphere.io/v1alpha2/eips";
pub(super) const SERVICES: &str = "/api/v1/namespaces/default/services";

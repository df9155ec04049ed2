//! A control plane with everything installed that an installation consists of, and the controller as a
//! process that has nothing but the token of its own account.

use std::collections::BTreeMap;
use std::process::Command;

use nix::sys::signal::Signal;
use openelb_k8s::envtest::{ControlPlane, Process, Release, User};
use openelb_k8s::manifests::{self, Options};
use serde_json::Value;

use crate::cluster::{eventually, own};

/// The manifests applied to a control plane of one's own.
pub(crate) struct Installation {
    // Ended before the control plane.
    controllers: Vec<Process>,
    started: usize,
    pub(crate) plane: ControlPlane,
}

impl Installation {
    /// Applies the manifests, or `None` after saying loudly that there is no control plane here.
    pub(crate) fn open(release: Release) -> Option<Self> {
        Self::open_with(release, &Options::default())
    }

    /// The same with manifests made from these options.
    pub(crate) fn open_with(release: Release, options: &Options) -> Option<Self> {
        let plane = own(release)?;
        // What the definitions define can be applied only when it is served.
        crate::objects::define(&plane);
        plane
            .apply(&manifests::yaml(&manifests::objects(options)))
            .unwrap();
        Some(Self {
            controllers: Vec::new(),
            started: 0,
            plane,
        })
    }

    /// Starts one more controller, with these arguments besides.
    pub(crate) fn start_controller(&mut self, arguments: &[&str]) {
        self.start_controller_by(Command::new(PROGRAM), arguments);
    }

    /// The same by a command that ends with the program, to which the words are added.
    pub(crate) fn start_controller_by(&mut self, mut command: Command, arguments: &[&str]) {
        self.started += 1;
        let name = format!("openelb-controller-{}", self.started);
        let account = User::ServiceAccount {
            namespace: NAMESPACE,
            name: "openelb-controller",
        };
        command
            .arg("controller")
            .arg("--kubeconfig")
            .arg(self.plane.kubeconfig(account).unwrap());
        command
            .args(["--pod-name", &name, "--metrics-addr=0"])
            .args(arguments);
        let log = self.plane.folder().join(format!("{name}.log"));
        self.controllers
            .push(Process::start(self.plane.netns(), &command, &log).unwrap());
    }

    /// Kills a controller as `kill -9` does.
    pub(crate) fn kill_controller(&mut self, number: usize) {
        drop(self.controllers.remove(number));
    }

    /// Tells a controller to stop, as the kubelet does, and waits until it has: what it logged.
    pub(crate) fn stop_controller(&mut self, number: usize) -> String {
        let mut controller = self.controllers.remove(number);
        controller.signal(Signal::SIGTERM).unwrap();
        let ended = controller.wait().unwrap();
        assert!(ended.success(), "{ended}: {}", controller.log());
        controller.log()
    }

    /// Applies objects.
    pub(crate) fn apply(&self, yaml: &str) {
        self.plane.apply(yaml).unwrap();
    }

    pub(crate) fn kubectl(&self, words: &str) -> String {
        self.plane
            .kubectl(&words.split_whitespace().collect::<Vec<_>>())
            .unwrap()
    }

    /// An object, or a list of them.
    pub(crate) fn read(&self, words: &str) -> Value {
        serde_json::from_str(&self.kubectl(&format!("get -o json {words}"))).unwrap()
    }

    /// A condition of an object, once it is there.
    pub(crate) fn condition(&self, object: &str, kind: &str) -> Option<Value> {
        let object = self.read(object);
        let mut conditions = object["status"]["conditions"].as_array()?.iter();
        conditions.find(|it| it["type"] == kind).cloned()
    }

    /// Waits until so many services have all of their addresses; returns those, by the service's name.
    pub(crate) fn wait_for_addresses(&mut self, services: usize) -> BTreeMap<String, Vec<String>> {
        eventually("every service has its addresses", || {
            self.fail_if_one_ended();
            let addresses = self.addresses();
            let served = addresses
                .values()
                .filter(|addresses| !addresses.is_empty())
                .count();
            (served >= services).then_some(addresses)
        })
    }

    /// The addresses in the status of every service of type `LoadBalancer`.
    pub(crate) fn addresses(&self) -> BTreeMap<String, Vec<String>> {
        let list = self.read("services --all-namespaces");
        let services = list["items"].as_array().unwrap().iter();
        services
            .filter(|service| service["spec"]["type"] == "LoadBalancer")
            .map(|service| (name(service), ingress(service)))
            .collect()
    }

    /// The records of a pool: whose each address is.
    pub(crate) fn records(&self, pool: &str) -> BTreeMap<String, String> {
        let eip = self.read(&format!("eip {pool}"));
        let used = eip["status"]["used"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let text = |value: Value| value.as_str().unwrap().to_owned();
        used.into_iter()
            .map(|(address, owner)| (address, text(owner)))
            .collect()
    }

    /// Fails when the API server refused anything to an account of the installation.
    pub(crate) fn assert_nothing_was_refused(&self) {
        let denied = self.plane.denied(NAMESPACE);
        let denied: Vec<_> = denied.iter().map(ToString::to_string).collect();
        assert_eq!(denied, Vec::<String>::new());
    }

    fn fail_if_one_ended(&mut self) {
        for controller in &mut self.controllers {
            if let Some(status) = controller.ended().unwrap() {
                panic!("a controller ended: {status}\n{}", controller.log());
            }
        }
    }
}

/// `namespace/name` of an object.
pub(crate) fn name(object: &Value) -> String {
    let text = |field: &str| object["metadata"][field].as_str().unwrap();
    format!("{}/{}", text("namespace"), text("name"))
}

fn ingress(service: &Value) -> Vec<String> {
    let ingress = service
        .pointer("/status/loadBalancer/ingress")
        .and_then(Value::as_array);
    let entries = ingress.into_iter().flatten();
    entries
        .map(|entry| entry["ip"].as_str().unwrap().to_owned())
        .collect()
}

/// What runs as a controller.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_openelb-k8s");
/// The namespace of the manifests.
pub(crate) const NAMESPACE: &str = "openelb-system";

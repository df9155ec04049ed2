//! The cluster itself: control plane, kube-proxy on every node, router, our controller and speakers.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use openelb_k8s::crd;
use openelb_k8s::envtest::{
    Binaries, ControlPlane, Denied, KubectlError, Netns, Options, PlaneError, Process, ProxyMode,
    User,
};
use openelb_k8s::manifests;
use serde_json::Value;

use super::daemon::Daemon;
use super::objects;
use super::plan::{self, CONTROL_PLANE, NODES};
use super::pod::Pod;
use crate::lab::clock::Stopwatch;
use crate::lab::fabric::TOR;
use crate::lab::host::Rights;
use crate::lab::network::Network;
use crate::lab::probe::Stream;
use crate::lab::router::Router;
use crate::lab::scenario::trouble::Trouble;
use crate::lab::scenario::until;
use crate::lab::station::Station;

/// The cluster on its network, and what the play that is on remembers.
#[derive(Debug)]
pub(super) struct Stage<'n> {
    pub(super) network: &'n Network,
    pub(super) files: &'n Path,
    program: PathBuf,
    /// From its start all times count.
    pub(super) clock: Stopwatch,
    controllers: Vec<Daemon>,
    started: usize,
    speakers: BTreeMap<&'static str, Daemon>,
    pub(super) router: Router,
    /// Each with the thread that started it, with which it would end.
    _proxies: Vec<(Process, Netns)>,
    pub(super) plane: ControlPlane,
    /// The addresses of the service, in the order of its status.
    pub(super) addresses: Vec<IpAddr>,
    /// The client's questions.
    pub(super) streams: Vec<Stream>,
    /// Pods that were attached to the nodes.
    pub(super) pods: Vec<Pod>,
    /// The node that the play is about.
    pub(super) node: &'static str,
    /// What the client lost in this play, in milliseconds.
    pub(super) loss: Option<u64>,
}

impl<'n> Stage<'n> {
    /// Builds everything: about ten seconds on an idle machine.
    pub(super) fn build(
        network: &'n Network,
        binaries: &Binaries,
        program: PathBuf,
        files: &'n Path,
        clock: Stopwatch,
    ) -> Result<Self, Trouble> {
        plan::furnish(network)?;
        let plane = start_plane(network, binaries, files)?;
        populate(&plane)?;
        let proxies = NODES.iter().map(|node| start_proxy(network, &plane, node));
        let proxies = proxies.collect::<Result<_, _>>()?;
        let router = Router::start(&station(network, TOR).host, files, &plan::neighbors())?;
        let mut stage = Self {
            network,
            files,
            program,
            clock,
            controllers: Vec::new(),
            started: 0,
            speakers: BTreeMap::new(),
            router,
            _proxies: proxies,
            plane,
            addresses: Vec::new(),
            streams: Vec::new(),
            pods: Vec::new(),
            node: NODES[0],
            loss: None,
        };
        stage.start_controller(&[])?;
        for node in NODES {
            stage.start_speaker(node)?;
        }
        Ok(stage)
    }

    pub(super) fn station(&self, name: &str) -> &'n Station {
        station(self.network, name)
    }

    /// Starts one more controller.
    pub(super) fn start_controller(&mut self, arguments: &[&str]) -> Result<(), Trouble> {
        self.started += 1;
        let name = format!("controller-{}", self.started);
        let all = [&["controller", "--pod-name", name.as_str()], arguments].concat();
        let daemon = self.start(
            "openelb-controller",
            CONTROL_PLANE,
            &all,
            &name,
            Rights::Nothing,
        )?;
        self.controllers.push(daemon);
        Ok(())
    }

    /// Kills a controller as `kill -9` does.
    pub(super) fn kill_controller(&mut self) {
        self.controllers
            .truncate(self.controllers.len().saturating_sub(1));
    }

    /// Tells all controllers to stop.
    pub(super) fn stop_controllers(&mut self) -> Result<(), Trouble> {
        let mut all = self.controllers.drain(..);
        all.try_for_each(|controller| controller.stop().map_err(io_trouble("stop a controller")))
    }

    /// Starts the speaker of a node.
    pub(super) fn start_speaker(&mut self, node: &'static str) -> Result<(), Trouble> {
        let all = ["speaker", "--node-name", node];
        let name = format!("speaker-{node}");
        let rights = Rights::ClusterSpeaker;
        let daemon = self.start("openelb-speaker", node, &all, &name, rights)?;
        self.speakers.insert(node, daemon);
        Ok(())
    }

    /// Tells the speaker of a node to stop.
    pub(super) fn stop_speaker(&mut self, node: &str) -> Result<(), Trouble> {
        let speaker = self.speakers.remove(node);
        let mut found = speaker.into_iter();
        found.try_for_each(|speaker| speaker.stop().map_err(io_trouble("stop a speaker")))
    }

    /// Kills the speaker of a node as `kill -9` does.
    pub(super) fn kill_speaker(&mut self, node: &str) {
        self.speakers.remove(node);
    }

    /// Says whether a node's pod can serve.
    pub(super) fn set_ready(&self, node: &str, is_ready: bool) -> Result<(), Trouble> {
        let pod = format!("web-{node}");
        patch_status(
            &self.plane,
            &["pod", &pod],
            &objects::pod_status(node, is_ready),
        )?;
        Ok(())
    }

    /// Applies objects.
    pub(super) fn apply(&self, yaml: &str) -> Result<(), Trouble> {
        self.plane.apply(yaml)?;
        Ok(())
    }

    /// Runs kubectl with these words, separated by spaces.
    pub(super) fn kubectl(&self, words: &str) -> Result<String, Trouble> {
        Ok(self
            .plane
            .kubectl(&words.split_whitespace().collect::<Vec<_>>())?)
    }

    /// An object, or a list of them.
    pub(super) fn read(&self, words: &str) -> Result<Value, Trouble> {
        let text = self.kubectl(&format!("get -o json {words}"))?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// The addresses in a service's status.
    pub(super) fn ingress(&self, service: &str) -> Result<Vec<IpAddr>, Trouble> {
        Ok(addresses_of(&self.read(&format!("service {service}"))?))
    }

    /// Waits until a service has so many addresses.
    pub(super) fn wait_for_ingress(
        &self,
        service: &str,
        count: usize,
    ) -> Result<Vec<IpAddr>, Trouble> {
        until(
            &format!("{count} addresses in the status of {service}"),
            || {
                let found = self.ingress(service)?;
                Ok((found.len() == count)
                    .then_some(found.clone())
                    .ok_or_else(|| format!("{found:?}")))
            },
        )
    }

    /// Whose each recorded address of the pool is.
    pub(super) fn records(&self) -> Result<BTreeMap<String, String>, Trouble> {
        let eip = self.read(&format!("eip {}", objects::POOL))?;
        let used = eip
            .pointer("/status/used")
            .and_then(Value::as_object)
            .cloned();
        let text = |(address, owner): (String, Value)| {
            (address, owner.as_str().unwrap_or_default().to_owned())
        };
        Ok(used.into_iter().flatten().map(text).collect())
    }

    /// What the API server refused to our accounts.
    pub(super) fn denied(&self) -> Vec<Denied> {
        self.plane.denied(NAMESPACE)
    }

    /// The last lines of every log of ours.
    pub(super) fn last_lines(&self, count: usize) -> Vec<String> {
        let all = self.controllers.iter().chain(self.speakers.values());
        all.flat_map(|daemon| daemon.last_lines(count)).collect()
    }

    fn start(
        &self,
        account: &str,
        host: &str,
        arguments: &[&str],
        name: &str,
        rights: Rights,
    ) -> Result<Daemon, Trouble> {
        let namespace = NAMESPACE;
        let user = if host == CONTROL_PLANE {
            User::ServiceAccount {
                namespace,
                name: account,
            }
        } else {
            User::ServiceAccountOn {
                namespace,
                name: account,
                node: host,
            }
        };
        let kubeconfig = self.plane.kubeconfig(user)?;
        let kubeconfig = kubeconfig.display().to_string();
        let more = ["--kubeconfig", &kubeconfig, "--metrics-addr=0"];
        let all = [arguments, &more].concat();
        let host = &self.station(host).host;
        let started = Daemon::start(host, &self.program, &all, (name, self.files), rights);
        started.map_err(io_trouble("start openelb-k8s"))
    }
}

/// The addresses in the status of a service that was read.
pub(super) fn addresses_of(service: &Value) -> Vec<IpAddr> {
    let ingress = service
        .pointer("/status/loadBalancer/ingress")
        .and_then(Value::as_array);
    let address = |entry: &Value| entry.get("ip")?.as_str()?.parse().ok();
    ingress.into_iter().flatten().filter_map(address).collect()
}

/// Writes the status of an object.
pub(super) fn patch_status(
    plane: &ControlPlane,
    what: &[&str],
    status: &Value,
) -> Result<String, KubectlError> {
    patch(
        plane,
        &[what, &["--subresource", "status"]].concat(),
        status,
    )
}

/// Writes a part of an object.
pub(super) fn patch(
    plane: &ControlPlane,
    what: &[&str],
    part: &Value,
) -> Result<String, KubectlError> {
    let part = part.to_string();
    let words = ["--type", "merge", "-p", &part];
    plane.kubectl(&[&["patch"], what, &words].concat())
}

fn start_plane(
    network: &Network,
    binaries: &Binaries,
    files: &Path,
) -> Result<ControlPlane, Trouble> {
    let folder = files.join("control-plane");
    std::fs::create_dir_all(&folder).map_err(io_trouble("make a folder for the control plane"))?;
    let options = Options {
        address: plan::api_server(),
        controllers: true,
        folder: Some(folder),
    };
    let netns = netns(network, CONTROL_PLANE)?;
    Ok(ControlPlane::start_in(netns, binaries, &options)?)
}

/// Everything that is there before the first play.
fn populate(plane: &ControlPlane) -> Result<(), PlaneError> {
    plane.define(&manifests::yaml(&crd::definitions()))?;
    let installation = manifests::objects(&manifests::Options::default());
    plane.apply(&manifests::yaml(&installation))?;
    let nodes: String = NODES.into_iter().map(objects::node).collect();
    plane.apply(&(nodes + &objects::speaking()))?;
    for node in NODES {
        patch_status(plane, &["node", node], &objects::node_status(node))?;
        patch_status(
            plane,
            &["pod", &format!("web-{node}")],
            &objects::pod_status(node, true),
        )?;
    }
    Ok(())
}

/// One node does it with nftables, the others with iptables.
fn start_proxy(
    network: &Network,
    plane: &ControlPlane,
    node: &str,
) -> Result<(Process, Netns), Trouble> {
    let mode = if node == NODES[0] {
        ProxyMode::Nftables
    } else {
        ProxyMode::Iptables
    };
    let netns = netns(network, node)?;
    Ok((plane.kube_proxy(&netns, node, mode)?, netns))
}

fn netns(network: &Network, host: &str) -> Result<Netns, Trouble> {
    let namespace = station(network, host).host.namespace();
    Netns::enter(host, namespace).map_err(io_trouble("enter a network namespace"))
}

fn station<'n>(network: &'n Network, name: &str) -> &'n Station {
    network
        .station(name)
        .expect("the plan has every host of the plays")
}

pub(super) fn io_trouble(act: &str) -> impl FnOnce(io::Error) -> Trouble {
    let act = act.to_owned();
    move |source| Trouble::Plane(PlaneError::Io { act, source })
}

/// The namespace of the manifests.
const NAMESPACE: &str = "openelb-system";

//! Pods: network namespaces that the real bridge plugin of CNI attaches to a node.

use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ipnet::IpNet;
use openelb_k8s::pod_network::cni;
use serde_json::{Value, json};

use crate::lab::greeter;
use crate::lab::host::{Host, Rights};
use crate::lab::plan::PORT;

/// A pod that says its node's name to whoever asks.
#[derive(Debug)]
pub(super) struct Pod {
    /// The node that it is on.
    pub(super) node: &'static str,
    /// Its namespace.
    pub(super) host: Host,
    /// Its addresses, in the order of the node's prefixes.
    pub(super) addresses: Vec<IpAddr>,
}

/// Whether the plugins are installed.
pub(super) fn missing() -> Option<&'static str> {
    [BRIDGE, HOST_LOCAL]
        .into_iter()
        .find(|program| !Path::new(program).exists())
}

impl Pod {
    /// Makes a pod on a node with these prefixes, by the configuration that a speaker writes.
    pub(super) fn attach(
        node: &'static str,
        on: &Host,
        cidrs: &[IpNet],
        files: &Path,
    ) -> io::Result<Self> {
        let host = Host::start(&format!("pod-{node}")).map_err(io::Error::other)?;
        let configuration = configuration(node, cidrs, files)?;
        let result = plug_in(on, &host, &configuration, node)?;
        let ips = result.get("ips").and_then(Value::as_array);
        let address = |ip: &Value| {
            let net = ip.get("address")?.as_str()?.parse::<IpNet>();
            net.ok().map(|net| net.addr())
        };
        let addresses = ips.into_iter().flatten().filter_map(address);
        let addresses = addresses.collect();
        host.run(move || greeter::serve(node, PORT))?;
        Ok(Self {
            node,
            host,
            addresses,
        })
    }

    /// Its address of the family of another.
    pub(super) fn address_like(&self, other: IpAddr) -> Option<IpAddr> {
        let mut addresses = self.addresses.iter();
        addresses
            .find(|it| it.is_ipv4() == other.is_ipv4())
            .copied()
    }
}

/// The first plugin of the list that the speaker of the node writes, with its leases in our files: the
/// nodes of a lab have one file system.
fn configuration(node: &str, cidrs: &[IpNet], files: &Path) -> io::Result<Value> {
    let text = cni::edited(None, cidrs).map_err(io::Error::other)?;
    let list: Value = serde_json::from_str(&text.unwrap_or_default())?;
    let mut plugin = list.pointer("/plugins/0").cloned().unwrap_or_default();
    let leases = files.join(format!("leases-{node}"));
    if let Some(fields) = plugin.as_object_mut() {
        for key in ["name", "cniVersion"] {
            fields.insert(key.to_owned(), list.get(key).cloned().unwrap_or_default());
        }
    }
    if let Some(ipam) = plugin.get_mut("ipam").and_then(Value::as_object_mut) {
        // Ours where it was built beside this program; both read the same configuration.
        if ours().is_none() {
            ipam.insert("type".to_owned(), json!("host-local"));
        }
        ipam.insert("dataDir".to_owned(), json!(leases));
    }
    Ok(plugin)
}

/// Runs the plugin as a container runtime does, and reads its result.
///
/// It looks for its own namespace below `/proc`, which in a lab speaks of the processes outside: it
/// gets a `/proc` of its own, after the way to the pod was opened.
fn plug_in(on: &Host, pod: &Host, configuration: &Value, node: &str) -> io::Result<Value> {
    let script = "exec 3<\"$1\" && mount -t proc proc /proc && exec \"$2\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]);
    command.arg(pod.namespace_path()).arg(BRIDGE);
    let ours = ours().and_then(|program| Some(program.parent()?.display().to_string()));
    let folders = [ours.unwrap_or_default(), FOLDER.to_owned()].join(":");
    command.env("CNI_COMMAND", "ADD");
    command.env("CNI_CONTAINERID", format!("pod-{node}"));
    command.env("CNI_NETNS", "/proc/self/fd/3");
    command.env("CNI_IFNAME", "eth0");
    command.env("CNI_PATH", folders.trim_start_matches(':'));
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = on.spawn(command, Rights::Everything)?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(configuration.to_string().as_bytes())?;
    }
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let more = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(io::Error::other(format!("{BRIDGE}: {said}{more}")));
    }
    Ok(serde_json::from_str(&said)?)
}

/// Our plugin, where it was built.
fn ours() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.with_file_name("openelb-cni");
    program.exists().then_some(program)
}

const FOLDER: &str = "/usr/lib/cni";
const BRIDGE: &str = "/usr/lib/cni/bridge";
const HOST_LOCAL: &str = "/usr/lib/cni/host-local";

//! Several daemons on one link, with the same configuration.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use crate::node::Node;
use crate::stage::{Stage, eventually};

/// Daemons that elect the owners of the addresses of some services.
#[derive(Debug)]
pub(crate) struct Cluster {
    nodes: Vec<Node>,
    services: usize,
}

impl Cluster {
    /// Starts a daemon on each node with so many services, each with `lines` in its specification.
    pub(crate) fn start(
        stage: &mut Stage,
        names: &[&'static str],
        services: usize,
        lines: &str,
    ) -> Self {
        Self::with(stage, names, services, lines, "")
    }

    /// The same with `lines` in the specification of the pool.
    pub(crate) fn of_pool(
        stage: &mut Stage,
        names: &[&'static str],
        services: usize,
        lines: &str,
    ) -> Self {
        Self::with(stage, names, services, "", lines)
    }

    fn with(
        stage: &mut Stage,
        names: &[&'static str],
        services: usize,
        of_services: &str,
        of_pool: &str,
    ) -> Self {
        let key = write_key(stage.files(), "shared", "correct horse battery staple");
        let config = config(&key, services, of_services, of_pool);
        let nodes = names.iter().map(|name| Node::start(stage, name, &config));
        Self {
            nodes: nodes.collect(),
            services,
        }
    }

    /// Starts one more daemon, which has another key.
    pub(crate) fn join(&mut self, stage: &mut Stage, name: &'static str, key: &str) {
        let key = write_key(stage.files(), name, key);
        let config = config(&key, self.services, "", "");
        self.nodes.push(Node::start(stage, name, &config));
    }

    /// The daemon of that name.
    pub(crate) fn node(&self, name: &str) -> &Node {
        let node = self.nodes.iter().find(|node| node.name() == name);
        node.expect("the test started it")
    }

    /// One of the other daemons.
    pub(crate) fn other_than(&self, name: &str) -> &Node {
        let node = self.nodes.iter().find(|node| node.name() != name);
        node.expect("the test started two")
    }

    /// Waits until all of them say the same of every service, and that is somebody.
    pub(crate) fn agree(&self) -> BTreeMap<String, String> {
        eventually("the nodes agree", || {
            let mut views = self.nodes.iter().map(Node::owners);
            let first = views.next()?;
            let is_whole = first.len() == self.services;
            (is_whole && views.all(|view| view == first)).then_some(first)
        })
    }
}

/// Something on a node that accepts connections on port 9999: another daemon, for its `/healthz`.
pub(crate) fn backend(stage: &mut Stage, node: &str) {
    let process = format!("backend-{node}");
    let files = stage.files().join(&process);
    fs::create_dir_all(&files).unwrap();
    let file = files.join("config.yaml");
    fs::write(&file, "").unwrap();
    stage.request(&json!({
        "do": "start", "host": node, "process": process, "rights": "net-raw",
        "argv": ["openelb", "run", file, "--no-announce", "--metrics", "127.0.0.1:9999",
                 "--state-dir", files],
        "log": files.join("log"),
    }));
}

fn write_key(files: &Path, name: &str, key: &str) -> String {
    let path = files.join(format!("{name}.key"));
    fs::write(&path, format!("{key}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}

/// A pool, the election, and services `web-1` and so on with pinned addresses of both families.
fn config(key: &str, services: usize, of_services: &str, of_pool: &str) -> String {
    let mut text = format!(
        "apiVersion: network.kubesphere.io/v1alpha2\n\
         kind: Eip\n\
         metadata: {{name: lab}}\n\
         spec:\n  \
           address: 192.0.2.240/28, 2001:db8::f0/124\n  \
           protocol: layer2\n  \
           interface: eth0\n  \
           autoAssign: true\n  \
           {of_pool}\n\
         ---\n\
         apiVersion: network.kubesphere.io/v1alpha2\n\
         kind: Layer2Conf\n\
         metadata: {{name: default}}\n\
         spec: {{keyFile: {key}, hold: 1s, dwell: 1s}}\n"
    );
    for number in 1..=services {
        let (v4, v6) = (240 + number, 0xf0 + number);
        write!(
            text,
            "---\n\
             apiVersion: openelb.io/v1\n\
             kind: Service\n\
             metadata: {{namespace: shop, name: web-{number}}}\n\
             spec:\n  \
               ipFamilyPolicy: RequireDualStack\n  \
               addresses: [192.0.2.{v4}, '2001:db8::{v6:x}']\n  \
               {of_services}\n"
        )
        .unwrap();
    }
    text
}

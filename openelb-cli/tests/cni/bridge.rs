//! Debian's bridge plugin with this one as its IPAM, in namespaces: pods with both families that reach each other.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::plugin::{Answer, Network, OURS, feed, finish};
use crate::skip;

/// A host and two pods as namespaces of their own, gone with this value.
struct Cluster {
    host: String,
    pods: [String; 2],
    bridge: PathBuf,
    network: Network,
}

impl Cluster {
    fn new(name: &str) -> Option<Self> {
        let bridge = skip::debian("bridge")?;
        if !skip::is_root() {
            return None;
        }
        let unique = format!("oec{name}{}", std::process::id());
        let (host, pods) = (
            format!("{unique}h"),
            ["1", "2"].map(|at| format!("{unique}{at}")),
        );
        for namespace in [&host, &pods[0], &pods[1]] {
            ip(&format!("netns add {namespace}"));
        }
        let network = Network::dual();
        Some(Self {
            host,
            pods,
            bridge,
            network,
        })
    }

    /// What a runtime does: the bridge plugin, which starts this one by the name in `ipam.type`.
    fn run(&self, verb: &str, pod: usize, more: &Value) -> Answer {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.host])
            .arg(&self.bridge);
        let ours = Path::new(OURS).parent().unwrap();
        let theirs = self.bridge.parent().unwrap();
        command
            .env("CNI_COMMAND", verb)
            .env("CNI_CONTAINERID", format!("pod{pod}"))
            .env("CNI_IFNAME", "eth0")
            .env("CNI_NETNS", format!("/run/netns/{}", self.pods[pod]))
            .env(
                "CNI_PATH",
                format!("{}:{}", ours.display(), theirs.display()),
            );
        finish(feed(command, &self.config(more)))
    }

    fn config(&self, more: &Value) -> Value {
        let mut config = self.network.config(&json!({
            "cniVersion": "1.0.0", "bridge": "oecbr0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
        }));
        for (key, value) in more.as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        config
    }

    fn in_pod(&self, pod: usize, line: &str) -> Output {
        let mut words = vec!["netns", "exec", &self.pods[pod]];
        words.extend(line.split_whitespace());
        Command::new("ip").args(words).output().unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for namespace in self.pods.iter().chain([&self.host]) {
            let _ = Command::new("ip")
                .args(["netns", "del", namespace])
                .status();
        }
    }
}

fn ip(line: &str) {
    let output = Command::new("ip")
        .args(line.split_whitespace())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "ip {line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn pods_get_both_families_reach_each_other_and_leave_nothing_behind() {
    let Some(cluster) = Cluster::new("b") else {
        return;
    };
    let results = [0, 1].map(|pod| cluster.run("ADD", pod, &json!({})));
    for result in &results {
        assert!(result.is_success, "{result:?}");
        assert_eq!(result.addresses().len(), 2, "{result:?}");
    }
    for address in results[1].addresses() {
        // The first packets may have to wait for the end of duplicate address detection.
        let ping = cluster.in_pod(0, &format!("ping -c 1 -w 10 {address}"));
        assert!(
            ping.status.success(),
            "{address}: {}",
            String::from_utf8_lossy(&ping.stdout)
        );
    }
    let check = cluster.run("CHECK", 0, &json!({"prevResult": results[0].json}));
    assert!(check.is_success, "{check:?}");
    for (pod, result) in results.iter().enumerate() {
        let deleted = cluster.run("DEL", pod, &json!({"prevResult": result.json}));
        assert!(deleted.is_success, "{deleted:?}");
    }
    assert!(cluster.network.leases().is_empty());
    let again = cluster.run("DEL", 0, &json!({}));
    assert!(again.is_success, "{again:?}");
}

#[test]
fn a_second_add_fails_and_leaves_the_running_pod_its_addresses() {
    let Some(cluster) = Cluster::new("a") else {
        return;
    };
    let first = cluster.run("ADD", 0, &json!({}));
    assert!(first.is_success, "{first:?}");
    assert!(!cluster.run("ADD", 0, &json!({})).is_success);
    for address in first.addresses() {
        assert!(
            cluster.network.leases().contains_key(&address),
            "{address} is still held"
        );
    }
}

#[test]
fn a_node_that_ran_host_local_keeps_its_pods_and_their_addresses() {
    let Some(cluster) = Cluster::new("t") else {
        return;
    };
    let mut theirs = cluster.config(&json!({}));
    theirs["ipam"]["type"] = "host-local".into();
    let ipam = json!({"ipam": theirs["ipam"]});
    let old = cluster.run("ADD", 0, &ipam);
    assert!(old.is_success, "{old:?}");
    let new = cluster.run("ADD", 1, &json!({}));
    assert!(new.is_success, "{new:?}");
    assert!(
        new.addresses()
            .iter()
            .all(|address| !old.addresses().contains(address))
    );
    let ping = cluster.in_pod(1, &format!("ping -c 1 -w 10 {}", old.addresses()[0]));
    assert!(
        ping.status.success(),
        "{}",
        String::from_utf8_lossy(&ping.stdout)
    );
    // The old pod's DEL comes to the new plugin, and the other way round after going back.
    assert!(cluster.run("DEL", 0, &json!({})).is_success);
    assert!(cluster.run("DEL", 1, &ipam).is_success);
    assert!(cluster.network.leases().is_empty());
}

//! `openelb-k8s/deploy/`: the same objects as files for `kubectl apply -k` and for Helm.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::yaml::document;
use super::{Options, Part, Protocols, chart, part_of, speaker, yaml};

/// Path within `deploy/` to the text of the file.
///
/// `base` is an installation. A component changes something of it, and an overlay is the base with
/// one component; for several, write a kustomization of your own that names them.
pub fn folder() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    base(&mut files);
    protocols(&mut files);
    monitoring(&mut files);
    webhook(&mut files);
    for name in ["bgp", "l2", "monitoring", "pods", "vip", "webhook"] {
        let overlay = json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": ["../../base"],
            "components": [format!("../../components/{name}")],
        });
        let path = format!("overlays/{name}/kustomization.yaml");
        files.insert(path, written(&document(&overlay)));
    }
    files.extend(chart::files());
    files
}

fn base(files: &mut BTreeMap<String, String>) {
    let parts = Part::ALL.iter().filter(|part| !part.is_optional());
    let mut names = Vec::new();
    for part in parts {
        names.push(part.file());
        let text = yaml(&part_of(*part, &Options::default()));
        files.insert(format!("base/{}", part.file()), written(&text));
    }
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": names,
    });
    let path = "base/kustomization.yaml".to_owned();
    files.insert(path, written(&document(&kustomization)));
}

/// One protocol alone, with the capabilities that it needs.
fn protocols(files: &mut BTreeMap<String, String>) {
    let none = Protocols {
        layer2: false,
        bgp: false,
        vip: false,
        pods: false,
    };
    let layer2 = Protocols {
        layer2: true,
        ..none
    };
    let bgp = Protocols { bgp: true, ..none };
    let vip = Protocols { vip: true, ..none };
    for (name, protocols) in [("l2", layer2), ("bgp", bgp), ("vip", vip)] {
        let patch = json!([{
            "op": "replace",
            "path": "/spec/template/spec/containers/0/securityContext/capabilities/add",
            "value": speaker::capabilities(protocols),
        }]);
        let patches = [("DaemonSet", "openelb-speaker", patch)];
        component(files, name, &[], &patches);
    }
    pods(files);
}

/// The usual protocols, and what `kernelRoutes` and `cni` of a `PodNetwork` need.
fn pods(files: &mut BTreeMap<String, String>) {
    let protocols = Protocols {
        pods: true,
        ..Protocols::default()
    };
    let container = "/spec/template/spec/containers/0";
    let patch = json!([
        {
            "op": "replace",
            "path": format!("{container}/securityContext/capabilities/add"),
            "value": speaker::capabilities(protocols),
        },
        { "op": "add", "path": "/spec/template/spec/volumes", "value": speaker::volumes() },
        { "op": "add", "path": format!("{container}/volumeMounts"), "value": speaker::mounts() },
    ]);
    component(
        files,
        "pods",
        &[],
        &[("DaemonSet", "openelb-speaker", patch)],
    );
}

fn monitoring(files: &mut BTreeMap<String, String>) {
    part(files, "monitoring", Part::Monitoring);
    component(files, "monitoring", &["monitoring.yaml"], &[]);
}

fn webhook(files: &mut BTreeMap<String, String>) {
    part(files, "webhook", Part::Webhook);
    let patch = json!([{
        "op": "add",
        "path": "/spec/template/spec/containers/0/args/-",
        "value": "--webhook",
    }]);
    let patches = [("Deployment", "openelb-controller", patch)];
    component(files, "webhook", &["webhook.yaml"], &patches);
}

fn part(files: &mut BTreeMap<String, String>, name: &str, part: Part) {
    let text = yaml(&part_of(part, &Options::default()));
    files.insert(format!("components/{name}/{}", part.file()), written(&text));
}

fn component(
    files: &mut BTreeMap<String, String>,
    name: &str,
    resources: &[&str],
    patches: &[(&str, &str, Value)],
) {
    let patches = patches.iter().map(|(kind, name, patch)| {
        json!({ "target": { "kind": kind, "name": name }, "patch": patch.to_string() })
    });
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "resources": resources,
        "patches": patches.collect::<Vec<_>>(),
    });
    let path = format!("components/{name}/kustomization.yaml");
    files.insert(path, written(&document(&kustomization)));
}

fn written(text: &str) -> String {
    format!("{HEADER}{text}")
}

/// First line of every file that is made here.
pub(super) const HEADER: &str =
    "# Made from the Rust types: do not edit. `make deploy` makes it again.\n";

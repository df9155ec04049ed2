//! An installation as an API server takes it: every object, every right, and its end.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::LazyLock;

use openelb_k8s::envtest::{ControlPlane, Release, User};
use openelb_k8s::manifests::{Options, objects, uninstall_steps, yaml};
use openelb_k8s::names;
use serde_json::{Value, json};

use crate::cluster::{built, eventually, own, skip};

#[test]
fn applying_an_installation_again_changes_nothing() {
    let Some(plane) = &*INSTALLED else { return };
    let versions = || {
        let list = ["get", "daemonset,deployment,clusterrole,crd", "-A", "-o"];
        let version = "jsonpath={range .items[*]}{.metadata.name} {.metadata.generation}\n{end}";
        plane.kubectl(&[&list[..], &[version]].concat()).unwrap()
    };
    let before = versions();
    install(plane);
    assert_eq!(versions(), before);
}

#[test]
fn the_pods_of_the_controller_pass_the_restricted_profile() {
    let Some(plane) = &*INSTALLED else { return };
    let enforced = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": { "name": "strict", "labels": {
            "pod-security.kubernetes.io/enforce": "restricted",
        } },
    });
    plane.apply(&enforced.to_string()).unwrap();
    let try_pod = |kind: &str| {
        let workload = installation().into_iter().find(|it| it["kind"] == kind);
        let mut pod = workload.unwrap()["spec"]["template"].clone();
        pod["apiVersion"] = "v1".into();
        pod["kind"] = "Pod".into();
        pod["metadata"]["name"] = "candidate".into();
        pod["metadata"]["namespace"] = "strict".into();
        // Such classes are for kube-system and for namespaces with a quota of their own.
        pod["spec"]["priorityClassName"] = Value::Null;
        let create = ["create", "--dry-run=server", "-f", "-"];
        plane.kubectl_with(&create, &pod.to_string())
    };
    try_pod("Deployment").unwrap();
    let refused = try_pod("DaemonSet").unwrap_err().to_string();
    assert!(refused.contains("host namespaces"), "{refused}");
}

#[test]
fn each_account_may_do_its_work_and_nothing_besides() {
    let Some(plane) = &*INSTALLED else { return };
    for (account, verb, resource, namespace, may) in RIGHTS {
        let user = format!("--as=system:serviceaccount:openelb-system:{account}");
        let (name, part) = resource.split_once('/').unwrap_or((resource, ""));
        let part = format!("--subresource={part}");
        let question = ["auth", "can-i", verb, name, &part, "-n", namespace, &user];
        // It fails when the answer is no.
        let answer = plane.kubectl(&question).is_ok();
        assert_eq!(answer, may, "{account} {verb} {resource} in {namespace}");
    }
}

#[test]
fn a_speaker_writes_of_its_own_node_only() {
    let Some(plane) = &*INSTALLED else { return };
    for node in ["here", "there"] {
        let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": node } });
        plane.apply(&node.to_string()).unwrap();
    }
    let account = ["create", "token", "openelb-speaker", "-n", "openelb-system"];
    let bound = ["--bound-object-kind=Node", "--bound-object-name=here"];
    let token = plane.kubectl(&[&account[..], &bound[..]].concat()).unwrap();
    let write = |node: &str| {
        let announcement = json!({
            "apiVersion": names::EIP_API_VERSION,
            "kind": names::NODE_ANNOUNCEMENT_KIND,
            "metadata": { "name": node },
        });
        // Nothing of the administrator's: a certificate would count for more than the token.
        let create = [
            "--kubeconfig=/dev/null",
            "--insecure-skip-tls-verify",
            &format!("--server=https://{}", plane.server()),
            &format!("--token={}", token.trim()),
            "create",
            "-f",
            "-",
        ];
        plane.kubectl_with(&create, &announcement.to_string())
    };
    write("here").unwrap();
    let refused = write("there").unwrap_err().to_string();
    assert!(refused.contains("of its own node only"), "{refused}");
}

#[test]
fn every_overlay_builds_and_is_taken() {
    let Some(plane) = &*INSTALLED else { return };
    if let Some(missing) = MONITORING
        .into_iter()
        .map(built)
        .find(|file| !file.exists())
    {
        return skip(&format!("{} is not there", missing.display())).unwrap_or_default();
    }
    let overlays = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/overlays");
    let mut seen = 0;
    for overlay in fs::read_dir(overlays).unwrap() {
        let path = overlay.unwrap().path();
        let built = plane
            .kubectl(&["kustomize", path.to_str().unwrap()])
            .unwrap();
        let apply = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--dry-run=server",
            "--validate=strict",
            "-f",
            "-",
        ];
        plane.kubectl_with(&apply, &built).unwrap();
        seen += 1;
    }
    assert_eq!(seen, 6);
}

#[test]
fn after_an_uninstallation_every_object_is_gone_or_deletable() {
    let Some(plane) = own(Release::Current) else {
        return;
    };
    define_monitoring(&plane);
    let is_monitored = MONITORING.into_iter().all(|name| built(name).exists());
    let options = Options {
        monitoring: is_monitored,
        webhook: true,
        ..Options::default()
    };
    plane.define(&yaml(&objects(&options))).unwrap();
    let foreign = "example.com/keeps-it";
    mark(&plane, foreign);
    let said = uninstall(&plane);
    let is_ours = "--selector=app.kubernetes.io/name=openelb";
    for object in objects(&options) {
        // With the namespace stays the key of the election.
        let kind = object["kind"].as_str().unwrap();
        if kind != "Namespace" {
            let list = ["get", kind, "--all-namespaces", is_ours, "--output=name"];
            assert_eq!(plane.kubectl(&list).unwrap(), "", "{said}");
        }
    }
    let web = plane
        .kubectl(&["get", "service", "web", "-o", "json"])
        .unwrap();
    let web: Value = serde_json::from_str(&web).unwrap();
    assert_eq!(web["metadata"]["finalizers"], json!([foreign]), "{said}");
    let left = web["status"]["conditions"].as_array().unwrap();
    let left: Vec<_> = left.iter().map(|it| it["type"].clone()).collect();
    assert_eq!(left, [foreign], "{said}");
}

#[test]
fn nothing_is_uninstalled_while_a_controller_of_another_namespace_would_put_it_back() {
    let Some(plane) = own(Release::Current) else {
        return;
    };
    let options = Options {
        namespace: "elsewhere".to_owned(),
        ..Options::default()
    };
    plane.define(&yaml(&objects(&options))).unwrap();
    let foreign = "example.com/keeps-it";
    mark(&plane, foreign);
    let (ended, said) = follow(&plane);
    assert!(!ended.success(), "{said}");
    assert!(
        said.contains("give the other one with --namespace"),
        "{said}"
    );
    let finalizers = "jsonpath={.metadata.finalizers}";
    let web = ["get", "service", "web", "-o", finalizers];
    let kept = json!([foreign, names::SERVICE_FINALIZER]).to_string();
    assert_eq!(plane.kubectl(&web).unwrap(), kept);
}

/// Applies objects with every mark that ours are given; the Service, `web`, has one of others too.
fn mark(plane: &ControlPlane, foreign: &str) {
    let pool = json!({
        "apiVersion": names::EIP_API_VERSION, "kind": "Eip",
        "metadata": { "name": "edge", "finalizers": [names::EIP_FINALIZER] },
        "spec": { "address": "192.0.2.0/24" },
    });
    // OpenELB puts its mark on these too.
    let bgp = [
        ("BgpConf", json!({ "as": 65000 })),
        (
            "BgpPeer",
            json!({ "conf": { "neighborAddress": "192.0.2.254", "peerAs": 65001 } }),
        ),
    ];
    for (kind, spec) in bgp {
        let object = json!({
            "apiVersion": names::EIP_API_VERSION, "kind": kind,
            "metadata": { "name": "default", "finalizers": [names::SERVICE_FINALIZER] },
            "spec": spec,
        });
        plane.apply(&object.to_string()).unwrap();
    }
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "web", "namespace": "default",
            "finalizers": [foreign, names::SERVICE_FINALIZER] },
        "spec": { "ports": [{ "port": 80 }], "type": "LoadBalancer" },
    });
    plane.apply(&pool.to_string()).unwrap();
    plane.apply(&service.to_string()).unwrap();
    let conditions = [foreign, names::ADDRESS_ASSIGNED_CONDITION].map(|name| {
        json!({ "type": name, "status": "False", "reason": "PoolExhausted", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z" })
    });
    let status = json!({ "status": { "conditions": conditions } }).to_string();
    let patch = ["patch", "service", "web", "--subresource=status", "--patch"];
    plane.kubectl(&[&patch[..], &[&status]].concat()).unwrap();
}

/// Follows the steps as a user with a shell does; they must succeed. What the shell said of them.
pub(crate) fn uninstall(plane: &ControlPlane) -> String {
    // A server may be minutes late with the deletion of a kind that it has never served: "storage is
    // (re)initializing" (1.36).
    let kinds = ["get", "crd", "-o", "jsonpath={.items[*].metadata.name}"];
    for kind in plane.kubectl(&kinds).unwrap().split_whitespace() {
        eventually("the kind is served", || plane.kubectl(&["get", kind]).ok());
    }
    let (ended, said) = follow(plane);
    assert!(ended.success(), "{said}");
    said
}

/// How the shell ended, and what it said.
fn follow(plane: &ControlPlane) -> (ExitStatus, String) {
    let script = plane.folder().join("uninstall.sh");
    fs::write(&script, uninstall_steps(&Options::default())).unwrap();
    let kubeconfig = plane.kubeconfig(User::Admin).unwrap();
    let path = format!("{}:{}", programs(), std::env::var("PATH").unwrap());
    let ended = plane.netns().run(move || {
        let mut shell = Command::new("sh");
        shell
            .args(["-eux"])
            .arg(script)
            .env("PATH", path)
            .env("KUBECONFIG", kubeconfig)
            .output()
    });
    let ended = ended.unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    (ended.status, said)
}

fn installation() -> Vec<Value> {
    let options = Options {
        webhook: true,
        ..Options::default()
    };
    objects(&options)
}

fn install(plane: &ControlPlane) {
    plane.define(&yaml(&installation())).unwrap();
}

/// Defines the kinds of Prometheus' operator, as that project has them, where they are.
fn define_monitoring(plane: &ControlPlane) {
    for text in MONITORING
        .iter()
        .filter_map(|name| fs::read_to_string(built(name)).ok())
    {
        plane.define(&text).unwrap();
    }
}

/// Where `kubectl` of the control plane is.
fn programs() -> String {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/envtest");
    let built = built.join(Release::Current.version());
    let assets = std::env::var("KUBEBUILDER_ASSETS").unwrap_or_default();
    format!("{assets}:{}", built.display())
}

/// A control plane that has an installation, for tests that leave it as it is.
pub(crate) static INSTALLED: LazyLock<Option<ControlPlane>> = LazyLock::new(|| {
    own(Release::Current)
        .inspect(install)
        .inspect(define_monitoring)
});

/// Definitions that are Prometheus' operator's.
const MONITORING: [&str; 2] = [
    "monitoring.coreos.com_servicemonitors.yaml",
    "monitoring.coreos.com_prometheusrules.yaml",
];

/// Account, verb, resource, namespace, and whether it may.
const RIGHTS: [(&str, &str, &str, &str, bool); 20] = [
    ("openelb-controller", "watch", "services", "default", true),
    (
        "openelb-controller",
        "patch",
        "services/status",
        "default",
        true,
    ),
    ("openelb-controller", "patch", "services", "default", false),
    ("openelb-controller", "delete", "services", "default", false),
    (
        "openelb-controller",
        "update",
        "eips/status",
        "default",
        true,
    ),
    ("openelb-controller", "delete", "eips", "default", false),
    (
        "openelb-controller",
        "create",
        "addressblocks",
        "default",
        true,
    ),
    (
        "openelb-controller",
        "create",
        "leases",
        "openelb-system",
        true,
    ),
    ("openelb-controller", "create", "leases", "default", false),
    (
        "openelb-controller",
        "list",
        "secrets",
        "openelb-system",
        false,
    ),
    (
        "openelb-controller",
        "create",
        "pods",
        "openelb-system",
        false,
    ),
    (
        "openelb-speaker",
        "watch",
        "endpointslices",
        "default",
        true,
    ),
    ("openelb-speaker", "watch", "nodes", "default", true),
    (
        "openelb-speaker",
        "patch",
        "bgppeers/status",
        "default",
        true,
    ),
    ("openelb-speaker", "patch", "eips/status", "default", false),
    (
        "openelb-speaker",
        "patch",
        "services/status",
        "default",
        false,
    ),
    ("openelb-speaker", "get", "secrets", "openelb-system", true),
    ("openelb-speaker", "get", "secrets", "default", false),
    ("openelb-speaker", "patch", "nodes", "default", false),
    (
        "openelb-speaker",
        "create",
        "daemonsets",
        "openelb-system",
        false,
    ),
];

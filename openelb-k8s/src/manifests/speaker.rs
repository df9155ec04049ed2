//! The speakers: one on every node, in the node's network.

use serde_json::{Value, json};

use super::access::SPEAKER;
use super::{Options, Protocols, labels, metadata, pod};
use crate::crd::put;

/// Port of metrics and health, on the node. Not OpenELB's 50053, so that both can run for a moment.
pub(super) const HTTP_PORT: u16 = 7481;

/// The workload.
pub(super) fn objects(options: &Options) -> Vec<Value> {
    vec![daemon_set(options)]
}

/// What the protocols need of the kernel, beside nothing at all.
pub(super) fn capabilities(protocols: Protocols) -> Vec<&'static str> {
    let needs = [
        // Virtual routers make interfaces of their own; routes to pods are the kernel's.
        (protocols.vip || protocols.pods, "NET_ADMIN"),
        // The port of BGP, for peers that connect to us.
        (protocols.bgp, "NET_BIND_SERVICE"),
        // Frames of ARP, NDP and VRRP.
        (protocols.layer2 || protocols.vip, "NET_RAW"),
        // A real-time thread for beats and BFD; without it `Fast` is not offered.
        (true, "SYS_NICE"),
    ];
    let needed = needs.iter().filter(|(is_needed, _)| *is_needed);
    needed.map(|(_, capability)| *capability).collect()
}

/// The folder of the node's CNI configurations.
pub(super) fn volumes() -> Value {
    let path = json!({ "path": CNI_FOLDER, "type": "DirectoryOrCreate" });
    json!([{ "name": "cni", "hostPath": path }])
}

/// The same folder in the container.
pub(super) fn mounts() -> Value {
    json!([{ "name": "cni", "mountPath": CNI_FOLDER }])
}

fn daemon_set(options: &Options) -> Value {
    let mut object = bare(options);
    if options.protocols.pods {
        let pod = "/spec/template/spec";
        if let Some(pod) = object.pointer_mut(pod) {
            put(pod, "volumes", volumes());
        }
        let container = "/spec/template/spec/containers/0";
        if let Some(container) = object.pointer_mut(container) {
            put(container, "volumeMounts", mounts());
        }
    }
    object
}

fn bare(options: &Options) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": metadata(options, SPEAKER, "speaker"),
        "spec": {
            "selector": { "matchLabels": labels("speaker") },
            // One node hands over its addresses before the next one does.
            "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 1 } },
            "template": {
                "metadata": { "labels": labels("speaker") },
                "spec": {
                    "serviceAccountName": SPEAKER,
                    "priorityClassName": "system-node-critical",
                    "hostNetwork": true,
                    "dnsPolicy": "ClusterFirstWithHostNet",
                    // Peers are asked to prefer other paths, then addresses are handed over.
                    "terminationGracePeriodSeconds": 60,
                    "nodeSelector": pod::linux(),
                    // A node that is drained or unwell still announces what it serves.
                    "tolerations": [
                        { "operator": "Exists", "effect": "NoSchedule" },
                        { "operator": "Exists", "effect": "NoExecute" },
                    ],
                    "securityContext": { "seccompProfile": { "type": "RuntimeDefault" } },
                    "containers": [container(options)],
                },
            },
        },
    })
}

/// It runs as user 0: Kubernetes gives added capabilities to no other user. It has no others than
/// these, cannot gain any, and drops them once its sockets are open.
fn container(options: &Options) -> Value {
    json!({
        "name": "speaker",
        "image": options.image,
        "args": ["speaker"],
        "env": [
            pod::field("NODE_NAME", "spec.nodeName"),
            pod::field("POD_NAME", "metadata.name"),
            pod::field("OPENELB_NAMESPACE", "metadata.namespace"),
        ],
        "ports": [{ "name": "http", "containerPort": HTTP_PORT, "hostPort": HTTP_PORT }],
        "livenessProbe": pod::probe("/healthz", Some("localhost"), 10),
        "readinessProbe": pod::probe("/readyz", Some("localhost"), 5),
        "resources": pod::resources("20m", "64Mi", "256Mi"),
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": { "drop": ["ALL"], "add": capabilities(options.protocols) },
            "readOnlyRootFilesystem": true,
            "runAsUser": 0,
            "runAsGroup": 0,
        },
    })
}

/// Where container runtimes look for them.
const CNI_FOLDER: &str = "/etc/cni/net.d";

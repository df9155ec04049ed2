//! The controller: two replicas, of which one leads.

use serde_json::{Value, json};

use super::access::CONTROLLER;
use super::{Options, labels, metadata, pod};

/// Port of metrics and health.
pub(super) const HTTP_PORT: u16 = 7480;

/// The workload and its budget of disruption.
pub(super) fn objects(options: &Options) -> Vec<Value> {
    vec![
        deployment(options),
        json!({
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": metadata(options, CONTROLLER, "controller"),
            "spec": {
                "maxUnavailable": 1,
                "selector": { "matchLabels": labels("controller") },
            },
        }),
    ]
}

fn deployment(options: &Options) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(options, CONTROLLER, "controller"),
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": labels("controller") },
            "template": {
                "metadata": { "labels": labels("controller") },
                "spec": {
                    "serviceAccountName": CONTROLLER,
                    "priorityClassName": "system-cluster-critical",
                    "terminationGracePeriodSeconds": 30,
                    "nodeSelector": pod::linux(),
                    "tolerations": [
                        // Services must get addresses while a cluster comes up.
                        { "key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule" },
                        { "key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30 },
                        { "key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30 },
                    ],
                    "affinity": { "podAntiAffinity": {
                        "preferredDuringSchedulingIgnoredDuringExecution": [{
                            "weight": 100,
                            "podAffinityTerm": {
                                "labelSelector": { "matchLabels": labels("controller") },
                                "topologyKey": "kubernetes.io/hostname",
                            },
                        }],
                    } },
                    "securityContext": {
                        "runAsNonRoot": true,
                        "runAsUser": USER,
                        "runAsGroup": USER,
                        "seccompProfile": { "type": "RuntimeDefault" },
                    },
                    "containers": [container(options)],
                },
            },
        },
    })
}

fn container(options: &Options) -> Value {
    json!({
        "name": "controller",
        "image": options.image,
        "args": if options.webhook { json!(["controller", "--webhook"]) } else { json!(["controller"]) },
        "env": [
            pod::field("POD_NAME", "metadata.name"),
            pod::field("OPENELB_NAMESPACE", "metadata.namespace"),
        ],
        "ports": [{ "name": "http", "containerPort": HTTP_PORT }],
        "livenessProbe": pod::probe("/healthz", None, 10),
        "readinessProbe": pod::probe("/readyz", None, 5),
        // Measured at 10,000 services: below 60 MB.
        "resources": pod::resources("20m", "64Mi", "256Mi"),
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": { "drop": ["ALL"] },
            "readOnlyRootFilesystem": true,
        },
    })
}

/// The user that distroless images call `nonroot`.
const USER: u32 = 65_532;

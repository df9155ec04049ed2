//! Metrics for Prometheus' operator: what is scraped, and what wakes somebody.

use serde_json::{Value, json};

use super::{Options, controller, labels, metadata, speaker};

/// For each component a service of its metrics and what scrapes it, and the alerts.
pub(super) fn objects(options: &Options) -> Vec<Value> {
    vec![
        service(options, "controller", controller::HTTP_PORT),
        service_monitor(options, "controller"),
        service(options, "speaker", speaker::HTTP_PORT),
        service_monitor(options, "speaker"),
        json!({
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": metadata(options, "openelb", "monitoring"),
            "spec": { "groups": [{
                "name": "openelb",
                "rules": ALERTS.iter().map(alert).collect::<Vec<_>>(),
            }] },
        }),
    ]
}

/// Headless: every pod is asked for its own numbers, none for those of all.
fn service(options: &Options, component: &str, port: u16) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(options, &format!("openelb-{component}-metrics"), component),
        "spec": {
            "clusterIP": "None",
            "selector": labels(component),
            "ports": [{ "name": "http", "port": port, "targetPort": "http" }],
        },
    })
}

fn service_monitor(options: &Options, component: &str) -> Value {
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": metadata(options, &format!("openelb-{component}"), component),
        "spec": {
            "selector": { "matchLabels": labels(component) },
            "namespaceSelector": { "matchNames": [options.namespace] },
            "endpoints": [{
                "port": "http",
                "path": "/metrics",
                // The address of a node says less than its name.
                "relabelings": [{
                    "sourceLabels": ["__meta_kubernetes_pod_node_name"],
                    "targetLabel": "node",
                }],
            }],
        },
    })
}

/// Something that should not last.
struct Alert {
    name: &'static str,
    expr: &'static str,
    lasts: &'static str,
    severity: &'static str,
    summary: &'static str,
    next: &'static str,
}

fn alert(alert: &Alert) -> Value {
    json!({
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.lasts,
        "labels": { "severity": alert.severity },
        "annotations": { "summary": alert.summary, "description": alert.next },
    })
}

const ALERTS: &[Alert] = &[
    Alert {
        name: "OpenelbConfigRefused",
        expr: "max by (kind) (openelb_objects_refused) > 0",
        lasts: "5m",
        severity: "warning",
        summary: "{{ $value }} objects of kind {{ $labels.kind }} are refused; what was in force stays",
        next: "kubectl get them: the condition Accepted, or Ready of an Eip, names the field at fault.",
    },
    Alert {
        name: "OpenelbPoolExhausted",
        expr: "max by (pool, family) (openelb_pool_free_addresses) == 0 \
               and max by (pool, family) (openelb_pool_capacity_addresses) > 1",
        lasts: "1m",
        severity: "critical",
        summary: "Pool {{ $labels.pool }} has no free {{ $labels.family }} address",
        next: "Add a range to spec.address of the Eip, or release services.",
    },
    Alert {
        name: "OpenelbPoolNearlyExhausted",
        expr: "max by (pool, family) (openelb_pool_used_addresses) \
               / max by (pool, family) (openelb_pool_capacity_addresses) > 0.9",
        lasts: "15m",
        severity: "warning",
        summary: "Pool {{ $labels.pool }} is used to {{ $value | humanizePercentage }}",
        next: "Add a range to spec.address of the Eip.",
    },
    Alert {
        name: "OpenelbAllocationFails",
        expr: "max(openelb_services{state=\"waiting\"}) > 0",
        lasts: "5m",
        severity: "warning",
        summary: "{{ $value }} services wait for an address",
        next: "kubectl describe the services, or openelb explain svc/NAME, for the reason of each.",
    },
    Alert {
        name: "OpenelbSessionDown",
        expr: "min by (node, peer) (openelb_bgp_session_up) == 0",
        lasts: "2m",
        severity: "critical",
        summary: "Node {{ $labels.node }} has no BGP session with {{ $labels.peer }}",
        next: "kubectl get bgppeer {{ $labels.peer }} -o yaml shows the state and the last fault.",
    },
    Alert {
        name: "OpenelbOwnersFlap",
        expr: "sum by (interface) (increase(openelb_l2_takeovers_total[10m])) > 20",
        lasts: "5m",
        severity: "warning",
        summary: "Addresses on {{ $labels.interface }} keep moving between nodes",
        next: "Look for lost beats: an overloaded node, a switch that filters multicast, two keys.",
    },
    Alert {
        name: "OpenelbConflictOnTheWire",
        expr: "sum by (node) (increase(openelb_conflicts_total[10m])) > 0",
        lasts: "0m",
        severity: "critical",
        summary: "Node {{ $labels.node }} saw another host answer for an address of a pool",
        next: "Its log names the address and the other host's MAC: remove it there, or exclude it \
               from the Eip.",
    },
    Alert {
        name: "OpenelbAddressNotAnnounced",
        expr: "max by (address) (openelb_service_address) \
               unless on (address) max by (address) (openelb_announced_address)",
        lasts: "5m",
        severity: "warning",
        summary: "No node announces {{ $labels.address }}, which a service has",
        next: "openelb explain svc/NAME says for each node why not, such as that no endpoint serves; \
               an address of a pool with protocol none is announced by others.",
    },
    Alert {
        name: "OpenelbLeaderMissing",
        expr: "(sum(openelb_leader) or vector(0)) == 0",
        lasts: "2m",
        severity: "critical",
        summary: "No controller leads: services get no addresses",
        next: "Look at the pods of Deployment openelb-controller and at the Lease of that name.",
    },
    Alert {
        name: "OpenelbSpeakerMissing",
        expr: "kube_daemonset_status_number_unavailable{daemonset=\"openelb-speaker\"} > 0",
        lasts: "10m",
        severity: "warning",
        summary: "{{ $value }} nodes are without a speaker",
        next: "kubectl -n NAMESPACE get pods -l app.kubernetes.io/component=speaker -o wide",
    },
];

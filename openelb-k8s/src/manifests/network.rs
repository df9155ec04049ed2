//! Who may reach the controller. The speakers are in the node's network, which no policy covers.

use serde_json::{Value, json};

use super::{Options, controller, labels, metadata, webhook};

/// Metrics and health from anywhere, and the webhook, which the API server calls from addresses that
/// no selector names; nothing else. Out: the API server, whose address differs by cluster.
pub(super) fn objects(options: &Options) -> Vec<Value> {
    vec![json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(options, "openelb-controller", "controller"),
        "spec": {
            "podSelector": { "matchLabels": labels("controller") },
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{ "ports": [
                { "port": controller::HTTP_PORT, "protocol": "TCP" },
                { "port": webhook::PORT, "protocol": "TCP" },
            ] }],
            "egress": [{ "ports": [
                { "port": 443, "protocol": "TCP" },
                { "port": 6443, "protocol": "TCP" },
                { "port": 53, "protocol": "UDP" },
                { "port": 53, "protocol": "TCP" },
            ] }],
        },
    })]
}

//! Who may reach the controller. The speakers are in the node's network, which no policy covers.

use serde_json::{Value, json};

use super::{Options, controller, labels, metadata, webhook};

/// Metrics and health from anywhere, and the webhook, which the API server calls from addresses that
/// no selector names; nothing else. The way out stays open: address and port of the API server differ
/// by cluster (6443, 8443, 16443), and sources of prefixes are web servers that the user names.
pub(super) fn objects(options: &Options) -> Vec<Value> {
    vec![json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(options, "openelb-controller", "controller"),
        "spec": {
            "podSelector": { "matchLabels": labels("controller") },
            "policyTypes": ["Ingress"],
            "ingress": [{ "ports": [
                { "port": controller::HTTP_PORT, "protocol": "TCP" },
                { "port": webhook::PORT, "protocol": "TCP" },
            ] }],
        },
    })]
}

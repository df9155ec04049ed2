//! The optional webhook: it refuses, as it is written, an object that cannot be used, such as an Eip
//! that overlaps another one; without it that is a condition afterwards.

use serde_json::{Value, json};

use super::access::{self, WEBHOOK};
use super::{Options, cluster_metadata, labels, metadata};
use crate::names::GROUP;

/// Port of the webhook in the pod: one that needs no privilege.
pub(super) const PORT: u16 = 9443;

/// Where the API server asks, what it asks about, and the rights that the certificate needs.
///
/// `failurePolicy` is `Ignore`: without a controller nothing is refused, and everything stays
/// deletable. It is never asked about Services. The controller writes the certificate's authority into
/// the configuration and keeps the key in the Secret.
pub(super) fn objects(options: &Options) -> Vec<Value> {
    let name = "openelb-webhook";
    let configuration = vec![json!({
        "apiGroups": ["admissionregistration.k8s.io"],
        "resources": ["validatingwebhookconfigurations"],
        "resourceNames": [WEBHOOK],
        "verbs": ["get", "patch"],
    })];
    let secret = vec![
        access::rule("", &["secrets"], &["create"]),
        json!({
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": [name],
            "verbs": ["get", "update"],
        }),
    ];
    vec![
        service(options, name),
        validating_configuration(options, name),
        access::cluster_role(name, "controller", &configuration),
        access::cluster_binding(options, name, "controller"),
        access::role(options, name, "controller", &secret),
        access::binding(options, name, "controller"),
    ]
}

fn service(options: &Options, name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        // Not a label of the controller's: what scrapes that one would look here too.
        "metadata": metadata(options, name, "webhook"),
        "spec": {
            "selector": labels("controller"),
            "ports": [{ "name": "webhook", "port": 443, "targetPort": PORT }],
        },
    })
}

fn validating_configuration(options: &Options, service: &str) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": cluster_metadata(WEBHOOK, "controller"),
        "webhooks": [{
            "name": "validate.network.kubesphere.io",
            "admissionReviewVersions": ["v1"],
            "clientConfig": { "service": {
                "name": service,
                "namespace": options.namespace,
                "path": "/validate",
            } },
            "failurePolicy": "Ignore",
            "matchPolicy": "Equivalent",
            "rules": [{
                "apiGroups": [GROUP],
                "apiVersions": ["v1alpha2"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["eips", "bgpconfs", "bgppeers"],
                "scope": "Cluster",
            }],
            "sideEffects": "None",
            "timeoutSeconds": 5,
        }],
    })
}

//! A speaker writes of its own node alone.
//!
//! Roles cannot tell one node's speaker from another's; the token of a pod can, since it names the
//! node (Kubernetes 1.32). A policy for admission compares the two, so that whoever takes over one
//! node cannot claim in another's name that it announces an address.

use serde_json::{Value, json};

use super::access::SPEAKER;
use super::{Options, cluster_metadata};
use crate::names::GROUP;

/// The policy and its binding.
pub(super) fn objects(options: &Options) -> Vec<Value> {
    let account = format!("system:serviceaccount:{}:{SPEAKER}", options.namespace);
    let is_speaker = format!("request.userInfo.username == '{account}'");
    vec![
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": cluster_metadata(NAME, "speaker"),
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": { "resourceRules": [{
                    "apiGroups": [GROUP],
                    "apiVersions": ["*"],
                    "operations": ["CREATE", "UPDATE"],
                    "resources": ["nodeannouncements", "nodeannouncements/status"],
                }] },
                "matchConditions": [{ "name": "is-speaker", "expression": is_speaker }],
                "validations": [{
                    // A token without a node is one that an administrator made: no pod has such a one.
                    "expression": "!has(request.userInfo.extra) \
                        || !('authentication.kubernetes.io/node-name' in request.userInfo.extra) \
                        || request.userInfo.extra['authentication.kubernetes.io/node-name'][0] \
                        == request.name",
                    "message": "a speaker writes the NodeAnnouncement of its own node only",
                    "reason": "Forbidden",
                }],
            },
        }),
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": cluster_metadata(NAME, "speaker"),
            "spec": { "policyName": NAME, "validationActions": ["Deny"] },
        }),
    ]
}

const NAME: &str = "openelb-speaker-own-node";

//! Accounts, and what each may do.
//!
//! The controller writes services' status, pools and their records; a speaker reads, and writes what
//! it observes. Neither can read the secrets of other namespaces, change a Service's specification,
//! or create workloads.

use serde_json::{Value, json};

use super::{Options, cluster_metadata, metadata};
use crate::names::GROUP;

/// Name of the controller's account, workload and roles.
pub(super) const CONTROLLER: &str = "openelb-controller";

/// Name of the speakers' account, workload and roles.
pub(super) const SPEAKER: &str = "openelb-speaker";

/// Name of the webhook's configuration: OpenELB's, so that ours takes its place.
pub(super) const WEBHOOK: &str = "openelb-admission";

/// Accounts, roles and bindings.
pub(super) fn objects(options: &Options) -> Vec<Value> {
    vec![
        account(options, CONTROLLER, "controller"),
        account(options, SPEAKER, "speaker"),
        cluster_role(CONTROLLER, "controller", &controller_rules()),
        cluster_role(SPEAKER, "speaker", &speaker_rules()),
        cluster_binding(options, CONTROLLER, "controller"),
        cluster_binding(options, SPEAKER, "speaker"),
        role(
            options,
            CONTROLLER,
            "controller",
            &controller_rules_at_home(),
        ),
        role(options, SPEAKER, "speaker", &speaker_rules_at_home()),
        binding(options, CONTROLLER, "controller"),
        binding(options, SPEAKER, "speaker"),
    ]
}

/// In the whole cluster. All that is said of a Service is one server-side apply of its status, which
/// lets the finalizer and the label through; the status of an Eip does not, so its finalizer is a
/// patch of the Eip.
fn controller_rules() -> Vec<Value> {
    vec![
        rule("", &["services"], READ),
        rule("", &["services/status"], &["patch"]),
        rule("", &["namespaces"], READ),
        rule(GROUP, &["eips"], &["get", "list", "watch", "patch"]),
        rule(GROUP, &["eips/status"], &["update"]),
        rule(
            GROUP,
            &["addressblocks"],
            &["get", "list", "watch", "create", "update", "delete"],
        ),
        // Which prefixes there are, and what the nodes see of them.
        rule(GROUP, &["dynamicprefixes", "nodeannouncements"], READ),
        rule(GROUP, &["dynamicprefixes/status"], &["update"]),
        // A node's pod CIDRs are written once, after their record.
        rule("", &["nodes"], &["get", "list", "watch", "patch"]),
        rule(GROUP, &["podnetworks"], READ),
        rule(GROUP, &["podnetworks/status"], &["update"]),
        rule("events.k8s.io", &["events"], &["create", "patch"]),
    ]
}

fn controller_rules_at_home() -> Vec<Value> {
    vec![rule(
        "coordination.k8s.io",
        &["leases"],
        &["get", "list", "watch", "create", "patch", "update"],
    )]
}

fn speaker_rules() -> Vec<Value> {
    vec![
        rule("", &["services", "nodes"], READ),
        rule("discovery.k8s.io", &["endpointslices"], READ),
        rule(
            GROUP,
            &[
                "eips",
                "bgpconfs",
                "bgppeers",
                "layer2confs",
                "dynamicprefixes",
                "podnetworks",
            ],
            READ,
        ),
        rule(GROUP, &["bgpconfs/status", "bgppeers/status"], &["patch"]),
        rule(
            GROUP,
            &["nodeannouncements"],
            &["get", "list", "watch", "create"],
        ),
        rule(GROUP, &["nodeannouncements/status"], &["patch"]),
    ]
}

/// Policies of `gobgp.conf`, and the keys of sessions and beats. All of the namespace's: which names
/// the objects will give is not known when the role is written, and nothing else should be there.
fn speaker_rules_at_home() -> Vec<Value> {
    vec![rule("", &["configmaps", "secrets"], READ)]
}

const READ: &[&str] = &["get", "list", "watch"];

/// One rule.
pub(super) fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({ "apiGroups": [group], "resources": resources, "verbs": verbs })
}

fn account(options: &Options, name: &str, component: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(options, name, component),
    })
}

/// A role in the whole cluster.
pub(super) fn cluster_role(name: &str, component: &str, rules: &[Value]) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": cluster_metadata(name, component),
        "rules": rules,
    })
}

/// A role in our namespace.
pub(super) fn role(options: &Options, name: &str, component: &str, rules: &[Value]) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata(options, name, component),
        "rules": rules,
    })
}

/// Gives the role of a name to the account of a component.
pub(super) fn cluster_binding(options: &Options, name: &str, component: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": cluster_metadata(name, component),
        "roleRef": reference("ClusterRole", name),
        "subjects": [subject(options, component)],
    })
}

/// The same in our namespace.
pub(super) fn binding(options: &Options, name: &str, component: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata(options, name, component),
        "roleRef": reference("Role", name),
        "subjects": [subject(options, component)],
    })
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name })
}

fn subject(options: &Options, component: &str) -> Value {
    let name = format!("openelb-{component}");
    json!({ "kind": "ServiceAccount", "name": name, "namespace": options.namespace })
}

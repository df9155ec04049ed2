//! Services, their status, and who owns a field.

use serde_json::json;

use super::{MAPS, SERVICES, Step, WEB, apply, get, json_patch, merge, post, strategic};

pub(super) fn services() -> Vec<Step> {
    let web = json!({"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]});
    vec![
        post(
            "namespace",
            "/api/v1/namespaces",
            json!({"metadata": {"name": "play"}}),
        ),
        post(
            "service in no namespace",
            "/api/v1/namespaces/nowhere/services",
            json!({"metadata": {"name": "web"}, "spec": web}),
        ),
        post(
            "service",
            SERVICES,
            json!({"metadata": {"name": "web", "labels": {"app": "web"}, "annotations": {"lb.kubesphere.io/v1alpha1": "openelb"}}, "spec": web, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}}}),
        ),
        post(
            "service again",
            SERVICES,
            json!({"metadata": {"name": "web"}, "spec": web}),
        ),
        post(
            "service without ports",
            SERVICES,
            json!({"metadata": {"name": "bare"}, "spec": {"type": "LoadBalancer"}}),
        ),
        get("service read", WEB),
        get("service that is not there", &format!("{SERVICES}/none")),
        merge(
            "service label",
            WEB,
            json!({"metadata": {"labels": {"pool": "a"}}}),
        ),
        merge(
            "service nothing new",
            WEB,
            json!({"metadata": {"labels": {"pool": "a"}}}),
        ),
        merge(
            "service from an old version",
            WEB,
            json!({"metadata": {"resourceVersion": "$version(service)", "labels": {"pool": "b"}}}),
        ),
        merge(
            "service of another uid",
            WEB,
            json!({"metadata": {"uid": "11111111-1111-1111-1111-111111111111"}}),
        ),
        strategic(
            "service port added",
            WEB,
            json!({"spec": {"ports": [{"port": 443, "name": "https"}]}}),
        ),
        json_patch(
            "service port taken out",
            WEB,
            json!([{"op": "remove", "path": "/spec/ports/0"}]),
        ),
        json_patch(
            "service patch that does not fit",
            WEB,
            json!([{"op": "test", "path": "/spec/type", "value": "ClusterIP"}]),
        ),
        merge(
            "service dual stack",
            WEB,
            json!({"spec": {"ipFamilyPolicy": "PreferDualStack"}}),
        ),
        merge(
            "service single stack again",
            WEB,
            json!({"spec": {"ipFamilyPolicy": "SingleStack"}}),
        ),
    ]
}

pub(super) fn service_status() -> Vec<Step> {
    let status = format!("{WEB}/status");
    let ours = format!("{status}?fieldManager=ours");
    let ingress = |ip: &str| json!({"loadBalancer": {"ingress": [{"ip": ip, "ipMode": "VIP"}]}});
    let applied = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"labels": {"served": "p"}, "finalizers": ["ours/one"]}, "spec": {"type": "ClusterIP"}, "status": ingress("192.0.2.1")});
    let condition = json!([{"type": "ours/assigned", "status": "False", "reason": "R", "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"}]);
    vec![
        apply("status applied with metadata", &ours, applied.clone()),
        apply("status applied again", &ours, applied),
        apply(
            "status with another address",
            &ours,
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"labels": {"served": "p"}, "finalizers": ["ours/one"]}, "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.2"}]}, "conditions": condition}}),
        ),
        apply(
            "status with an address that is none",
            &ours,
            json!({"apiVersion": "v1", "kind": "Service", "status": {"loadBalancer": {"ingress": [{"ip": "one"}]}}}),
        ),
        apply(
            "status given up but for the finalizer",
            &ours,
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"finalizers": ["ours/one"]}}),
        ),
        apply(
            "status given up",
            &ours,
            json!({"apiVersion": "v1", "kind": "Service"}),
        ),
        merge(
            "status by merge patch",
            &status,
            json!({"status": ingress("192.0.2.3"), "spec": {"type": "ClusterIP"}, "metadata": {"labels": {"by": "merge"}}}),
        ),
        apply(
            "status of a service that is not there",
            &format!("{SERVICES}/none/status?fieldManager=ours"),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "none"}, "status": ingress("192.0.2.1")}),
        ),
        apply(
            "status of another uid",
            &ours,
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"uid": "11111111-1111-1111-1111-111111111111"}, "status": ingress("192.0.2.1")}),
        ),
        merge(
            "service no load balancer any more",
            WEB,
            json!({"spec": {"type": "ClusterIP"}}),
        ),
        apply(
            "status of a service that is no load balancer",
            &ours,
            json!({"apiVersion": "v1", "kind": "Service", "status": ingress("192.0.2.1")}),
        ),
        merge(
            "service load balancer again",
            WEB,
            json!({"spec": {"type": "LoadBalancer", "loadBalancerClass": "example.org/one"}}),
        ),
        merge(
            "service of another class",
            WEB,
            json!({"spec": {"loadBalancerClass": "example.org/two"}}),
        ),
    ]
}

pub(super) fn ownership() -> Vec<Step> {
    let status = format!("{WEB}/status");
    let ingress = |ip: &str| json!({"apiVersion": "v1", "kind": "Service", "status": {"loadBalancer": {"ingress": [{"ip": ip}]}}});
    vec![
        apply(
            "one applies",
            &format!("{status}?fieldManager=one"),
            ingress("192.0.2.1"),
        ),
        apply(
            "two applies the same",
            &format!("{status}?fieldManager=two"),
            ingress("192.0.2.1"),
        ),
        apply(
            "two applies another",
            &format!("{status}?fieldManager=two"),
            ingress("192.0.2.2"),
        ),
        apply(
            "two applies another by force",
            &format!("{status}?fieldManager=two&force=true"),
            ingress("192.0.2.2"),
        ),
        merge(
            "three writes",
            &format!("{status}?fieldManager=three"),
            json!({"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.3"}]}}}),
        ),
        apply(
            "two is refused by three",
            &format!("{status}?fieldManager=two"),
            ingress("192.0.2.2"),
        ),
        apply(
            "two lets go",
            &format!("{status}?fieldManager=two"),
            json!({"apiVersion": "v1", "kind": "Service"}),
        ),
        apply(
            "labels of one",
            &format!("{WEB}?fieldManager=one"),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"labels": {"x": "1", "y": "1"}}}),
        ),
        apply(
            "two conflicts at once",
            &format!("{WEB}?fieldManager=two"),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"labels": {"x": "2", "y": "2"}}}),
        ),
        apply(
            "apply without a manager",
            WEB,
            json!({"apiVersion": "v1", "kind": "Service"}),
        ),
        apply(
            "apply from an old version",
            &format!("{WEB}?fieldManager=one"),
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"resourceVersion": "$version(service)"}}),
        ),
        apply(
            "apply makes an object",
            &format!("{MAPS}/applied?fieldManager=one"),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1", "b": "1"}}),
        ),
        apply(
            "apply gives a field up",
            &format!("{MAPS}/applied?fieldManager=one"),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"a": "1"}}),
        ),
    ]
}

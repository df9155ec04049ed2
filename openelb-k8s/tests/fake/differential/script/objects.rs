//! OpenELB's objects, finalizers, lists, watches, and the other kinds that are spoken of.

use serde_json::{Value, json};

use super::{EIPS, MAPS, POOL, Step, WEB, apply, delete, get, merge, post, put, strategic};

pub(super) fn eips() -> Vec<Step> {
    let eip = |name: &str, spec: Value| json!({"apiVersion": "network.kubesphere.io/v1alpha2", "kind": "Eip", "metadata": {"name": name}, "spec": spec});
    vec![
        post(
            "eip",
            EIPS,
            eip("pool", json!({"address": "192.0.2.0/24", "unknown": true})),
        ),
        post("eip without an address", EIPS, eip("none", json!({}))),
        post(
            "eip with a number for an address",
            EIPS,
            eip("number", json!({"address": 7})),
        ),
        post(
            "eip with a word that is not listed",
            EIPS,
            eip(
                "word",
                json!({"address": "192.0.2.0/24", "protocol": "smoke"}),
            ),
        ),
        put(
            "eip replaced without a version",
            POOL,
            eip("pool", json!({"address": "192.0.2.0/25"})),
        ),
        merge("eip edited", POOL, json!({"spec": {"disable": true}})),
        merge(
            "eip annotated",
            POOL,
            json!({"metadata": {"annotations": {"a": "b"}}}),
        ),
        merge(
            "eip status through the object",
            POOL,
            json!({"status": {"usage": 9}}),
        ),
        strategic(
            "eip by strategic merge",
            POOL,
            json!({"spec": {"disable": false}}),
        ),
        post(
            "version set at creation",
            EIPS,
            json!({"apiVersion": "network.kubesphere.io/v1alpha2", "kind": "Eip", "metadata": {"name": "versioned", "resourceVersion": "5"}, "spec": {"address": "192.0.2.1"}}),
        ),
    ]
}

pub(super) fn eip_status() -> Vec<Step> {
    let status = format!("{POOL}/status");
    let body = |version: &str, used: Value| {
        json!({
            "apiVersion": "network.kubesphere.io/v1alpha2", "kind": "Eip",
            "metadata": {"name": "pool", "resourceVersion": version, "labels": {"not": "kept"}}, "status": {"usage": 1, "used": used},
        })
    };
    vec![
        get("eip read", POOL),
        put(
            "eip status",
            &status,
            body("$version(eip read)", json!({"192.0.2.1": "play/web"})),
        ),
        put(
            "eip status from an old version",
            &status,
            body("$version(eip read)", json!({"192.0.2.2": "play/web"})),
        ),
        put(
            "eip status the same",
            &status,
            body("$version(eip status)", json!({"192.0.2.1": "play/web"})),
        ),
        put(
            "eip status of nothing",
            &format!("{EIPS}/none/status"),
            json!({"apiVersion": "network.kubesphere.io/v1alpha2", "kind": "Eip", "metadata": {"name": "none", "resourceVersion": "1"}, "status": {}}),
        ),
        merge(
            "eip status merged",
            &status,
            json!({"status": {"used": {"192.0.2.3": "play/other"}}}),
        ),
        merge(
            "eip status entry out",
            &status,
            json!({"metadata": {"resourceVersion": "$version(eip status merged)"}, "status": {"used": {"192.0.2.3": null}}}),
        ),
    ]
}

pub(super) fn finalizers() -> Vec<Step> {
    let spec = json!({"address": "198.51.100.0/24"});
    let held = format!("{EIPS}/held");
    vec![
        post(
            "held",
            EIPS,
            json!({"apiVersion": "network.kubesphere.io/v1alpha2", "kind": "Eip", "metadata": {"name": "held", "finalizers": ["a.example/x", "b.example/y"]}, "spec": spec}),
        ),
        delete("held deleted", &held, Value::Null),
        delete("held deleted again", &held, Value::Null),
        merge(
            "held gets another finalizer",
            &held,
            json!({"metadata": {"finalizers": ["a.example/x", "b.example/y", "c.example/z"]}}),
        ),
        merge(
            "held loses one",
            &held,
            json!({"metadata": {"finalizers": ["b.example/y"]}}),
        ),
        get("held still there", &held),
        merge(
            "held loses the last",
            &held,
            json!({"metadata": {"finalizers": []}}),
        ),
        get("held gone", &held),
        post("fenced", MAPS, json!({"metadata": {"name": "fenced"}})),
        delete(
            "fenced by another uid",
            &format!("{MAPS}/fenced"),
            json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "11111111-1111-1111-1111-111111111111"}}),
        ),
        delete(
            "fenced by an old version",
            &format!("{MAPS}/fenced"),
            json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"resourceVersion": "1"}}),
        ),
        delete(
            "fenced deleted",
            &format!("{MAPS}/fenced"),
            json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "$uid(fenced)"}}),
        ),
        delete("nothing deleted", &format!("{MAPS}/fenced"), Value::Null),
        delete("service deleted", WEB, Value::Null),
    ]
}

pub(super) fn lists() -> Vec<Step> {
    let map = |name: &str, kind: &str| json!({"metadata": {"name": name, "labels": {"kind": kind, "list": "yes"}}});
    let selected = |selector: &str| format!("{MAPS}?labelSelector=list%3Dyes&{selector}");
    vec![
        post("list one", MAPS, map("one", "x")),
        post("list two", MAPS, map("two", "y")),
        post("list three", MAPS, map("three", "x")),
        get("list", &selected("")),
        get("list first page", &selected("limit=2")),
        get(
            "list last page",
            &selected("limit=2&continue=$continue(list first page)"),
        ),
        get(
            "list by label",
            &format!("{MAPS}?labelSelector=kind%20in%20(y,z)"),
        ),
        get(
            "list by absent label",
            &format!("{MAPS}?labelSelector=list,kind!%3Dx"),
        ),
        get(
            "list by field",
            &format!("{MAPS}?fieldSelector=metadata.name%3Dthree"),
        ),
        get("list of any version", &selected("resourceVersion=0")),
        get(
            "list of the future",
            &selected("resourceVersion=999999999&resourceVersionMatch=NotOlderThan"),
        ),
        get(
            "list with a broken token",
            &selected("limit=2&continue=nonsense"),
        ),
        get("list of eips", EIPS),
        get(
            "list of what does not exist",
            "/apis/network.kubesphere.io/v1alpha2/nothings",
        ),
    ]
}

pub(super) fn watches() -> Vec<Step> {
    let watch = |query: &str| {
        format!("{MAPS}?watch=true&timeoutSeconds=1&labelSelector=list%3Dyes&{query}")
    };
    vec![
        merge(
            "watched change",
            &format!("{MAPS}/one"),
            json!({"data": {"a": "b"}}),
        ),
        merge(
            "watched leaves the selection",
            &format!("{MAPS}/two"),
            json!({"metadata": {"labels": {"list": "no"}}}),
        ),
        merge(
            "watched comes back",
            &format!("{MAPS}/two"),
            json!({"metadata": {"labels": {"list": "yes"}}}),
        ),
        delete("watched deletion", &format!("{MAPS}/three"), Value::Null),
        get(
            "watch from a version",
            &watch("resourceVersion=$version(list three)"),
        ),
        get("watch from the start", &watch("")),
        get("watch from any version", &watch("resourceVersion=0")),
        get(
            "watch with what there is",
            &watch(
                "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
            ),
        ),
    ]
}

pub(super) fn others() -> Vec<Step> {
    let leases = "/apis/coordination.k8s.io/v1/namespaces/play/leases";
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "leader"}, "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15, "acquireTime": "2026-01-01T00:00:00.000000Z", "renewTime": "2026-01-01T00:00:00.000000Z", "leaseTransitions": 1}});
    let slices = "/apis/discovery.k8s.io/v1/namespaces/play/endpointslices";
    let event = json!({
        "metadata": {"name": "web.1"}, "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "ours", "reportingInstance": "a",
        "action": "Allocate", "reason": "Allocated", "type": "Normal", "note": "n", "regarding": {"apiVersion": "v1", "kind": "Service", "namespace": "play", "name": "web"},
    });
    vec![
        post("lease", leases, lease),
        strategic(
            "lease renewed",
            &format!("{leases}/leader"),
            json!({"spec": {"renewTime": "2026-01-01T00:00:05.000000Z"}}),
        ),
        apply(
            "lease applied",
            &format!("{leases}/leader?fieldManager=b&force=true"),
            json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "leader"}, "spec": {"holderIdentity": "b"}}),
        ),
        apply(
            "lease contested",
            &format!("{leases}/leader?fieldManager=c"),
            json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "leader"}, "spec": {"holderIdentity": "c"}}),
        ),
        post(
            "slice",
            slices,
            json!({"metadata": {"name": "web-1", "labels": {"kubernetes.io/service-name": "web"}}, "addressType": "IPv4", "ports": [{"port": 80}], "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": true}, "nodeName": "n1"}]}),
        ),
        merge(
            "slice without endpoints",
            &format!("{slices}/web-1"),
            json!({"endpoints": []}),
        ),
        post(
            "event",
            "/apis/events.k8s.io/v1/namespaces/play/events",
            event,
        ),
        merge(
            "event in a series",
            "/apis/events.k8s.io/v1/namespaces/play/events/web.1",
            json!({"series": {"count": 2, "lastObservedTime": "2026-01-01T00:01:00.000000Z"}}),
        ),
        post("node", "/api/v1/nodes", json!({"metadata": {"name": "n1"}})),
        merge(
            "node status",
            "/api/v1/nodes/n1/status",
            json!({"status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.10"}]}}),
        ),
    ]
}

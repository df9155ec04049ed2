//! The control plane itself: what the other tests rely on.

use openelb_k8s::envtest::{Release, User};
use serde_json::Value;

use crate::cluster::{Cluster, eventually, own};

#[test]
fn what_an_account_may_not_do_is_refused_and_noted() {
    let Some(cluster) = Cluster::open() else {
        return;
    };
    let namespace = cluster.namespace.as_str();
    cluster.kubectl(&["create", "serviceaccount", "curious"]);
    let account = User::ServiceAccount {
        namespace,
        name: "curious",
    };
    let kubeconfig = cluster.plane().kubeconfig(account).unwrap();
    let kubeconfig = kubeconfig.to_str().unwrap();
    assert_eq!(cluster.plane().denied(namespace), []);
    let refused = cluster.try_kubectl(&["--kubeconfig", kubeconfig, "get", "secrets"]);
    assert!(refused.unwrap_err().contains("forbidden"));
    let denied = eventually("the refusal is noted", || {
        let denied = cluster.plane().denied(namespace);
        (!denied.is_empty()).then_some(denied)
    });
    assert_eq!(
        denied[0].user,
        format!("system:serviceaccount:{namespace}:curious")
    );
    assert_eq!(denied[0].verb, "list");
    assert!(
        denied[0]
            .path
            .starts_with(&format!("/api/v1/namespaces/{namespace}/secrets"))
    );
}

#[test]
fn endpoints_follow_from_pods_that_nobody_runs() {
    let Some(cluster) = Cluster::open() else {
        return;
    };
    cluster.apply(SERVICE_WITH_POD);
    let status = r#"{"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
        "podIP": "10.244.1.10", "podIPs": [{"ip": "10.244.1.10"}, {"ip": "fd00:10:244:1::10"}]}}"#;
    cluster.kubectl(&[
        "patch",
        "pod",
        "web",
        "--subresource",
        "status",
        "-p",
        status,
    ]);
    let slices = ["endpointslices", "-l", "kubernetes.io/service-name=web"];
    let mut addresses = eventually("both families have an endpoint", || {
        let list = cluster.read(&slices);
        let all = list["items"].as_array().unwrap().iter();
        let addresses: Vec<String> = all
            .filter_map(|slice| {
                slice
                    .pointer("/endpoints/0/addresses/0")?
                    .as_str()
                    .map(str::to_owned)
            })
            .collect();
        (addresses.len() == 2).then_some(addresses)
    });
    addresses.sort();
    assert_eq!(addresses, ["10.244.1.10", "fd00:10:244:1::10"]);
}

#[test]
fn an_api_server_that_crashed_comes_back_with_what_was_written() {
    let Some(mut plane) = own(Release::Current) else {
        return;
    };
    plane
        .kubectl(&["create", "configmap", "kept", "--from-literal", "word=yes"])
        .unwrap();
    plane.stop_api_server();
    assert!(plane.kubectl(&["get", "configmap", "kept"]).is_err());
    plane.start_api_server().unwrap();
    let word = plane.kubectl(&["get", "configmap", "kept", "-o", "jsonpath={.data.word}"]);
    assert_eq!(word.unwrap(), "yes");
}

#[test]
fn the_oldest_supported_kubernetes_is_the_version_it_claims() {
    let Some(plane) = own(Release::Oldest) else {
        return;
    };
    let version: Value =
        serde_json::from_str(&plane.kubectl(&["version", "-o", "json"]).unwrap()).unwrap();
    assert_eq!(
        version["serverVersion"]["gitVersion"],
        Release::Oldest.version()
    );
}

const SERVICE_WITH_POD: &str = "
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  ipFamilyPolicy: RequireDualStack
  selector: {app: web}
  ports: [{port: 80}]
---
apiVersion: v1
kind: Node
metadata: {name: n1}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  nodeName: n1
  containers: [{name: web, image: none}]
";

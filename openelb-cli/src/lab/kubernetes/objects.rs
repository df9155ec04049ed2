//! The objects of the cluster, as its users and its kubelets would write them.

use std::fmt::Write;
use std::net::IpAddr;

use openelb_k8s::names;
use serde_json::{Value, json};

use super::plan::{self, NODES_AS};
use crate::lab::fabric::ROUTER_AS;
use crate::lab::plan::PORT;

/// A node with a pod that answers on it. Nobody runs them: see [`node_status`] and [`pod_status`].
pub(crate) fn node(name: &str) -> String {
    format!(
        "---\n\
         apiVersion: v1\n\
         kind: Node\n\
         metadata: {{name: {name}, labels: {{kubernetes.io/hostname: {name}}}}}\n\
         ---\n\
         apiVersion: v1\n\
         kind: Pod\n\
         metadata: {{name: web-{name}, labels: {{app: web, node: {name}}}}}\n\
         spec: {{nodeName: {name}, containers: [{{name: web, image: none}}]}}\n"
    )
}

/// What a kubelet would say of its node.
pub(crate) fn node_status(name: &str) -> Value {
    let addresses =
        plan::addresses(name).map(|address| json!({"type": "InternalIP", "address": address}));
    json!({"status": {
        "addresses": addresses,
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
    }})
}

/// What it would say of the pod.
pub(crate) fn pod_status(node: &str, is_ready: bool) -> Value {
    let [first, _] = plan::pod(node);
    let addresses = plan::pod(node).map(|address| json!({"ip": address}));
    let ready = if is_ready { "True" } else { "False" };
    json!({"status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": ready}],
        "podIP": first,
        "podIPs": addresses,
    }})
}

/// How the speakers speak BGP with the router, and elect on the link.
pub(crate) fn speaking() -> String {
    let mut text = format!(
        "---\n\
         apiVersion: network.kubesphere.io/v1alpha2\n\
         kind: BgpConf\n\
         metadata: {{name: default}}\n\
         spec: {{as: {NODES_AS}, gracefulRestart: {{enabled: true, restartTime: 30}}}}\n\
         ---\n\
         apiVersion: network.kubesphere.io/v1alpha2\n\
         kind: Layer2Conf\n\
         metadata: {{name: default}}\n\
         spec: {{insecureWithoutKey: true, hold: 1s, dwell: 1s, shards: 16}}\n"
    );
    for (name, address, afi) in [("tor-v4", 0, "AFI_IP"), ("tor-v6", 1, "AFI_IP6")] {
        let address = plan::router()
            .into_iter()
            .nth(address)
            .expect("one of each family");
        write!(
            text,
            "---\n\
             apiVersion: network.kubesphere.io/v1alpha2\n\
             kind: BgpPeer\n\
             metadata: {{name: {name}}}\n\
             spec:\n  \
               conf: {{neighborAddress: '{address}', peerAs: {ROUTER_AS}}}\n  \
               timers: {{config: {{connectRetry: '1', holdTime: '9', keepaliveInterval: '3'}}}}\n  \
               afiSafis:\n  \
               - config: {{family: {{afi: {afi}, safi: SAFI_UNICAST}}, enabled: true}}\n    \
                 mpGracefulRestart: {{config: {{enabled: true}}}}\n"
        )
        .expect("writing to memory cannot fail");
    }
    text
}

/// A pool.
pub(crate) fn pool(protocol: &str, address: &str) -> String {
    format!(
        "---\n\
         apiVersion: network.kubesphere.io/v1alpha2\n\
         kind: Eip\n\
         metadata: {{name: {POOL}}}\n\
         spec: {{address: '{address}', protocol: {protocol}, interface: eth0, autoAssign: true}}\n"
    )
}

/// A service of the pods, with these fields besides.
pub(crate) fn service(name: &str, fields: &str) -> String {
    let port = |protocol: &str| {
        let name = protocol.to_lowercase();
        format!("{{name: {name}, protocol: {protocol}, port: {PORT}}}")
    };
    format!(
        "---\n\
         apiVersion: v1\n\
         kind: Service\n\
         metadata: {{name: {name}}}\n\
         spec:\n  \
           type: LoadBalancer\n  \
           loadBalancerClass: openelb.io/openelb\n  \
           selector: {{app: web}}\n  \
           ports: [{}, {}]\n  \
           {fields}\n",
        port("TCP"),
        port("UDP")
    )
}

/// A service as its user wrote it for OpenELB 0.6.
pub(crate) fn service_of_openelb() -> String {
    format!(
        "---\n\
         apiVersion: v1\n\
         kind: Service\n\
         metadata:\n  \
           name: {SERVICE}\n  \
           annotations: {{lb.kubesphere.io/v1alpha1: openelb, eip.openelb.kubesphere.io/v1alpha2: {POOL}}}\n\
         spec:\n  \
           type: LoadBalancer\n  \
           selector: {{app: web}}\n  \
           ports: [{{name: tcp, protocol: TCP, port: {PORT}}}, {{name: udp, protocol: UDP, port: {PORT}}}]\n"
    )
}

/// What OpenELB 0.6 wrote to that service when it gave it an address, and the status of it.
pub(crate) fn marks_of_openelb(address: IpAddr) -> [Value; 2] {
    let marks = json!({ "metadata": {
        "labels": { names::POOL_LABEL: POOL },
        "finalizers": [names::SERVICE_FINALIZER],
    }});
    let status = json!({ "status": { "loadBalancer": { "ingress": [{ "ip": address }] } } });
    [marks, status]
}

/// What it wrote to the pool, and the status of it.
pub(crate) fn records_of_openelb(address: IpAddr) -> [Value; 2] {
    let marks = json!({ "metadata": { "finalizers": [names::EIP_FINALIZER] } });
    let status = json!({ "status": {
        "occupied": false, "usage": 1, "poolSize": 32, "ready": false, "v4": true,
        "used": { address.to_string(): format!("default/{SERVICE}") },
    }});
    [marks, status]
}

/// The pool of every play.
pub(crate) const POOL: &str = "lab";

/// The service that clients ask.
pub(crate) const SERVICE: &str = "web";

/// Addresses of the nodes' link, and such that only routes lead to.
pub(crate) const ON_LINK: &str = "192.0.2.240/28, 2001:db8::f0/124";
pub(crate) const ROUTED: &str = "203.0.113.240/28, 2001:db8:f::f0/124";

/// A service wants an address of each family.
pub(crate) const BOTH: &str = "ipFamilyPolicy: RequireDualStack";

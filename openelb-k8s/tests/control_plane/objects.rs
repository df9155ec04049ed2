//! Our kinds as an API server takes them: their definitions, and what it refuses by itself.

use std::fmt::Write as _;

use openelb_k8s::crd;
use openelb_k8s::envtest::{ControlPlane, Release};

use crate::cluster::{Cluster, own};

#[test]
fn good_objects_are_taken_as_they_are_written() {
    let Some(cluster) = Cluster::open() else {
        return;
    };
    for (number, spec) in GOOD.into_iter().enumerate() {
        cluster.apply(&object(
            spec,
            &format!("{}-good-{number}", cluster.namespace),
        ));
    }
}

#[test]
fn a_bad_object_is_refused_with_the_reason() {
    let Some(cluster) = Cluster::open() else {
        return;
    };
    for (spec, reason) in BAD {
        let name = format!("{}-bad", cluster.namespace);
        let refused = cluster.try_apply(&object(spec, &name)).expect_err(spec);
        assert!(refused.contains(reason), "{spec}: {refused}");
    }
}

#[test]
fn a_pool_whose_name_is_too_long_for_a_label_is_refused() {
    let Some(cluster) = Cluster::open() else {
        return;
    };
    let name = "a".repeat(64);
    let refused = cluster
        .try_apply(&object("Eip: {address: 192.0.2.1}", &name))
        .unwrap_err();
    assert!(refused.contains("at most 63 characters"), "{refused}");
}

#[test]
fn an_object_of_the_earlier_version_is_served_as_the_stored_one_too() {
    let Some(cluster) = Cluster::open() else {
        return;
    };
    let name = format!("{}-old", cluster.namespace);
    cluster.apply(&format!(
        "{{apiVersion: network.kubesphere.io/v1alpha1, kind: Eip, metadata: {{name: {name}}}, \
         spec: {{address: 192.0.2.0/24, protocol: layer2, interface: eth0}}}}"
    ));
    let stored = cluster.read(&["eips.v1alpha2.network.kubesphere.io", &name]);
    assert_eq!(stored["spec"]["address"], "192.0.2.0/24");
    assert_eq!(stored["spec"]["protocol"], "layer2");
}

#[test]
fn the_oldest_supported_kubernetes_takes_the_definitions_and_refuses_the_same() {
    let Some(plane) = own(Release::Oldest) else {
        return;
    };
    define(&plane);
    for (number, spec) in GOOD.into_iter().enumerate() {
        plane
            .apply(&object(spec, &format!("good-{number}")))
            .unwrap();
    }
    for (spec, reason) in BAD {
        let refused = plane
            .apply(&object(spec, "bad"))
            .expect_err(spec)
            .to_string();
        assert!(refused.contains(reason), "{spec}: {refused}");
    }
}

/// Adds our kinds to a control plane, and waits until it serves them.
pub(crate) fn define(plane: &ControlPlane) {
    let mut text = String::new();
    for definition in crd::definitions() {
        write!(text, "---\n{definition}\n").unwrap();
    }
    plane.define(&text).unwrap();
}

/// An object, from its kind and specification.
fn object(spec: &str, name: &str) -> String {
    let (kind, spec) = spec.split_once(": ").unwrap();
    format!(
        "{{apiVersion: network.kubesphere.io/v1alpha2, kind: {kind}, metadata: {{name: {name}}}, \
         spec: {spec}}}"
    )
}

const GOOD: [&str; 20] = [
    "Eip: {address: 192.0.2.1}",
    "Eip: {address: 192.0.2.0/255.255.255.0}",
    "Eip: {address: 192.0.2.10-192.0.2.20}",
    "Eip: {address: '192.0.2.0/24, 2001:db8::10 - 2001:db8::20; 198.51.100.7'}",
    "Eip: {address: 192.0.2.0/24, protocol: layer2, interface: eth0}",
    "Eip: {address: 192.0.2.0/24, protocol: layer2, interface: 'can_reach:192.0.2.254'}",
    "Eip: {address: 192.0.2.0/24, protocol: layer2, interfaces: [eth0, 'bond*']}",
    "Eip: {address: '192.0.2.0/24, home/::1000-::1fff, my-lab/::/112', exclude: ['home/::1001']}",
    "Eip: {address: home/::10, exclude: ['home/::12', 'home/::14-::15', 'home/::18/126']}",
    "Eip: {address: 192.0.2.0/24, protocol: vip, interface: eth0, vrrp: {vridRange: 100-150}}",
    "BgpConf: {as: 64512, routerId: 192.0.2.1, listenPort: -1}",
    "BgpPeer: {conf: {neighborAddress: 192.0.2.254, peerAs: 64513}}",
    "BgpPeer: {conf: {neighborAddress: 'fe80::1%eth0', peerAs: 64513}}",
    "BgpPeer: {conf: {neighborAddress: 192.0.2.254}, timers: {config: {holdTime: '9', keepaliveInterval: '3'}}}",
    "Layer2Conf: {insecureWithoutKey: true}",
    "Layer2Conf: {keySecret: {name: beats}}",
    "DynamicPrefix: {sources: [{address: {interface: wan0}}, {static: {prefix: '2001:db8::/56'}}], subnet: {number: 205}}",
    "DynamicPrefix: {sources: [{http: {urls: ['https://a.example', 'https://b.example']}}], subnet: {keep: 56, override: '0:0:0:cd::'}}",
    "PodNetwork: {ranges: [10.244.0.0/16, 'fd00:10:244::/56'], nodePrefixLength: {ipv4: 25}}",
    "PodNetwork: {mesh: {enabled: true}, announce: {peers: [tor]}, cni: {}}",
];

/// Each with words of the reason.
const BAD: [(&str, &str); 29] = [
    ("Eip: {address: ''}", "spec.address"),
    (
        "Eip: {address: everything}",
        "write addresses, prefixes or first-last",
    ),
    (
        "Eip: {address: 'Home/::10'}",
        "write addresses, prefixes or first-last",
    ),
    (
        "Eip: {address: 192.0.2.300}",
        "an entry is no address and no prefix",
    ),
    (
        "Eip: {address: 192.0.2.0/33}",
        "an entry is no address and no prefix",
    ),
    (
        "Eip: {address: '192.0.2.1-2001:db8::1'}",
        "the ends of a range are of two families",
    ),
    (
        "Eip: {address: 192.0.2.1, exclude: [nobody/24]}",
        "an entry is no address and no prefix",
    ),
    ("Eip: {address: 192.0.2.1, protocol: carp}", "spec.protocol"),
    (
        "Eip: {address: 192.0.2.1, protocol: layer2}",
        "need interface",
    ),
    (
        "Eip: {address: 192.0.2.1, protocol: vip, interface: eth0, vrrp: {vrid: 256}}",
        "spec.vrrp.vrid",
    ),
    (
        "Eip: {address: 192.0.2.1, protocol: vip, interface: eth0, vrrp: {vridRange: 9-3}}",
        "from 1 to 255",
    ),
    (
        "BgpConf: {as: 64512, routerId: '2001:db8::1'}",
        "four numbers with dots",
    ),
    ("BgpConf: {as: 64512, listenPort: 65536}", "spec.listenPort"),
    (
        "BgpPeer: {conf: {peerAs: 64513}}",
        "nothing says where the peer is",
    ),
    (
        "BgpPeer: {conf: {neighborAddress: router.example}}",
        "names are not looked up",
    ),
    (
        "BgpPeer: {conf: {neighborAddress: 192.0.2.254}, timers: {config: {holdTime: '2'}}}",
        "RFC 4271",
    ),
    ("Layer2Conf: {}", "beats would not be signed"),
    (
        "Layer2Conf: {keyFile: /etc/key, keySecret: {name: beats}}",
        "the key is named twice",
    ),
    ("DynamicPrefix: {sources: []}", "spec.sources"),
    (
        "DynamicPrefix: {sources: [{}]}",
        "write one of address, route",
    ),
    (
        "DynamicPrefix: {sources: [{dns: {name: host.example}, file: {path: /run/prefix}}]}",
        "another one is another entry",
    ),
    (
        "DynamicPrefix: {sources: [{http: {urls: ['https://a.example']}}]}",
        "fewer addresses to ask than must agree",
    ),
    (
        "DynamicPrefix: {sources: [{static: {prefix: 192.0.2.0/24}}]}",
        "write an IPv6 prefix",
    ),
    (
        "DynamicPrefix: {sources: [{routerAdvertisement: {interface: wan0, routers: ['2001:db8::1']}}]}",
        "link-local address of a router",
    ),
    (
        "DynamicPrefix: {sources: [{dns: {name: host.example}}], subnet: {number: 1, keep: 56, override: '0:0:0:cd::'}}",
        "write a number, or keep and override",
    ),
    (
        "PodNetwork: {ranges: [10.244.0.0]}",
        "write a prefix such as",
    ),
    (
        "PodNetwork: {allocate: true}",
        "there is nothing to allocate from",
    ),
    (
        "PodNetwork: {kernelRoutes: {enabled: true}}",
        "only routes inside ranges go into the kernel",
    ),
    (
        "PodNetwork: {ranges: [10.244.0.0/16], cni: {path: conf}}",
        "write the whole path",
    ),
];

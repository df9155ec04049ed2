//! Field by field: what was written is in the objects, or in a remark.

#![expect(clippy::too_many_lines, reason = "a table of fields is one list")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Grade, Imported, Origin, import};
use crate::api::{NextHop, PeerAsType, Protocol};
use crate::{bgp, pool};

fn metallb(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": if kind == "BGPPeer" { "metallb.io/v1beta2" } else { "metallb.io/v1beta1" },
        "kind": kind,
        "metadata": {"name": name, "namespace": "metallb-system", "managedFields": []},
        "spec": spec,
    })
}

fn of_metallb(documents: &[Value]) -> Imported {
    import(Origin::MetalLb, documents)
}

/// `grade path` of every remark.
pub(super) fn told(imported: &Imported) -> Vec<String> {
    let remarks = imported.remarks.iter();
    let words = remarks.map(|it| match it.grade {
        Grade::Lost => format!("lost {}", it.path),
        Grade::Note => format!("note {}", it.path),
    });
    words.collect()
}

fn range_pool(more: &Value) -> Value {
    let mut spec = json!({"addresses": ["192.0.2.1-192.0.2.9"]});
    let fields = more.as_object().unwrap().clone();
    spec.as_object_mut().unwrap().extend(fields);
    metallb("IPAddressPool", "edge", &spec)
}

#[test]
fn every_field_of_a_pool_is_carried_over_or_told() {
    let cases = [
        (json!({}), json!({"autoAssign": true}), &[][..]),
        (
            json!({"autoAssign": false}),
            json!({"autoAssign": false}),
            &[],
        ),
        (
            json!({"avoidBuggyIPs": true}),
            json!({"avoidBuggyIPs": true}),
            &[],
        ),
        (
            json!({"addresses": ["192.0.2.1 - 192.0.2.9", "2001:db8::1-2001:db8::9"]}),
            json!({"address": "192.0.2.1-192.0.2.9, 2001:db8::1-2001:db8::9"}),
            &[],
        ),
        (
            json!({"addresses": ["192.0.2.0/24"]}),
            json!({"address": "192.0.2.0/24"}),
            &["note spec.addresses"],
        ),
        (
            json!({"serviceAllocation": {"priority": 7, "namespaces": ["shop"]}}),
            json!({"priority": 7, "namespaces": ["shop"], "autoAssign": true}),
            &[],
        ),
        (
            json!({"serviceAllocation": {"namespaceSelectors": [{"matchLabels": {"team": "a"}}]}}),
            json!({"namespaceSelector": {"team": "a"}}),
            &[],
        ),
        (
            json!({"serviceAllocation": {"serviceSelectors": [{"matchLabels": {"tier": "web"}}]}}),
            json!({"serviceSelectors": [{"matchLabels": {"tier": "web"}}]}),
            &[],
        ),
        (
            json!({"serviceAllocation": {"namespaceSelectors": [
                {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
            ]}}),
            json!({"autoAssign": false, "namespaces": ["shop"]}),
            &[
                "lost spec.serviceAllocation.namespaceSelectors",
                "note spec.autoAssign",
            ],
        ),
        (
            json!({"serviceAllocation": {"namespaces": "shop"}}),
            json!({"autoAssign": false}),
            &[
                "lost spec.serviceAllocation.namespaces",
                "note spec.autoAssign",
            ],
        ),
        (json!({"shape": "round"}), json!({}), &["lost spec.shape"]),
    ];
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "shop", "labels": {"team": "a"}},
    });
    for (written, expected, remarks) in cases {
        let imported = of_metallb(&[range_pool(&written), namespace.clone()]);
        let eip = &imported.eips[0];
        let spec = serde_json::to_value(&eip.spec).unwrap();
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&spec[key], value, "{written}: {key}");
        }
        assert_eq!(told(&imported), remarks, "{written}");
        assert_eq!(eip.spec.protocol, Protocol::None, "nothing announces it");
        pool::spec(eip).expect("a pool that can be used");
    }
}

#[test]
fn metallb_28_pools_without_a_priority_stay_last() {
    let first =
        json!({"addresses": ["192.0.2.1-192.0.2.1"], "serviceAllocation": {"priority": 20}});
    let last = json!({"addresses": ["192.0.2.2-192.0.2.2"], "serviceAllocation": {"priority": 0}});
    let pools = [
        metallb("IPAddressPool", "last", &last),
        metallb("IPAddressPool", "first", &first),
    ];
    let priorities: Vec<_> = of_metallb(&pools)
        .eips
        .iter()
        .map(|it| it.spec.priority)
        .collect();
    assert_eq!(priorities, [21, 20]);
}

#[test]
fn every_field_of_an_l2_advertisement_is_carried_over_or_told() {
    let host = |name: &str| json!({"matchLabels": {"kubernetes.io/hostname": name}});
    let none = json!(null);
    let cases = [
        (
            json!({}),
            json!({"protocol": "layer2", "interface": "all"}),
            &[][..],
        ),
        (
            json!({"ipAddressPools": ["edge"]}),
            json!({"protocol": "layer2"}),
            &[],
        ),
        (
            json!({"ipAddressPools": ["other"]}),
            json!({"protocol": "none"}),
            &["note spec.ipAddressPools"],
        ),
        (
            json!({"ipAddressPoolSelectors": [{"matchLabels": {"zone": "b"}}]}),
            json!({"protocol": "none"}),
            &[],
        ),
        (
            json!({"interfaces": ["eth0", "eth1"]}),
            json!({"interfaces": ["eth0", "eth1"], "interface": none}),
            &[],
        ),
        (
            json!({"nodeSelectors": [host("b"), host("a")]}),
            json!({"nodeSelector": {"matchExpressions": [
                {"key": "kubernetes.io/hostname", "operator": "In", "values": ["a", "b"]},
            ]}}),
            &[],
        ),
        (
            json!({"nodeSelectors": [host("b"), {"matchLabels": {"rack": "1"}}]}),
            json!({"protocol": "none"}),
            &["lost spec.nodeSelectors"],
        ),
        (
            json!({"serviceSelectors": [{"matchLabels": {"tier": "web"}}]}),
            json!({"protocol": "none"}),
            &["lost spec.serviceSelectors"],
        ),
        (
            json!({"preferredNodeSelectors": [{"weight": 5, "preference": host("a")}]}),
            json!({"layer2": {"preferredNodes": ["a"]}}),
            &[],
        ),
        (
            json!({"preferredNodeSelectors": [
                {"weight": 5, "preference": host("a")}, {"weight": 9, "preference": host("b")},
            ]}),
            json!({"layer2": {"preferredNodes": ["a", "b"]}}),
            &["lost spec.preferredNodeSelectors"],
        ),
        (
            json!({"preferredNodeSelectors": [
                {"weight": 5, "preference": {"matchLabels": {"rack": "1"}}},
            ]}),
            json!({"layer2": none, "protocol": "layer2"}),
            &["lost spec.preferredNodeSelectors"],
        ),
    ];
    for (written, expected, remarks) in cases {
        let imported = of_metallb(&[
            range_pool(&json!({})),
            metallb("L2Advertisement", "l2", &written),
        ]);
        let eip = &imported.eips[0];
        let spec = serde_json::to_value(&eip.spec).unwrap();
        for (key, value) in expected.as_object().unwrap() {
            let is_bgp = key == "protocol" && spec.get(key).is_none();
            assert!(!is_bgp, "{written}");
            assert_eq!(spec.get(key).unwrap_or(&none), value, "{written}: {key}");
        }
        assert_eq!(told(&imported), remarks, "{written}");
        pool::spec(eip).expect("a pool that can be used");
    }
}

#[test]
fn every_field_of_a_bgp_advertisement_is_carried_over() {
    let written = json!({
        "aggregationLength": 32, "aggregationLengthV6": 128, "localPref": 100,
        "communities": ["fast", "65000:1", "large:1:2:3"], "peers": ["tor"],
        "ipAddressPools": ["edge"], "nodeSelectors": [{"matchLabels": {"rack": "1"}}],
    });
    let names = json!({"communities": [{"name": "fast", "value": "65000:7"}]});
    let imported = of_metallb(&[
        range_pool(&json!({})),
        metallb("BGPAdvertisement", "bgp", &written),
        metallb("Community", "names", &names),
        metallb(
            "BGPPeer",
            "tor",
            &json!({"myASN": 1, "peerASN": 2, "peerAddress": "192.0.2.254"}),
        ),
    ]);
    let eip = &imported.eips[0];
    let bgp = eip.spec.bgp.as_ref().unwrap();
    let mut expected = written;
    expected.as_object_mut().unwrap().remove("ipAddressPools");
    assert_eq!(json!(bgp.advertisements), json!([expected]));
    assert_eq!(
        (eip.spec.protocol, bgp.next_hop),
        (Protocol::Bgp, NextHop::Own)
    );
    let communities = &imported.conf.as_ref().unwrap().spec.communities;
    assert_eq!(communities["fast"], "65000:7");
    assert_eq!(told(&imported), [""; 0]);
    let routes = bgp::pool_routes(eip, communities, &bgp::Node::default(), &[]);
    assert_eq!(routes.problems, []);
}

#[test]
fn what_was_announced_for_some_services_is_not_announced_for_all() {
    let for_some = json!({"serviceSelectors": [{"matchLabels": {"tier": "web"}}]});
    let imported = of_metallb(&[
        range_pool(&json!({})),
        metallb("BGPAdvertisement", "bgp", &for_some),
    ]);
    assert_eq!(imported.eips[0].spec.protocol, Protocol::None);
    assert_eq!(told(&imported), ["lost spec.serviceSelectors"]);
}

#[test]
fn a_pool_of_two_protocols_keeps_one_and_says_so() {
    let imported = of_metallb(&[
        range_pool(&json!({})),
        metallb("BGPAdvertisement", "bgp", &json!({})),
        metallb("L2Advertisement", "one", &json!({})),
        metallb("L2Advertisement", "two", &json!({"interfaces": ["eth9"]})),
    ]);
    assert_eq!(imported.eips[0].spec.protocol, Protocol::Layer2);
    assert_eq!(told(&imported), ["lost spec", "lost spec"]);
}

fn peer(more: &Value) -> Imported {
    let mut spec = json!({"myASN": 65000, "peerASN": 65001, "peerAddress": "192.0.2.254"});
    let fields = more.as_object().unwrap().clone();
    spec.as_object_mut().unwrap().extend(fields);
    let profile = json!({
        "receiveInterval": 100, "transmitInterval": 200, "detectMultiplier": 5, "passiveMode": true,
        "minimumTtl": 250, "echoInterval": 50,
    });
    of_metallb(&[
        metallb("BGPPeer", "tor", &spec),
        metallb("BFDProfile", "quick", &profile),
        metallb("BFDProfile", "echo", &json!({"echoMode": true})),
    ])
}

#[test]
fn every_field_of_a_peer_is_carried_over_or_told() {
    let cases = [
        (json!({}), "/conf/peerAs", json!(65001), &[][..]),
        (
            json!({}),
            "/conf/neighborAddress",
            json!("192.0.2.254"),
            &[],
        ),
        (
            json!({}),
            "/afiSafis/0/config/family/afi",
            json!("AFI_IP"),
            &[],
        ),
        (
            json!({"peerAddress": "2001:db8::1"}),
            "/afiSafis/0/config/family/afi",
            json!("AFI_IP6"),
            &[],
        ),
        (
            json!({"dualStackAddressFamily": true}),
            "/afiSafis/1/config/family/afi",
            json!("AFI_IP6"),
            &[],
        ),
        (
            json!({"peerASN": 0, "dynamicASN": "external"}),
            "/conf/peerAsType",
            json!("external"),
            &[],
        ),
        (
            json!({"peerAddress": "", "interface": "eth1"}),
            "/conf/neighborInterface",
            json!("eth1"),
            &[],
        ),
        (
            json!({"localASN": 64999}),
            "/conf/localAs",
            json!(64999),
            &[],
        ),
        (
            json!({"sourceAddress": "192.0.2.1"}),
            "/transport/localAddress",
            json!("192.0.2.1"),
            &[],
        ),
        (
            json!({"peerPort": 1179}),
            "/transport/remotePort",
            json!(1179),
            &[],
        ),
        (
            json!({"vrf": "red"}),
            "/transport/bindInterface",
            json!("red"),
            &[],
        ),
        (
            json!({"holdTime": "1m30s"}),
            "/timers/config/holdTime",
            json!("90"),
            &[],
        ),
        (
            json!({"keepaliveTime": "30s"}),
            "/timers/config/keepaliveInterval",
            json!("30"),
            &[],
        ),
        (
            json!({"connectTime": "2s"}),
            "/timers/config/connectRetry",
            json!("2"),
            &[],
        ),
        (
            json!({"holdTime": "9.5s"}),
            "/timers/config/holdTime",
            json!("9"),
            &["lost spec.holdTime"],
        ),
        (
            json!({"holdTime": "soon"}),
            "/timers",
            json!(null),
            &["lost spec.holdTime"],
        ),
        (
            json!({"ebgpMultiHop": true}),
            "/ebgpMultihop/enabled",
            json!(true),
            &[],
        ),
        (
            json!({"enableGracefulRestart": true}),
            "/gracefulRestart/enabled",
            json!(true),
            &[],
        ),
        (
            json!({"password": "s3"}),
            "/conf/authPassword",
            json!("s3"),
            &[],
        ),
        (
            json!({"passwordSecret": {"name": "tor", "namespace": "metallb-system"}}),
            "/authPasswordSecret",
            json!({"name": "tor", "key": "password"}),
            &["note spec.passwordSecret"],
        ),
        (
            json!({"nodeSelectors": [{"matchLabels": {"rack": "1"}}]}),
            "/nodeSelector/matchLabels/rack",
            json!("1"),
            &[],
        ),
        (
            json!({"nodeSelectors": [{"matchLabels": {"rack": "1"}}, {"matchLabels": {"row": "1"}}]}),
            "/conf/adminDown",
            json!(true),
            &["lost spec.nodeSelectors", "note spec.nodeSelectors"],
        ),
        (
            json!({"bfdProfile": "quick"}),
            "/bfd",
            json!({"minRxMs": 100, "minTxMs": 200, "multiplier": 5, "passive": true}),
            &["note spec.bfdProfile(quick).minimumTtl"],
        ),
        (
            json!({"bfdProfile": "quick", "ebgpMultiHop": true}),
            "/bfd/minimumTtl",
            json!(250),
            &[],
        ),
        (
            json!({"bfdProfile": "echo"}),
            "/bfd",
            json!({}),
            &["lost spec.bfdProfile(echo).echoMode"],
        ),
        (
            json!({"bfdProfile": "none"}),
            "/bfd",
            json!(null),
            &["lost spec.bfdProfile"],
        ),
        (
            json!({"disableMP": true}),
            "/conf/peerAs",
            json!(65001),
            &["note spec.disableMP"],
        ),
        (
            json!({"colour": "red"}),
            "/conf/peerAs",
            json!(65001),
            &["lost spec.colour"],
        ),
    ];
    for (written, pointer, expected, remarks) in cases {
        let imported = peer(&written);
        let spec = serde_json::to_value(&imported.peers[0].spec).unwrap();
        let found = spec.pointer(pointer).unwrap_or(&Value::Null);
        assert_eq!(found, &expected, "{written}");
        assert_eq!(told(&imported), remarks, "{written}");
        let meant = bgp::speaker(
            imported.conf.as_ref(),
            &imported.peers,
            &bgp::Node {
                addresses: vec!["192.0.2.1".parse().unwrap()],
                ..bgp::Node::default()
            },
            &Secrets,
        );
        assert_eq!(meant.problems, [], "{written}");
    }
}

struct Secrets;

impl bgp::Material for Secrets {
    fn password(&self, _: bgp::PasswordSource<'_>) -> Result<Vec<u8>, String> {
        Ok(b"s3".to_vec())
    }

    fn policy(&self, name: &str) -> Result<String, String> {
        Err(format!("no policy {name}"))
    }
}

#[test]
fn what_peers_have_in_common_is_the_speakers() {
    let one =
        json!({"myASN": 1, "peerASN": 9, "peerAddress": "192.0.2.1", "routerID": "192.0.2.7"});
    let two =
        json!({"myASN": 2, "peerASN": 9, "peerAddress": "192.0.2.2", "routerID": "192.0.2.8"});
    let imported = of_metallb(&[
        metallb("BGPPeer", "one", &one),
        metallb("BGPPeer", "two", &two),
    ]);
    let conf = imported.conf.as_ref().unwrap();
    assert_eq!(
        (conf.spec.r#as, conf.spec.router_id.as_str()),
        (1, "192.0.2.7")
    );
    let local: Vec<_> = imported
        .peers
        .iter()
        .map(|it| it.spec.conf.clone().unwrap().local_as)
        .collect();
    assert_eq!(local, [0, 2]);
    assert_eq!(told(&imported), ["lost spec.routerID"]);
    assert_eq!(
        PeerAsType::External,
        serde_json::from_value(json!("external")).unwrap()
    );
}

fn service(name: &str, address: &str, annotation: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": "shop", "annotations": {annotation: "edge"}},
        "spec": {"type": "LoadBalancer"},
        "status": {"loadBalancer": {"ingress": [{"ip": address}]}},
    })
}

#[test]
fn allocations_are_taken_over_from_services_of_a_list() {
    let key = "metallb.io/ip-allocated-from-pool";
    let documents = json!({"apiVersion": "v1", "kind": "List", "items": [
        range_pool(&json!({})),
        service("web", "192.0.2.3", key),
        service("tls", "192.0.2.3", key),
        service("lost", "198.51.100.1", key),
        service("foreign", "198.51.100.2", "cloud.example/id"),
    ]});
    let imported = of_metallb(&[documents]);
    let status = &imported.eips[0].status;
    assert_eq!(status.used["192.0.2.3"], "shop/web;shop/tls");
    assert_eq!(status.usage, 1);
    let lost: Vec<_> = imported
        .remarks
        .iter()
        .filter(|it| it.grade == Grade::Lost)
        .collect();
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert_eq!(lost[0].name, "shop/lost");
    assert!(told(&imported).contains(&"note spec.loadBalancerClass".to_owned()));
}

#[test]
fn a_kind_that_is_not_read_is_named() {
    let imported = of_metallb(&[
        metallb("AddressPool", "old", &json!({"protocol": "layer2"})),
        metallb("ConfigurationState", "controller", &json!({})),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config"}}),
    ]);
    let named: Vec<_> = imported.remarks.iter().map(|it| it.kind.as_str()).collect();
    assert_eq!(named, ["AddressPool", "ConfigMap"]);
    assert!(imported.has_loss());
}

#[test]
fn a_password_is_in_no_remark() {
    let wrong =
        json!({"myASN": 1, "peerASN": 2, "peerAddress": "192.0.2.1", "password": 12_345_678});
    let imported = of_metallb(&[metallb("BGPPeer", "tor", &wrong)]);
    assert_eq!(told(&imported), ["lost spec.password"]);
    assert!(!format!("{:?}", imported.remarks).contains("12345678"));
    let ours = openelb(
        "BgpPeer",
        "v1alpha2",
        &json!({"conf": {"authPassword": 12_345_678}}),
    );
    let imported = import(Origin::OpenElb, &[ours]);
    assert!(imported.has_loss());
    assert!(!format!("{:?}", imported.remarks).contains("12345678"));
}

fn openelb(kind: &str, version: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": format!("network.kubesphere.io/{version}"),
        "kind": kind,
        "metadata": {
            "name": "default", "uid": "u", "resourceVersion": "1", "finalizers": ["f"],
            "annotations": {"lb.kubesphere.io/v1alpha1": "2022-03-01"},
        },
        "spec": spec,
    })
}

#[test]
fn objects_of_openelb_0_5_and_0_6_lose_nothing() {
    for files in [
        [
            include_str!("../../tests/golden/openelb-0.5/eips.yaml"),
            include_str!("../../tests/golden/openelb-0.5/services.yaml"),
            include_str!("../../tests/golden/openelb-0.5/bgp.yaml"),
        ],
        [
            include_str!("../../tests/golden/openelb-0.6/eips.yaml"),
            include_str!("../../tests/golden/openelb-0.6/services.yaml"),
            include_str!("../../tests/golden/openelb-0.6/bgp.yaml"),
        ],
    ] {
        let parse = |text| serde_saphyr::from_multiple::<Value>(text).unwrap();
        let documents: Vec<Value> = files.into_iter().flat_map(parse).collect();
        let imported = import(Origin::OpenElb, &documents);
        let lost = imported.remarks.iter().filter(|it| it.grade == Grade::Lost);
        assert_eq!(lost.collect::<Vec<_>>(), Vec::<&super::Remark>::new());
        let again = import(Origin::OpenElb, &imported.objects());
        assert_eq!(
            again.objects(),
            imported.objects(),
            "the output is its own import"
        );
        for eip in &imported.eips {
            assert_eq!(usize::try_from(eip.status.usage), Ok(eip.status.used.len()));
            assert!(eip.metadata.uid.is_none() && eip.metadata.finalizers.is_empty());
        }
    }
}

#[test]
fn records_that_openelb_lost_are_taken_from_the_services() {
    let eip = openelb(
        "Eip",
        "v1alpha2",
        &json!({"address": "192.0.2.1-192.0.2.9"}),
    );
    let shown = service("web", "192.0.2.3", "lb.kubesphere.io/v1alpha1");
    let imported = import(Origin::OpenElb, &[eip, shown]);
    assert_eq!(imported.eips[0].status.used["192.0.2.3"], "shop/web");
}

#[test]
fn objects_of_v1alpha1_become_those_of_v1alpha2() {
    let imported = import(
        Origin::OpenElb,
        &[
            openelb(
                "Eip",
                "v1alpha1",
                &json!({"address": "192.0.2.1", "protocol": "layer2"}),
            ),
            openelb(
                "BgpConf",
                "v1alpha1",
                &json!({"as": 1, "routerID": "192.0.2.7", "port": 17900}),
            ),
            openelb(
                "BgpPeer",
                "v1alpha1",
                &json!({
                    "config": {"peerAs": 2, "neighborAddress": "192.0.2.254"},
                    "addPaths": {"sendMax": 8},
                    "transport": {"passiveMode": true, "remotePort": 1790},
                    "usingPortForward": true,
                }),
            ),
        ],
    );
    let conf = &imported.conf.as_ref().unwrap().spec;
    assert_eq!(
        (conf.r#as, conf.router_id.as_str(), conf.listen_port),
        (1, "192.0.2.7", 17900)
    );
    let peer = serde_json::to_value(&imported.peers[0].spec).unwrap();
    assert_eq!(
        peer["conf"],
        json!({"peerAs": 2, "neighborAddress": "192.0.2.254"})
    );
    assert_eq!(
        peer["transport"],
        json!({"passiveMode": true, "remotePort": 1790})
    );
    assert_eq!(
        told(&imported),
        [
            "lost spec.addPaths",
            "lost spec.usingPortForward",
            "lost spec.interface"
        ],
        "{:?}",
        imported.remarks
    );
}

#[test]
fn what_openelb_says_and_nobody_reads_is_told() {
    let eip =
        json!({"address": "192.0.2.1", "usingKnownIPs": true, "colour": "red", "disable": false});
    let peer = json!({"conf": {"peerAs": 2, "neighborAddress": "192.0.2.254", "vrf": "red"}});
    let imported = import(
        Origin::OpenElb,
        &[
            openelb("Eip", "v1alpha2", &eip),
            openelb("BgpConf", "v1alpha2", &json!({"as": 1})),
            openelb("BgpPeer", "v1alpha2", &peer),
        ],
    );
    assert_eq!(
        told(&imported),
        [
            "lost spec.colour",
            "note spec.usingKnownIPs",
            "lost spec.conf.vrf"
        ]
    );
}

/// Any JSON, with the names that are looked for as likely keys and words.
fn anything() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word.clone(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

const WORDS: [&str; 44] = [
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "spec",
    "status",
    "items",
    "List",
    "v1",
    "Service",
    "metallb.io/v1beta1",
    "network.kubesphere.io/v1alpha1",
    "network.kubesphere.io/v1alpha2",
    "Eip",
    "BgpConf",
    "BgpPeer",
    "IPAddressPool",
    "L2Advertisement",
    "BGPAdvertisement",
    "BGPPeer",
    "BFDProfile",
    "Community",
    "addresses",
    "address",
    "serviceAllocation",
    "namespaceSelectors",
    "matchLabels",
    "interfaces",
    "nodeSelectors",
    "peerAddress",
    "holdTime",
    "bfdProfile",
    "conf",
    "loadBalancer",
    "ingress",
    "ip",
    "192.0.2.0/24",
    "192.0.2.1",
    "used",
    "labels",
    "9s",
    "routerID",
    "preferredNodeSelectors",
    "communities",
];

proptest! {
    #[test]
    fn no_document_makes_it_panic(document in anything(), kind in prop::sample::select(&WORDS[13..22]), body in anything()) {
        let version = |group: &str| json!({"apiVersion": group, "kind": kind, "metadata": {"name": "a"}, "spec": body});
        let documents = [document, version("metallb.io/v1beta1"), version("network.kubesphere.io/v1alpha1"), version("network.kubesphere.io/v1alpha2")];
        for origin in [Origin::OpenElb, Origin::MetalLb] {
            let imported = import(origin, &documents);
            prop_assert!(imported.objects().len() <= 8);
        }
    }
}

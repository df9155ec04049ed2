//! What the text says is what the objects would say, or is told.

use serde_json::{Value, json};

use crate::api::{NextHop, Protocol};
use crate::import::tests::told;
use crate::import::{Imported, Origin, import};

#[test]
fn every_key_of_the_earlier_configuration_is_carried_over() {
    let imported = read(EVERYTHING);
    assert_eq!(told(&imported), ["note data.config", "note spec.addresses"]);

    let conf = &imported.conf.as_ref().unwrap().spec;
    assert_eq!((conf.r#as, conf.router_id.as_str()), (64500, "10.10.10.10"));
    assert_eq!(conf.communities["no-advertise"], "65535:65282");

    let [peer, second] = imported.peers.as_slice() else {
        panic!("{:?}", imported.peers);
    };
    assert_eq!(second.metadata.name, "peer-2");
    let spec = serde_json::to_value(&peer.spec).unwrap();
    for (pointer, expected) in [
        ("/conf/neighborAddress", json!("10.0.0.1")),
        ("/conf/peerAs", json!(64501)),
        ("/conf/authPassword", json!("s3cret")),
        ("/transport/remotePort", json!(1179)),
        ("/transport/localAddress", json!("10.0.0.2")),
        ("/timers/config/holdTime", json!("120")),
        ("/timers/config/keepaliveInterval", json!("40")),
        ("/ebgpMultihop/enabled", json!(true)),
        ("/bfd/minRxMs", json!(150)),
        ("/bfd/minTxMs", json!(160)),
        ("/bfd/multiplier", json!(5)),
        ("/bfd/passive", json!(true)),
        ("/bfd/minimumTtl", json!(250)),
        ("/nodeSelector/matchLabels/match-labels", json!("frontend")),
        ("/nodeSelector/matchExpressions/0/operator", json!("NotIn")),
    ] {
        let found = spec.pointer(pointer).unwrap_or(&Value::Null);
        assert_eq!(found, &expected, "{pointer}");
    }

    let [routed, plain, link] = imported.eips.as_slice() else {
        panic!("{:?}", imported.eips);
    };
    assert_eq!(
        routed.spec.address,
        "198.51.100.0/24, 2001:db8::1-2001:db8::9"
    );
    assert_eq!(routed.spec.auto_assign, Some(false));
    assert!(routed.spec.avoid_buggy_ips);
    let bgp = routed.spec.bgp.as_ref().unwrap();
    assert_eq!(
        (routed.spec.protocol, bgp.next_hop),
        (Protocol::Bgp, NextHop::Own)
    );
    assert_eq!(
        json!(bgp.advertisements),
        json!([
            {"aggregationLength": 32, "aggregationLengthV6": 128, "localPref": 100,
                "communities": ["no-advertise", "64512:1"]},
            {"aggregationLength": 24},
        ])
    );
    assert_eq!(plain.spec.protocol, Protocol::Bgp);
    assert_eq!(plain.spec.bgp.as_ref().unwrap().advertisements.len(), 1);
    assert_eq!(
        (link.spec.protocol, link.spec.interface.as_str()),
        (Protocol::Layer2, "all")
    );
}

#[test]
fn what_is_not_known_in_the_earlier_configuration_is_told() {
    let imported = read(
        "
        peer-autodiscovery: {from-labels: [{my-asn: a}]}
        peers:
        - {my-asn: 1, peer-asn: 2, peer-address: 192.0.2.254, colour: red}
        address-pools:
        - {name: edge, protocol: ospf, addresses: [192.0.2.1-192.0.2.9], colour: red}
        - {name: link, protocol: layer2, addresses: [192.0.2.11-192.0.2.19],
           bgp-advertisements: [{localpref: 1}]}
        - {name: routes, protocol: bgp, addresses: [192.0.2.21-192.0.2.29],
           bgp-advertisements: [{colour: red}]}
        - stray
        ",
    );
    let lost: Vec<_> = told(&imported)
        .into_iter()
        .filter(|it| it.starts_with("lost"))
        .collect();
    assert_eq!(
        lost,
        [
            "lost data.config.peer-autodiscovery",
            "lost spec.colour",
            "lost spec.colour",
            "lost spec.colour",
            "lost spec.protocol",
            "lost spec.bgp-advertisements",
            "lost spec.entry",
        ]
    );
    assert_eq!(
        imported.eips[0].spec.protocol,
        Protocol::None,
        "never widened"
    );
}

#[test]
fn beside_pools_that_are_objects_the_earlier_configuration_says_nothing() {
    let pool = json!({
        "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": {"name": "edge"},
        "spec": {"addresses": ["192.0.2.1-192.0.2.9"]},
    });
    let imported = import(Origin::MetalLb, &[configuration(EVERYTHING), pool]);
    assert_eq!(imported.eips.len(), 1);
    assert_eq!(told(&imported), ["note data.config"]);
}

#[test]
fn no_password_of_the_earlier_configuration_is_in_a_remark() {
    for text in [
        "peers: [{password: swordfish",
        "peers: {password: swordfish}",
        "peers: [[{password: swordfish}]]",
        "peers: [{my-asn: 1, password: [swordfish]}]",
        "- password: swordfish",
    ] {
        let imported = read(text);
        assert!(imported.has_loss(), "{text}");
        assert!(
            !format!("{:?}", imported.remarks).contains("swordfish"),
            "{text}"
        );
    }
}

fn read(text: &str) -> Imported {
    import(Origin::MetalLb, &[configuration(text)])
}

fn configuration(text: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "config", "namespace": "metallb-system"},
        "data": {"config": text},
    })
}

const EVERYTHING: &str = "
peers:
- my-asn: 64500
  peer-asn: 64501
  peer-address: 10.0.0.1
  peer-port: 1179
  source-address: 10.0.0.2
  hold-time: 120s
  keepalive-time: 40s
  router-id: 10.10.10.10
  password: s3cret
  ebgp-multihop: true
  bfd-profile: quick
  node-selectors:
  - match-labels: {match-labels: frontend}
    match-expressions: [{key: speed, operator: NotIn, values: [slow]}]
- {my-asn: 64500, peer-asn: 64502, peer-address: 10.0.0.3, router-id: 10.10.10.10}
bfd-profiles:
- name: quick
  receive-interval: 150
  transmit-interval: 160
  detect-multiplier: 5
  echo-interval: 50
  echo-mode: false
  passive-mode: true
  minimum-ttl: 250
bgp-communities: {no-advertise: '65535:65282'}
address-pools:
- name: routed
  protocol: bgp
  addresses: [198.51.100.0/24, '2001:db8::1 - 2001:db8::9']
  auto-assign: false
  avoid-buggy-ips: true
  bgp-advertisements:
  - aggregation-length: 32
    aggregation-length-v6: 128
    localpref: 100
    communities: [no-advertise, '64512:1']
  - aggregation-length: 24
- {name: plain, protocol: bgp, addresses: [192.0.2.1-192.0.2.9]}
- {name: link, protocol: layer2, addresses: [192.0.2.11-192.0.2.19]}
";

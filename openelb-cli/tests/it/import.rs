//! `openelb import`: files of others in, our objects out, and what is lost on standard error.

use serde_json::json;

use crate::explain::{api_server, cluster, kubeconfig};
use crate::testenv::Env;

const METALLB: &str = "apiVersion: v1
kind: List
items:
- apiVersion: metallb.io/v1beta1
  kind: IPAddressPool
  metadata: {name: edge, namespace: metallb-system}
  spec:
    addresses: [192.0.2.0/24, '2001:db8::/120']
    serviceAllocation: {priority: 10, namespaces: [shop]}
- apiVersion: metallb.io/v1beta1
  kind: IPAddressPool
  metadata: {name: lan, namespace: metallb-system, labels: {zone: lan}}
  spec: {addresses: [198.51.100.1 - 198.51.100.9], autoAssign: false}
- apiVersion: metallb.io/v1beta1
  kind: BGPAdvertisement
  metadata: {name: routes, namespace: metallb-system}
  spec: {ipAddressPools: [edge], communities: [fast], localPref: 100, aggregationLength: 26}
- apiVersion: metallb.io/v1beta1
  kind: L2Advertisement
  metadata: {name: link, namespace: metallb-system}
  spec:
    ipAddressPoolSelectors: [{matchLabels: {zone: lan}}]
    interfaces: [eth1]
    preferredNodeSelectors: [{weight: 3, preference: {matchLabels: {disk: ssd}}}]
- apiVersion: metallb.io/v1beta2
  kind: BGPPeer
  metadata: {name: tor, namespace: metallb-system}
  spec:
    myASN: 65000
    peerASN: 65001
    peerAddress: 192.0.2.254
    holdTime: 9s
    bfdProfile: quick
- apiVersion: metallb.io/v1beta1
  kind: BFDProfile
  metadata: {name: quick, namespace: metallb-system}
  spec: {receiveInterval: 100, echoMode: true}
- apiVersion: metallb.io/v1beta1
  kind: Community
  metadata: {name: names, namespace: metallb-system}
  spec: {communities: [{name: fast, value: '65000:7'}]}
- apiVersion: v1
  kind: Service
  metadata:
    name: web
    namespace: shop
    annotations: {metallb.io/ip-allocated-from-pool: edge}
  spec: {type: LoadBalancer, ipFamilies: [IPv4], clusterIPs: [10.96.0.7]}
  status: {loadBalancer: {ingress: [{ip: 192.0.2.0}]}}
";

#[test]
fn objects_of_metallb_become_ours_and_every_loss_is_told() {
    let env = Env::new();
    env.write("metallb.yaml", METALLB);
    let ran = env.run(&["import", "metallb", "metallb.yaml"]);
    assert_eq!(ran.code, 11);
    insta::assert_snapshot!("metallb_objects", ran.out);
    insta::assert_snapshot!("metallb_report", ran.err);
}

/// The configuration of versions before 0.13.
const EARLIER: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: config, namespace: metallb-system}
data:
  config: |
    peers:
    - {my-asn: 65000, peer-asn: 65001, peer-address: 192.0.2.254, hold-time: 9s}
    bgp-communities: {fast: '65000:7'}
    address-pools:
    - name: edge
      protocol: bgp
      addresses: [192.0.2.0/24, '2001:db8::/120']
      bgp-advertisements: [{aggregation-length: 26, localpref: 100, communities: [fast]}]
    - {name: lan, protocol: layer2, addresses: [198.51.100.1-198.51.100.9], colour: red}
";

#[test]
fn the_configuration_of_metallb_before_it_had_objects_becomes_ours_and_every_loss_is_told() {
    let env = Env::new();
    env.write("metallb.yaml", EARLIER);
    let ran = env.run(&["import", "metallb", "metallb.yaml"]);
    assert_eq!(ran.code, 11);
    insta::assert_snapshot!("earlier_objects", ran.out);
    insta::assert_snapshot!("earlier_report", ran.err);
    env.write("openelb.yaml", &ran.out);
    let ran = env.run(&["validate", "openelb.yaml"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn the_configuration_of_a_running_metallb_is_found_in_its_namespace() {
    let env = Env::new();
    env.write("metallb.yaml", EARLIER);
    let from_file = env.run(&["import", "metallb", "metallb.yaml"]);

    let configuration = serde_saphyr::from_str(EARLIER).unwrap();
    let other = json!({"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": ""}});
    let path = "/api/v1/namespaces/metallb-system/configmaps";
    kubeconfig(&env, api_server(vec![(path, vec![other, configuration])]));
    let place = ["--kubeconfig", "kubeconfig", "--context", "test"];
    let live = env.run(&[&["import", "metallb", "--live"], &place[..]].concat());
    assert_eq!(live, from_file);
}

#[test]
fn what_is_imported_is_valid() {
    let env = Env::new();
    env.write("metallb.yaml", METALLB);
    let ran = env.run(&["import", "metallb", "metallb.yaml"]);
    env.write("openelb.yaml", &ran.out);
    let ran = env.run(&["validate", "openelb.yaml"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn strictly_nothing_is_written_when_something_is_lost() {
    let env = Env::new();
    let ran = env.run_with_input(&["import", "metallb", "-", "--strict"], METALLB);
    assert_eq!((ran.code, ran.out.as_str()), (11, ""));
    assert!(ran.err.contains("lost: "), "{}", ran.err);
}

#[test]
fn objects_of_openelb_are_written_as_a_list_for_machines() {
    let env = Env::new();
    let eip = "apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata: {name: edge, resourceVersion: '7'}
spec: {address: 192.0.2.1-192.0.2.9}
status: {usage: 1, used: {192.0.2.3: shop/web}}
";
    env.write("eip.yaml", eip);
    let list = env.json(&["import", "openelb", "eip.yaml", "--strict"]);
    assert_eq!(list["items"][0]["status"]["used"]["192.0.2.3"], "shop/web");
    assert!(
        list["items"][0]["metadata"]
            .get("resourceVersion")
            .is_none()
    );
}

#[test]
fn a_file_that_is_no_yaml_is_named_without_what_it_holds() {
    let env = Env::new();
    env.write("wrong.yaml", "password: [swordfish\n");
    let ran = env.run(&["import", "metallb", "wrong.yaml"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("wrong.yaml is no YAML"), "{}", ran.err);
    assert!(!ran.err.contains("swordfish"), "{}", ran.err);
    assert_eq!(env.run(&["import", "metallb", "absent.yaml"]).code, 3);
    assert_eq!(env.run(&["import", "metallb"]).code, 2);
}

#[test]
fn the_services_of_a_large_cluster_are_not_too_many() {
    let env = Env::new();
    let mut text = METALLB.to_owned();
    for number in 0..2_000 {
        let labels: String = (0..80).map(|label| format!("l{label}: v, ")).collect();
        text += &format!(
            "- {{apiVersion: v1, kind: Service, metadata: {{name: s{number}, namespace: a, labels: \
             {{{labels}}}}}, spec: {{type: ClusterIP}}}}\n"
        );
    }
    env.write("metallb.yaml", &text);
    assert_eq!(env.run(&["import", "metallb", "metallb.yaml"]).code, 11);
}

#[test]
fn a_running_cluster_is_read_with_its_records() {
    let env = Env::new();
    kubeconfig(&env, api_server(cluster()));
    let place = ["--kubeconfig", "kubeconfig", "--context", "test"];
    let list = env.json(&[&["import", "openelb", "--live"], &place[..]].concat());
    let eip = &list["items"][0];
    assert_eq!(eip["kind"], "Eip");
    assert_eq!(eip["status"]["used"]["192.0.2.9"], "shop/web");
    let none = env.run(&[&["import", "metallb", "--live"], &place[..]].concat());
    assert!(none.err.contains("0 pools"), "{none:?}");
}

//! Golden objects: what OpenELB wrote is read, and written back byte for byte.

use super::{
    BgpConf, BgpPeer, DynamicPrefix, Eip, Layer2Conf, OnShrink, Protocol, Strategy, owners_of,
};
use crate::names;

const FULL: &str = include_str!("../../tests/data/eip-full.yaml");
const MINIMAL: &str = include_str!("../../tests/data/eip-minimal.yaml");
const ADDITIONS: &str = include_str!("../../tests/data/eip-additions.yaml");

fn parse(yaml: &str) -> Eip {
    serde_saphyr::from_str(yaml).expect("the golden file is a valid Eip")
}

fn wire(value: &Eip) -> serde_json::Value {
    serde_json::to_value(value).expect("an Eip serialises")
}

#[test]
fn every_golden_object_is_written_back_with_the_same_keys_and_values() {
    for golden in [FULL, MINIMAL, ADDITIONS] {
        let expected: serde_json::Value = serde_saphyr::from_str(golden).expect("valid YAML");
        assert_eq!(wire(&parse(golden)), expected, "{golden}");
    }
}

#[test]
fn an_object_with_defaults_writes_only_what_it_must() {
    let eip = Eip::new("minimal", "2001:db8::/64");
    assert_eq!(eip, parse(MINIMAL));
    let keys: Vec<String> = wire(&eip)["spec"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(keys, ["address"]);
}

#[test]
fn additions_default_to_what_openelb_does() {
    let spec = parse(MINIMAL).spec;
    assert_eq!(spec.protocol, Protocol::Bgp);
    assert_eq!(spec.strategy, Strategy::Lowest);
    assert_eq!(spec.on_shrink, OnShrink::Retain);
    assert!(spec.exclude.is_empty() && spec.auto_assign.is_none() && spec.quota.is_none());
}

#[test]
fn the_empty_protocol_means_bgp() {
    let eip = parse(&format!("{MINIMAL}  protocol: \"\"\n"));
    assert_eq!(eip.spec.protocol, Protocol::Bgp);
}

#[test]
fn an_unknown_protocol_is_refused_with_the_known_ones() {
    let error = serde_saphyr::from_str::<Eip>(&format!("{MINIMAL}  protocol: ospf\n"))
        .expect_err("ospf is no protocol of an Eip")
        .to_string();
    for word in ["ospf", "bgp", "layer2", "vip"] {
        assert!(error.contains(word), "{word} is missing in: {error}");
    }
}

#[test]
fn the_default_annotation_is_compared_without_letter_case() {
    for (value, expected) in [
        ("true", true),
        ("True", true),
        ("TRUE", true),
        ("yes", false),
        ("", false),
    ] {
        let mut eip = Eip::new("p", "192.0.2.1");
        eip.metadata
            .annotations
            .insert(names::DEFAULT_EIP_ANNOTATION.to_owned(), value.to_owned());
        assert_eq!(eip.is_default(), expected, "{value:?}");
    }
    assert!(!Eip::new("p", "192.0.2.1").is_default());
}

#[test]
fn a_shared_record_names_every_owner() {
    let status = parse(FULL).status;
    let owners = |address| owners_of(&status.used[address]).collect::<Vec<_>>();
    assert_eq!(owners("192.168.0.91"), ["default/s1", "other/s2"]);
    assert_eq!(owners("192.168.0.92"), ["default/s3"]);
}

#[test]
fn fields_the_cluster_adds_do_not_stop_the_reading() {
    let yaml = MINIMAL.replace(
        "  name: minimal",
        "  name: minimal\n  selfLink: /x\n  managedFields: []",
    );
    assert_eq!(parse(&yaml), parse(MINIMAL));
}

#[test]
fn every_other_golden_object_is_written_back_with_the_same_keys_and_values() {
    fn check<T: serde::de::DeserializeOwned + serde::Serialize>(golden: &str) {
        let object: T = serde_saphyr::from_str(golden).expect("the golden file is valid");
        let expected: serde_json::Value = serde_saphyr::from_str(golden).expect("valid YAML");
        assert_eq!(serde_json::to_value(&object).unwrap(), expected, "{golden}");
    }
    check::<BgpConf>(include_str!("../../tests/data/bgpconf-full.yaml"));
    check::<BgpPeer>(BGP_PEER);
    check::<DynamicPrefix>(include_str!("../../tests/data/dynamicprefix-full.yaml"));
    check::<Layer2Conf>(include_str!("../../tests/data/layer2conf-full.yaml"));
}

#[test]
fn timers_are_read_as_text_and_as_numbers() {
    let quoted: BgpPeer = serde_saphyr::from_str(BGP_PEER).unwrap();
    let plain: BgpPeer = serde_saphyr::from_str(&BGP_PEER.replace("'9'", "9")).unwrap();
    assert_eq!(quoted, plain);
    for wrong in ["soon", "-1", "1.5", "[1]"] {
        let text = BGP_PEER.replace("holdTime: '9'", &format!("holdTime: {wrong}"));
        assert!(serde_saphyr::from_str::<BgpPeer>(&text).is_err(), "{wrong}");
    }
}

#[test]
fn a_password_is_never_shown_nor_copied_into_the_status() {
    let written_back = BGP_PEER.replace(
        "      peerState:\n",
        "      peerState:\n        authPassword: swordfish\n",
    );
    let peer: BgpPeer = serde_saphyr::from_str(&written_back).unwrap();
    let state = &peer.status.nodes_peer_status["node-a"].peer_state;
    assert_eq!(state.auth_password.reveal(), "swordfish");
    assert!(!serde_json::to_string(state).unwrap().contains("swordfish"));
    assert!(!format!("{peer:?}").contains("swordfish"));
}

#[test]
fn a_password_of_the_wrong_kind_is_refused_without_being_repeated() {
    for wrong in ["12345", "true", "1.5", "[swordfish]", "{a: swordfish}"] {
        let text = BGP_PEER.replace("authPassword: swordfish", &format!("authPassword: {wrong}"));
        let error = serde_saphyr::from_str::<BgpPeer>(&text).unwrap_err();
        let error = error.without_snippet().to_string();
        assert!(error.contains("text in quotes"), "{error}");
        assert!(
            !error.contains("12345") && !error.contains("swordfish"),
            "{error}"
        );
    }
}

const BGP_PEER: &str = include_str!("../../tests/data/bgppeer-full.yaml");

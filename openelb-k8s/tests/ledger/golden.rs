//! Whole installations as OpenELB 0.5 and 0.6 leave them: every address stays, and no Service is written to.

use openelb_k8s::api::{BgpConf, BgpPeer, Eip};
use openelb_k8s::cluster::{Namespace, Service};
use openelb_k8s::controller::{Change, Settings};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::lab::Lab;

/// The files of one version.
struct Golden {
    eips: &'static str,
    services: &'static str,
    bgp: &'static str,
}

const VERSION_0_5: Golden = Golden {
    eips: include_str!("../golden/openelb-0.5/eips.yaml"),
    services: include_str!("../golden/openelb-0.5/services.yaml"),
    bgp: include_str!("../golden/openelb-0.5/bgp.yaml"),
};

const VERSION_0_6: Golden = Golden {
    eips: include_str!("../golden/openelb-0.6/eips.yaml"),
    services: include_str!("../golden/openelb-0.6/services.yaml"),
    bgp: include_str!("../golden/openelb-0.6/bgp.yaml"),
};

#[test]
fn openelb_53_objects_of_openelb_0_5_keep_every_address_and_cost_no_write_to_a_service() {
    adopt(&VERSION_0_5, 7);
}

#[test]
fn openelb_53_objects_of_openelb_0_6_keep_every_address_and_cost_no_write_to_a_service() {
    adopt(&VERSION_0_6, 8);
}

/// A Service that came while nobody was there gets an address that no record names.
#[test]
fn openelb_53_what_is_new_beside_adopted_records_takes_none_of_them() {
    for golden in [&VERSION_0_5, &VERSION_0_6] {
        let mut lab = installation(golden);
        lab.server.create_service(crate::objects::service(
            "shop",
            "newcomer",
            &[openelb_k8s::cluster::IpFamily::IPv4],
        ));
        lab.start(Settings::default());
        let given = lab.addresses("shop/newcomer");
        assert_eq!(given.len(), 1);
        for eip in objects::<Eip>(golden.eips) {
            assert!(!eip.status.used.contains_key(&given[0]), "{given:?}");
        }
        let touched =
            lab.server.writes.iter().filter(
                |change| matches!(change, Change::Service { name, .. } if name != "newcomer"),
            );
        assert_eq!(touched.count(), 0, "the others are not written to");
    }
}

#[test]
fn openelb_53_the_objects_of_bgp_are_written_back_as_they_are() {
    for golden in [&VERSION_0_5, &VERSION_0_6] {
        for document in documents(golden.bgp) {
            if document["kind"] == "BgpConf" {
                assert_written_back::<BgpConf>(document);
            } else {
                assert_written_back::<BgpPeer>(document);
            }
        }
    }
}

fn adopt(golden: &Golden, services: usize) {
    let mut lab = installation(golden);
    assert_eq!(lab.server.services.len(), services);
    lab.start(Settings::default());
    assert_eq!(told_of_full_pools(&lab.server.writes), full_pools(golden));
    let first = lab.server.writes.len();
    lab.start(Settings::default());
    assert_eq!(lab.server.writes[first..], [], "a restart");
    let shown = objects::<Service>(golden.services);
    for service in shown {
        let metadata = &service.metadata;
        let key = format!("{}/{}", metadata.namespace, metadata.name);
        let ingress = &service.status.load_balancer.ingress;
        assert_eq!(lab.addresses(&key), [ingress[0].ip.as_str()], "{key}");
    }
    for eip in objects::<Eip>(golden.eips) {
        let mut now = lab.server.eips[&eip.metadata.name].status.clone();
        (now.conditions, now.observed_generation) = (Vec::new(), None);
        assert_eq!(now, eip.status, "all that OpenELB wrote stays");
    }
}

/// The names in the only writes there may be: a pool without a free address is told so, once, beside
/// the records, which OpenELB had no place for.
fn told_of_full_pools(writes: &[Change]) -> Vec<String> {
    let names = writes.iter().map(|change| match change {
        Change::EipStatus { name, .. } => name.clone(),
        other => panic!("{other:?}"),
    });
    names.collect()
}

fn full_pools(golden: &Golden) -> Vec<String> {
    let eips: Vec<Eip> = objects(golden.eips);
    let full = eips.into_iter().filter(|eip| eip.status.occupied);
    full.map(|eip| eip.metadata.name).collect()
}

fn installation(golden: &Golden) -> Lab {
    let mut lab = Lab::new(objects(golden.eips), objects(golden.services));
    for (name, team) in [("default", ""), ("shop", "shop"), ("blog", "")] {
        let mut namespace = Namespace::default();
        namespace.metadata.name = name.to_owned();
        let labels = &mut namespace.metadata.labels;
        labels.insert("team".to_owned(), team.to_owned());
        lab.server.put_namespace(namespace);
    }
    lab
}

fn assert_written_back<T: DeserializeOwned + Serialize>(document: Value) {
    let object: T = serde_json::from_value(document.clone()).unwrap();
    let mut expected = document;
    // Empty lists and maps of what was observed are not told apart from their absence.
    drop_empty(&mut expected);
    let mut written = serde_json::to_value(object).unwrap();
    drop_empty(&mut written);
    assert_eq!(written, expected);
}

fn drop_empty(value: &mut Value) {
    if let Value::Object(entries) = value {
        entries.values_mut().for_each(drop_empty);
        entries.retain(|_, value| *value != Value::Object(serde_json::Map::new()));
    }
}

fn objects<T: DeserializeOwned>(text: &str) -> Vec<T> {
    let documents = documents(text).into_iter();
    let objects = documents.map(|document| serde_json::from_value(document).unwrap());
    objects.collect()
}

fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

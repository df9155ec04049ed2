//! Each kind of leak alone, and none where all is well.

use serde_json::{Value, json};

use super::leaks;
use crate::api::{AddressBlock, AnnouncedAddress, AnnouncementState, Eip, NodeAnnouncement};
use crate::cluster::Service;
use crate::explain::Cluster;
use crate::names;
use crate::wish::Serving;

#[test]
fn where_records_and_services_agree_nothing_leaks() {
    assert_eq!(told(&cluster()), [""; 0]);
}

#[test]
fn a_record_without_a_service_that_shows_it_is_told() {
    let mut gone = cluster();
    gone.services.clear();
    gone.announcements.clear();
    assert_eq!(
        told(&gone),
        ["eip/edge: record of 192.0.2.9: there is no Service shop/web"]
    );

    let mut silent = cluster();
    silent.services[0].status.load_balancer.ingress.clear();
    silent.announcements.clear();
    assert_eq!(
        told(&silent),
        ["eip/edge: record of 192.0.2.9: the Service shop/web does not show it"]
    );

    let mut unwanted = cluster();
    unwanted.services[0].spec.kind = crate::cluster::ServiceType::Other;
    assert_eq!(
        told(&unwanted),
        ["eip/edge: record of 192.0.2.9: the Service shop/web wants none"]
    );

    let mut block = cluster();
    let mut around = AddressBlock::around("edge", "192.0.2.200".parse().unwrap());
    let record = ("192.0.2.200".to_owned(), "shop/gone".to_owned());
    around.spec.used.extend([record]);
    block.blocks.push(around);
    block.eips[0].status.usage = 2;
    assert_eq!(
        told(&block),
        ["addressblock/edge-v4-c0000: record of 192.0.2.200: there is no Service shop/gone"]
    );
}

#[test]
fn an_address_without_a_record_is_told() {
    let mut cluster = cluster();
    cluster.eips[0].status.used.clear();
    cluster.eips[0].status.usage = 0;
    assert_eq!(
        told(&cluster),
        ["service/shop/web: address 192.0.2.9: no pool has a record of it"]
    );
    // What another load balancer gave to a Service of its own is not looked at.
    cluster.services[0].metadata.annotations.clear();
    cluster.services[0].metadata.finalizers.clear();
    cluster.services[0].spec.load_balancer_class = Some("example.com/other".to_owned());
    assert_eq!(told(&cluster), [""; 0]);
}

#[test]
fn a_finalizer_that_holds_back_what_nobody_waits_for_is_told() {
    let mut cluster = cluster();
    cluster.eips[0].status.used.clear();
    cluster.eips[0].status.usage = 0;
    cluster.eips[0].metadata.deletion_timestamp = Some("2026-01-01T00:00:00Z".to_owned());
    cluster.eips[0].metadata.finalizers = vec![names::EIP_FINALIZER.to_owned()];
    cluster.services[0].metadata.annotations.clear();
    assert_eq!(
        told(&cluster),
        [
            "eip/edge: finalizer finalizer.ipam.kubesphere.io/v1alpha1: \
             it is being deleted, and nobody has an address of it",
            "service/shop/web: finalizer finalizer.lb.kubesphere.io/v1alpha1: \
             no pool has a record of the Service",
        ]
    );
}

#[test]
fn counts_blocks_and_announcements_that_nothing_stands_behind_are_told() {
    let mut cluster = cluster();
    cluster.eips[0].status.usage = 7;
    cluster.blocks.push(AddressBlock::around(
        "former",
        "198.51.100.1".parse().unwrap(),
    ));
    cluster.announcements[0].status.addresses[0].address = "192.0.2.10".to_owned();
    assert_eq!(
        told(&cluster),
        [
            "addressblock/former-v4-c6336: pool former: there is no such Eip",
            "eip/edge: usage 7: 1 have a record",
            "nodeannouncement/n1: announcement of 192.0.2.10: the Service shop/web does not show it",
        ]
    );
}

#[test]
fn a_record_that_follows_a_prefix_is_the_record_of_what_the_service_shows() {
    let mut cluster = cluster();
    let used = &mut cluster.eips[0].status.used;
    used.clear();
    used.insert("home/::9".to_owned(), "shop/web".to_owned());
    assert_eq!(told(&cluster), [""; 0]);
}

/// `edge` gave 192.0.2.9 to `shop/web`, and `n1` announces it.
fn cluster() -> Cluster {
    let mut announcement = NodeAnnouncement::new("n1");
    announcement.status.addresses.push(AnnouncedAddress {
        address: "192.0.2.9".to_owned(),
        service: "shop/web".to_owned(),
        eip: "edge".to_owned(),
        state: AnnouncementState::Announced,
        ..AnnouncedAddress::default()
    });
    let eip: Eip = read(json!({
        "apiVersion": names::EIP_API_VERSION, "kind": "Eip", "metadata": {"name": "edge"},
        "spec": {"address": "192.0.2.0/24"},
        "status": {"usage": 1, "used": {"192.0.2.9": "shop/web"}},
    }));
    let service: Service = read(json!({
        "metadata": {
            "name": "web", "namespace": "shop",
            "annotations": {names::OPT_IN_ANNOTATION: names::OPT_IN_VALUE},
            "finalizers": [names::SERVICE_FINALIZER],
        },
        "spec": {"type": "LoadBalancer", "clusterIPs": ["10.96.0.7"], "ipFamilies": ["IPv4"]},
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}},
    }));
    Cluster {
        eips: vec![eip],
        services: vec![service],
        announcements: vec![announcement],
        ..Cluster::default()
    }
}

fn read<T: serde::de::DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).unwrap()
}

fn told(cluster: &Cluster) -> Vec<String> {
    let found = leaks(cluster, &Serving::default());
    found.iter().map(ToString::to_string).collect()
}

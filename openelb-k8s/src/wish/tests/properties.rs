//! Whatever an API server could send, and much that it could not: no panic, and the same again.

use std::net::IpAddr;

use openelb_ipam::Time;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Desk;
use crate::cluster::Service;
use crate::names;
use crate::wish::{Decision, is_marked};
use crate::wish::{ReasonWord, Refusal, Serving, Unclassed, Wish, condition, event, ingress, wish};

/// JSON of any shape.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-zA-Z]{1,12}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "192.0.2.1", "192.0.2.1,2001:db8::1", "2001:DB8::1", "10.0.0.300", "::ffff:10.0.0.1",
            "", " ", "eip", "None", "blue", "openelb", ",,", "fd00::7", "10.96.0.7",
        ]).prop_map(str::to_owned),
        1 => ".{0,20}",
    ]
}

/// A Service that has every field that matters, with values that are often right.
fn service_json() -> impl Strategy<Value = Value> {
    let annotations = prop::collection::hash_map(prop::sample::select(KEYS.to_vec()), text(), 0..6);
    let families = prop::collection::vec(prop::sample::select(vec!["IPv4", "IPv6"]), 0..3);
    let policies = prop::sample::select(vec![
        json!(null),
        json!("SingleStack"),
        json!("PreferDualStack"),
        json!("RequireDualStack"),
    ]);
    let port = (
        any::<u16>(),
        prop::sample::select(vec!["TCP", "UDP", "SCTP", "QUIC"]),
    );
    let ports = prop::collection::vec(port, 0..4);
    let rest = (
        text(),
        prop::collection::vec(text(), 0..3),
        any::<[bool; 4]>(),
        text(),
    );
    (annotations, families, policies, ports, rest).prop_map(
        |(annotations, families, policy, ports, (field, cluster_ips, flags, status_ip))| {
            let [is_local, is_marked, is_deleting, opts_in] = flags;
            let mut annotations: serde_json::Map<_, _> = annotations
                .into_iter()
                .map(|(key, value)| (key.to_owned(), Value::from(value)))
                .collect();
            if opts_in {
                annotations.insert(names::OPT_IN_ANNOTATION.to_owned(), "openelb".into());
            }
            let ports: Vec<_> = ports
                .into_iter()
                .map(|(port, protocol)| json!({"port": port, "protocol": protocol}))
                .collect();
            let finalizers = if is_marked {
                vec![names::SERVICE_FINALIZER]
            } else {
                vec![]
            };
            json!({
                "metadata": {
                    "name": "web", "namespace": "default", "annotations": annotations,
                    "finalizers": finalizers,
                    "deletionTimestamp": is_deleting.then_some("2026-01-01T00:00:00Z"),
                },
                "spec": {
                    "type": "LoadBalancer", "ipFamilies": families, "ipFamilyPolicy": policy,
                    "clusterIPs": cluster_ips, "loadBalancerIP": field, "ports": ports,
                    "externalTrafficPolicy": if is_local { "Local" } else { "Cluster" },
                },
                "status": {"loadBalancer": {"ingress": [{"ip": status_ip}]}},
            })
        },
    )
}

/// Everything that is said about a Service, twice.
fn judge(service: &Service) {
    for unclassed in [Unclassed::OptIn, Unclassed::Always] {
        let serving = Serving {
            unclassed,
            ..Serving::default()
        };
        let wished = wish(service, None, &serving);
        assert_eq!(wished, wish(service, None, &serving));
        match &wished {
            Wish::Ask(_, request) => assert!(request.wanted().is_ok(), "{request:?}"),
            Wish::Nothing => assert!(is_marked(service)),
            Wish::NotOurs => assert!(!serving.serves(service)),
            Wish::Refused(refusal) => assert!(!refusal.message.is_empty()),
        }
    }
}

proptest! {
    #[test]
    fn any_json_that_reads_as_a_service_is_judged_without_a_panic(value in any_json()) {
        let mut value = json!({"metadata": {"name": "web", "namespace": "default"}, "spec": value});
        value["status"] = value["spec"].clone();
        if let Ok(service) = serde_json::from_value::<Service>(value) {
            judge(&service);
        }
    }

    #[test]
    fn a_service_with_any_values_is_judged_and_served_without_a_panic(value in service_json()) {
        let service: Service = serde_json::from_value(value).unwrap();
        judge(&service);
        let mut desk = Desk::new([super::default_eip("eip", "192.0.2.0/24,2001:db8::/64")]);
        let first = desk.serve(&service);
        let generation = desk.ipam.generation();
        prop_assert_eq!(desk.serve(&service), first);
        prop_assert_eq!(desk.ipam.generation(), generation);
    }

    #[test]
    fn what_is_written_to_a_service_is_what_is_made_of_it_the_next_time(
        value in service_json(),
        addresses in prop::collection::vec(any::<IpAddr>(), 0..3),
        word in prop::sample::select(ReasonWord::ALL.to_vec()),
        message in ".{0,40}",
        is_mode_known: bool,
        has_address: bool,
        times: (u32, u32),
    ) {
        let mut service: Service = serde_json::from_value(value).unwrap();
        let entries = ingress(&service, &addresses, is_mode_known);
        service.status.load_balancer.ingress.clone_from(&entries);
        prop_assert_eq!(ingress(&service, &addresses, is_mode_known), entries);
        let trouble = Refusal::new(word, message);
        let [first, later] = [times.0, times.1].map(|time| Time(u64::from(time)));
        let made = condition(&service, Some(&trouble), has_address, first);
        service.status.conditions.extend(made.clone());
        prop_assert_eq!(condition(&service, Some(&trouble), has_address, later), made);
        prop_assert!(event(Decision::Refused(&trouble)).note.len() <= 1_024);
    }
}

/// What a Service can say about its address.
const KEYS: [&str; 8] = [
    names::OPT_IN_ANNOTATION,
    names::POOL_ANNOTATION,
    names::ADDRESS_ANNOTATION,
    names::SHARING_ANNOTATION,
    "metallb.io/loadBalancerIPs",
    "metallb.universe.tf/loadBalancerIPs",
    "metallb.universe.tf/address-pool",
    "metallb.io/allow-shared-ip",
];

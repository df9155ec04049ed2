//! What holds for any objects.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Row, desired};
use super::{Cluster, Shelf, cluster, me};

/// Text of which objects are made: addresses, names, and what is neither.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,4}",
        Just("192.0.2.7".to_owned()),
        Just("2001:db8::7".to_owned()),
        Just("198.51.100.7".to_owned()),
        Just("n1".to_owned()),
        Just("192.0.2.300".to_owned()),
        Just("::ffff:192.0.2.1".to_owned()),
        ".{0,6}",
    ]
}

fn endpoints() -> impl Strategy<Value = Value> {
    let conditions = (
        any::<Option<bool>>(),
        any::<Option<bool>>(),
        any::<Option<bool>>(),
    );
    let endpoint = (proptest::option::of(text()), conditions).prop_map(|(node, conditions)| {
        let (ready, serving, terminating) = conditions;
        json!({"nodeName": node, "conditions":
            {"ready": ready, "serving": serving, "terminating": terminating}})
    });
    prop::collection::vec(endpoint, 0..4).prop_map(Value::from)
}

#[derive(Debug, Clone)]
struct Wild {
    name: String,
    addresses: Vec<String>,
    pool: String,
    policy: &'static str,
    endpoints: Value,
    family: &'static str,
}

fn wild() -> impl Strategy<Value = Wild> {
    let name = "[a-c]{1,2}";
    let policy = prop_oneof![Just("Local"), Just("Cluster"), Just("Sideways")];
    let family = prop_oneof![Just("IPv4"), Just("IPv6"), Just("FQDN")];
    let addresses = prop::collection::vec(text(), 0..4);
    (name, addresses, text(), policy, endpoints(), family).prop_map(
        |(name, addresses, pool, policy, endpoints, family)| Wild {
            name,
            addresses,
            pool,
            policy,
            endpoints,
            family,
        },
    )
}

fn with(services: &[Wild], range: &str) -> Cluster {
    let mut cluster = cluster();
    cluster.put_eip(
        "wild",
        json!({"address": range, "protocol": "vip", "interface": range}),
    );
    for wild in services {
        let addresses: Vec<_> = wild.addresses.iter().map(String::as_str).collect();
        let more = json!({"spec": {"externalTrafficPolicy": wild.policy}});
        cluster.put_service(&wild.name, &wild.pool, &addresses, more);
        cluster.put_slice(&wild.name, &wild.name, wild.family, &wild.endpoints);
    }
    cluster
}

fn rows_of<'a>(rows: &'a [Row], name: &str) -> Vec<&'a Row> {
    rows.iter()
        .filter(|row| row.service.name() == name)
        .collect()
}

proptest! {
    #[test]
    fn arbitrary_objects_never_panic_and_give_the_same_answer_twice(
        services in prop::collection::vec(wild(), 0..6),
        range in text(),
        node in text(),
    ) {
        let cluster = with(&services, &range);
        let first = desired(&cluster, &me(&node), &Shelf::default());
        let again = desired(&cluster.clone(), &me(&node), &Shelf::default());
        prop_assert_eq!(&first, &again);
        // What is announced has a row that says so.
        for route in &first.routes {
            let mut rows = first.rows.iter();
            prop_assert!(rows.any(|row| row.here.is_ok() && route.prefix.contains(row.address)));
        }
    }

    #[test]
    fn a_service_more_changes_nothing_of_the_others(
        services in prop::collection::vec(wild(), 1..6),
        policy in prop_oneof![Just("Local"), Just("Cluster")],
    ) {
        let before = with(&services, "203.0.113.0/24");
        let mut after = before.clone();
        let more = json!({"spec": {"externalTrafficPolicy": policy}});
        after.put_service("unrelated", "edge", &["192.0.2.222", "198.51.100.222"], more);
        after.put_ready("unrelated", &["n1"]);
        let (before, after) = (before.on("n1"), after.on("n1"));
        for wild in &services {
            prop_assert_eq!(rows_of(&before.rows, &wild.name), rows_of(&after.rows, &wild.name));
        }
        for route in &before.routes {
            prop_assert!(after.routes.contains(route));
        }
        for (address, announcement) in &before.link.announcements {
            prop_assert_eq!(after.link.announcements.get(address), Some(announcement));
        }
    }

    #[test]
    fn all_nodes_see_the_same_units_and_groups(
        services in prop::collection::vec(wild(), 0..6),
    ) {
        let cluster = with(&services, "203.0.113.0/24");
        let nodes: Vec<_> = cluster.nodes.keys().map(|node| cluster.on(node)).collect();
        let groups = nodes.iter().map(|desired| {
            let contest = desired.link.contest.iter().flat_map(|contest| &contest.units);
            contest.map(|unit| (unit.name.clone(), unit.group.name.clone())).collect::<Vec<_>>()
        });
        let groups: Vec<_> = groups.collect();
        prop_assert!(groups.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

//! The page, line by line.

use std::time::Duration;

use openelb_ipam::dynamic_prefix::{Generation, Generations};
use openelb_ipam::relative::{Projection, RelativeRange};
use openelb_ipam::{Family, Ipam, Owner, PoolSpec, Request, Time};

use super::{Metrics, Present};
use crate::api::{Condition, DynamicPrefix, PrefixGeneration};
use crate::node_cidrs::Standing;

#[test]
fn openelb_52_a_page_shows_pools_services_and_what_was_counted() {
    let metrics = Metrics::new(false);
    metrics.wrote("Service", "done");
    metrics.warned("PoolExhausted");
    metrics.served_after(Duration::from_millis(3));
    let page = page(&metrics, true);
    for line in [
        r#"openelb_pool_capacity_addresses{pool="edge",family="IPv4"} 2.0"#,
        r#"openelb_pool_used_addresses{pool="edge",family="IPv4"} 1.0"#,
        r#"openelb_services{state="allocated"} 2.0"#,
        r#"openelb_service_address{pool="edge",address="192.0.2.1"} 1.0"#,
        r#"openelb_service_address{pool="moving",address="2001:db8:b::10"} 1.0"#,
        r#"openelb_service_address{pool="moving",address="2001:db8:a::10"} 1.0"#,
        r#"openelb_services{state="waiting"} 0.0"#,
        r#"openelb_api_writes_total{kind="Service",outcome="done"} 1"#,
        r#"openelb_refusals_total{reason="PoolExhausted"} 1"#,
        r#"openelb_prefix_generation{prefix="home"} 2.0"#,
        r#"openelb_prefix_valid_seconds{prefix="home"} 3600.0"#,
        r#"openelb_prefix_renumber_total{prefix="home"} 1.0"#,
        r#"openelb_prefix_deprecated{prefix="home"} 0.0"#,
        r#"openelb_prefix_degraded{prefix="home"} 1.0"#,
        "openelb_reconcile_seconds_count 1",
        "openelb_leader 1",
        r#"openelb_pod_network_nodes{state="assigned"} 1.0"#,
        r#"openelb_pod_network_nodes{state="exhausted"} 1.0"#,
        r#"openelb_pod_network_nodes{state="unassigned"} 1.0"#,
        "openelb_pod_network_records 2",
    ] {
        assert!(page.contains(line), "{line}\n{page}");
    }
    assert!(!page.contains("addresses_in_use_total"));
    assert_eq!(page.matches("openelb_service_address{").count(), 3);
}

#[test]
fn the_names_of_openelb_have_the_values_that_they_promise() {
    let page = page(&Metrics::new(true), false);
    for line in [
        r#"addresses_total{eipName="edge"} 2.0"#,
        r#"addresses_in_use_total{eipName="edge"} 1.0"#,
        r#"services_allocated_total{eipName="edge"} 1.0"#,
    ] {
        let is_there = page.lines().any(|it| it == line);
        assert!(is_there, "{line}\n{page}");
    }
}

#[test]
fn a_pool_that_is_gone_is_not_shown() {
    let metrics = Metrics::new(true);
    page(&metrics, true);
    let page = metrics.page(&Present {
        ipam: &Ipam::new(),
        pods: None,
        leads: true,
        dropped_events: 0,
        prefixes: vec![&home()],
        view: &Projection::default(),
        now: Time(0),
    });
    assert!(!page.contains("edge"), "{page}");
}

/// A prefix that was renumbered once, and is valid for an hour.
fn home() -> DynamicPrefix {
    let mut home = DynamicPrefix::new("home", Vec::new());
    home.status.renumbered = 1;
    home.status.conditions.push(Condition {
        kind: "Degraded".into(),
        status: "True".into(),
        ..Condition::default()
    });
    home.status.preferred = Some(PrefixGeneration {
        valid_until: Some("1970-01-01T01:00:00Z".into()),
        ..PrefixGeneration::default()
    });
    home
}

fn page(metrics: &Metrics, leads: bool) -> String {
    let mut ipam = Ipam::new();
    let range: RelativeRange = "home/::10".parse().unwrap();
    let pools = [
        PoolSpec::new("edge".parse().unwrap(), ["192.0.2.0/30"]),
        PoolSpec::new("moving".parse().unwrap(), [&*range.in_ledger().to_string()]),
    ];
    let plan = ipam.plan_pools(&pools).unwrap();
    ipam.apply_pools(plan, Time(0)).unwrap();
    for (owner, family) in [("web", Family::V4), ("six", Family::V6)] {
        let owner: Owner = format!("service/shop/{owner}").parse().unwrap();
        ipam.allocate(&owner, &Request::single(family), Time(0))
            .unwrap();
    }
    let known = |prefix: &str| Generation::new(prefix.parse().unwrap(), Time(0));
    let mut view = Projection::default();
    let generations = Generations {
        preferred: Some(known("2001:db8:b::/64")),
        deprecated: vec![known("2001:db8:a::/64")],
    };
    view.insert(range.prefix().clone(), generations).unwrap();
    metrics.page(&Present {
        ipam: &ipam,
        pods: Some(Standing {
            nodes: 3,
            assigned: 1,
            waiting: 1,
            records: 2,
            clashes: 0,
        }),
        leads,
        dropped_events: 0,
        prefixes: vec![&home()],
        view: &view,
        now: Time(0),
    })
}

//! A service gets its addresses, changes its families, and goes.

use std::net::IpAddr;

use serde_json::json;

use super::traffic::{self, describe, finish_streams, start_streams};
use crate::lab::kubernetes::objects::{self, BOTH, ON_LINK, POOL, ROUTED, SERVICE};
use crate::lab::kubernetes::plan::NODES;
use crate::lab::kubernetes::stage::Stage;
use crate::lab::scenario::trouble::Trouble;
use crate::lab::scenario::{Outcome, until};

/// Addresses of the nodes' link, answered for by ARP and NDP.
pub(super) fn on_link(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    serve(stage, &objects::pool("layer2", ON_LINK), BOTH)
}

/// Addresses that routes lead to.
pub(super) fn routed(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    serve(stage, &objects::pool("bgp", ROUTED), BOTH)
}

/// Addresses of a virtual router.
pub(super) fn virtual_router(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    serve(stage, &objects::pool("vip", ON_LINK), BOTH)
}

/// Addresses of both families, IPv6 first as the service lists them.
pub(super) fn six_first(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let fields = "ipFamilyPolicy: RequireDualStack\n  ipFamilies: [IPv6, IPv4]";
    let outcome = serve(stage, &objects::pool("layer2", ON_LINK), fields)?;
    let is_v6_first = stage.addresses.first().is_some_and(IpAddr::is_ipv6);
    expect(
        is_v6_first,
        "the address of the first family first",
        &stage.addresses,
    )?;
    Ok(outcome)
}

/// Only the second node's pod is ready, and only nodes with a ready pod may announce.
pub(super) fn local(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let [first, second, third] = NODES;
    stage.set_ready(first, false)?;
    stage.set_ready(third, false)?;
    stage.node = second;
    let fields = "ipFamilyPolicy: RequireDualStack\n  externalTrafficPolicy: Local";
    let outcome = serve(stage, &objects::pool("bgp", ROUTED), fields)?;
    let hops = traffic::wait_for_hops(stage, 1)?;
    traffic::reach(stage)?;
    Ok(Outcome {
        facts: json!({ "allocated": outcome.facts, "next_hops": hops }),
        ..outcome
    })
}

/// The service gives one of its families up: that address alone is free. From now on the client asks
/// at the other.
pub(super) fn reduce(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    stage.addresses.truncate(1);
    start_streams(stage)?;
    patch(
        stage,
        r#"{"spec":{"ipFamilyPolicy":"SingleStack","ipFamilies":["IPv6"]}}"#,
    )?;
    let left = stage.wait_for_ingress(SERVICE, 1)?;
    expect(
        left == stage.addresses,
        "the address of the family that stays",
        &left,
    )?;
    wait_for_records(stage, 1)?;
    traffic::reach(stage)?;
    Ok(Outcome {
        summary: "without IPv4 the service keeps its IPv6 address, and the other is free"
            .to_owned(),
        details: Vec::new(),
        facts: json!({ "addresses": left }),
    })
}

/// It wants both again.
pub(super) fn restore(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let kept = stage.addresses.clone();
    patch(
        stage,
        r#"{"spec":{"ipFamilyPolicy":"RequireDualStack","ipFamilies":["IPv6","IPv4"]}}"#,
    )?;
    stage.addresses = stage.wait_for_ingress(SERVICE, 2)?;
    expect(
        stage.addresses.starts_with(&kept),
        "the address that it kept, first",
        &stage.addresses,
    )?;
    traffic::reach(stage)?;
    let reports = finish_streams(stage)?;
    Ok(Outcome {
        summary: "with both families again it has the address that it kept and another".to_owned(),
        details: reports.iter().map(describe).collect(),
        facts: json!({ "addresses": stage.addresses, "streams": reports }),
    })
}

/// Services and pool can be deleted, nothing is left in the records, and the API server refused
/// nothing to our accounts.
pub(super) fn release(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    stage.kubectl("delete services -l component!=apiserver --timeout=60s")?;
    wait_for_records(stage, 0)?;
    stage.kubectl(&format!("delete eip {POOL} --timeout=60s"))?;
    for node in NODES {
        stage.set_ready(node, true)?;
    }
    let denied: Vec<_> = stage.denied().iter().map(ToString::to_string).collect();
    expect(
        denied.is_empty(),
        "nothing is refused to our accounts",
        &denied,
    )?;
    Ok(Outcome {
        summary: "the services and the pool are gone, and nothing is left of them".to_owned(),
        details: Vec::new(),
        facts: json!({}),
    })
}

/// Applies a pool and a service, and waits for the service's two addresses.
fn serve(stage: &mut Stage<'_>, pool: &str, fields: &str) -> Result<Outcome, Trouble> {
    stage.apply(&(pool.to_owned() + &objects::service(SERVICE, fields)))?;
    stage.addresses = stage.wait_for_ingress(SERVICE, 2)?;
    let records = stage.records()?;
    let are_recorded = stage
        .addresses
        .iter()
        .all(|address| records.contains_key(&address.to_string()));
    expect(
        are_recorded,
        "every address is in the pool's records",
        &records,
    )?;
    Ok(Outcome {
        summary: "the service has an address of each family".to_owned(),
        details: stage.addresses.iter().map(ToString::to_string).collect(),
        facts: json!({ "addresses": stage.addresses }),
    })
}

/// Waits until the pool has so many records.
pub(super) fn wait_for_records(stage: &Stage<'_>, count: usize) -> Result<(), Trouble> {
    until(&format!("{count} records in the pool"), || {
        let records = stage.records()?;
        Ok((records.len() == count)
            .then_some(())
            .ok_or_else(|| format!("{records:?}")))
    })
}

fn patch(stage: &Stage<'_>, change: &str) -> Result<(), Trouble> {
    stage
        .plane
        .kubectl(&["patch", "service", SERVICE, "-p", change])?;
    Ok(())
}

/// Fails with what was seen unless it was what was expected.
pub(super) fn expect(
    is_so: bool,
    expected: &str,
    seen: &impl std::fmt::Debug,
) -> Result<(), Trouble> {
    if is_so {
        return Ok(());
    }
    Err(Trouble::Unexpected {
        expected: expected.to_owned(),
        seen: format!("{seen:?}"),
    })
}

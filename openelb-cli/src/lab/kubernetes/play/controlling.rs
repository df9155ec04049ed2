//! What the controller must get right: few addresses, old records, a rival, a server that was away.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::serving::expect;
use super::traffic::{self, describe, finish_streams, start_streams};
use crate::lab::kubernetes::objects::{self, ON_LINK, POOL, SERVICE};
use crate::lab::kubernetes::stage::{self, Stage};
use crate::lab::scenario::trouble::Trouble;
use crate::lab::scenario::{Outcome, until};

/// One address for two services: the second waits, and an Event says why.
pub(super) fn exhaust(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    stage.apply(&(objects::pool("layer2", "192.0.2.240") + &objects::service(SERVICE, SINGLE)))?;
    stage.addresses = stage.wait_for_ingress(SERVICE, 1)?;
    stage.apply(&objects::service(WAITING, SINGLE))?;
    let reason = until(&format!("an Event says why {WAITING} waits"), || {
        let events = stage.read("events --field-selector type=Warning")?;
        let items = events
            .get("items")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let mut about = items.filter(|event| {
            event
                .pointer("/involvedObject/name")
                .and_then(Value::as_str)
                == Some(WAITING)
        });
        let reason =
            about.find_map(|event| Some((text(event, "reason")?, text(event, "message")?)));
        Ok(reason.ok_or_else(|| "there is none".to_owned()))
    })?;
    let none = stage.ingress(WAITING)?;
    expect(
        none.is_empty(),
        "no address for the service that waits",
        &none,
    )?;
    Ok(Outcome {
        summary: format!("the second service waits: {}", reason.0),
        details: vec![reason.1],
        facts: json!({ "addresses": stage.addresses, "reason": reason.0 }),
    })
}

/// The first service goes, and the second gets its address.
pub(super) fn free(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    stage.kubectl(&format!("delete service {SERVICE} --timeout=60s"))?;
    let given = stage.wait_for_ingress(WAITING, 1)?;
    expect(
        given == stage.addresses,
        "the address that became free",
        &given,
    )?;
    traffic::reach(stage)?;
    Ok(Outcome {
        summary: "with the first service gone the second has its address".to_owned(),
        details: Vec::new(),
        facts: json!({ "addresses": given }),
    })
}

/// OpenELB's objects, without a controller: the client is served.
pub(super) fn as_openelb_left_it(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    stage.stop_controllers()?;
    stage.apply(&(objects::pool("layer2", ON_LINK) + &objects::service_of_openelb()))?;
    let address: IpAddr = [192, 0, 2, 245].into();
    for (what, [marks, status]) in [
        (["eip", POOL], objects::records_of_openelb(address)),
        (["service", SERVICE], objects::marks_of_openelb(address)),
    ] {
        let as_openelb = &[what.as_slice(), &["--field-manager=manager"]].concat();
        stage::patch(&stage.plane, as_openelb, &marks)?;
        stage::patch_status(&stage.plane, as_openelb, &status)?;
    }
    stage.addresses = vec![address];
    traffic::reach(stage)
}

/// Our controller starts: no address changes, the service is not written, no question is lost for it.
pub(super) fn take_over(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let version = |stage: &Stage<'_>| -> Result<Value, Trouble> {
        let service = stage.read(&format!("service {SERVICE}"))?;
        Ok(service
            .pointer("/metadata/resourceVersion")
            .cloned()
            .unwrap_or_default())
    };
    let before = version(stage)?;
    start_streams(stage)?;
    stage.start_controller(&[])?;
    // It has seen everything when it serves a new service.
    stage.apply(&objects::service(WAITING, SINGLE))?;
    let new = stage.wait_for_ingress(WAITING, 1);
    let reports = finish_streams(stage)?;
    let (new, after, kept) = (new?, version(stage)?, stage.ingress(SERVICE)?);
    expect(kept == stage.addresses, "the address that it had", &kept)?;
    expect(new != kept, "another address for the new service", &new)?;
    expect(
        before == after,
        "no write to a service that has what it wants",
        &(before, after),
    )?;
    Ok(Outcome {
        summary: "the service keeps its address and was not written".to_owned(),
        details: reports.iter().map(describe).collect(),
        facts: json!({ "kept": kept, "new": new, "streams": reports }),
    })
}

/// Two controllers act at once on many services, and one is killed meanwhile.
pub(super) fn split(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    stage.stop_controllers()?;
    for _ in 0..2 {
        stage.start_controller(&["--leader-elect=false"])?;
    }
    stage.apply(&objects::pool("bgp", "203.0.113.0/24"))?;
    let some = |numbers: std::ops::Range<usize>| -> String {
        numbers
            .map(|number| objects::service(&format!("web-{number}"), SINGLE))
            .collect()
    };
    stage.apply(&some(0..MANY / 2))?;
    stage.kill_controller();
    stage.start_controller(&["--leader-elect=false"])?;
    stage.apply(&some(MANY / 2..MANY))?;
    let given = until(&format!("{MANY} services have an address"), || {
        let given = all_addresses(stage)?;
        Ok((given.len() >= MANY)
            .then_some(given.clone())
            .ok_or_else(|| format!("{} have", given.len())))
    })?;
    let different: BTreeSet<_> = given.iter().collect();
    expect(
        different.len() == MANY && given.len() == MANY,
        "every address once",
        &given,
    )?;
    super::serving::wait_for_records(stage, MANY)?;
    Ok(Outcome {
        summary: format!("two controllers that both act gave {MANY} services {MANY} addresses"),
        details: Vec::new(),
        facts: json!({ "services": MANY, "addresses": different.len() }),
    })
}

/// One controller is left, which finds nothing to change.
pub(super) fn heal(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let before = all_addresses(stage)?;
    stage.stop_controllers()?;
    stage.start_controller(&[])?;
    stage.apply(&objects::service(WAITING, SINGLE))?;
    stage.wait_for_ingress(WAITING, 1)?;
    let after = all_addresses(stage)?;
    let is_same = before.iter().all(|address| after.contains(address));
    expect(
        is_same && after.len() == MANY + 1,
        "the same addresses as before",
        &after,
    )?;
    Ok(Outcome {
        summary: "one controller is left, and no address was moved".to_owned(),
        details: Vec::new(),
        facts: json!({ "services": after.len() }),
    })
}

/// With the API server back, a new service gets its address.
pub(super) fn recover(stage: &mut Stage<'_>) -> Result<Outcome, Trouble> {
    let kept = stage.ingress(SERVICE)?;
    expect(kept == stage.addresses, "the addresses that it had", &kept)?;
    stage.apply(&objects::service(WAITING, SINGLE))?;
    let new = stage.wait_for_ingress(WAITING, 1)?;
    traffic::reach(stage)?;
    Ok(Outcome {
        summary: "with the API server back a new service has its address".to_owned(),
        details: Vec::new(),
        facts: json!({ "kept": kept, "new": new }),
    })
}

/// The addresses of all services.
fn all_addresses(stage: &Stage<'_>) -> Result<Vec<IpAddr>, Trouble> {
    let list = stage.read("services")?;
    let services = list
        .get("items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    Ok(services.flat_map(stage::addresses_of).collect())
}

fn text(object: &Value, field: &str) -> Option<String> {
    object.get(field)?.as_str().map(str::to_owned)
}

/// One address of IPv4.
const SINGLE: &str = "ipFamilyPolicy: SingleStack";

/// The service that comes second.
const WAITING: &str = "second";

const MANY: usize = 40;

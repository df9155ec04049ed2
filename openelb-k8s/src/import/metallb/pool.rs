//! `IPAddressPool`.

use openelb_ipam::pool::Selector;
use serde_json::{Value, json};

use super::super::fields::Fields;
use super::super::remark::Report;
use super::Object;
use crate::api::{Eip, Protocol};
use crate::cluster::Namespace;

/// The Eip of a pool, which nothing announces yet.
pub(super) fn eip(document: Value, namespaces: &[Namespace], report: &mut Report) -> Eip {
    let mut object = Object::open(document, report);
    let mut eip = Eip::new("", "");
    eip.metadata = object.metadata.clone();
    eip.spec.protocol = Protocol::None;
    let mut spec = object.spec();
    let addresses: Vec<String> = spec.take("addresses").unwrap_or_default();
    let addresses: Vec<String> = addresses.iter().map(|it| range(it)).collect();
    eip.spec.address = addresses.join(", ");
    eip.spec.auto_assign = Some(spec.take("autoAssign").unwrap_or(true));
    eip.spec.avoid_buggy_ips = spec.take("avoidBuggyIPs").unwrap_or_default();
    allocation(spec.group("serviceAllocation"), namespaces, &mut eip);
    if spec.report.has_lost("spec.serviceAllocation") && eip.spec.auto_assign == Some(true) {
        eip.spec.auto_assign = Some(false);
        let next = "restrict the Eip in another way, then write autoAssign: true";
        let meaning = "the pool serves only who names it, because a restriction is lost";
        spec.note("autoAssign", &json!(true), meaning, next);
    }
    eip
}

/// MetalLB puts pools without a priority last; here they would come first.
pub(super) fn order_priorities(eips: &mut [Eip]) {
    let last = eips.iter().map(|eip| eip.spec.priority).max().unwrap_or(0);
    if last > 0 {
        let without = eips.iter_mut().filter(|eip| eip.spec.priority == 0);
        without.for_each(|eip| eip.spec.priority = last.saturating_add(1));
    }
}

/// The ends of a prefix are handed out by MetalLB, and not here.
pub(super) fn note_reserved(eips: &[Eip], report: &mut Report) {
    for eip in eips.iter().filter(|eip| eip.spec.address.contains('/')) {
        report.about("IPAddressPool", &eip.metadata.name);
        let value = Value::String(eip.spec.address.clone());
        let meaning = "network, broadcast and subnet-router addresses of a prefix are not given \
                       to new Services; who has one keeps it";
        let next = "nothing, or write the prefix as first-last to have them all";
        report.note("spec.addresses", &value, meaning, next);
    }
}

/// Without the white space that MetalLB allows round the dash.
fn range(written: &str) -> String {
    let ends: Vec<_> = written.split('-').map(str::trim).collect();
    ends.join("-")
}

fn allocation(mut fields: Fields<'_>, namespaces: &[Namespace], eip: &mut Eip) {
    eip.spec.priority = fields.take("priority").unwrap_or_default();
    eip.spec.namespaces = fields.take("namespaces").unwrap_or_default();
    eip.spec.service_selectors = fields.take("serviceSelectors").unwrap_or_default();
    let Some(value) = fields.raw("namespaceSelectors") else {
        return;
    };
    let key = "namespaceSelectors";
    let read: Result<Vec<Selector>, _> = serde_json::from_value(value.clone());
    let Ok(selectors) = read else {
        let next = "correct the value, then import again";
        return fields.lost(key, &value, "these are no label selectors", next);
    };
    match selectors.as_slice() {
        [] => {}
        [one] if one.match_expressions.is_empty() && !one.match_labels.is_empty() => {
            let labels = one.match_labels.iter();
            let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
            eip.spec.namespace_selector = labels.collect();
        }
        several => {
            let is_meant = |it: &&Namespace| {
                let mut selectors = several.iter();
                selectors.any(|selector| selector.matches(&it.metadata.labels))
            };
            let found: Vec<String> = namespaces
                .iter()
                .filter(is_meant)
                .map(|namespace| namespace.metadata.name.clone())
                .filter(|name| !eip.spec.namespaces.contains(name))
                .collect();
            let names = found.join(", ");
            eip.spec.namespaces.extend(found);
            let meaning = match names.as_str() {
                "" => "an Eip selects namespaces by one set of labels".to_owned(),
                names => format!(
                    "an Eip selects namespaces by one set of labels; those that match now are listed \
                     by name ({names}), later ones will not be"
                ),
            };
            let next = "label the namespaces alike for `namespaceSelector`, or list them in \
                        `namespaces`";
            fields.lost(key, &value, &meaning, next);
        }
    }
}

/// The pools that an advertisement is for.
pub(super) fn selected<'a>(
    eips: &'a mut [Eip],
    pools: &'a [String],
    selectors: &'a [Selector],
) -> impl Iterator<Item = &'a mut Eip> {
    let is_meant = |eip: &&mut Eip| {
        let is_any = pools.is_empty() && selectors.is_empty();
        let is_named = pools.contains(&eip.metadata.name);
        let mut selectors = selectors.iter();
        is_any || is_named || selectors.any(|selector| selector.matches(&eip.metadata.labels))
    };
    eips.iter_mut().filter(is_meant)
}

/// Names of pools that an advertisement names and nobody defines.
pub(super) fn unknown<'a>(eips: &[Eip], pools: &'a [String]) -> Vec<&'a str> {
    let is_known = |name: &String| eips.iter().any(|eip| eip.metadata.name == *name);
    let unknown = pools.iter().filter(|name| !is_known(name));
    unknown.map(String::as_str).collect()
}

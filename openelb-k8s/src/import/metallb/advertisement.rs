//! `L2Advertisement` and `BGPAdvertisement`: what becomes of the addresses of pools.

use openelb_ipam::pool::Selector;
use serde_json::{Value, json};

use super::super::fields::Fields;
use super::super::remark::Report;
use super::super::selector::{any_of, single_label};
use super::{EVERYWHERE, Object, pool};
use crate::api::{Advertisement, Eip, EipBgp, EipLayer2, NextHop, Protocol};

/// Which pools an advertisement is for, and whether it can be used.
#[derive(Debug, Default)]
struct For {
    kind: &'static str,
    name: String,
    pools: Vec<String>,
    selectors: Vec<Selector>,
    /// It was for certain services only: for all it would be wider.
    is_left_out: bool,
}

/// An `L2Advertisement`.
#[derive(Debug, Default)]
pub(super) struct Layer2 {
    pools: For,
    interfaces: Vec<String>,
    nodes: Vec<Selector>,
    preferred: Vec<String>,
}

/// A `BGPAdvertisement`.
#[derive(Debug, Default)]
pub(super) struct Bgp {
    pools: For,
    advertisement: Advertisement,
}

pub(super) fn layer2(document: Value, report: &mut Report) -> Layer2 {
    let mut object = Object::open(document, report);
    let name = object.metadata.name.clone();
    let mut spec = object.spec();
    Layer2 {
        interfaces: spec.take("interfaces").unwrap_or_default(),
        nodes: spec.take("nodeSelectors").unwrap_or_default(),
        preferred: preferred(&mut spec),
        pools: pools("L2Advertisement", name, &mut spec),
    }
}

pub(super) fn bgp(document: Value, report: &mut Report) -> Bgp {
    let mut object = Object::open(document, report);
    let name = object.metadata.name.clone();
    let mut spec = object.spec();
    Bgp {
        advertisement: Advertisement {
            aggregation_length: spec.take("aggregationLength"),
            aggregation_length_v6: spec.take("aggregationLengthV6"),
            local_pref: spec.take("localPref").filter(|value| *value != 0),
            communities: spec.take("communities").unwrap_or_default(),
            peers: spec.take("peers").unwrap_or_default(),
            node_selectors: spec.take("nodeSelectors").unwrap_or_default(),
            ..Advertisement::default()
        },
        pools: pools("BGPAdvertisement", name, &mut spec),
    }
}

/// Announces pools on the link. An Eip has one set of interfaces and nodes.
pub(super) fn apply_layer2(all: &[Layer2], eips: &mut [Eip], report: &mut Report) {
    for one in all {
        let taken = Taken {
            meaning: "has another L2Advertisement already, and an Eip has one set of interfaces and \
                      nodes; this one is left out",
            next: "divide the addresses among several Eips, or widen the first one's fields",
            lost: json!(one.interfaces),
        };
        for eip in free(&one.pools, eips, &taken, report) {
            answer(one, eip, report);
        }
    }
}

fn answer(one: &Layer2, eip: &mut Eip, report: &mut Report) {
    let Some(nodes) = any_of(&one.nodes) else {
        let next = "give the nodes one label, and write it in `nodeSelector` with protocol: layer2";
        let meaning = "an Eip has one node selector; the pool is not announced on the link";
        return report.lost("spec.nodeSelectors", &json!(one.nodes), meaning, next);
    };
    eip.spec.protocol = Protocol::Layer2;
    eip.spec.interfaces.clone_from(&one.interfaces);
    if one.interfaces.is_empty() {
        EVERYWHERE.clone_into(&mut eip.spec.interface);
    }
    eip.spec.node_selector = Some(nodes).filter(|nodes| *nodes != Selector::default());
    if !one.preferred.is_empty() {
        eip.spec.layer2 = Some(EipLayer2 {
            preferred_nodes: one.preferred.clone(),
            ..EipLayer2::default()
        });
    }
}

/// Announces pools by BGP, unless they are announced on the link.
pub(super) fn apply_bgp(all: &[Bgp], eips: &mut [Eip], report: &mut Report) {
    for one in all {
        let taken = Taken {
            meaning: "stays with layer2: an Eip has one protocol",
            next: "divide the addresses into an Eip for each protocol",
            lost: json!(one.advertisement),
        };
        for eip in free(&one.pools, eips, &taken, report) {
            eip.spec.protocol = Protocol::Bgp;
            // MetalLB's speakers announce themselves.
            let bgp = eip.spec.bgp.get_or_insert_with(|| EipBgp {
                next_hop: NextHop::Own,
                ..EipBgp::default()
            });
            bgp.advertisements.push(one.advertisement.clone());
        }
    }
}

/// What is said of a pool that is announced on the link already.
struct Taken {
    meaning: &'static str,
    next: &'static str,
    lost: Value,
}

/// The pools that an advertisement is for and that are not announced on the link yet; the others
/// are reported.
fn free<'a>(
    wanted: &'a For,
    eips: &'a mut [Eip],
    taken: &Taken,
    report: &mut Report,
) -> Vec<&'a mut Eip> {
    begin(wanted, eips, report);
    if wanted.is_left_out {
        return Vec::new();
    }
    let mut found = Vec::new();
    for eip in pool::selected(eips, &wanted.pools, &wanted.selectors) {
        if eip.spec.protocol == Protocol::Layer2 {
            let meaning = format!("the pool {} {}", eip.metadata.name, taken.meaning);
            report.lost("spec", &taken.lost, &meaning, taken.next);
        } else {
            found.push(eip);
        }
    }
    found
}

fn begin(pools: &For, eips: &[Eip], report: &mut Report) {
    report.about(pools.kind, &pools.name);
    for name in pool::unknown(eips, &pools.pools) {
        let next = "import the pool too, or leave its name out";
        report.note(
            "spec.ipAddressPools",
            &json!(name),
            "there is no such pool",
            next,
        );
    }
}

fn pools(kind: &'static str, name: String, spec: &mut Fields<'_>) -> For {
    let selectors = spec.take::<Vec<Value>>("serviceSelectors");
    let is_left_out = selectors.as_ref().is_some_and(|it| !it.is_empty());
    if is_left_out {
        let next = "make a pool of its own for these services, with `serviceSelectors` in the Eip";
        let meaning = "an advertisement for certain services does not exist; it is left out";
        spec.lost("serviceSelectors", &json!(selectors), meaning, next);
    }
    let found = For {
        kind,
        name,
        pools: spec.take("ipAddressPools").unwrap_or_default(),
        selectors: spec.take("ipAddressPoolSelectors").unwrap_or_default(),
        is_left_out,
    };
    // A selection that could not be read would become one of all pools; a node selector, all nodes.
    let restrictions = [
        "spec.ipAddressPool",
        "spec.nodeSelectors",
        "spec.interfaces",
        "spec.peers",
    ];
    let is_wider = restrictions.iter().any(|path| spec.report.has_lost(path));
    For {
        is_left_out: is_left_out || is_wider,
        ..found
    }
}

/// Names of the nodes that come first, where they were said by name.
fn preferred(spec: &mut Fields<'_>) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Preferred {
        weight: u32,
        preference: Selector,
    }
    let key = "preferredNodeSelectors";
    let Some(value) = spec.raw(key) else {
        return Vec::new();
    };
    let next = "write the nodes in `layer2.preferredNodes`, or a preference for each node in the \
                Layer2Conf";
    let read: Result<Vec<Preferred>, _> = serde_json::from_value(value.clone());
    let Ok(read) = read else {
        spec.lost(key, &value, "the value cannot be read", next);
        return Vec::new();
    };
    let mut names = Vec::new();
    for one in &read {
        if let Some(("kubernetes.io/hostname", mut found)) = single_label(&one.preference) {
            names.append(&mut found);
        } else {
            let meaning = "an Eip prefers nodes by name, not by label";
            spec.lost(key, &json!(one.preference), meaning, next);
        }
    }
    names.sort_unstable();
    names.dedup();
    let first = read.first().map(|one| one.weight);
    if read.iter().any(|one| Some(one.weight) != first) {
        let meaning = "nodes that an Eip prefers are equal among each other";
        spec.lost(key, &value, meaning, next);
    }
    names
}

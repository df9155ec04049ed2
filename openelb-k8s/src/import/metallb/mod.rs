//! The objects of MetalLB.

mod advertisement;
mod earlier;
mod peer;
mod pool;

use std::collections::BTreeMap;

use openelb_ipam::Labels;
use serde_json::Value;

use super::remark::Report;
use super::{Imported, Sources, identity};
use crate::api::ObjectMeta;

#[cfg(feature = "client")]
pub(super) use earlier::is_it as is_configuration;

pub(super) fn import(sources: &mut Sources, report: &mut Report) -> Imported {
    let mut imported = Imported::default();
    earlier::add_objects(sources, report);
    let communities = communities(sources.take(GROUP, "Community"), report);
    let profiles = peer::profiles(sources.take(GROUP, "BFDProfile"));
    let read = peer::read(sources.take(GROUP, "BGPPeer"), &profiles, report);
    (imported.conf, imported.peers) = (read.conf, read.peers);
    if let (Some(conf), false) = (&mut imported.conf, communities.is_empty()) {
        conf.spec.communities = communities;
    }

    let layer2 = sources.take(GROUP, "L2Advertisement").into_iter();
    let layer2: Vec<_> = layer2.map(|it| advertisement::layer2(it, report)).collect();
    let bgp = sources.take(GROUP, "BGPAdvertisement").into_iter();
    let bgp: Vec<_> = bgp.map(|it| advertisement::bgp(it, report)).collect();
    let pools = sources.take(GROUP, "IPAddressPool");
    let pools = pools.into_iter();
    imported.eips = pools
        .map(|pool| pool::eip(pool, &sources.namespaces, report))
        .collect();
    pool::order_priorities(&mut imported.eips);
    advertisement::apply_layer2(&layer2, &mut imported.eips, report);
    advertisement::apply_bgp(&bgp, &mut imported.eips, report);
    pool::note_reserved(&imported.eips, report);
    for kind in OBSERVED {
        // What MetalLB itself wrote down of its state has nothing in it that a user said.
        sources.take(GROUP, kind);
    }
    imported
}

/// The names that communities have.
fn communities(objects: Vec<Value>, report: &mut Report) -> BTreeMap<String, String> {
    #[derive(serde::Deserialize)]
    struct Alias {
        name: String,
        value: String,
    }
    let mut communities = BTreeMap::new();
    for object in objects {
        let mut object = Object::open(object, report);
        let mut spec = object.spec();
        for alias in spec.take::<Vec<Alias>>("communities").unwrap_or_default() {
            communities.insert(alias.name, alias.value);
        }
    }
    communities
}

/// An object, its metadata read.
struct Object<'r> {
    metadata: ObjectMeta,
    spec: Option<Value>,
    report: &'r mut Report,
}

impl<'r> Object<'r> {
    fn open(mut document: Value, report: &'r mut Report) -> Self {
        let (kind, name) = identity(&document);
        report.about(&kind, &name);
        let mut take = |key: &str| document.as_object_mut().and_then(|it| it.remove(key));
        let (metadata, spec) = (take("metadata"), take("spec"));
        let labels = |key: &str| {
            let value = metadata.as_ref().and_then(|it| it.get(key)).cloned();
            let labels: Option<Labels> = value.and_then(|value| serde_json::from_value(value).ok());
            labels.unwrap_or_default()
        };
        let mut annotations = labels("annotations");
        annotations.remove(APPLIED);
        let metadata = ObjectMeta {
            name,
            labels: labels("labels"),
            annotations,
            ..ObjectMeta::default()
        };
        Self {
            metadata,
            spec,
            report,
        }
    }

    fn spec(&mut self) -> super::fields::Fields<'_> {
        super::fields::Fields::new("spec", self.spec.take(), self.report)
    }
}

const GROUP: &str = "metallb.io";
const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const OBSERVED: [&str; 3] = ["ServiceL2Status", "ServiceBGPStatus", "ConfigurationState"];

/// Where the interface of a new pool is not said: all of a node, as MetalLB does.
const EVERYWHERE: &str = "all";

//! Takes over what other load balancers were told: the objects of OpenELB and of MetalLB become objects
//! of this project, with the allocations that exist.
//!
//! [`import`] is pure. Nothing is dropped silently: every field of an object that is read is either
//! carried over or named in a [`Remark`], with its path, its value, what it meant and what to do. A
//! restriction that cannot be carried over is never widened: the pool serves nobody unasked, the
//! advertisement or the session is left out, until somebody has decided.

mod dyn6;
mod fields;
#[cfg(feature = "client")]
mod live;
mod metallb;
mod openelb;
mod records;
mod remark;
mod selector;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::api::{BgpConf, BgpPeer, DynamicPrefix, Eip};
use crate::cluster::{Namespace, Service};
use crate::names;

#[cfg(feature = "client")]
pub use live::{LiveError, documents};
pub use remark::{Grade, Remark};

use remark::Report;

/// Whose objects are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// `OpenELB` 0.4 to 0.6, with `v1alpha1` and `v1alpha2`.
    OpenElb,
    /// `MetalLB`: the objects of 0.13 and later, or the `ConfigMap` of versions before.
    MetalLb,
    /// metallb-dyn6 beside `MetalLB`: its Helm values, its Deployment or its environment.
    MetalLbDyn6,
}

/// What became of the objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// The speaker, when there is anything to say about it.
    pub conf: Option<BgpConf>,
    /// The neighbours, in the order of the documents.
    pub peers: Vec<BgpPeer>,
    /// The prefixes that addresses of the pools follow.
    pub prefixes: Vec<DynamicPrefix>,
    /// The pools, with the allocations that Services show.
    pub eips: Vec<Eip>,
    /// What is to be said, in the order of the documents.
    pub remarks: Vec<Remark>,
}

impl Imported {
    /// Whether something was not carried over.
    pub fn has_loss(&self) -> bool {
        self.remarks
            .iter()
            .any(|remark| remark.grade == Grade::Lost)
    }

    /// The objects as an API server takes them, in an order in which nothing waits for a later one.
    pub fn objects(&self) -> Vec<Value> {
        let conf = self.conf.iter().map(serde_json::to_value);
        let peers = self.peers.iter().map(serde_json::to_value);
        let prefixes = self.prefixes.iter().map(serde_json::to_value);
        let eips = self.eips.iter().map(serde_json::to_value);
        // Maps with text keys are always JSON.
        let mut objects: Vec<Value> = {
            let first = conf.chain(peers).chain(prefixes);
            first.chain(eips).flatten().collect()
        };
        objects.iter_mut().for_each(tell_protocol);
        objects
    }
}

/// Makes this project's objects out of those of another. Lists, as `kubectl get -o yaml` writes them,
/// are taken apart. O(size of the documents + Services × pools).
///
/// ```
/// use openelb_k8s::import::{Origin, import};
/// use serde_json::json;
///
/// let pool = json!({
///     "apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool", "metadata": {"name": "edge"},
///     "spec": {"addresses": ["192.0.2.0/24"]},
/// });
/// let imported = import(Origin::MetalLb, &[pool]);
/// assert_eq!(imported.eips[0].spec.address, "192.0.2.0/24");
/// assert!(!imported.has_loss());
/// ```
pub fn import(origin: Origin, documents: &[Value]) -> Imported {
    let mut sources = Sources::default();
    let mut report = Report::default();
    for document in documents {
        sources.add(document, &mut report);
    }
    let mut imported = match origin {
        Origin::OpenElb => openelb::import(&mut sources, &mut report),
        Origin::MetalLb => metallb::import(&mut sources, &mut report),
        Origin::MetalLbDyn6 => dyn6::import(&mut sources, &mut report),
    };
    for (kind, name) in sources.others.iter().map(identity) {
        report.about(&kind, &name);
        let meaning = "objects of this kind are not read";
        report.lost("kind", &Value::String(kind), meaning, "see what it is for");
    }
    records::take_over(origin, &mut imported.eips, &sources.services, &mut report);
    imported.remarks = report.remarks;
    imported
}

/// Writes what the absence of the protocol means, so that nobody has to know it.
fn tell_protocol(object: &mut Value) {
    if identity(object).0 != names::EIP_KIND {
        return;
    }
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        spec.entry("protocol").or_insert_with(|| "bgp".into());
    }
}

/// What was written, by what reads it.
#[derive(Debug, Default)]
struct Sources {
    services: Vec<Service>,
    namespaces: Vec<Namespace>,
    /// Everything else, until the reader of the origin takes it.
    others: Vec<Value>,
}

impl Sources {
    fn add(&mut self, document: &Value, report: &mut Report) {
        let (kind, name) = identity(document);
        if let (true, Some(Value::Array(items))) = (kind.ends_with("List"), document.get("items")) {
            // The items of a typed list need not repeat what they are.
            let item_kind = kind.trim_end_matches("List");
            for item in items {
                let mut item = item.clone();
                if let (Value::Object(fields), false) = (&mut item, item_kind.is_empty()) {
                    let own = fields.entry("kind").or_insert(Value::Null);
                    if own.is_null() {
                        *own = Value::String(item_kind.to_owned());
                    }
                    let version = document.get("apiVersion").cloned().unwrap_or_default();
                    fields.entry("apiVersion").or_insert(version);
                }
                // A list in a list is none of kubectl's, and could be nested without end.
                self.sort(&item, report);
            }
        } else if !document.is_null() || !name.is_empty() {
            self.sort(document, report);
        }
    }

    fn sort(&mut self, document: &Value, report: &mut Report) {
        let (kind, name) = identity(document);
        let version = document.get("apiVersion").and_then(Value::as_str);
        let is_core = version == Some("v1");
        let read = match kind.as_str() {
            names::SERVICE_KIND if is_core => {
                serde_json::from_value(document.clone()).map(|service| self.services.push(service))
            }
            "Namespace" if is_core => serde_json::from_value(document.clone())
                .map(|namespace| self.namespaces.push(namespace)),
            _ => {
                self.others.push(document.clone());
                Ok(())
            }
        };
        if let Err(error) = read {
            report.about(&kind, &name);
            let why = format!("it is no valid {kind}: {error}");
            report.lost("metadata.name", &Value::String(name), &why, "correct it");
        }
    }

    /// The objects of a kind, whatever the version.
    fn take(&mut self, group: &str, kind: &str) -> Vec<Value> {
        let is_it = |document: &mut Value| {
            let version = document.get("apiVersion").and_then(Value::as_str);
            let of_group = version.and_then(|text| text.split_once('/'));
            of_group.is_some_and(|(found, _)| found == group) && identity(document).0 == kind
        };
        self.others.extract_if(.., is_it).collect()
    }
}

/// Kind and name of an object, empty where it has none.
fn identity(document: &Value) -> (String, String) {
    let text = |value: Option<&Value>| {
        let text = value.and_then(Value::as_str).unwrap_or_default();
        text.to_owned()
    };
    let name = document.get("metadata").and_then(|it| it.get("name"));
    (text(document.get("kind")), text(name))
}

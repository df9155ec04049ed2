//! Templates: a peer takes from another object what it does not say itself.

use serde_json::Value;

use crate::api::{BgpPeer, BgpPeerSpec};
use crate::problem::{Reason, Remarks};

/// The specification with its template's fields where its own are absent. Mappings are merged key by
/// key; lists and values are taken whole. `None` when there is no such template.
pub(super) fn resolved(
    spec: &BgpPeerSpec,
    peers: &[BgpPeer],
    remarks: &mut Remarks,
) -> Option<BgpPeerSpec> {
    let name = spec.template.as_str();
    if name.is_empty() {
        return Some(spec.clone());
    }
    let key = "spec.template";
    let Some(template) = peers.iter().find(|peer| peer.metadata.name == name) else {
        let next = format!("add a BgpPeer `{name}` with `isTemplate: true`");
        let message = format!("there is no BgpPeer `{name}`");
        remarks.add(Reason::Unresolved, key, message, next);
        return None;
    };
    if !template.spec.is_template || !template.spec.template.is_empty() {
        let message = format!("BgpPeer `{name}` is no template");
        let next = "write `isTemplate: true` into it; a template has no template of its own";
        remarks.add(Reason::Unresolved, key, message, next);
        return None;
    }
    Some(merged(spec, &template.spec))
}

/// Absent fields are not written, so what is not in the peer's own form is what it leaves open.
fn merged(own: &BgpPeerSpec, template: &BgpPeerSpec) -> BgpPeerSpec {
    let value = |spec| serde_json::to_value(spec).expect("the fields are plain data");
    let mut result = value(template);
    overlay(&mut result, value(own));
    let mut merged: BgpPeerSpec =
        serde_json::from_value(result).expect("fields of one type replace fields of that type");
    merged.is_template = false;
    merged
}

fn overlay(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                overlay(below.entry(key).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}

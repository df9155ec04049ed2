//! The configuration of MetalLB before 0.13: one text in a `ConfigMap`, as the objects that came after it.
//!
//! Keys that both have are written anew; one that is not known stays as it is, so that the reader of
//! the object names it.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::GROUP;
use crate::import::fields::Fields;
use crate::import::remark::Report;
use crate::import::{Sources, identity};

/// Adds the objects that the configuration stands for. `MetalLB` that reads objects does not read
/// it: beside pools that are objects it is left out.
pub(super) fn add_objects(sources: &mut Sources, report: &mut Report) {
    let has_pools = {
        let mut objects = sources.others.iter().map(identity);
        objects.any(|(kind, _)| kind == POOL)
    };
    let configurations = sources.others.extract_if(.., |document| is_it(document));
    let configurations: Vec<_> = configurations.collect();
    for document in configurations {
        report.about("ConfigMap", &identity(&document).1);
        if has_pools {
            let meaning = "MetalLB from 0.13 on does not read it, and its objects are here";
            report.note(TEXT, &Value::Null, meaning, "delete it");
        } else {
            sources.others.extend(objects(&document, report));
        }
    }
}

/// Whether a document is the configuration.
pub(in crate::import) fn is_it(document: &Value) -> bool {
    identity(document).0 == "ConfigMap" && text(document).is_some()
}

fn text(document: &Value) -> Option<&str> {
    document.pointer("/data/config").and_then(Value::as_str)
}

fn objects(document: &Value, report: &mut Report) -> Vec<Value> {
    let read = serde_saphyr::from_str::<Value>(text(document).unwrap_or_default());
    let configuration = match read {
        Ok(configuration) => configuration,
        Err(error) => {
            // The excerpt of the parser would show a password beside the fault.
            let meaning = format!("it is no YAML: {}", error.without_snippet());
            report.lost(
                TEXT,
                &Value::Null,
                &meaning,
                "correct it, then import again",
            );
            return Vec::new();
        }
    };
    let meaning = "of MetalLB before 0.13: it is read as the objects that later versions have \
                   instead, and what is said below is said of these";
    report.note(TEXT, &Value::Null, meaning, "nothing");
    let mut fields = Fields::new(TEXT, Some(configuration), report);
    let mut objects = peers(&mut fields);
    objects.extend(profiles(&mut fields));
    objects.extend(communities(&mut fields));
    for pool in list(&mut fields, "address-pools") {
        objects.extend(self::pool(pool));
    }
    objects
}

fn peers(fields: &mut Fields<'_>) -> Vec<Value> {
    let peers = list(fields, "peers").into_iter().enumerate();
    let peers = peers.map(|(index, mut peer)| {
        rename(&mut peer, &PEER);
        if let Some(Value::Array(selectors)) = peer.get_mut("nodeSelectors") {
            let selectors = selectors.iter_mut().filter_map(Value::as_object_mut);
            selectors.for_each(|selector| rename(selector, &SELECTOR));
        }
        object("BGPPeer", &format!("peer-{}", index + 1), peer)
    });
    peers.collect()
}

fn profiles(fields: &mut Fields<'_>) -> Vec<Value> {
    let profiles = list(fields, "bfd-profiles").into_iter();
    let profiles = profiles.map(|mut profile| {
        rename(&mut profile, &PROFILE);
        let name = take_name(&mut profile);
        object("BFDProfile", &name, profile)
    });
    profiles.collect()
}

fn communities(fields: &mut Fields<'_>) -> Option<Value> {
    let names: Map<String, Value> = fields.take("bgp-communities")?;
    let names = names.into_iter();
    let names: Vec<Value> = names
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let spec = Map::from_iter([("communities".to_owned(), names.into())]);
    Some(object("Community", "communities", spec))
}

/// A pool, and how it is announced.
fn pool(mut pool: Map<String, Value>) -> Vec<Value> {
    rename(&mut pool, &ADDRESS_POOL);
    let name = take_name(&mut pool);
    // A protocol that is neither stays in the pool, whose reader names it.
    let protocol = pool.get("protocol").and_then(Value::as_str);
    let protocol = protocol.unwrap_or_default().to_owned();
    let advertisements = match protocol.as_str() {
        "layer2" => vec![("L2Advertisement", Map::new())],
        "bgp" => routes(pool.remove("bgp-advertisements")),
        _ => Vec::new(),
    };
    if !advertisements.is_empty() {
        pool.remove("protocol");
    }
    let mut objects = vec![object(POOL, &name, pool)];
    for (number, (kind, mut spec)) in (1..).zip(advertisements) {
        spec.insert("ipAddressPools".to_owned(), json!([name]));
        objects.push(object(kind, &format!("{name}-{number}"), spec));
    }
    objects
}

/// The advertisements of a pool; one that says nothing when there is none.
fn routes(written: Option<Value>) -> Vec<(&'static str, Map<String, Value>)> {
    let kind = "BGPAdvertisement";
    let advertisement = |mut spec| {
        rename(&mut spec, &ADVERTISEMENT);
        (kind, spec)
    };
    match written {
        None | Some(Value::Null) => vec![(kind, Map::new())],
        Some(Value::Array(all)) if all.is_empty() => vec![(kind, Map::new())],
        Some(Value::Array(all)) => all.into_iter().map(mapping).map(advertisement).collect(),
        Some(other) => vec![advertisement(mapping(other))],
    }
}

/// The mappings of a list. One that is none is told without its value, which may hold a password.
fn list(fields: &mut Fields<'_>, key: &str) -> Vec<Map<String, Value>> {
    match fields.raw(key) {
        None => Vec::new(),
        Some(Value::Array(all)) => all.into_iter().map(mapping).collect(),
        Some(_) => {
            let next = "correct it, then import again";
            fields.lost(key, &Value::Null, "it is no list", next);
            Vec::new()
        }
    }
}

/// A mapping as it is; anything else under a key that no reader knows, so that it is named.
fn mapping(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => Map::from_iter([("entry".to_owned(), other)]),
    }
}

fn take_name(fields: &mut Map<String, Value>) -> String {
    match fields.remove("name") {
        Some(Value::String(name)) => name,
        // Such as a number, which is a name all the same.
        Some(other) => other.to_string(),
        None => "default".to_owned(),
    }
}

fn rename(fields: &mut Map<String, Value>, names: &[(&str, &str)]) {
    for (earlier, later) in names {
        if let Some(value) = fields.remove(*earlier) {
            fields.insert((*later).to_owned(), value);
        }
    }
}

fn object(kind: &str, name: &str, spec: Map<String, Value>) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/v1beta1"),
        "kind": kind,
        "metadata": { "name": name },
        "spec": Value::Object(spec),
    })
}

const TEXT: &str = "data.config";
const POOL: &str = "IPAddressPool";

/// Earlier and later name of each key that has another now.
const PEER: [(&str, &str); 11] = [
    ("my-asn", "myASN"),
    ("peer-asn", "peerASN"),
    ("peer-address", "peerAddress"),
    ("peer-port", "peerPort"),
    ("source-address", "sourceAddress"),
    ("hold-time", "holdTime"),
    ("keepalive-time", "keepaliveTime"),
    ("router-id", "routerID"),
    ("node-selectors", "nodeSelectors"),
    ("bfd-profile", "bfdProfile"),
    ("ebgp-multihop", "ebgpMultiHop"),
];

const SELECTOR: [(&str, &str); 2] = [
    ("match-labels", "matchLabels"),
    ("match-expressions", "matchExpressions"),
];

const PROFILE: [(&str, &str); 7] = [
    ("receive-interval", "receiveInterval"),
    ("transmit-interval", "transmitInterval"),
    ("detect-multiplier", "detectMultiplier"),
    ("echo-interval", "echoInterval"),
    ("echo-mode", "echoMode"),
    ("passive-mode", "passiveMode"),
    ("minimum-ttl", "minimumTtl"),
];

const ADDRESS_POOL: [(&str, &str); 2] = [
    ("auto-assign", "autoAssign"),
    ("avoid-buggy-ips", "avoidBuggyIPs"),
];

const ADVERTISEMENT: [(&str, &str); 3] = [
    ("aggregation-length", "aggregationLength"),
    ("aggregation-length-v6", "aggregationLengthV6"),
    ("localpref", "localPref"),
];

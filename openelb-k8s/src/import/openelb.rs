//! The objects of OpenELB, which are this project's own: what is left is to say what has no effect,
//! and to write out what is not said.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::fields::Fields;
use super::remark::Report;
use super::{Imported, Sources, identity};
use crate::api::{BgpConf, BgpPeer, Eip, PeerConf, Transport};
use crate::bgp::{self, Material, Node, PasswordSource};
use crate::names;
use crate::pool;
use crate::problem::{Problem, Reason};

pub(super) fn import(sources: &mut Sources, report: &mut Report) -> Imported {
    let mut imported = Imported::default();
    for document in sources.take(names::GROUP, names::EIP_KIND) {
        imported.eips.extend(read::<Eip>(document, report));
    }
    for document in sources.take(names::GROUP, names::BGP_CONF_KIND) {
        let name = identity(&document).1;
        let conf = read::<BgpConf>(modern(document, conf_of_alpha1, report), report);
        if name == names::DEFAULT_BGP_CONF {
            imported.conf = conf;
        } else {
            let meaning = "only the BgpConf named `default` counts, in OpenELB as well";
            report.note("metadata.name", &json!(name), meaning, "nothing");
        }
    }
    for document in sources.take(names::GROUP, names::BGP_PEER_KIND) {
        let document = modern(document, peer_of_alpha1, report);
        imported.peers.extend(read::<BgpPeer>(document, report));
    }
    warn(&imported, report);
    imported
}

/// An object of this project, all of whose fields came with it, without what a cluster adds.
fn read<T: DeserializeOwned + Serialize>(mut document: Value, report: &mut Report) -> Option<T> {
    let (kind, name) = identity(&document);
    report.about(&kind, &name);
    clean(&mut document);
    let read = serde_json::from_value::<T>(document.clone());
    let object = match read {
        Ok(object) => object,
        Err(error) => {
            // What cannot be read is told without its value, which may hold a password.
            let meaning = format!("it is no valid {kind}: {error}");
            report.lost(
                "spec",
                &Value::Null,
                &meaning,
                "correct it, then import again",
            );
            return None;
        }
    };
    let written = serde_json::to_value(&object).unwrap_or_default();
    unread("", &document, &written, report);
    Some(object)
}

/// Takes away what only the cluster that it comes from knows, and what speakers observed.
fn clean(document: &mut Value) {
    let kind = identity(document).0;
    let Value::Object(fields) = document else {
        return;
    };
    fields.insert("apiVersion".to_owned(), json!(names::EIP_API_VERSION));
    if kind != names::EIP_KIND {
        fields.remove("status");
    }
    if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
        metadata.retain(|key, _| ["name", "labels", "annotations"].contains(&key.as_str()));
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.retain(|key, _| !STALE_ANNOTATIONS.contains(&key.as_str()));
        }
    }
    if kind == names::EIP_KIND {
        let spec = fields.entry("spec").or_insert_with(|| json!({}));
        if let Value::Object(spec) = spec {
            let protocol = spec.entry("protocol").or_insert_with(|| json!("bgp"));
            if *protocol == json!("") {
                *protocol = json!("bgp");
            }
        }
    }
}

/// What was written and is not written back.
fn unread(path: &str, before: &Value, after: &Value, report: &mut Report) {
    let next = "see what it means, and whether this project has a field for it";
    match (before, after) {
        (Value::Object(before), after) => {
            for (key, value) in before {
                let path = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                match after.get(key) {
                    Some(after) => unread(&path, value, after, report),
                    None if is_nothing(value) || is_protocol(&path, value) => {}
                    None => report.lost(&path, value, "the field is not known", next),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                unread(&format!("{path}[{index}]"), before, after, report);
            }
        }
        _ => {}
    }
}

/// The value that its absence means.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(fields) => fields.values().all(is_nothing),
    }
}

fn is_protocol(path: &str, value: &Value) -> bool {
    path == "spec.protocol" && *value == json!("bgp")
}

/// Says of every object what has no effect here, or cannot be used.
fn warn(imported: &Imported, report: &mut Report) {
    for eip in &imported.eips {
        report.about(names::EIP_KIND, &eip.metadata.name);
        for error in pool::spec(eip).err().unwrap_or_default() {
            report.lost(&error.key, &Value::Null, &error.message, &error.next);
        }
        if eip.spec.using_known_ips {
            let meaning = "without effect, as in every version of OpenELB";
            report.note("spec.usingKnownIPs", &json!(true), meaning, "remove it");
        }
    }
    let meant = bgp::speaker(
        imported.conf.as_ref(),
        &imported.peers,
        &Node::default(),
        &Elsewhere,
    );
    meant.problems.iter().for_each(|it| tell(it, report));
}

fn tell(problem: &Problem, report: &mut Report) {
    report.about(problem.kind, &problem.name);
    let (message, next) = (&problem.message, &problem.next);
    match problem.reason {
        Reason::UnsupportedField | Reason::Invalid => {
            report.lost(&problem.key, &Value::Null, message, next);
        }
        Reason::Ignored | Reason::Insecure => {
            report.note(&problem.key, &Value::Null, message, next);
        }
        // These depend on the node and on objects that are not part of an import.
        Reason::Waiting | Reason::Unresolved => {}
    }
}

/// Passwords and policies are where they were: the import does not look at them.
struct Elsewhere;

impl Material for Elsewhere {
    fn password(&self, _: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        Ok(b"elsewhere".to_vec())
    }

    fn policy(&self, _: &str) -> Result<String, String> {
        Ok(String::new())
    }
}

/// An object in the version that is stored; `v1alpha1` had other fields.
fn modern(document: Value, convert: fn(&mut Fields<'_>) -> Value, report: &mut Report) -> Value {
    let version = document.get("apiVersion").and_then(Value::as_str);
    if !version.is_some_and(|version| version.ends_with("/v1alpha1")) {
        return document;
    }
    let (kind, name) = identity(&document);
    report.about(&kind, &name);
    let mut spec = Fields::new("spec", document.get("spec").cloned(), report);
    let converted = convert(&mut spec);
    drop(spec);
    let mut modern = document;
    if let Value::Object(fields) = &mut modern {
        fields.insert("spec".to_owned(), converted);
    }
    modern
}

fn conf_of_alpha1(spec: &mut Fields<'_>) -> Value {
    let mut conf = BgpConf::new(spec.take("as").unwrap_or_default());
    conf.spec.router_id = spec.take("routerID").unwrap_or_default();
    conf.spec.listen_port = spec.take("port").unwrap_or_default();
    json!(conf.spec)
}

fn peer_of_alpha1(spec: &mut Fields<'_>) -> Value {
    let mut peer = BgpPeer::new("", "", 0);
    let mut config = spec.group("config");
    peer.spec.conf = Some(PeerConf {
        peer_as: config.take("peerAs").unwrap_or_default(),
        neighbor_address: config.take("neighborAddress").unwrap_or_default(),
        ..PeerConf::default()
    });
    drop(config);
    let mut transport = spec.group("transport");
    peer.spec.transport = Some(Transport {
        passive_mode: transport.take("passiveMode").unwrap_or_default(),
        remote_port: transport.take("remotePort").unwrap_or_default(),
        ..Transport::default()
    });
    drop(transport);
    let next = "write `addPaths` in an entry of `afiSafis`, or leave it: 10 paths are sent";
    spec.lose(
        "addPaths",
        "the number of paths belongs to a family now",
        next,
    );
    let next = "let the router connect to `listenPort` of the BgpConf";
    let meaning = "no packet filter of the node is changed";
    if spec.take("usingPortForward") == Some(true) {
        spec.lost("usingPortForward", &json!(true), meaning, next);
    }
    json!(peer.spec)
}

/// What kubectl and OpenELB's speakers noted on objects for themselves.
const STALE_ANNOTATIONS: [&str; 2] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    names::OPT_IN_ANNOTATION,
];

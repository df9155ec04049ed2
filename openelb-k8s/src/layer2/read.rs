//! The fields of a `Layer2Conf`, one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use openelb_announce::ownership::{Key, KeyRing, NodeId};

use super::{Election, Keys, Standings};
use crate::api::{Layer2Conf, Layer2ConfSpec, Ownership};
use crate::bgp::PasswordSource;
use crate::problem::{Reason, Remarks};
use crate::written;

/// The election without the pools; `None` when there is none to take part in.
pub(super) fn election(
    conf: &Layer2Conf,
    node: &str,
    keys: &dyn Keys,
    remarks: &mut Remarks,
) -> Option<Election> {
    let spec = &conf.spec;
    let keys = self::keys(spec, keys, remarks);
    let port = written::number("spec.port", spec.port, 1..=65_535, remarks);
    let shards = written::number("spec.shards", spec.shards, 1..=MOST_SHARDS, remarks);
    let peers = written::hosts("spec.peers", &spec.peers, remarks);
    let hold = written::duration("spec.hold", spec.hold.as_deref(), LONGEST, remarks);
    let dwell = written::duration("spec.dwell", spec.dwell.as_deref(), LONGEST, remarks);
    let (weight, preference) = worth(spec, node, remarks);
    let name = NodeId::new(node).ok();
    if name.is_none() {
        let message = format!("this node is called `{node}`, which no node can be called here");
        let next =
            "name it with --node-name: 1 to 63 letters, digits, dots, dashes and underscores";
        remarks.invalid("metadata.name", message, next);
    }
    if remarks.has_error() || spec.ownership == Ownership::Sole {
        return None;
    }
    Some(Election {
        node: name?,
        profile: spec.profile,
        port: port.unwrap_or(PORT),
        peers,
        keys,
        hold: hold.unwrap_or(HOLD),
        dwell: dwell.unwrap_or(DWELL),
        preempt: spec.preempt.unwrap_or(true),
        shards: shards.unwrap_or(SHARDS),
        weight,
        preference,
        pools: BTreeMap::new(),
        standing: Standings::default(),
    })
}

/// Names of nodes, each once.
pub(super) fn names(key: &str, written: &[String], remarks: &mut Remarks) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (index, name) in written.iter().enumerate() {
        let key = format!("{key}[{index}]");
        if !is_node_name(name) {
            remarks.invalid(key, format!("`{name}` is no name of a node"), NODE_NAME);
        } else if !names.insert(name.clone()) {
            remarks.invalid(
                key,
                format!("`{name}` is listed twice"),
                "remove one of them",
            );
        }
    }
    names
}

/// What this node is worth; the entries of the others are checked as well.
fn worth(spec: &Layer2ConfSpec, node: &str, remarks: &mut Remarks) -> (u16, u8) {
    let mut mine = (WEIGHT, 0);
    let mut seen = BTreeSet::new();
    for (index, entry) in spec.nodes.iter().enumerate() {
        let key = |field: &str| format!("spec.nodes[{index}].{field}");
        if !is_node_name(&entry.name) {
            let message = format!("`{}` is no name of a node", entry.name);
            remarks.invalid(key("name"), message, NODE_NAME);
        } else if !seen.insert(&entry.name) {
            let message = format!("`{}` is listed twice", entry.name);
            remarks.invalid(key("name"), message, "remove one of them");
        }
        let weight = written::number(&key("weight"), entry.weight, 1..=HEAVIEST, remarks);
        let bounds = 0..=HIGHEST_PREFERENCE;
        let preference = written::number(&key("preference"), entry.preference, bounds, remarks);
        if entry.name == node {
            mine = (weight.unwrap_or(WEIGHT), preference.unwrap_or(0));
        }
    }
    mine
}

/// The key that signs, then those that are accepted too.
fn keys(spec: &Layer2ConfSpec, keys: &dyn Keys, remarks: &mut Remarks) -> KeyRing {
    let mut found = Vec::new();
    let mut take = |key: &str, source, remarks: &mut Remarks| match keys.key(source) {
        Ok(octets) => match Key::new(&octets) {
            Ok(key) => found.push(key),
            Err(error) => {
                let message = format!("the key has {} octets, which can be guessed", error.length);
                remarks.invalid(key, message, format!("make one with `{MAKE_KEY}`"));
            }
        },
        Err(why) => {
            remarks.add(Reason::Unresolved, key, why, making(source));
        }
    };
    let is_named = !spec.key_file.is_empty() || spec.key_secret.is_some();
    match (&spec.key_secret, spec.key_file.as_str()) {
        (None, "") => {}
        (None, path) => take("spec.keyFile", PasswordSource::File(path), remarks),
        (Some(secret), "") => {
            let (name, key) = (&*secret.name, &*secret.key);
            take(
                "spec.keySecret",
                PasswordSource::Secret { name, key },
                remarks,
            );
        }
        (Some(_), _) => {
            let next = "remove one of them";
            remarks.invalid("spec.keySecret", "the key is named twice", next);
        }
    }
    for (index, path) in spec.previous_key_files.iter().enumerate() {
        let key = format!("spec.previousKeyFiles[{index}]");
        if is_named {
            take(&key, PasswordSource::File(path), remarks);
        } else {
            remarks.invalid(
                key,
                "no key signs, so none is accepted",
                "write it as `keyFile`",
            );
        }
    }
    check_whether_signed(spec, is_named, remarks);
    if found.len() > MOST_KEYS {
        let next = format!("keep at most {MOST_KEYS} keys in all");
        remarks.invalid("spec.previousKeyFiles", "too many keys", next);
    }
    let mut found = found.into_iter();
    match found.next() {
        Some(first) => KeyRing::new(first, found),
        None => KeyRing::unsigned(),
    }
}

/// How a key that is not there is made.
fn making(source: PasswordSource<'_>) -> String {
    match source {
        PasswordSource::File(_) => format!("make one with `{MAKE_KEY}`, the same on every node"),
        PasswordSource::Secret { name, key } => format!(
            "make one in the namespace of the speakers: kubectl create secret generic {name} \
             --from-literal={key}=\"$(openssl rand -hex 32)\""
        ),
    }
}

fn check_whether_signed(spec: &Layer2ConfSpec, is_named: bool, remarks: &mut Remarks) {
    match (is_named, spec.insecure_without_key) {
        (true, false) => {}
        (true, true) => {
            let next = "remove one of them";
            remarks.invalid(
                "spec.insecureWithoutKey",
                "there is a key all the same",
                next,
            );
        }
        (false, false) => {
            let message = "beats would not be signed: any host of the link could take any address";
            let next = format!(
                "make a key with `{MAKE_KEY}`, copy it to every node and write \
                 `keyFile: /etc/openelb/l2.key`"
            );
            remarks.invalid("spec.keyFile", message, next);
        }
        (false, true) => {
            let message = "beats are not signed: any host of the link can take any address";
            let next = format!("make a key with `{MAKE_KEY}` and write `keyFile:` with its path");
            remarks.add(Reason::Insecure, "spec.insecureWithoutKey", message, next);
        }
    }
}

fn is_node_name(name: &str) -> bool {
    NodeId::new(name).is_ok()
}

const NODE_NAME: &str = "write 1 to 63 letters, digits, dots, dashes and underscores";

const MAKE_KEY: &str = "openssl rand -hex 32 > /etc/openelb/l2.key";

/// Next to the 7946 that OpenELB's gossip uses, so that both can run while one replaces the other.
const PORT: u16 = 7_947;

/// Enough that eight nodes of equal weight differ by few addresses, few enough for one beat.
const SHARDS: u16 = 256;

const MOST_SHARDS: u32 = 1_024;

/// Room on both sides for nodes that are worth less or more.
const WEIGHT: u16 = 100;

const HEAVIEST: u32 = 1_000;

/// Six bits: what health and pools say about a node stands above them.
const HIGHEST_PREFERENCE: u32 = 63;

/// Longer than a node needs to start all its services, so that it does not get addresses too soon.
const HOLD: Duration = Duration::from_secs(30);

/// Long enough that clients have seen one move before the next.
const DWELL: Duration = Duration::from_secs(10);

/// Beyond an hour something else was meant.
const LONGEST: Duration = Duration::from_hours(1);

/// One that signs, one before it and one after it are what a rotation needs; some to spare.
const MOST_KEYS: usize = 8;

//! What is refused: the same as `openelb validate` finds wrong.

#[cfg(test)]
mod tests;

use std::fmt::Display;

use openelb_ipam::ipam::PoolConflict;
use openelb_ipam::{Ipam, PoolSpec};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::{BgpConf, BgpPeer, Eip};
use crate::bgp::{self, Material, Node, PasswordSource};
use crate::problem::{Problem, Reason};
use crate::{link, names, pool, vrrp};

/// The answer to an `AdmissionReview`. `pools` are those of the cluster, whichever the object's is.
pub(super) fn answer(body: &[u8], pools: &[PoolSpec]) -> Result<Value, serde_json::Error> {
    let review: Review = serde_json::from_slice(body)?;
    let request = review.request;
    let remarks = remarks(&request, pools);
    let status = (!remarks.errors.is_empty())
        .then(|| json!({"code": 422, "reason": "Invalid", "message": remarks.errors.join("; ")}));
    Ok(json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {
            "uid": request.uid,
            "allowed": remarks.errors.is_empty(),
            "status": status,
            "warnings": remarks.warnings,
        },
    }))
}

#[derive(Debug, Deserialize)]
struct Review {
    request: Asked,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    uid: String,
    kind: AskedKind,
    operation: String,
    #[serde(default)]
    object: Value,
    #[serde(default)]
    old_object: Value,
}

#[derive(Debug, Deserialize)]
struct AskedKind {
    kind: String,
}

/// What is to be said about an object.
#[derive(Debug, Default)]
struct Remarks {
    errors: Vec<String>,
    warnings: Vec<String>,
}

fn remarks(asked: &Asked, pools: &[PoolSpec]) -> Remarks {
    let is_written = matches!(asked.operation.as_str(), "CREATE" | "UPDATE");
    let is_leaving = asked
        .object
        .pointer("/metadata/deletionTimestamp")
        .is_some();
    // A finalizer goes, a status is written: whatever the wishes are, they were there before.
    if !is_written || is_leaving || wishes(&asked.object) == wishes(&asked.old_object) {
        return Remarks::default();
    }
    match asked.kind.kind.as_str() {
        names::EIP_KIND => read(asked, |object| eip(object, pools)),
        names::BGP_CONF_KIND => read(asked, bgp_conf),
        names::BGP_PEER_KIND => read(asked, bgp_peer),
        _ => Remarks::default(),
    }
}

/// The parts of an object that say what its user wants.
fn wishes(object: &Value) -> [Option<&Value>; 3] {
    ["/spec", "/metadata/annotations", "/metadata/labels"].map(|path| object.pointer(path))
}

fn read<T: DeserializeOwned>(asked: &Asked, check: impl FnOnce(&T) -> Remarks) -> Remarks {
    match T::deserialize(&asked.object) {
        Ok(object) => check(&object),
        Err(error) => Remarks {
            errors: vec![error.to_string()],
            warnings: Vec::new(),
        },
    }
}

fn eip(eip: &Eip, pools: &[PoolSpec]) -> Remarks {
    let mut remarks = Remarks::default();
    remarks.tell(vrrp::routers(eip).problems);
    if let Err(error) = link::interfaces(eip) {
        remarks.refuse(format_args!("spec.interface: {error}"));
    }
    let spec = match pool::spec(eip) {
        Ok(spec) => spec,
        Err(errors) => {
            for error in errors {
                remarks.refuse(error);
            }
            return remarks;
        }
    };
    let name = spec.name.clone();
    let others = pools.iter().filter(|other| other.name != name).cloned();
    // In this order the new one is at fault, and not one that was there before.
    let specs: Vec<_> = others.chain([spec]).collect();
    if let Ok(plan) = Ipam::new().plan_pools(&specs) {
        for conflict in plan.conflicts() {
            let (PoolConflict::Overlap { pool, .. } | PoolConflict::SecondDefault { pool, .. }) =
                conflict;
            if *pool == name {
                remarks.refuse(conflict);
            }
        }
    }
    remarks
}

fn bgp_conf(conf: &BgpConf) -> Remarks {
    let mut remarks = Remarks::default();
    remarks.tell(bgp::speaker(Some(conf), &[], &somewhere(), &Present).problems);
    remarks
}

fn bgp_peer(peer: &BgpPeer) -> Remarks {
    let mut remarks = Remarks::default();
    let peers = std::slice::from_ref(peer);
    let conf = BgpConf::new(SOME_AS);
    let meant = bgp::speaker(Some(&conf), peers, &somewhere(), &Present);
    let of_peer = |problem: &Problem| problem.kind == names::BGP_PEER_KIND;
    remarks.tell(meant.problems.into_iter().filter(of_peer).collect());
    remarks
}

impl Remarks {
    fn refuse(&mut self, fault: impl Display) {
        self.errors.push(fault.to_string());
    }

    /// What names an object that may be written later is no reason to refuse this one.
    fn tell(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            match problem.reason {
                Reason::Waiting => {}
                Reason::Unresolved => self.warnings.push(problem.to_string()),
                _ if problem.is_error() => self.errors.push(problem.to_string()),
                _ => self.warnings.push(problem.to_string()),
            }
        }
    }
}

/// A node like any other: what is written must be right wherever it is used.
fn somewhere() -> Node {
    Node {
        name: "node".to_owned(),
        addresses: vec![
            [192, 0, 2, 1].into(),
            [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(),
        ],
        ..Node::default()
    }
}

/// Passwords and policies of other objects are not looked at: they can change by themselves.
struct Present;

impl Material for Present {
    fn password(&self, _: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        Ok(b"password".to_vec())
    }

    fn policy(&self, _: &str) -> Result<String, String> {
        Ok(String::new())
    }
}

/// Of documentation (RFC 5398). A template of peers is judged whatever the speaker's own is.
const SOME_AS: u32 = 64_496;

//! The policy of a `gobgp.conf`: the part of GoBGP's format that says what is announced, and how.
//!
//! | table | keys |
//! |---|---|
//! | `defined-sets` | `prefix-sets`, `neighbor-sets`, `bgp-defined-sets.{community-sets, ext-community-sets, large-community-sets, as-path-sets}` |
//! | `policy-definitions.statements.conditions` | `match-prefix-set`, `match-neighbor-set`, `bgp-conditions.{match-community-set, match-ext-community-set, match-large-community-set, match-as-path-set, as-path-length, afi-safi-in-list}` |
//! | `policy-definitions.statements.actions` | `route-disposition`, `bgp-actions.{set-community, set-ext-community, set-large-community, set-med, set-local-pref, set-as-path-prepend, set-next-hop}` |
//! | `global.apply-policy.config` | `export-policy-list`, `default-export-policy`; nothing is imported, so an import policy may only reject |
//!
//! Every other key is refused by its name: a policy that is half understood announces wrong routes.

mod document;
mod sets;
mod statement;
#[cfg(test)]
mod tests;

use std::fmt::Display;

use openelb_announce::bgp::policy::{Disposition, Policy};
use thiserror::Error;

use self::document::{ApplyPolicyConfig, Document};
use self::sets::Sets;
use crate::problem::Reason;

/// One thing wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}; {next}", self.fact())]
pub struct PolicyError {
    /// What kind of remark it is.
    pub reason: Reason,
    /// The line, from 1; 0 when it is about something that spans lines.
    pub line: usize,
    /// The key, or the statement it is in; empty when the line says it all.
    pub key: String,
    /// What is wrong, with the value.
    pub message: String,
    /// What to write instead.
    pub next: String,
}

impl PolicyError {
    /// Where, and what is wrong.
    pub fn fact(&self) -> String {
        match (self.line, self.key.is_empty()) {
            (0, true) => self.message.clone(),
            (0, false) => format!("{}: {}", self.key, self.message),
            (line, _) => format!("line {line}: {}", self.message),
        }
    }
}

/// The export policy of a text in GoBGP's format, or everything that is wrong with it.
///
/// ```
/// let policy = openelb_k8s::bgp::policy::parse(r#"
///     [[policy-definitions]]
///     name = "mark"
///     [[policy-definitions.statements]]
///     [policy-definitions.statements.actions]
///     route-disposition = "accept-route"
///     [policy-definitions.statements.actions.bgp-actions.set-community]
///     options = "ADD"
///     [policy-definitions.statements.actions.bgp-actions.set-community.set-community-method]
///     communities-list = ["65000:100"]
///     [global.apply-policy.config]
///     export-policy-list = ["mark"]
/// "#).expect("every key is known");
/// assert!(!policy.is_empty());
/// ```
pub fn parse(text: &str) -> Result<Policy, Vec<PolicyError>> {
    if text.len() > LONGEST {
        let message = format!("the text has {} octets", text.len());
        let next = format!("write at most {LONGEST}");
        return Err(vec![whole(Reason::Invalid, message, next)]);
    }
    let document: Document =
        toml::from_str(text).map_err(|error| vec![syntax_error(text, &error)])?;
    let mut faults = Faults::default();
    let sets = Sets::of(&document.defined_sets, &mut faults);
    let apply = &document.global.apply_policy.config;
    check_import(apply, &mut faults);
    let statements = statement::of_policies(&document, &sets, &mut faults);
    let default = disposition(&apply.default_export_policy).unwrap_or_else(|()| {
        let key = "global.apply-policy.config.default-export-policy";
        faults.invalid(key, unknown(&apply.default_export_policy), DISPOSITIONS);
        None
    });
    if !faults.0.is_empty() {
        return Err(faults.0);
    }
    let default = default.unwrap_or(Disposition::Accept);
    Policy::new(statements, default).map_err(|error| {
        let text = error.to_string();
        let (fact, next) = text.rsplit_once("; ").unwrap_or((&text, "correct it"));
        vec![whole(Reason::Invalid, fact, next)]
    })
}

/// Nothing is imported, whatever a policy says: one that only says so is right.
fn check_import(apply: &ApplyPolicyConfig, faults: &mut Faults) {
    let next = "remove it: received routes are never installed";
    let key = "global.apply-policy.config.import-policy-list";
    if let Some(name) = apply.import_policy_list.first() {
        let message = format!("import policy `{name}` is not supported");
        faults.add(Reason::UnsupportedField, key, message, next);
    }
    let written = apply.default_import_policy.as_str();
    if !matches!(disposition(written), Ok(None | Some(Disposition::Reject))) {
        let key = "global.apply-policy.config.default-import-policy";
        let message = format!("`{written}` is not supported");
        faults.add(Reason::UnsupportedField, key, message, next);
    }
}

/// The words of GoBGP for what becomes of a route; absent and `none` decide nothing.
fn disposition(word: &str) -> Result<Option<Disposition>, ()> {
    match word {
        "" | "none" => Ok(None),
        "accept-route" => Ok(Some(Disposition::Accept)),
        "reject-route" => Ok(Some(Disposition::Reject)),
        _ => Err(()),
    }
}

fn unknown(word: &str) -> String {
    format!("unknown value `{word}`")
}

fn whole(reason: Reason, message: impl Display, next: impl Into<String>) -> PolicyError {
    PolicyError {
        reason,
        line: 0,
        key: String::new(),
        message: message.to_string(),
        next: next.into(),
    }
}

fn syntax_error(text: &str, error: &toml::de::Error) -> PolicyError {
    let before = error.span().and_then(|span| text.get(..span.start));
    let message = error
        .message()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned();
    let is_unknown = message.starts_with("unknown field");
    let (reason, next) = if is_unknown {
        let next = "remove it; docs/bgp.md lists the keys that have a meaning here";
        (Reason::UnsupportedField, next)
    } else {
        (
            Reason::Invalid,
            "correct the text here; nothing after it was looked at",
        )
    };
    PolicyError {
        reason,
        line: before.map_or(0, |before| before.matches('\n').count() + 1),
        key: String::new(),
        message,
        next: next.to_owned(),
    }
}

/// Collects what is wrong.
#[derive(Debug, Default)]
struct Faults(Vec<PolicyError>);

impl Faults {
    fn add(
        &mut self,
        reason: Reason,
        key: impl Into<String>,
        message: impl Display,
        next: impl Into<String>,
    ) {
        self.0.push(PolicyError {
            reason,
            line: 0,
            key: key.into(),
            message: message.to_string(),
            next: next.into(),
        });
    }

    fn invalid(&mut self, key: impl Into<String>, message: impl Display, next: impl Into<String>) {
        self.add(Reason::Invalid, key, message, next);
    }

    /// An error whose text is a fact, and after the last `; ` what to do about it.
    fn text(&mut self, reason: Reason, key: impl Into<String>, error: impl Display) {
        let text = error.to_string();
        let (fact, next) = text
            .rsplit_once("; ")
            .unwrap_or((&text, "correct the value"));
        self.add(reason, key, fact, next);
    }
}

const DISPOSITIONS: &str = "write accept-route, reject-route or none";

/// Kubernetes keeps a `ConfigMap` below this size.
const LONGEST: usize = 1 << 20;

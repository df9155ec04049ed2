//! What an Eip means to the allocator.

mod relative;
#[cfg(test)]
mod tests;

use std::fmt::Display;
use std::time::Duration;

use openelb_ipam::pool::{self, Field, ReserveRules, Selector, SpecProblem};
use openelb_ipam::{Pool, PoolSpec};
use thiserror::Error;

pub use self::relative::{Relative, as_written, check_prefixes, in_words, relative};
use crate::api::{Eip, EipSpec, OnShrink, Protocol, Strategy};

/// One thing wrong with an Eip.
///
/// ```
/// use openelb_k8s::{api::Eip, pool};
///
/// let errors = pool::spec(&Eip::new("edge", "192.0.2.0/33")).unwrap_err();
/// assert_eq!(errors[0].key, "spec.address");
/// assert!(errors[0].to_string().starts_with("Eip edge, spec.address: "));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("Eip {name}, {key}: {message}; {next}")]
pub struct EipError {
    /// Name of the Eip.
    pub name: String,
    /// Path of the key at fault, such as `spec.exclude[0]`.
    pub key: String,
    /// What is wrong, with the value.
    pub message: String,
    /// What to write instead.
    pub next: String,
}

/// The allocator's view of an Eip, or everything that is wrong with the Eip.
///
/// What OpenELB does is kept: host bits of a prefix are ignored, an unbound pool serves only who
/// names it unless it is the default, and a request that names a bound pool is served. The name,
/// namespaces and selectors carry over as they are. Entries that follow a prefix become the
/// addresses that the ledger holds for them, whichever prefix is in use.
///
/// ```
/// use openelb_k8s::{api::Eip, pool};
///
/// let spec = pool::spec(&Eip::new("edge", "192.0.2.0/24, 2001:db8::/64"))?;
/// assert_eq!(&*spec.name, "edge");
/// assert!(!spec.auto_assign, "neither bound nor default");
/// # Ok::<(), Vec<pool::EipError>>(())
/// ```
pub fn spec(eip: &Eip) -> Result<PoolSpec, Vec<EipError>> {
    let mut errors = Errors {
        name: &eip.metadata.name,
        found: Vec::new(),
    };
    let cool_down = cool_down(&eip.spec, &mut errors);
    check_interface(&eip.spec, &mut errors);
    let name = match eip.metadata.name.parse() {
        Ok(name) => name,
        Err(error) => {
            errors.add(
                "metadata.name",
                error,
                "name the pool as Kubernetes would, such as `edge`",
            );
            return Err(errors.found);
        }
    };
    let mut spec = PoolSpec::new(name, []);
    fill(&mut spec, eip, cool_down);
    let before = errors.found.len();
    translate(&mut spec, &mut errors);
    // What cannot be read was told, and the allocator could only say it again.
    let is_readable = errors.found.len() == before;
    if let Some(error) = Pool::try_from(&spec).err().filter(|_| is_readable) {
        let text = as_written(&error.problem.to_string(), eip);
        let text = text.trim_start_matches([':', ',', '.', ' ']);
        // The allocator's advice speaks of its own fields only where these differ from an Eip's.
        let (fact, advice) = text
            .rsplit_once("; ")
            .unwrap_or((text, "correct the entry"));
        let (key, next) = blame(error.field, &error.problem);
        errors.add(&key, fact, next.unwrap_or(advice));
    }
    if errors.found.is_empty() {
        Ok(spec)
    } else {
        Err(errors.found)
    }
}

fn fill(spec: &mut PoolSpec, eip: &Eip, cool_down: Duration) {
    let wish = &eip.spec;
    // OpenELB knew one entry; commas, semicolons and white space all separate several. White space
    // around the dash of `first - last` belongs to the entry.
    spec.ranges = vec![entries(&wish.address).join(",")];
    spec.exclude.clone_from(&wish.exclude);
    spec.drop_host_bits = true;
    spec.strategy = match wish.strategy {
        Strategy::Lowest => pool::Strategy::Lowest,
        Strategy::NextFit => pool::Strategy::NextFit,
        Strategy::LeastRecentlyReleased => pool::Strategy::LeastRecentlyReleased,
        Strategy::Random => pool::Strategy::Random,
        Strategy::HashStable => pool::Strategy::HashStable,
        Strategy::SolicitedNode => pool::Strategy::SolicitedNode,
    };
    spec.priority = Some(wish.priority);
    spec.is_default = eip.is_default();
    spec.is_disabled = wish.disable || wish.drain || eip.metadata.deletion_timestamp.is_some();
    spec.namespaces.clone_from(&wish.namespaces);
    if !wish.namespace_selector.is_empty() {
        let match_labels = wish.namespace_selector.clone().into_iter().collect();
        spec.namespace_selectors = vec![Selector {
            match_labels,
            ..Selector::default()
        }];
    }
    spec.service_selectors.clone_from(&wish.service_selectors);
    spec.auto_assign = wish.auto_assign.unwrap_or_else(|| serves_unasked(spec));
    spec.serve_explicit = true;
    spec.share_pinned = true;
    spec.reserve = ReserveRules {
        buggy: wish.avoid_buggy_ips,
        ..ReserveRules::default()
    };
    spec.cool_down = cool_down;
    spec.namespace_quota = wish.quota.map(|quota| quota.per_namespace);
    spec.on_shrink = match wish.on_shrink {
        OnShrink::Retain => pool::OnShrink::Retain,
        OnShrink::Drain => pool::OnShrink::Drain,
        OnShrink::Reassign => pool::OnShrink::Reassign,
    };
}

/// OpenELB gives from a pool unasked when it is bound to the namespace, or is the default.
fn serves_unasked(spec: &PoolSpec) -> bool {
    spec.is_default
        || !spec.namespaces.is_empty()
        || !spec.namespace_selectors.is_empty()
        || !spec.service_selectors.is_empty()
}

fn entries(address: &str) -> Vec<String> {
    let spaced = address.replace(['\n', '\t', ';'], ",");
    let parts = spaced.split(',').flat_map(words);
    parts.filter(|part| !part.is_empty()).collect()
}

/// The entries of a text without commas: white space separates them but round a dash.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(before) if before.ends_with('-') || word.starts_with('-') => before.push_str(word),
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// Puts the ledger's form in the place of entries that follow a prefix; those that cannot be read
/// are told.
fn translate(spec: &mut PoolSpec, errors: &mut Errors<'_>) {
    let mut form = |key: &str, entry: &str| {
        relative::in_ledger(entry).unwrap_or_else(|(fact, next)| {
            errors.add(key, fact, next);
            entry.to_owned()
        })
    };
    for list in &mut spec.ranges {
        let forms: Vec<_> = list.split(',').map(|entry| form(ADDRESS, entry)).collect();
        *list = forms.join(",");
    }
    for (at, entry) in spec.exclude.iter_mut().enumerate() {
        *entry = form(&format!("spec.exclude[{at}]"), entry);
    }
}

fn cool_down(wish: &EipSpec, errors: &mut Errors<'_>) -> Duration {
    let Some(text) = &wish.cool_down else {
        return Duration::ZERO;
    };
    let parsed = text.parse::<jiff::SignedDuration>().ok();
    parsed
        .and_then(|duration| Duration::try_from(duration).ok())
        .unwrap_or_else(|| {
            let message = format!("`{text}` is not a duration");
            errors.add(
                "spec.coolDown",
                message,
                "write one such as 90s, 10m or 1h30m",
            );
            Duration::ZERO
        })
}

fn check_interface(wish: &EipSpec, errors: &mut Errors<'_>) {
    let protocol = match wish.protocol {
        Protocol::Layer2 => "layer2",
        Protocol::Vip => "vip",
        Protocol::Bgp | Protocol::None => return,
    };
    let is_blank = |name: &String| name.trim().is_empty();
    if is_blank(&wish.interface) && wish.interfaces.iter().all(is_blank) {
        let message = format!("protocol {protocol} needs `interface`");
        let next = "add `interface:` with a name such as eth0, a glob, a prefix, \
                    can_reach:ADDRESS or all";
        errors.add("spec.interface", message, next);
    }
}

/// The key of the Eip a fault belongs to, and what to do about it where an Eip differs from a pool.
fn blame(field: Field, problem: &SpecProblem) -> (String, Option<&'static str>) {
    let key = match field {
        Field::Ranges | Field::Reserve => ADDRESS,
        Field::Exclude => "spec.exclude",
        Field::NamespaceQuota => "spec.quota.perNamespace",
        Field::NamespaceSelectors => "spec.namespaceSelector",
        Field::Namespaces => "spec.namespaces",
        Field::ServiceSelectors => "spec.serviceSelectors",
    };
    let key = match (field, problem) {
        (Field::Exclude, SpecProblem::Entry { position, .. }) => {
            format!("{key}[{}]", position.saturating_sub(1))
        }
        _ => key.to_owned(),
    };
    let next = match problem {
        SpecProblem::ZeroQuota => Some("write at least 1, or `disable: true`"),
        SpecProblem::Special { .. } => Some("choose addresses that hosts may have"),
        _ => None,
    };
    (key, next)
}

struct Errors<'a> {
    name: &'a str,
    found: Vec<EipError>,
}

impl Errors<'_> {
    fn add(&mut self, key: &str, message: impl Display, next: impl Into<String>) {
        self.found.push(EipError {
            name: self.name.to_owned(),
            key: key.to_owned(),
            message: message.to_string(),
            next: next.into(),
        });
    }
}

const ADDRESS: &str = "spec.address";

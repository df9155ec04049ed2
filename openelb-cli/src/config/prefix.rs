//! `DynamicPrefix`: the prefixes that addresses of the pools follow.

use std::collections::BTreeMap;

use openelb_ipam::relative::Names;
use openelb_k8s::api::{DynamicPrefix, Eip};
use openelb_k8s::prefix::{Meaning, Source};
use openelb_k8s::{pool, prefix};

use super::diagnostic::Diagnostic;
use super::file::Written;
use crate::engine::Follow;

/// A prefix as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PrefixConfig {
    /// How it is followed.
    pub(crate) follow: Follow,
    /// Where it is learned.
    pub(crate) sources: Vec<Source>,
}

/// The prefixes without a fault. A pool that follows one that is not there, or that has no room for
/// it, is told.
pub(super) fn prefixes(
    written: &[Written<DynamicPrefix>],
    eips: &[Written<Eip>],
    remarks: &mut Vec<Diagnostic>,
) -> Vec<PrefixConfig> {
    let mut names = Names::default();
    let mut lengths = BTreeMap::new();
    let mut prefixes = Vec::new();
    for object in written {
        let Meaning { prefix, problems } = prefix::followed(&with_paths(object));
        for problem in problems {
            let is_error = problem.is_error();
            let remark = object
                .remark(&problem.key, problem.message)
                .help(problem.next);
            remarks.push(if is_error { remark } else { remark.warning() });
        }
        // One that is wrong is there all the same: nobody is told that it is missing.
        let Some(followed) = prefix else {
            let name = object.object.metadata.name.parse().ok();
            lengths.extend(name.map(|name| (name, LEAST)));
            continue;
        };
        if let Err(collision) = names.insert(&followed.name) {
            let text = collision.to_string();
            let (fact, help) = text
                .split_once("; ")
                .unwrap_or((&text, "rename one of them"));
            remarks.push(object.remark("metadata.name", fact).help(help));
        }
        lengths.insert(followed.name.clone(), followed.settings.derivation.length);
        let follow = Follow {
            name: followed.name,
            settings: followed.settings,
            sources: followed.sources.iter().map(in_words).collect(),
        };
        let sources = followed.sources;
        prefixes.push(PrefixConfig { follow, sources });
    }
    for eip in eips {
        let errors = pool::check_prefixes(&eip.object, &lengths);
        remarks.extend(
            errors
                .into_iter()
                .map(|it| eip.remark(&it.key, it.message).help(it.next)),
        );
    }
    prefixes
}

/// Relative paths start at the file they are written in.
fn with_paths(object: &Written<DynamicPrefix>) -> DynamicPrefix {
    let mut resolved = object.object.clone();
    for source in &mut resolved.spec.sources {
        let file = source.file.as_mut().map(|it| &mut it.path);
        let file = file.filter(|path| *path != "-");
        let lease = source.lease.as_mut().and_then(|it| it.path.as_mut());
        let written = file.into_iter().chain(lease);
        for path in written.filter(|path| !path.is_empty()) {
            // The configuration itself may have been named by a relative path.
            if let Ok(absolute) = std::path::absolute(object.resolve(path)) {
                *path = absolute.to_string_lossy().into_owned();
            }
        }
    }
    resolved
}

/// Where a prefix is learned, for people.
fn in_words(source: &Source) -> String {
    match source {
        Source::Address { interface } => format!("the addresses of {interface}"),
        Source::Route(_) => "a route of this host".to_owned(),
        Source::RouterAdvertisement { interface, .. } => format!("routers on {interface}"),
        Source::Lease { path, .. } => format!("the leases in {}", path.display()),
        Source::Http { urls, quorum, .. } => {
            format!("{quorum} of {} web servers that agree", urls.len())
        }
        Source::Dns { name, .. } => format!("the address of {name}"),
        Source::File { path: Some(path) } => format!("the file {}", path.display()),
        Source::File { path: None } => "standard input".to_owned(),
        Source::Static { prefix } => format!("always {prefix}"),
    }
}

/// The shortest length there is: it leaves the most room.
const LEAST: u8 = 48;

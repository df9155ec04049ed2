//! `openelb prefix explain CONFIG --delegated PREFIX`: what would follow from a delegated prefix.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;

use ipnet::Ipv6Net;
use openelb_ipam::relative::{ledger_space, project};
use openelb_ipam::{Family, Pool};
use serde::Serialize;

use super::super::validate;
use crate::args::NodeArgs;
use crate::config::{Config, PrefixConfig};
use crate::engine;
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report};

pub(super) fn run(
    file: &Path,
    delegated: Ipv6Net,
    node: &NodeArgs,
    format: Format,
) -> Result<ExitCode, Failure> {
    let config = validate::load(&[file.to_owned()], node)?;
    let prefixes = config.prefixes.iter();
    let report = Derived {
        prefixes: prefixes.map(|it| derived(it, delegated, &config)).collect(),
    };
    output::print(&report, format)?;
    let is_whole = report.prefixes.iter().all(|it| it.prefix.is_some());
    Ok(if is_whole {
        ExitCode::Success
    } else {
        ExitCode::Refused
    })
}

/// What follows for every prefix of a configuration.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Derived {
    prefixes: Vec<DerivedPrefix>,
}

/// What follows for one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DerivedPrefix {
    name: String,
    delegated: Ipv6Net,
    /// Absent when the rule does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<Ipv6Net>,
    /// One step a line.
    steps: Vec<String>,
    /// What pools have of it.
    ranges: Vec<PoolRange>,
}

/// A range of a pool.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PoolRange {
    pool: String,
    first: Ipv6Addr,
    last: Ipv6Addr,
}

fn derived(followed: &PrefixConfig, delegated: Ipv6Net, config: &Config) -> DerivedPrefix {
    let follow = &followed.follow;
    let derivation = &follow.settings.derivation;
    let prefix = derivation.derive(delegated).ok();
    let space = ledger_space(&follow.name);
    let mut ranges = Vec::new();
    for pool in config
        .pools
        .iter()
        .filter_map(|it| Pool::try_from(&it.spec).ok())
    {
        for range in pool.ranges().ranges(Family::V6) {
            let shown = |end: IpAddr| match end {
                IpAddr::V6(end) if space.contains(&end) => project(end, prefix?).ok(),
                _ => None,
            };
            let (first, last) = (shown(range.first()), shown(range.last()));
            ranges.extend(first.zip(last).map(|(first, last)| PoolRange {
                pool: pool.name().to_string(),
                first,
                last,
            }));
        }
    }
    DerivedPrefix {
        name: follow.name.to_string(),
        delegated,
        prefix,
        steps: engine::steps(derivation, delegated),
        ranges,
    }
}

impl Report for Derived {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        if self.prefixes.is_empty() {
            return writeln!(out, "there is no DynamicPrefix in the configuration");
        }
        for derived in &self.prefixes {
            writeln!(out, "{} {}", paint.strong("prefix"), derived.name)?;
            for step in &derived.steps {
                writeln!(out, "  {step}")?;
            }
            for PoolRange { pool, first, last } in &derived.ranges {
                writeln!(out, "  pool {pool} gives {first} to {last}")?;
            }
        }
        Ok(())
    }
}

//! `openelb l2 owners`: the nodes of each link, and which of them has what.

use std::io::{self, Write};

use super::super::span;
use crate::args::OwnersArgs;
use crate::client;
use crate::engine::{Answer, ElectionReport, NodeReport, Question, SegmentReport, UnitReport};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report, Table};

pub(super) fn run(args: &OwnersArgs, format: Format) -> Result<ExitCode, Failure> {
    let Answer::Election(mut report) = client::ask_daemon(&args.place, Question::Election)? else {
        return Err(super::super::unexpected());
    };
    if let Some(what) = &args.what {
        report.units.retain(|unit| is_meant(unit, what));
        if report.units.is_empty() {
            let message = format!("`{what}` is no address or service that is elected here");
            return Err(Failure::new(ExitCode::NotFound, message).next("see `openelb l2 owners`"));
        }
    }
    output::print(&*report, format)?;
    Ok(ExitCode::Success)
}

/// An address, a service in any of its spellings, or the node that has it.
fn is_meant(unit: &UnitReport, what: &str) -> bool {
    let is_service = |service: &openelb_ipam::OwnerKey| {
        let (namespace, name) = (service.namespace(), service.name());
        what == service.as_str() || what == name || what == format!("{namespace}/{name}")
    };
    let address = what.parse();
    address.is_ok_and(|address| unit.addresses.contains(&address))
        || unit.services.iter().any(is_service)
        || unit.owner.as_deref() == Some(what)
}

impl Report for ElectionReport {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        let Some(node) = &self.node else {
            return writeln!(
                out,
                "no Layer2Conf: this daemon answers for every address that it announces"
            );
        };
        let profile = self.profile.as_deref().unwrap_or("-");
        write!(out, "node {node}, profile {profile}")?;
        if self.draining {
            write!(out, ", {}", paint.warn("draining"))?;
        }
        writeln!(out)?;
        if !self.segments.is_empty() {
            nodes(self, paint).write(out)?;
            writeln!(out)?;
        }
        match self.units.as_slice() {
            [] => writeln!(out, "no address is elected")?,
            units => owners(units, node, paint).write(out)?,
        }
        let problems = self.segments.iter().flat_map(|segment| &segment.problems);
        self.trouble
            .iter()
            .chain(problems)
            .try_for_each(|problem| writeln!(out, "{} {problem}", paint.bad("!")))
    }
}

/// Every node on every link, this one first.
pub(in super::super) fn nodes(report: &ElectionReport, paint: Paint) -> Table {
    let mut table = Table::new([
        "INTERFACE",
        "NODE",
        "STATE",
        "SHARDS",
        "HEARD",
        "FOR",
        "REFUSED",
    ]);
    let here = report.node.as_deref().unwrap_or("-");
    for segment in &report.segments {
        table.row(own_row(segment, here, paint));
        for node in &segment.nodes {
            table.row(row(segment, node, paint));
        }
    }
    table
}

fn own_row(segment: &SegmentReport, node: &str, paint: Paint) -> [String; 7] {
    let state = match segment.phase.as_str() {
        IN_SERVICE => paint.good(&segment.phase),
        other => paint.warn(other),
    };
    let refused: u64 = segment.refused.values().sum();
    let refused = match refused {
        0 => "0".to_owned(),
        some => paint.bad(some),
    };
    [
        segment.interface.clone(),
        format!("{node} (this one)"),
        state,
        segment.owned.to_string(),
        "-".to_owned(),
        "-".to_owned(),
        refused,
    ]
}

fn row(segment: &SegmentReport, node: &NodeReport, paint: Paint) -> [String; 7] {
    let state = match node.state.as_str() {
        IN_SERVICE => paint.good(&node.state),
        other => paint.warn(other),
    };
    [
        segment.interface.clone(),
        node.name.clone(),
        state,
        node.owned.to_string(),
        format!("{} ms ago", node.age_ms),
        span(node.heard_seconds),
        "-".to_owned(),
    ]
}

fn owners(units: &[UnitReport], here: &str, paint: Paint) -> Table {
    let mut table = Table::new([
        "SERVICES",
        "ADDRESSES",
        "INTERFACE",
        "OWNER",
        "FOR",
        "SHARD",
    ]);
    for unit in units {
        let services: Vec<_> = unit.services.iter().map(ToString::to_string).collect();
        let addresses: Vec<_> = unit.addresses.iter().map(ToString::to_string).collect();
        let owner = match unit.owner.as_deref() {
            Some(owner) if owner == here => paint.good(owner),
            Some(owner) => owner.to_owned(),
            None => paint.bad("nobody"),
        };
        table.row([
            services.join(", "),
            addresses.join(", "),
            unit.interface.clone().unwrap_or_else(|| "-".to_owned()),
            owner,
            unit.seconds.map_or_else(|| "-".to_owned(), span),
            format!("{}/{}", unit.group, unit.shard),
        ]);
    }
    table
}

const IN_SERVICE: &str = "in service";

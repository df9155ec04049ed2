//! `openelb validate`: everything that is wrong with some files, at once.

use std::io::{self, Write};

use openelb_k8s::bgp::Node;
use serde::Serialize;

use crate::args::{FilesArgs, NodeArgs};
use crate::config::{self, Config, Diagnostic, InvalidConfig};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report};

pub(super) fn run(args: &FilesArgs, format: Format) -> Result<ExitCode, Failure> {
    let report = match config::load(&args.files, &this_node(&args.node)) {
        Ok(config) => Validation::of(&config),
        Err(InvalidConfig { remarks }) => Validation {
            valid: false,
            pools: None,
            services: None,
            peers: None,
            elected_as: None,
            remarks,
        },
    };
    output::print(&report, format)?;
    Ok(if report.valid {
        ExitCode::Success
    } else {
        ExitCode::Invalid
    })
}

/// A configuration that must be valid, or the failure that shows every line at fault.
pub(super) fn load(files: &[std::path::PathBuf], node: &NodeArgs) -> Result<Config, Failure> {
    config::load(files, &this_node(node)).map_err(|invalid| {
        Failure::new(
            ExitCode::Invalid,
            format!("the configuration is invalid\n\n{invalid}"),
        )
        .next("correct the lines shown; `openelb validate FILE` checks without starting anything")
    })
}

fn this_node(node: &NodeArgs) -> Node {
    config::this_node(node.node_name.as_deref(), &node.labels)
}

#[derive(Debug, Serialize)]
struct Validation {
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pools: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    services: Option<usize>,
    /// BGP peers and groups of dynamic neighbours that this machine speaks with.
    #[serde(skip_serializing_if = "Option::is_none")]
    peers: Option<usize>,
    /// The name under which this machine takes part in the election of layer 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    elected_as: Option<String>,
    remarks: Vec<Diagnostic>,
}

impl Validation {
    fn of(config: &Config) -> Self {
        Self {
            valid: true,
            pools: Some(config.pools.len()),
            services: Some(config.services.len()),
            peers: config
                .bgp
                .as_ref()
                .map(|bgp| bgp.speaker.peers.len() + bgp.speaker.dynamic.len()),
            elected_as: config.election.as_ref().map(|it| it.node.to_string()),
            remarks: config.warnings.clone(),
        }
    }
}

impl Report for Validation {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        for remark in &self.remarks {
            writeln!(out, "{remark}\n")?;
        }
        let count = |is_error| {
            self.remarks
                .iter()
                .filter(|r| r.is_error() == is_error)
                .count()
        };
        match (self.pools, self.services) {
            (Some(pools), Some(services)) => {
                let warnings = match count(false) {
                    0 => String::new(),
                    some => format!(", {some} to look at"),
                };
                let (pools, services) = (counted(pools, "pool"), counted(services, "service"));
                let peers = self.peers.map(|peers| counted(peers, "BGP peer"));
                let peers = peers.map_or(String::new(), |peers| format!(", {peers}"));
                let election = self.elected_as.as_ref();
                let election = election.map(|node| format!(", elected as {node}"));
                let election = election.unwrap_or_default();
                let facts = format!("{pools}, {services}{peers}{election}{warnings}");
                writeln!(out, "{}: {facts}", paint.good("valid"))
            }
            _ => writeln!(
                out,
                "{}: {}",
                paint.bad("invalid"),
                counted(count(true), "error")
            ),
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

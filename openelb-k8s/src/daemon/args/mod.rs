//! The arguments of the processes. OpenELB's names are kept where they still mean something.

mod listen;
mod speaker;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};

use crate::client::Place;
use crate::names;
use crate::wish::{Serving, Unclassed};

pub(super) use listen::Listen;
pub(super) use speaker::{OnStop, SpeakerArgs};

/// The controller and the speaker of `OpenELB` in a cluster.
#[derive(Debug, Parser)]
#[command(name = "openelb-k8s", version, disable_help_subcommand = true)]
pub(super) struct Args {
    /// What to run.
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) log: LogArgs,
    /// The kubeconfig file; without it, what kubectl would use, or the service account of the pod.
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) kubeconfig: Option<PathBuf>,
    /// The namespace of the processes: their Lease is in it.
    #[arg(
        long,
        global = true,
        env = "OPENELB_NAMESPACE",
        default_value = "openelb-system"
    )]
    pub(super) namespace: String,
    /// Who this is, in Events and as a candidate; usually the name of the pod.
    #[arg(long, global = true, env = "POD_NAME", default_value = "")]
    pub(super) pod_name: String,
}

impl Args {
    /// Where the API server is told.
    pub(super) fn place(&self) -> Place {
        match &self.kubeconfig {
            Some(file) => Place::File(file.clone()),
            None => Place::Found,
        }
    }
}

/// What to run.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Gives addresses to Services.
    Controller(ControllerArgs),
    /// Announces the addresses of Services from this node.
    Speaker(SpeakerArgs),
    /// Prints the version.
    Version,
}

/// How to log.
#[derive(Debug, clap::Args)]
pub(super) struct LogArgs {
    /// How much is logged: a level, or a filter such as `info,openelb_k8s=debug`.
    #[arg(long, global = true, env = "OPENELB_LOG", default_value = "info")]
    pub(super) log: String,
    /// How a line looks.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Json)]
    pub(super) log_format: LogFormat,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The arguments of the controller.
#[derive(Debug, clap::Args)]
pub(super) struct ControllerArgs {
    /// Whether several controllers take turns, by a Lease.
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_value_t = true, default_missing_value = "true", value_name = "BOOL")]
    pub(super) leader_elect: bool,
    /// Where metrics and health are served: `:PORT`, `ADDRESS:PORT`, or `0` for nowhere.
    #[arg(long, default_value = ":7480")]
    pub(super) metrics_addr: Listen,
    /// Where health is served besides; `0`: only with the metrics.
    #[arg(long, default_value = "0")]
    pub(super) readiness_addr: Listen,
    /// Metrics have, besides their own, the names that OpenELB gave them.
    #[arg(long)]
    pub(super) openelb_metric_names: bool,
    /// The `loadBalancerClass` that is served.
    #[arg(long, value_name = "CLASS", default_value = names::LOAD_BALANCER_CLASS)]
    pub(super) load_balancer_class: String,
    /// Whether Services without a class are served: those that opt in by annotation, or all.
    #[arg(long, value_enum, default_value_t = ServeUnclassed::OptIn)]
    pub(super) serve_unclassed: ServeUnclassed,
    /// Most records that an Eip itself holds; those beyond are in `AddressBlock`s.
    #[arg(long, value_name = "RECORDS", default_value_t = 8_000, value_parser = cap)]
    pub(super) ledger_cap: usize,
    /// Pools and BGP objects that cannot be used are refused when they are written.
    #[arg(long)]
    pub(super) webhook: bool,
    /// Where the API server asks the webhook.
    #[arg(long, value_name = "PORT", default_value_t = 9_443)]
    pub(super) webhook_port: u16,
    /// Writes under way at once; each has a connection.
    #[arg(long, value_name = "NUMBER", default_value_t = 24, value_parser = width)]
    pub(super) concurrent_writes: usize,
}

impl ControllerArgs {
    /// Which Services are served.
    pub(super) fn serving(&self) -> Serving {
        Serving {
            class: self.load_balancer_class.clone(),
            unclassed: match self.serve_unclassed {
                ServeUnclassed::OptIn => Unclassed::OptIn,
                ServeUnclassed::Always => Unclassed::Always,
            },
        }
    }
}

/// What becomes of Services without a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ServeUnclassed {
    /// Served when they opt in by annotation.
    OptIn,
    /// Served.
    Always,
}

fn cap(text: &str) -> Result<usize, String> {
    number(text, 1, 16_000)
}

fn width(text: &str) -> Result<usize, String> {
    number(text, 1, 256)
}

fn number(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let number = text.parse().ok();
    let number = number.filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("write a number from {least} to {most}"))
}

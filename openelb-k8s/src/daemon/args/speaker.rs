//! The arguments of the speaker.

use std::time::Duration;

use clap::ValueEnum;

use super::Listen;
use crate::names;

/// The arguments of the speaker.
#[derive(Debug, Clone, clap::Args)]
pub(in crate::daemon) struct SpeakerArgs {
    /// The name of the node that it runs on, as the cluster has it.
    #[arg(long, env = "NODE_NAME", value_name = "NAME")]
    pub(in crate::daemon) node_name: String,
    /// Where metrics and health are served: `:PORT`, `ADDRESS:PORT`, or `0` for nowhere.
    #[arg(long, default_value = ":7481")]
    pub(in crate::daemon) metrics_addr: Listen,
    /// Metrics of sessions have, besides their own, the names that OpenELB gave them.
    #[arg(long)]
    pub(in crate::daemon) openelb_metric_names: bool,
    /// The `loadBalancerClass` that is served, besides none.
    #[arg(long, value_name = "CLASS", default_value = names::LOAD_BALANCER_CLASS)]
    pub(in crate::daemon) load_balancer_class: String,
    /// Announce also from nodes that are excluded from load balancing by their label.
    #[arg(long)]
    pub(in crate::daemon) ignore_exclude_label: bool,
    /// What happens to routes when the process is told to stop.
    #[arg(long, value_enum, default_value_t = OnStop::Drain)]
    pub(in crate::daemon) on_stop: OnStop,
    /// How long, at most, others are given to take over when it is told to stop, such as `2s`.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time)]
    pub(in crate::daemon) drain_time: Duration,
}

/// What happens to routes when the process is told to stop. Addresses on links are handed over either
/// way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::daemon) enum OnStop {
    /// Peers are asked to prefer other paths, and then the routes are withdrawn: the node goes.
    Drain,
    /// Peers that keep routes over a restart keep them (RFC 4724): the process comes back at once.
    Keep,
}

fn time(text: &str) -> Result<Duration, String> {
    let read = text.parse::<jiff::SignedDuration>().ok();
    let read = read.and_then(|read| Duration::try_from(read).ok());
    let read = read.filter(|read| *read <= LONGEST);
    read.ok_or_else(|| "write one such as 500ms or 2s, at most 50s".to_owned())
}

/// Below the minute that a pod is given to end.
const LONGEST: Duration = Duration::from_secs(50);

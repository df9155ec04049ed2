//! `openelb manifests`.

use clap::{Args as ClapArgs, ValueEnum};

/// `openelb manifests`.
#[derive(Debug, ClapArgs)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub(crate) struct ManifestsArgs {
    /// Namespace of the controller and the speakers.
    #[arg(long, value_name = "NAME", default_value = "openelb-system")]
    pub(crate) namespace: String,
    /// Image of both; the default is that of this version.
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,
    /// Which protocols the speakers may speak: decides over their capabilities.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "layer2,bgp")]
    pub(crate) protocols: Vec<SpeakerProtocol>,
    /// Add services of the metrics, what scrapes them, and alerts, for Prometheus' operator.
    #[arg(long)]
    pub(crate) monitoring: bool,
    /// Add the webhook that refuses overlapping pools as they are written.
    #[arg(long)]
    pub(crate) webhook: bool,
    /// Only the definitions of the kinds.
    #[arg(long, conflicts_with_all = ["monitoring", "webhook", "uninstall_steps"])]
    pub(crate) definitions: bool,
    /// Instead of objects, the steps that take an installation away, as a shell script.
    #[arg(long)]
    pub(crate) uninstall_steps: bool,
}

/// A protocol of the speakers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SpeakerProtocol {
    /// ARP and NDP.
    Layer2,
    /// BGP.
    Bgp,
    /// VRRP with interfaces of its own.
    Vip,
    /// Routes to pods in the node's kernel, and its CNI configuration.
    Pods,
}

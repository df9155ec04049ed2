//! Which cluster, as kubectl asks for it.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// A cluster, and how its controller was started.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterArgs {
    /// Kubeconfig file [default: KUBECONFIG, else ~/.kube/config].
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: the current one].
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// loadBalancerClass that the controller serves [default: openelb.io/openelb].
    #[arg(long, value_name = "CLASS")]
    pub(crate) class: Option<String>,
    /// The controller also serves Services without a class that do not opt in.
    #[arg(long)]
    pub(crate) serve_unclassed: bool,
}

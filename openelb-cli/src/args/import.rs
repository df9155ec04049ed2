//! `openelb import`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

/// `openelb import`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ImportArgs {
    /// Whose objects they are.
    #[arg(value_enum)]
    pub(crate) origin: ImportOrigin,
    /// YAML files, also what `kubectl get -o yaml` wrote; `-` is standard input.
    #[arg(value_name = "FILE", required_unless_present = "live")]
    pub(crate) files: Vec<PathBuf>,
    /// Read the objects of a running cluster instead; nothing is written to it.
    #[arg(long, conflicts_with = "files")]
    pub(crate) live: bool,
    /// Kubeconfig file [default: KUBECONFIG, else ~/.kube/config].
    #[arg(long, value_name = "FILE", requires = "live")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: the current one].
    #[arg(long, value_name = "NAME", requires = "live")]
    pub(crate) context: Option<String>,
    /// Write no object when something is lost.
    #[arg(long)]
    pub(crate) strict: bool,
}

/// Whose objects are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportOrigin {
    /// OpenELB up to 0.6.
    Openelb,
    /// MetalLB: its objects, or the `ConfigMap` of versions before 0.13.
    Metallb,
    /// metallb-dyn6: its Helm values, its Deployment or its environment, best together with
    /// the objects of MetalLB.
    MetallbDyn6,
}

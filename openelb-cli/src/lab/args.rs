//! What was typed after `openelb lab`.

use std::path::PathBuf;

/// The arguments of `openelb lab`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LabArgs {
    /// Leave the network and its daemons running at the end, and say how to enter the hosts;
    /// Ctrl-C removes everything
    #[arg(long)]
    pub(crate) keep: bool,

    /// Play no scenario: obey one JSON request a line on standard input, one JSON answer a line
    /// on standard output
    #[arg(long, conflicts_with = "keep")]
    pub(crate) script: bool,

    /// Be this user inside the user namespace, not root, with the lab's rights all the same
    #[arg(long, hide = true, value_name = "UID", default_value_t = 0)]
    pub(crate) user: u32,

    /// Where the lab keeps its files. Given by the outer process to the one that it starts inside
    /// the namespaces, never by a person.
    #[arg(long, hide = true, value_name = "DIR")]
    pub(crate) inside: Option<PathBuf>,

    /// Whether the namespaces were made without a user namespace; given like `inside`.
    #[arg(long, hide = true, requires = "inside")]
    pub(crate) privileged: bool,
}

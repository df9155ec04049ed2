//! What was typed after `openelb lab`.

use std::path::PathBuf;

use super::plan::{NODE_A, NODE_B};

/// The arguments of `openelb lab`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LabArgs {
    /// What to show
    #[arg(value_enum, default_value_t = Scene::Layer2)]
    pub(crate) scene: Scene,

    /// Leave the network and its daemons running at the end, and say how to enter the hosts;
    /// Ctrl-C removes everything
    #[arg(long)]
    pub(crate) keep: bool,

    /// Play no scenario: obey one JSON request a line on standard input, one JSON answer a line
    /// on standard output
    #[arg(long, conflicts_with_all = ["keep", "scene"])]
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

/// What a lab shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scene {
    /// A service on one link: allocated, announced with ARP and NDP, moved without loss, withdrawn
    #[value(name = "layer2")]
    Layer2,
    /// A node announces a service to a router (FRR); the client reaches it through the router
    Bgp,
    /// Two nodes announce one service to a router, which spreads over both; one is restarted, one
    /// dies
    BgpEcmp,
}

impl Scene {
    /// Whether it needs FRR, which changes its user and so needs more rights than a user namespace
    /// has.
    pub(crate) fn has_router(self) -> bool {
        self != Self::Layer2
    }

    /// How it is typed.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Layer2 => "openelb lab",
            Self::Bgp => "openelb lab bgp",
            Self::BgpEcmp => "openelb lab bgp-ecmp",
        }
    }

    /// The hosts that run the daemon.
    pub(crate) fn nodes(self) -> &'static [&'static str] {
        match self {
            Self::Layer2 | Self::BgpEcmp => &[NODE_A, NODE_B],
            Self::Bgp => &[NODE_A],
        }
    }
}

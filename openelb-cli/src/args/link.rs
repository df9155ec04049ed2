//! What was typed about the election, virtual routers and leaving them.

use clap::{Args as ClapArgs, Subcommand};

use super::{PlaceArgs, parse_duration};

/// `openelb l2 …`.
#[derive(Debug, Subcommand)]
pub(crate) enum L2Verb {
    /// List the nodes of each link, and which of them answers for which address.
    #[command(
        after_help = "Examples:\n  openelb l2 owners\n  openelb l2 owners shop/web\n  openelb l2 \
                            owners node-b -o json"
    )]
    Owners(OwnersArgs),
    /// Show what happens to addresses, nodes and virtual routers, line by line, until Ctrl-C.
    Monitor(MonitorArgs),
}

/// `openelb l2 owners`.
#[derive(Debug, ClapArgs)]
pub(crate) struct OwnersArgs {
    /// Only this address or service, or what this node has.
    pub(crate) what: Option<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// `openelb l2 monitor`.
#[derive(Debug, ClapArgs)]
pub(crate) struct MonitorArgs {
    /// Only on this interface.
    #[arg(long, value_name = "IF")]
    pub(crate) interface: Option<String>,
    /// Only what happens from now on, not what is still remembered.
    #[arg(long)]
    pub(crate) new: bool,
    /// Show what is remembered and exit.
    #[arg(long, conflicts_with = "new")]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// `openelb vrrp …`.
#[derive(Debug, Subcommand)]
pub(crate) enum VrrpVerb {
    /// List the virtual routers: state, priority, who is Active, addresses.
    #[command(after_help = "Examples:\n  openelb vrrp show\n  openelb vrrp show 51 -o yaml")]
    Show(VrrpShowArgs),
}

/// `openelb vrrp show`.
#[derive(Debug, ClapArgs)]
pub(crate) struct VrrpShowArgs {
    /// Only this virtual router, VRID, pool or address.
    pub(crate) what: Option<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// `openelb drain`.
#[derive(Debug, ClapArgs)]
pub(crate) struct DrainArgs {
    /// The node, by the name that it has in the election [default: the daemon's own].
    pub(crate) node: Option<String>,
    /// How long routers get to move to other paths before the routes are withdrawn.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_duration)]
    pub(crate) wait: std::time::Duration,
    /// Take part and announce everything as before.
    #[arg(long, conflicts_with = "wait")]
    pub(crate) undo: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

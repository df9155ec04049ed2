//! What was typed about prefixes that the network may change.

use clap::{Args as ClapArgs, Subcommand};
use ipnet::Ipv6Net;

use super::{NodeArgs, PlaceArgs};

/// `openelb prefix …`.
#[derive(Debug, Subcommand)]
pub(crate) enum PrefixVerb {
    /// Say which prefix is in use, what every source says of it, and which one won and why.
    #[command(
        after_help = "Examples:\n  openelb prefix explain\n  openelb prefix explain home -o json\n  \
                            openelb prefix explain openelb.yaml --delegated 2001:db8:aaaa:bb11::/64"
    )]
    Explain(PrefixExplainArgs),
    /// Show what happens to the prefixes, line by line, until Ctrl-C; with -o json one object a line.
    Watch(PrefixWatchArgs),
}

/// `openelb prefix explain`.
#[derive(Debug, ClapArgs)]
pub(crate) struct PrefixExplainArgs {
    /// Only this prefix; with --delegated a configuration file instead.
    #[arg(value_name = "NAME")]
    pub(crate) what: Option<String>,
    /// Ask no daemon: say what would follow if this prefix were delegated.
    #[arg(long, value_name = "PREFIX", requires = "what")]
    pub(crate) delegated: Option<Ipv6Net>,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// `openelb prefix watch`.
#[derive(Debug, ClapArgs)]
pub(crate) struct PrefixWatchArgs {
    /// Only this prefix.
    pub(crate) name: Option<String>,
    /// Only what happens from now on, not what is still remembered.
    #[arg(long)]
    pub(crate) new: bool,
    /// Show what is remembered and exit.
    #[arg(long, conflicts_with = "new")]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

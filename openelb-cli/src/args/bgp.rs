//! What was typed about BGP.

use clap::{Args as ClapArgs, Subcommand};

use super::PlaceArgs;

/// `openelb bgp …`.
#[derive(Debug, Subcommand)]
pub(crate) enum BgpVerb {
    /// List the peers: state, uptime, routes, and the last error in words.
    #[command(after_help = "Examples:\n  openelb bgp peers\n  openelb bgp peers tor-1 -o yaml")]
    Peers(BgpPeerArgs),
    /// List every route as each peer was told of it: next hop, communities, and why it is refused.
    #[command(
        after_help = "Examples:\n  openelb bgp routes --peer tor-1\n  openelb bgp routes \
                            --received"
    )]
    Routes(BgpRoutesArgs),
    /// Show what happens to the peers, line by line, until Ctrl-C.
    Monitor(BgpMonitorArgs),
    /// Say what is wrong with each peer and what to do next; exits with 11 when something is.
    #[command(
        after_help = "It asks the daemon, and connects to the port of each peer whose session \
                            is down.\n\nExample:\n  openelb bgp check tor-1"
    )]
    Check(BgpPeerArgs),
}

/// One peer, or all.
#[derive(Debug, ClapArgs)]
pub(crate) struct BgpPeerArgs {
    /// Only this peer, by name or address.
    pub(crate) peer: Option<String>,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// `openelb bgp routes`.
#[derive(Debug, ClapArgs)]
pub(crate) struct BgpRoutesArgs {
    /// Only this peer.
    #[arg(long)]
    pub(crate) peer: Option<String>,
    /// What the peers sent, of those whose `BgpPeer` says `keepReceived`.
    #[arg(long)]
    pub(crate) received: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

/// `openelb bgp monitor`.
#[derive(Debug, ClapArgs)]
pub(crate) struct BgpMonitorArgs {
    /// Only this peer.
    #[arg(long)]
    pub(crate) peer: Option<String>,
    /// Only what happens from now on, not what is still remembered.
    #[arg(long)]
    pub(crate) new: bool,
    /// Show what is remembered and exit.
    #[arg(long, conflicts_with = "new")]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) place: PlaceArgs,
}

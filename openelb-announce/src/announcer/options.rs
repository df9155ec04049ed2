//! How an announcer behaves, with the reason of every default.

use std::io;
use std::time::Duration;

use crate::claim::Config;
pub use crate::driver::privileges::Privileges;
use crate::link::Pattern;

/// The behaviour of an announcer. Start from `Options::default()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What becomes of capabilities. Default: the I/O thread has none.
    pub privileges: Privileges,
    /// May links and addresses of the host be changed? Virtual routers with a virtual MAC or accept
    /// mode need it, and the announcer needs `CAP_NET_ADMIN` for it, which the opener thread keeps
    /// then. What a killed announcer left is removed at the start, so with this set there may be one
    /// announcer in a network namespace. Default false.
    pub configures_links: bool,
    /// How long the I/O thread may be kept from running (stopped, starved, suspended) before it
    /// treats everything that it answered for as lost: it discards what waits, is silent, and probes
    /// and announces again. Default 2 s, more than twice the longest stall seen on an overloaded
    /// machine (740 ms). At least 10 ms.
    pub fence: Duration,
    /// Run the I/O thread ahead of all ordinary ones (`SCHED_FIFO`) with this priority, 1 to 99, if
    /// that is permitted; [`Announcer::scheduling`](super::Announcer::scheduling) tells. An election
    /// that is faster than [`Profile::Normal`](crate::ownership::Profile::Normal) needs it. Default
    /// 10: above ordinary threads, below the kernel's own.
    pub priority: Option<u8>,
    /// How the machines behave on each interface. Its seed is mixed with one of each interface.
    pub machine: Config,
    /// Interfaces that patterns, prefixes and `all` pass over. Default: those of container networks.
    pub excluded: Vec<Pattern>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            privileges: Privileges::default(),
            configures_links: false,
            fence: Duration::from_secs(2),
            priority: Some(10),
            machine: Config::default(),
            excluded: EXCLUDED.iter().map(|text| Pattern::new(*text)).collect(),
        }
    }
}

/// Why an announcer did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Packet sockets cannot be opened.
    #[error(
        "opening a packet socket: {0}; run as root or grant CAP_NET_RAW \
         (setcap cap_net_raw+ep on the program)"
    )]
    PacketSocket(#[source] io::Error),
    /// The kernel did not tell about links and addresses.
    #[error("reading the interfaces of this host over netlink: {0}")]
    Netlink(#[source] io::Error),
    /// The thread could not be prepared.
    #[error("starting the I/O thread: {0}")]
    Thread(#[source] io::Error),
}

// Links of pods and of container engines, and where kube-proxy parks service addresses.
const EXCLUDED: [&str; 13] = [
    "docker*",
    "cbr*",
    "cni*",
    "virbr*",
    "lxc*",
    "veth*",
    "cali*",
    "cilium*",
    "tunl*",
    "flannel*",
    "kube-ipvs*",
    "nodelocaldns*",
    "dummy*",
];

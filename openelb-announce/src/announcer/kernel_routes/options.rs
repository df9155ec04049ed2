//! How routes are kept in the kernel, and what can go wrong with the thread that does it.

use std::io;
use std::num::NonZeroU32;

use crate::announcer::Privileges;

/// The behaviour of a [`KernelRoutes`](super::KernelRoutes). Start from `Options::default()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The number by which our routes are known in the kernel (`ip route show proto 112`), 4 to 255.
    /// Whatever carries it in [`table`](Self::table) is ours to remove: no other program may use it,
    /// nor two instances for one table.
    ///
    /// Default 112, as for the addresses of virtual routers. The kernel and iproute2 name nothing
    /// between 100 and 185, and neither FRR (186 to 198), BIRD (12), kube-router (17), Calico (80)
    /// nor kube-vip (248) uses it. 186, which iproute2 calls `bgp`, is FRR's, which removes foreign
    /// routes of that number when it starts.
    pub protocol: u8,
    /// The routing table. Default 254, which is `main`. For any other the host needs rules.
    pub table: u32,
    /// The metric, which decides between routes of equal length: the lowest counts. Default 2048:
    /// behind what the kernel (0, and 256 for IPv6), administrators (0) and router advertisements
    /// (1024) bring, so that nothing a peer says replaces what the host has by itself.
    pub metric: NonZeroU32,
    /// What becomes of capabilities. Default: the thread keeps `CAP_NET_ADMIN`, which it needs, and
    /// nothing else.
    pub privileges: Privileges,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            protocol: PROTOCOL,
            table: MAIN,
            metric: METRIC,
            privileges: Privileges::default(),
        }
    }
}

/// Why the thread did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The protocol number has another meaning.
    #[error("protocol {0} is the kernel's own; choose one of 4 to 255 that nobody else uses")]
    Protocol(u8),
    /// The thread could not be prepared.
    #[error("starting the thread of kernel routes: {0}")]
    Thread(#[from] io::Error),
}

/// The thread has ended. The routes are still in the kernel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("keeping routes in the kernel has ended ({reason}); start it again")]
pub struct Ended {
    /// Why it ended.
    pub reason: String,
}

/// What becomes of the routes when their keeper ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// They are removed: this host stops taking part.
    Remove,
    /// They stay, and the next keeper with the same protocol and table takes them over: an upgrade.
    Keep,
}

/// `RTPROT_STATIC`; the kernel gives a meaning only to those below it.
pub(super) const FIRST_PROTOCOL: u8 = 4;
const PROTOCOL: u8 = 112;
const MAIN: u32 = 254;
const METRIC: NonZeroU32 = NonZeroU32::new(2048).expect("it is not zero");

//! How the routes stand, and what happens to them.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// How the routes stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Status {
    /// How many destinations are wanted.
    pub wanted: usize,
    /// How many of them are in the kernel.
    pub installed: usize,
    /// Those that are not, or not with all their gateways, and why; by destination.
    pub refused: Vec<RefusedRoute>,
    /// How many routes a former process left that nobody has asked for yet.
    pub leftovers: usize,
    /// Why the kernel cannot be read or written at all, if it cannot; it is tried again.
    pub problem: Option<String>,
}

/// A route that is not in the kernel as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct RefusedRoute {
    /// Where it leads.
    pub destination: IpNet,
    /// Whether it is installed all the same, through other gateways.
    pub is_installed: bool,
    /// Why it, or one of its gateways, is left out.
    pub why: Refusal,
}

/// Why a route, or one of its gateways, is not installed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody was named to take the packets.
    #[error("it has no gateway")]
    NoGateway,
    /// The gateway is behind another router. There are no tunnels to such.
    #[error(
        "gateway {0} is on no subnet of this host; let the peer announce itself as next hop on a \
         shared link"
    )]
    NotConnected(IpAddr),
    /// The gateway is this host.
    #[error("gateway {0} is this host itself")]
    Own(IpAddr),
    /// The interface of a link-local gateway does not exist.
    #[error("gateway {gateway} needs interface {interface}, which this host does not have")]
    NoInterface {
        /// The gateway.
        gateway: IpAddr,
        /// The interface.
        interface: String,
    },
    /// The link towards the gateway is down.
    #[error("gateway {gateway} is on {interface}, which is down")]
    LinkDown {
        /// The gateway.
        gateway: IpAddr,
        /// The interface.
        interface: String,
    },
    /// Somebody else has a route to the same destination with the same metric.
    #[error(
        "a route that is not ours has the same destination and metric; remove it, or choose another \
         metric"
    )]
    Foreign,
    /// The kernel does not want it.
    #[error("the kernel refuses it: {0}")]
    Kernel(String),
}

#[cfg(feature = "serde")]
impl serde::Serialize for Refusal {
    /// The text of its `Display`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Something that users should see; its `Display` is one line for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// So many routes of a former process were found. They stay until the wanted set is complete.
    Found(usize),
    /// So many of those were removed: nobody asked for them.
    Swept(usize),
    /// A route is not installed as it is wanted, for a new reason.
    Refused(RefusedRoute),
    /// A route that was refused is installed now, with all its gateways.
    Recovered(IpNet),
    /// So many routes were missing although nobody here removed them, and are back.
    Restored(usize),
    /// The kernel cannot be read or written; it is tried again.
    Failed(String),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(routes) => write!(f, "{routes} routes of a former process are taken over"),
            Self::Swept(routes) => write!(f, "{routes} routes of a former process are removed"),
            Self::Refused(refused) => {
                let part = if refused.is_installed {
                    "in part"
                } else {
                    "not"
                };
                let (destination, why) = (refused.destination, &refused.why);
                write!(f, "route to {destination} is {part} installed: {why}")
            }
            Self::Recovered(destination) => write!(f, "route to {destination} is installed now"),
            Self::Restored(routes) => write!(
                f,
                "{routes} routes were removed by somebody else and are back"
            ),
            Self::Failed(why) => write!(f, "routes cannot be kept in the kernel: {why}"),
        }
    }
}

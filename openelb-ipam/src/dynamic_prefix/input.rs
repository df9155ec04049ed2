//! What the world tells the machine, and what the machine tells its owner.

use alloc::string::String;
use core::fmt;

use ipnet::Ipv6Net;

use super::settings::Settings;
use crate::time::Time;

/// What happened.
///
/// An input is only noted: what follows from it is decided in
/// [`Machine::handle_timeout`](super::Machine::handle_timeout), which is then due at once. Therefore
/// the order of what arrives in one instant does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A source tells of a prefix, for the first time or again.
    Seen(Sighting),
    /// A source says that a prefix is not to be used any more: its preferred lifetime is zero, or the
    /// address is deleted.
    ///
    /// It stays valid as long as was told before, unless a [`Seen`](Self::Seen) said less.
    Gone {
        /// Index of the source.
        source: usize,
        /// Where the source had it from.
        origin: String,
        /// The prefix as the source told it.
        prefix: Ipv6Net,
    },
    /// A source cannot tell anything now. What it told keeps its lifetimes.
    Failed {
        /// Index of the source.
        source: usize,
        /// The error, in words for its user.
        why: String,
    },
    /// A source works again.
    Worked {
        /// Index of the source.
        source: usize,
    },
    /// The addresses of a preferred prefix are announced: the grace of those it replaces begins.
    Announced {
        /// The prefix of the addresses, not the delegated one.
        prefix: Ipv6Net,
    },
    /// The user changed the settings.
    Configure(Settings),
}

/// One source's word about one prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Sighting {
    /// Index of the source in the order of the configuration: lower is better.
    pub source: usize,
    /// Where the source has it from, for people and to tell two routers apart: `wan0`,
    /// `router fe80::1 on wan0`.
    pub origin: String,
    /// The prefix that the network delegates. Host bits do not matter.
    pub prefix: Ipv6Net,
    /// Until when new connections may use it (RFC 4862 section 5.5.4); `None`: for ever.
    #[cfg_attr(feature = "serde", serde(default))]
    pub preferred_until: Option<Time>,
    /// Until when the network carries it; `None`: for ever.
    #[cfg_attr(feature = "serde", serde(default))]
    pub valid_until: Option<Time>,
}

/// What the machine did or learned; for logs, Events and counters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub enum Event {
    /// There is a prefix where there was none.
    Detected {
        /// The prefix.
        prefix: Ipv6Net,
    },
    /// Another prefix is preferred.
    Renumbered {
        /// The former one.
        from: Ipv6Net,
        /// The one for new connections.
        to: Ipv6Net,
    },
    /// A prefix is leaving.
    Deprecated {
        /// The prefix.
        prefix: Ipv6Net,
        /// When it leaves at the latest; `None` while its successor is not announced and its valid
        /// lifetime has no end.
        until: Option<Time>,
    },
    /// A prefix is not used any more.
    Withdrawn {
        /// The prefix.
        prefix: Ipv6Net,
    },
    /// Nobody vouches for the preferred prefix any more. It stays for its valid lifetime.
    Degraded {
        /// What is missing.
        why: String,
    },
    /// The preferred prefix is vouched for again.
    Recovered,
    /// The preferred prefix went and came back before anybody was told.
    Returned {
        /// The prefix.
        prefix: Ipv6Net,
    },
    /// A sighting that cannot be used.
    Refused {
        /// The prefix as it was told.
        prefix: Ipv6Net,
        /// Where it came from.
        origin: String,
        /// What is wrong with it.
        why: String,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Detected { prefix } => write!(f, "{prefix} is in use"),
            Self::Renumbered { from, to } => write!(f, "{to} replaces {from}"),
            Self::Deprecated {
                prefix,
                until: Some(until),
            } => write!(f, "{prefix} leaves at {until}"),
            Self::Deprecated {
                prefix,
                until: None,
            } => write!(f, "{prefix} leaves once its successor is announced"),
            Self::Withdrawn { prefix } => write!(f, "{prefix} is not used any more"),
            Self::Degraded { why } => f.write_str(why),
            Self::Recovered => f.write_str("the preferred prefix is vouched for again"),
            Self::Returned { prefix } => {
                write!(f, "{prefix} came back before anything was changed")
            }
            Self::Refused {
                prefix,
                origin,
                why,
            } => write!(f, "{prefix} from {origin} is not usable: {why}"),
        }
    }
}

//! What a `DynamicPrefix` means: how it is followed, and where it is learned.
//!
//! [`followed`] turns the object into the settings of
//! [`Machine`](openelb_ipam::dynamic_prefix::Machine) and a list of typed sources, or into remarks by
//! key. The rest reads what sources hand over, purely: [`lease`] the files of `DHCPv6` programs,
//! [`statement`] prefixes as people write them, [`agreement`] what several web servers say. Nothing
//! here opens a file or a socket.

pub mod agreement;
pub mod lease;
mod read;
pub mod statement;
#[cfg(test)]
mod tests;

use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::Ipv6Net;
use openelb_announce::upstream::Routes;
use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::Settings;
use openelb_ipam::relative::PrefixName;

use crate::api::{DynamicPrefix, LeaseFormat};
use crate::names;
use crate::problem::{Problem, Remarks};

/// A prefix as it is to be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// What pools call it.
    pub name: PrefixName,
    /// How it is followed.
    pub settings: Settings,
    /// Where it is learned, the best first: the index is that of `spec.sources`.
    pub sources: Vec<Source>,
}

/// A place where a prefix is learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The addresses of this interface, and what it reaches without a router.
    Address {
        /// Name of the interface.
        interface: String,
    },
    /// Routes.
    Route(Routes),
    /// What routers advertise.
    RouterAdvertisement {
        /// Name of the interface.
        interface: String,
        /// Those that are listened to; empty: all.
        routers: Vec<Ipv6Addr>,
    },
    /// A file of leases.
    Lease {
        /// Which program writes it.
        format: LeaseFormat,
        /// Where it is.
        path: PathBuf,
        /// Only leases of this client; `None`: there must be but one.
        client: Option<String>,
    },
    /// Web servers.
    Http {
        /// Whom to ask.
        urls: Vec<String>,
        /// How many must agree.
        quorum: usize,
        /// How often.
        every: Duration,
        /// Length of the prefix around the address.
        length: u8,
    },
    /// The address of a name.
    Dns {
        /// The name.
        name: String,
        /// How often it is looked up.
        every: Duration,
        /// Length of the prefix around the address.
        length: u8,
    },
    /// A file with prefixes as text.
    File {
        /// Where it is; `None`: standard input.
        path: Option<PathBuf>,
    },
    /// A prefix that does not change.
    Static {
        /// The prefix.
        prefix: Ipv6Net,
    },
}

impl Source {
    /// Whether it tells something about one node, so that the nodes look at it. The others are looked
    /// at once for the whole cluster.
    pub const fn is_of_node(&self) -> bool {
        match self {
            Self::Address { .. }
            | Self::Route(_)
            | Self::RouterAdvertisement { .. }
            | Self::Lease { .. }
            | Self::File { .. } => true,
            Self::Http { .. } | Self::Dns { .. } | Self::Static { .. } => false,
        }
    }
}

/// A prefix that a file or a server tells of, on the caller's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The prefix, without host bits.
    pub prefix: Ipv6Net,
    /// Until when new connections should use it; `None`: for ever.
    pub preferred_until: Option<Time>,
    /// Until when it may be used; `None`: for ever.
    pub valid_until: Option<Time>,
}

/// What an object means, and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// The prefix; `None` when the object cannot be used.
    pub prefix: Option<Followed>,
    /// What is to be said about it, in the order of its fields.
    pub problems: Vec<Problem>,
}

/// What a `DynamicPrefix` means. O(sources).
///
/// ```
/// use openelb_k8s::api::{AddressSource, DynamicPrefix, PrefixSource};
/// use openelb_k8s::prefix::{self, Source};
///
/// let source = |interface: &str| PrefixSource {
///     address: Some(AddressSource { interface: interface.to_owned() }),
///     ..PrefixSource::default()
/// };
/// let meant = prefix::followed(&DynamicPrefix::new("home", vec![source("wan0")])).prefix.unwrap();
/// assert_eq!(meant.sources, [Source::Address { interface: "wan0".to_owned() }]);
///
/// let wrong = prefix::followed(&DynamicPrefix::new("home", vec![source("")]));
/// assert_eq!(wrong.problems[0].key, "spec.sources[0].address.interface");
/// ```
pub fn followed(object: &DynamicPrefix) -> Meaning {
    let mut remarks = Remarks::about(names::DYNAMIC_PREFIX_KIND, &object.metadata.name);
    let name = object.metadata.name.parse::<PrefixName>();
    if let Err(error) = &name {
        remarks.invalid_text("metadata.name", error);
    }
    let settings = read::settings(&object.spec, &mut remarks);
    let sources = read::sources(&object.spec.sources, &mut remarks);
    let prefix = match (name, remarks.has_error()) {
        (Ok(name), false) => Some(Followed {
            name,
            settings,
            sources,
        }),
        _ => None,
    };
    Meaning {
        prefix,
        problems: remarks.found,
    }
}

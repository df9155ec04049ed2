//! On which interfaces an address is announced: what can be asked for, and what that means here.

mod pattern;

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

pub use pattern::Pattern;

use super::topology::{Link, Media, Topology};

/// Which interfaces to announce an address on.
///
/// A port of a bond, team or bridge stands for its master, because frames that arrive on a port are
/// seen there only. The loopback interface and links without neighbours are never chosen.
///
/// ```
/// use openelb_announce::link::InterfaceSelector;
///
/// for text in ["eth0", "eth*", "192.0.2.0/24", "can_reach:192.0.2.1", "all", "eth0,bond?"] {
///     let selector: InterfaceSelector = text.parse()?;
///     assert_eq!(selector.to_string(), text);
/// }
/// # Ok::<(), openelb_announce::link::ParseSelectorError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub enum InterfaceSelector {
    /// The interface with this name, written `eth0`.
    Name(String),
    /// Every interface whose name matches, written `eth*`.
    Glob(Pattern),
    /// Every interface that has an address in this prefix, written `192.0.2.0/24`.
    Cidr(IpNet),
    /// The interface over which the routing table reaches this address, written
    /// `can_reach:192.0.2.1`.
    CanReach(IpAddr),
    /// Every interface that can carry announcements, written `all`.
    #[default]
    All,
    /// The interfaces of any of these, written with commas between them.
    Any(Vec<Self>),
}

impl InterfaceSelector {
    /// The indices of the links that are meant, at least one.
    ///
    /// `excluded` holds the names that patterns, prefixes and `all` pass over; an exact name is
    /// taken at its word. `route` finds the link towards an address. Looks at every link once for
    /// each part of the selector.
    pub(crate) fn resolve(
        &self,
        topology: &Topology,
        excluded: &[Pattern],
        route: &mut dyn FnMut(IpAddr) -> Result<u32, RouteError>,
    ) -> Result<BTreeSet<u32>, NoInterface> {
        let wanted = |accepts: &dyn Fn(&Link) -> bool| {
            self.choose(topology, |link| {
                accepts(link) && !excluded.iter().any(|pattern| pattern.matches(&link.name))
            })
        };
        match self {
            Self::Name(name) => match topology.link_named(name) {
                Some(link) => only(link, topology),
                None => Err(NoInterface::Unknown {
                    name: name.clone(),
                    known: names(topology),
                }),
            },
            Self::Glob(pattern) => wanted(&|link| pattern.matches(&link.name)),
            Self::Cidr(net) => wanted(&|link| {
                topology
                    .addresses(link.index)
                    .any(|own| net.contains(&own.addr()))
            }),
            Self::All => wanted(&|_| true),
            Self::CanReach(target) => {
                let index = route(*target).map_err(|source| NoInterface::NoRoute {
                    target: *target,
                    source,
                })?;
                match topology.link(index) {
                    Some(link) => only(link, topology),
                    None => Err(NoInterface::NoMatch {
                        selector: self.to_string(),
                        known: names(topology),
                    }),
                }
            }
            Self::Any(parts) => union(parts, topology, excluded, route),
        }
    }

    /// Adds to `targets` what the routing table must be asked about; its changes do not show in a
    /// [`Topology`].
    pub(crate) fn route_targets(&self, targets: &mut BTreeSet<IpAddr>) {
        match self {
            Self::CanReach(target) => drop(targets.insert(*target)),
            Self::Any(parts) => parts.iter().for_each(|part| part.route_targets(targets)),
            _ => {}
        }
    }

    fn choose(
        &self,
        topology: &Topology,
        accepts: impl Fn(&Link) -> bool,
    ) -> Result<BTreeSet<u32>, NoInterface> {
        let chosen: BTreeSet<u32> = topology
            .links()
            .filter(|link| accepts(link))
            .map(|link| station(link, topology))
            .filter(|link| obstacle(link).is_none())
            .map(|link| link.index)
            .collect();
        if chosen.is_empty() {
            return Err(NoInterface::NoMatch {
                selector: self.to_string(),
                known: names(topology),
            });
        }
        Ok(chosen)
    }
}

/// Why a selector means no interface here, now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoInterface {
    /// No interface has this name.
    #[error("there is no interface {name:?}; this host has {}", list(.known))]
    Unknown {
        /// What was asked for.
        name: String,
        /// The interfaces that exist.
        known: Vec<String>,
    },
    /// The interface exists, but no announcement can work on it.
    #[error("interface {name} cannot carry announcements: {obstacle}")]
    Unfit {
        /// The interface.
        name: String,
        /// What is in the way.
        obstacle: Obstacle,
    },
    /// No fit interface matches.
    #[error("no usable interface matches {selector}; this host has {}", list(.known))]
    NoMatch {
        /// What was asked for.
        selector: String,
        /// The interfaces that exist.
        known: Vec<String>,
    },
    /// The routing table has no answer that can be used.
    #[error("no interface reaches {target}: {source}")]
    NoRoute {
        /// The address that should be reached.
        target: IpAddr,
        /// What the routing table said.
        source: RouteError,
    },
}

/// What keeps a link from carrying announcements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Obstacle {
    /// It is the loopback interface.
    #[error("it is the loopback interface, which no other host can see")]
    Loopback,
    /// It is marked `NOARP`.
    #[error("it is marked NOARP, so nobody resolves addresses on it")]
    NoArp,
    /// It has one peer and no neighbours.
    #[error("it is a point-to-point link without neighbours to announce to")]
    PointToPoint,
    /// It has no Ethernet hardware address.
    #[error("it has no Ethernet hardware address")]
    Foreign,
}

/// What the routing table said instead of naming a link to a neighbour.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RouteError {
    /// The address is one of the host's own, or loopback.
    #[error("it is an address of this host itself; name one of a neighbour, such as the gateway")]
    Local,
    /// The question is on its way.
    #[error("the routing table is being asked")]
    Pending,
    /// There is no route, or one that refuses.
    #[error("the routing table has no usable route to it")]
    Unreachable,
    /// The question itself went wrong.
    #[error("asking the routing table: {0}")]
    Netlink(String),
}

/// Why a text is not an interface selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} does not select interfaces: {reason}; write a name (eth0), a pattern (eth*), a prefix \
     (192.0.2.0/24), can_reach:ADDRESS, all, or several with commas"
)]
pub struct ParseSelectorError {
    text: String,
    reason: &'static str,
}

impl FromStr for InterfaceSelector {
    type Err = ParseSelectorError;

    /// Reads what `Display` writes. Blanks around a part are ignored.
    fn from_str(text: &str) -> Result<Self, ParseSelectorError> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        let refuse = |reason| ParseSelectorError {
            text: text.to_owned(),
            reason,
        };
        match parts.as_slice() {
            [part] => parse_part(part).map_err(refuse),
            _ => parts
                .iter()
                .map(|part| parse_part(part).map_err(refuse))
                .collect::<Result<_, _>>()
                .map(Self::Any),
        }
    }
}

impl fmt::Display for InterfaceSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Glob(pattern) => pattern.fmt(f),
            Self::Cidr(net) => net.fmt(f),
            Self::CanReach(target) => write!(f, "{CAN_REACH}{target}"),
            Self::All => f.write_str(ALL),
            Self::Any(parts) => {
                for (place, part) in parts.iter().enumerate() {
                    f.write_str(if place == 0 { "" } else { "," })?;
                    part.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

impl TryFrom<String> for InterfaceSelector {
    type Error = ParseSelectorError;

    fn try_from(text: String) -> Result<Self, ParseSelectorError> {
        text.parse()
    }
}

impl From<InterfaceSelector> for String {
    fn from(selector: InterfaceSelector) -> Self {
        selector.to_string()
    }
}

fn parse_part(part: &str) -> Result<InterfaceSelector, &'static str> {
    if let Some(target) = part.strip_prefix(CAN_REACH) {
        let target: IpAddr = target
            .trim()
            .parse()
            .map_err(|_| "can_reach: needs an IP address")?;
        let is_host = !target.is_unspecified() && !target.is_multicast() && !target.is_loopback();
        let refusal = "can_reach: needs the address of another host, not loopback or a group";
        return is_host
            .then_some(InterfaceSelector::CanReach(target))
            .ok_or(refusal);
    }
    match part {
        "" => Err("a part of it is empty"),
        ALL => Ok(InterfaceSelector::All),
        _ if part.contains('/') => part
            .parse()
            .map(|net: IpNet| InterfaceSelector::Cidr(net.trunc()))
            .map_err(|_| "the part with a slash is not a prefix"),
        _ if part.contains(':') => Err("the word before the colon is not known"),
        _ if part.contains(char::is_whitespace) => Err("a name holds a blank"),
        _ if Pattern::is_pattern(part) => Ok(InterfaceSelector::Glob(Pattern::new(part))),
        _ if part.len() > MAX_NAME => Err("no interface name is longer than 15 octets"),
        _ => Ok(InterfaceSelector::Name(part.to_owned())),
    }
}

/// The union of what the parts mean; when none means anything, why the first one does not.
fn union(
    parts: &[InterfaceSelector],
    topology: &Topology,
    excluded: &[Pattern],
    route: &mut dyn FnMut(IpAddr) -> Result<u32, RouteError>,
) -> Result<BTreeSet<u32>, NoInterface> {
    let mut chosen = BTreeSet::new();
    let mut first_refusal = None;
    for part in parts {
        match part.resolve(topology, excluded, route) {
            Ok(indices) => chosen.extend(indices),
            Err(refusal) => first_refusal = first_refusal.or(Some(refusal)),
        }
    }
    match first_refusal {
        Some(refusal) if chosen.is_empty() => Err(refusal),
        _ if chosen.is_empty() => Err(NoInterface::NoMatch {
            selector: String::new(),
            known: names(topology),
        }),
        _ => Ok(chosen),
    }
}

fn only(link: &Link, topology: &Topology) -> Result<BTreeSet<u32>, NoInterface> {
    let link = station(link, topology);
    match obstacle(link) {
        Some(obstacle) => Err(NoInterface::Unfit {
            name: link.name.clone(),
            obstacle,
        }),
        None => Ok(BTreeSet::from([link.index])),
    }
}

/// The link on which frames for `link` are seen: the outermost master of a port.
fn station<'a>(link: &'a Link, topology: &'a Topology) -> &'a Link {
    let mut station = link;
    // A bond in a bridge is two steps; the bound keeps a picture with a loop harmless.
    for _ in 0..MAX_NESTING {
        match station.master.and_then(|index| topology.link(index)) {
            Some(master) => station = master,
            None => break,
        }
    }
    station
}

fn obstacle(link: &Link) -> Option<Obstacle> {
    match link.media {
        Media::Ethernet if link.mac.is_none() => Some(Obstacle::Foreign),
        Media::Ethernet => None,
        Media::Loopback => Some(Obstacle::Loopback),
        Media::NoArp => Some(Obstacle::NoArp),
        Media::PointToPoint => Some(Obstacle::PointToPoint),
        Media::Foreign => Some(Obstacle::Foreign),
    }
}

fn names(topology: &Topology) -> Vec<String> {
    topology.links().map(|link| link.name.clone()).collect()
}

/// The names for a message; hosts with a thousand pods have as many interfaces.
fn list(names: &[String]) -> String {
    let shown = names
        .iter()
        .take(MAX_LISTED)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match names.len().saturating_sub(MAX_LISTED) {
        0 if names.is_empty() => "none".to_owned(),
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

const ALL: &str = "all";
const CAN_REACH: &str = "can_reach:";
const MAX_LISTED: usize = 12;
// IFNAMSIZ without the final zero.
const MAX_NAME: usize = 15;
const MAX_NESTING: usize = 8;

#[cfg(test)]
mod tests;

//! What the front end wants announced: destinations, where they lead, and which peers hear of them.

mod aggregation;
mod own_next_hop;

use super::attribute::Attributes;
use super::prefix::Prefix;
use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

pub use aggregation::{
    Advertisement, AdvertisementError, NodeSelection, aggregate, check_advertisements,
};
pub use own_next_hop::{LocalAddresses, NoNextHop, next_hop_for, third_party_next_hop};

/// One destination as the front end wants it announced.
///
/// Several routes may lead to one prefix if they differ in their peers: a peer hears the first one
/// that names it, or else the first one for [`All`](PeerSelection::All).
///
/// ```
/// use openelb_announce::bgp::route::Route;
///
/// let route = Route::to("2001:db8::10/128".parse()?);
/// assert_eq!(route.prepend, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// The destination.
    pub prefix: Prefix,
    /// What is said about it, before the policies. Routes that share one value cost less.
    pub attributes: Arc<Attributes>,
    /// Where traffic shall go.
    pub next_hop: NextHopMode,
    /// Who hears of it.
    pub peers: PeerSelection,
    /// How many more times than once the AS path shows our AS to external peers.
    pub prepend: u8,
}

impl Route {
    /// The route to `prefix` by this speaker, without special attributes, for all peers.
    pub fn to(prefix: Prefix) -> Self {
        Self {
            prefix,
            attributes: Arc::clone(&PLAIN),
            next_hop: NextHopMode::Own,
            peers: PeerSelection::All,
            prepend: 0,
        }
    }
}

/// Where traffic to a destination shall go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum NextHopMode {
    /// To this speaker, by the address that [`next_hop_for`] finds for the session.
    #[default]
    Own,
    /// To each of these nodes: one path each where add-path was negotiated (RFC 7911), in this
    /// order up to what the peer wants. Elsewhere it is [`Own`](Self::Own), so that the peer never
    /// learns of one node alone. No node at all means no route.
    ///
    /// Of a list with both families, those of the route's count.
    Nodes(Arc<[IpAddr]>),
    /// To this address, whoever it belongs to.
    Exactly(IpAddr),
}

/// Which peers hear of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum PeerSelection {
    /// Every peer.
    #[default]
    All,
    /// These. A name that no peer has selects nobody.
    Named(Arc<BTreeSet<PeerName>>),
}

impl PeerSelection {
    /// Whether `peer` hears of the route.
    pub fn selects(&self, peer: &PeerName) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(peer),
        }
    }
}

impl<N: Into<PeerName>> FromIterator<N> for PeerSelection {
    /// These peers; an empty list selects nobody.
    fn from_iter<I: IntoIterator<Item = N>>(names: I) -> Self {
        Self::Named(Arc::new(names.into_iter().map(Into::into).collect()))
    }
}

/// What users call a peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerName(Arc<str>);

impl PeerName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for PeerName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for PeerName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl Borrow<str> for PeerName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for PeerName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for PeerName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
        Ok(Self(name.into()))
    }
}

/// What is said about most routes, once for all of them.
static PLAIN: LazyLock<Arc<Attributes>> = LazyLock::new(Arc::default);

#[cfg(test)]
mod tests;

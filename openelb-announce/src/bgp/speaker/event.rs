//! What users should see of a speaker.

use crate::bgp::asn::RouterId;
use crate::bgp::family::PerFamily;
use crate::bgp::peer;
use crate::bgp::route::PeerName;
use std::fmt;
use std::net::SocketAddr;

/// Something that users should see; its `Display` is one line for a log.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Something happened to a peer.
    Peer {
        /// Which one.
        name: PeerName,
        /// What.
        event: peer::Event,
    },
    /// A connection was refused.
    NotAccepted {
        /// Where it came from.
        remote: SocketAddr,
        /// Why, and what to do.
        why: NotAccepted,
        /// How many more were refused since the last such event.
        suppressed: u64,
    },
    /// Two peers say that they are the same router (RFC 6286): one of them is configured wrongly, or
    /// there are two sessions with one router.
    DuplicateRouterId {
        /// The peer whose session just came up.
        name: PeerName,
        /// The peer that had the identifier before.
        other: PeerName,
        /// The identifier.
        router_id: RouterId,
    },
    /// The front end did not say in time that its routes are complete: End-of-RIB is sent without.
    DeferralTimeOver,
    /// What was learned from peers changed, or is complete now:
    /// [`learned`](super::Speaker::learned) tells. There is no other such event before it was called.
    Learned {
        /// How many destinations there were when it changed first.
        prefixes: PerFamily<usize>,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer { name, event } => write!(f, "peer {name}: {}", words(event)),
            Self::NotAccepted {
                remote,
                why,
                suppressed,
            } => {
                write!(f, "connection from {remote} refused: {why}")?;
                match suppressed {
                    0 => Ok(()),
                    more => write!(f, " ({more} more refused since the last such line)"),
                }
            }
            Self::DuplicateRouterId {
                name,
                other,
                router_id,
            } => write!(
                f,
                "peers {name} and {other} both call themselves {router_id}; give each router an \
                 identifier of its own, or remove one of the peers"
            ),
            Self::DeferralTimeOver => f.write_str(
                "the routes were not reported complete within the deferral time; peers are told \
                 that they are",
            ),
            Self::Learned { prefixes } => write!(
                f,
                "routes of peers to {} IPv4 and {} IPv6 destinations are learned",
                prefixes.ipv4, prefixes.ipv6
            ),
        }
    }
}

fn words(event: &peer::Event) -> String {
    match event {
        peer::Event::StateChanged { from, to } => format!("{from} -> {to}"),
        peer::Event::ConnectFailed { why, retry_in } => match retry_in {
            Some(span) => format!(
                "cannot connect: {why}; next attempt in {} s",
                span.as_secs()
            ),
            None => format!("cannot connect: {why}; waiting for the peer to connect"),
        },
        peer::Event::Failed(failure) => failure.words.clone(),
        peer::Event::Refused(why) => format!("connection not taken: {why}"),
        peer::Event::UpdateFaults {
            treated_as_withdraw,
            attribute_discarded,
            words,
        } => format!(
            "{treated_as_withdraw} faulty UPDATEs counted as withdrawals, attributes of \
             {attribute_discarded} passed over (RFC 7606); the last: {words}"
        ),
        peer::Event::EndOfRib(family) => format!("all its {family} routes are here"),
        peer::Event::RoutesKept { time } => {
            format!("its routes are kept for {} s at most", time.as_secs())
        }
        peer::Event::StaleRoutesForgotten => "the kept routes are forgotten".to_owned(),
        peer::Event::AuthenticationFailed { segments } => format!(
            "the kernel dropped {segments} segments for their TCP-MD5 option: compare the \
             passwords of both sides"
        ),
    }
}

/// Why a connection was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAccepted {
    /// Nobody is configured there.
    #[error("no peer has this address; add a peer or a dynamic range if it is one of yours")]
    UnknownPeer,
    /// There are enough of this group.
    #[error("dynamic neighbors {group} are at their limit of {limit}; raise it if that is too low")]
    GroupFull {
        /// The group.
        group: PeerName,
        /// Its limit.
        limit: u32,
    },
    /// The group is switched off.
    #[error("dynamic neighbors {0} are administratively down")]
    GroupDown(PeerName),
    /// This speaker is ending.
    #[error("this speaker has stopped")]
    Stopped,
}

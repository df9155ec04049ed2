//! The BGP speaker of a daemon, as it is asked about and shown. The JSON names are part of the
//! interface; there is no password in any of it.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

/// The speaker with all its peers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BgpReport {
    /// Its AS; absent without a `BgpConf`.
    pub(crate) asn: Option<u32>,
    /// Its BGP identifier.
    pub(crate) router_id: Option<String>,
    /// Routes that are wanted, whoever has them.
    pub(crate) routes: usize,
    /// How far it is drained.
    pub(crate) drain: DrainState,
    /// Why the configuration was not taken over, or the speaker has ended.
    pub(crate) trouble: Option<String>,
    /// Where connections are accepted.
    pub(crate) listeners: Vec<ListenerReport>,
    /// Interfaces on which routers are looked for.
    pub(crate) interfaces: Vec<InterfaceReport>,
    /// The peers, by name.
    pub(crate) peers: Vec<PeerReport>,
}

/// How far a speaker is drained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum DrainState {
    /// Not at all.
    #[default]
    No,
    /// Every route asks for other paths (RFC 8326).
    Announced,
    /// Every route is withdrawn.
    Withdrawn,
}

/// What is asked of a drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum DrainStep {
    /// Ask peers to prefer other paths.
    Announce,
    /// Withdraw every route.
    Withdraw,
    /// Announce everything as before.
    Undo,
}

/// A place where connections are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListenerReport {
    /// The place.
    pub(crate) address: SocketAddr,
    /// Why they are not accepted.
    pub(crate) problem: Option<String>,
}

/// An interface on which a router is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InterfaceReport {
    /// The interface.
    pub(crate) interface: String,
    /// The router, once it was heard.
    pub(crate) neighbor: Option<IpAddr>,
    /// Why it cannot be looked for.
    pub(crate) problem: Option<String>,
}

/// A peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PeerReport {
    /// Name of its `BgpPeer`.
    pub(crate) name: String,
    /// What users say about it.
    pub(crate) description: Option<String>,
    /// Where it is, as configured.
    pub(crate) remote: String,
    /// Its address, once known.
    pub(crate) address: Option<IpAddr>,
    /// The port that is dialled; absent where the peer dials.
    pub(crate) port: Option<u16>,
    /// The `BgpPeer` with dynamic neighbours that it belongs to.
    pub(crate) group: Option<String>,
    /// `Idle`, `Connect`, `Active`, `OpenSent`, `OpenConfirm` or `Established`.
    pub(crate) state: String,
    /// What it waits for while it is not established.
    pub(crate) waiting: Option<String>,
    /// Seconds until the next attempt to connect.
    pub(crate) retry_seconds: Option<u64>,
    /// Our AS on this session.
    pub(crate) local_as: u32,
    /// Our identifier.
    pub(crate) local_id: String,
    /// The session, while it is established.
    pub(crate) session: Option<SessionReport>,
    /// Routes, by family: `ipv4-unicast` and `ipv6-unicast`.
    pub(crate) families: Vec<FamilyReport>,
    /// Messages since the peer exists.
    pub(crate) messages: MessagesReport,
    /// Why the last session, or attempt at one, ended.
    pub(crate) last_error: Option<ErrorReport>,
    /// How many sessions that were established ended.
    pub(crate) flaps: u64,
    /// Routes ask for other paths (RFC 8326).
    pub(crate) graceful_shutdown: bool,
    /// What to look into when the state does not say it.
    pub(crate) hint: Option<String>,
    /// What BFD sees.
    pub(crate) bfd: Option<BfdReport>,
}

impl PeerReport {
    /// Whether its session is up.
    pub(crate) fn is_established(&self) -> bool {
        self.session.is_some()
    }

    /// A number of all its families together.
    pub(crate) fn total(&self, count: impl Fn(&FamilyReport) -> u64) -> u64 {
        self.families.iter().map(count).sum()
    }
}

/// A session that is established.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionReport {
    /// Since when, in seconds.
    pub(crate) uptime_seconds: u64,
    /// The peer's AS.
    pub(crate) peer_as: u32,
    /// The peer's identifier.
    pub(crate) peer_id: String,
    /// Our end.
    pub(crate) local: IpAddr,
    /// The peer's end.
    pub(crate) remote: SocketAddr,
    /// Whether the peer dialled.
    pub(crate) incoming: bool,
    /// Hold time in seconds; 0: nobody times out.
    pub(crate) hold_seconds: u64,
    /// What both OPENs agreed on, in words.
    pub(crate) negotiated: String,
    /// What the peer calls itself.
    pub(crate) host_name: Option<String>,
}

/// The routes of one family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FamilyReport {
    /// The family.
    pub(crate) family: String,
    /// The configuration asks for it.
    pub(crate) enabled: bool,
    /// The peer agreed.
    pub(crate) negotiated: bool,
    /// Paths that the peer was told of.
    pub(crate) advertised: u64,
    /// Paths that wait to be sent or withdrawn.
    pub(crate) pending: u64,
    /// Prefixes that are meant for the peer and not announced to it.
    pub(crate) refused: u64,
    /// Why, for the first of them.
    pub(crate) refused_why: Option<String>,
    /// Prefixes that the peer announces; counted where they are kept or limited.
    pub(crate) received: u64,
    /// Those among them that are left from its former session.
    pub(crate) received_stale: u64,
}

/// Counts of messages both ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessagesReport {
    /// From the peer.
    pub(crate) received: MessageCounts,
    /// To the peer.
    pub(crate) sent: MessageCounts,
    /// UPDATEs that counted as withdrawals because of a fault (RFC 7606).
    pub(crate) treated_as_withdraw: u64,
    /// UPDATEs with attributes that were passed over because of a fault.
    pub(crate) attribute_discarded: u64,
}

/// Messages by type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageCounts {
    /// OPEN.
    pub(crate) open: u64,
    /// UPDATE.
    pub(crate) update: u64,
    /// NOTIFICATION.
    pub(crate) notification: u64,
    /// KEEPALIVE.
    pub(crate) keepalive: u64,
    /// ROUTE-REFRESH.
    pub(crate) route_refresh: u64,
}

/// Why a session ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorReport {
    /// What happened, and what to check.
    pub(crate) words: String,
    /// Code of the NOTIFICATION, if there was one (RFC 4271 section 4.5).
    pub(crate) code: Option<u8>,
    /// Its subcode.
    pub(crate) subcode: Option<u8>,
    /// `us`, `peer` or `transport`.
    pub(crate) by: String,
    /// How long ago.
    pub(crate) seconds_ago: u64,
}

/// What BFD sees of a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BfdReport {
    /// State of the session.
    pub(crate) state: String,
    /// Why it last changed.
    pub(crate) diagnostic: String,
    /// How long the peer may be silent, in milliseconds.
    pub(crate) detection_ms: u64,
    /// How often it was up and was so no longer.
    pub(crate) flaps: u64,
}

/// Routes, each with how it stands at every peer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoutesReport {
    /// Sorted by prefix and peer.
    pub(crate) routes: Vec<RouteReport>,
    /// How many more there are than are shown.
    pub(crate) left_off: usize,
}

/// A route at one peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RouteReport {
    /// The destination.
    pub(crate) prefix: String,
    /// The path under add-path (RFC 7911).
    pub(crate) path_id: Option<u32>,
    /// The peer.
    pub(crate) peer: String,
    /// `advertised`, `pending`, `withdrawing`, `refused`, `received` or `stale`.
    pub(crate) state: String,
    /// Why it is refused.
    pub(crate) why: Option<String>,
    /// As on the wire.
    pub(crate) next_hop: Option<String>,
    /// As on the wire.
    pub(crate) as_path: Option<String>,
    /// `MULTI_EXIT_DISC`.
    pub(crate) med: Option<u32>,
    /// `LOCAL_PREF`.
    pub(crate) local_pref: Option<u32>,
    /// All kinds of communities.
    pub(crate) communities: Vec<String>,
}

/// Events with their numbers, and the number to ask for next.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventsReport {
    /// In their order.
    pub(crate) events: Vec<EventReport>,
    /// The number of the next event to come.
    pub(crate) next: u64,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventReport {
    /// Its number; a gap means that events were forgotten.
    pub(crate) number: u64,
    /// When, in RFC 3339.
    pub(crate) at: String,
    /// The BGP peer it is about.
    pub(crate) peer: Option<String>,
    /// The interface it happened on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) interface: Option<String>,
    /// The prefix it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prefix: Option<String>,
    /// One line.
    pub(crate) text: String,
}

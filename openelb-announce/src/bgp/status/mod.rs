//! How each peer stands, as plain data for people and programs.
//!
//! Nothing here decides anything: it is made when somebody asks, and holds no secret.

use super::asn::{Asn, RouterId};
use super::family::PerFamily;
use super::peer::State;
use super::route::PeerName;
use super::session::Counters;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How one peer stands.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PeerStatus {
    /// What users call it.
    pub name: PeerName,
    /// What users say about it.
    pub description: Option<String>,
    /// Where it is, as configured: `192.0.2.1`, `fe80::1%eth0` or the interface of an unnumbered one.
    pub remote: String,
    /// Its address, once known.
    pub address: Option<IpAddr>,
    /// The group of dynamic neighbours that it belongs to.
    pub group: Option<PeerName>,
    /// Where it stands in RFC 4271's state machine.
    #[cfg_attr(feature = "serde", serde(with = "state_text"))]
    pub state: State,
    /// What it waits for while it is not established, in words.
    pub waiting: Option<String>,
    /// When the next attempt to connect begins, from now.
    pub retry_in: Option<Duration>,
    /// Our AS on this session.
    pub local_as: Asn,
    /// Our identifier.
    pub local_id: RouterId,
    /// The session, while it is established.
    pub session: Option<SessionStatus>,
    /// What was and is to be sent, and what came, for each family.
    pub families: PerFamily<FamilyStatus>,
    /// Messages since this peer exists.
    pub counters: Counters,
    /// Why the last session, or attempt at one, ended.
    pub last_error: Option<LastError>,
    /// How many sessions that were established ended.
    pub flaps: u64,
    /// Routes are sent with `GRACEFUL_SHUTDOWN` (RFC 8326).
    pub graceful_shutdown: bool,
    /// What to look into when the state does not say it, such as a wrong TCP-MD5 key.
    pub hint: Option<String>,
}

/// What holds in a session that is established.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SessionStatus {
    /// Since when, from now.
    pub uptime: Duration,
    /// The AS that the peer is in.
    pub peer_as: Asn,
    /// The peer's identifier.
    pub peer_id: RouterId,
    /// Our end.
    pub local: IpAddr,
    /// The peer's end.
    pub remote: SocketAddr,
    /// Did the peer dial?
    pub incoming: bool,
    /// The hold time; zero: nobody times out.
    pub hold_time: Duration,
    /// What both OPENs agreed on, in words.
    pub negotiated: String,
    /// What the peer calls itself, if it says so.
    pub host_name: Option<String>,
    /// The peer was told End-of-RIB for every family (RFC 4724): it has all routes.
    pub is_complete: bool,
}

/// How the routes of one family stand with one peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FamilyStatus {
    /// The settings ask for the family.
    pub enabled: bool,
    /// The peer agreed.
    pub negotiated: bool,
    /// Paths that the peer has been told of.
    pub advertised: usize,
    /// Paths whose change or withdrawal waits to be sent.
    pub pending: usize,
    /// Prefixes that are meant for the peer and not announced to it.
    pub refused: usize,
    /// Why that is, for the first of them.
    pub refused_why: Option<String>,
    /// Announcements of the peer since the session came up, repeated ones included.
    pub announcements: u64,
    /// Prefixes that the peer announces now; zero unless there is a prefix limit or its routes are
    /// kept.
    pub received: usize,
    /// Those among them that are from its former session, and kept for a while (RFC 4724).
    pub received_stale: usize,
}

/// Why a session, or an attempt at one, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LastError {
    /// What happened and what to check.
    pub words: String,
    /// The code and subcode of the NOTIFICATION, if there was one.
    pub code: Option<(u8, u8)>,
    /// Who ended it.
    pub by: EndedBy,
    /// How long ago.
    pub ago: Duration,
}

/// Who ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum EndedBy {
    /// This speaker.
    Us,
    /// The peer.
    Peer,
    /// TCP.
    Transport,
}

/// A state is its name.
#[cfg(feature = "serde")]
mod state_text {
    use super::State;
    use serde::de::Error;
    use std::borrow::Cow;

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde calls it with a reference"
    )]
    pub(super) fn serialize<S: serde::Serializer>(
        state: &State,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(state)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<State, D::Error> {
        let text = <Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
        let mut states = State::ALL.into_iter();
        let named = states.find(|state| state.to_string() == text);
        named.ok_or_else(|| Error::custom(format!("`{text}` is no state of a peer")))
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests;

//! A session in the words of `BgpPeer.status`, under the keys that dashboards read. Times are moments,
//! not spans, so that a session that stands still is written once.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use openelb_announce::bgp::config::{Config, Settings, Timers};
use openelb_announce::bgp::peer::State;
use openelb_announce::bgp::session;
use openelb_announce::bgp::status::PeerStatus;

use crate::api::{
    MessageCounts, Messages, NodeConfStatus, NodePeerStatus, PeerState, Queues, TextNumber,
    TimersState,
};

/// What the speaker of a node is.
pub fn conf_status(config: &Config) -> NodeConfStatus {
    NodeConfStatus {
        router_id: config.router_id.to_string(),
        r#as: config.asn.0,
    }
}

/// How a session stands, as of `now`. `before` is what was shown last: moments that are known from it
/// stay as they are. The password is in none of it.
pub fn peer_status(
    peer: &PeerStatus,
    settings: Option<&Settings>,
    before: Option<&NodePeerStatus>,
    now: Timestamp,
) -> NodePeerStatus {
    let peer_as = peer.session.as_ref().map(|session| session.peer_as.0);
    let is_down = settings.is_some_and(|settings| settings.admin_down.is_some());
    let waiting: usize = peer.families.iter().map(|(_, family)| family.pending).sum();
    let waiting = u32::try_from(waiting).unwrap_or(u32::MAX);
    let counters = &peer.counters;
    NodePeerStatus {
        peer_state: PeerState {
            description: peer.description.clone().unwrap_or_default(),
            local_as: peer.local_as.0,
            messages: unless_empty(Messages {
                received: unless_empty(counts(&counters.received)),
                sent: unless_empty(counts(&counters.sent)),
            }),
            neighbor_address: peer
                .address
                .map_or_else(|| peer.remote.clone(), |address| address.to_string()),
            peer_as: peer_as.unwrap_or_default(),
            peer_type: u32::from(peer_as.is_some_and(|asn| asn != peer.local_as.0)),
            queues: unless_empty(Queues {
                input: 0,
                output: waiting,
            }),
            session_state: peer.state.to_string().to_uppercase(),
            admin_state: if is_down { "DOWN" } else { "UP" }.to_owned(),
            out_q: waiting,
            flops: u32::try_from(peer.flaps).unwrap_or(u32::MAX),
            router_id: peer
                .session
                .as_ref()
                .map(|session| session.peer_id.to_string())
                .unwrap_or_default(),
            ..PeerState::default()
        },
        timers_state: timers(peer, settings, before, now),
    }
}

fn timers(
    peer: &PeerStatus,
    settings: Option<&Settings>,
    before: Option<&NodePeerStatus>,
    now: Timestamp,
) -> TimersState {
    let defaults = Timers::default();
    let timers = settings.map_or(&defaults, |settings| &settings.timers);
    let hold = timers.hold.unwrap_or(DEFAULT_HOLD);
    let negotiated = peer.session.as_ref().map(|session| session.hold_time);
    let uptime = peer.session.as_ref().map(|session| session.uptime);
    let downtime = peer.last_error.as_ref().map(|error| error.ago);
    let downtime = downtime.filter(|_| peer.state != State::Established);
    let before = before.map(|before| &before.timers_state);
    TimersState {
        connect_retry: seconds(timers.connect_retry),
        hold_time: seconds(hold),
        keepalive_interval: seconds(timers.keepalive.unwrap_or(hold / 3)),
        minimum_advertisement_interval: seconds(timers.min_advertisement),
        negotiated_hold_time: seconds(negotiated.unwrap_or_default()),
        uptime: moment(uptime, before.map(|before| &*before.uptime), now),
        downtime: moment(downtime, before.map(|before| &*before.downtime), now),
    }
}

/// So long ago, as RFC 3339 text in whole seconds; what was written before stands if it says the same
/// within what two readings of two clocks can differ by.
fn moment(ago: Option<Duration>, before: Option<&str>, now: Timestamp) -> String {
    let Some(ago) = ago.and_then(|ago| SignedDuration::try_from(ago).ok()) else {
        return String::new();
    };
    let Ok(at) = now.checked_sub(ago) else {
        return String::new();
    };
    let before = before.and_then(|before| before.parse::<Timestamp>().ok());
    let is_same = |before: &Timestamp| before.duration_since(at).abs() <= ALIKE;
    let at = before.filter(is_same).unwrap_or(at);
    Timestamp::from_second(at.as_second())
        .map(|at| at.to_string())
        .unwrap_or_default()
}

fn counts(messages: &session::Messages) -> MessageCounts {
    MessageCounts {
        notification: TextNumber(messages.notification),
        update: TextNumber(messages.update),
        open: TextNumber(messages.open),
        keepalive: TextNumber(messages.keepalive),
        refresh: TextNumber(messages.route_refresh),
        total: TextNumber(messages.total()),
        ..MessageCounts::default()
    }
}

/// An object in which every field is zero would be written without fields. Where one that had some is
/// applied so, an API server makes it `null` and refuses that for not being an object; where it is left
/// out, the server removes it.
fn unless_empty<T: Default + PartialEq>(object: T) -> Option<T> {
    Some(object).filter(|object| *object != T::default())
}

fn seconds(span: Duration) -> TextNumber {
    TextNumber(span.as_secs())
}

/// What is offered when nothing is written.
const DEFAULT_HOLD: Duration = Duration::from_secs(90);

const ALIKE: SignedDuration = SignedDuration::from_secs(2);

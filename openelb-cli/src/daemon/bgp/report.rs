//! The status of the speaker in the words of the command's own interface.

use std::time::Duration;

use openelb_announce::announcer::speaker::{Ended, SpeakerStatus};
use openelb_announce::bgp::session;
use openelb_announce::bgp::status::{EndedBy, LastError, PeerStatus, SessionStatus};

use crate::config::BgpConfig;
use crate::engine::{
    BfdReport, BgpReport, ErrorReport, FamilyReport, InterfaceReport, ListenerReport,
    MessageCounts, MessagesReport, PeerReport, SessionReport,
};

/// The report of a status; without one, that of a daemon that says nothing.
pub(super) fn of(
    status: Option<Result<SpeakerStatus, Ended>>,
    config: Option<&BgpConfig>,
) -> BgpReport {
    let mut report = BgpReport {
        asn: config.map(|config| config.speaker.asn.0),
        router_id: config.map(|config| config.speaker.router_id.to_string()),
        ..BgpReport::default()
    };
    let status = match status {
        Some(Ok(status)) => status,
        Some(Err(ended)) => {
            report.trouble = Some(ended.to_string());
            return report;
        }
        None => {
            report.trouble = Some("off (--no-announce)".to_owned());
            return report;
        }
    };
    let listeners = status.listeners.iter().map(|listener| ListenerReport {
        address: listener.address,
        problem: listener.problem.clone(),
    });
    report.listeners = listeners.collect();
    let interfaces = status.interfaces.iter().map(|interface| InterfaceReport {
        interface: interface.interface.clone(),
        neighbor: interface.neighbor.map(Into::into),
        problem: interface.problem.clone(),
    });
    report.interfaces = interfaces.collect();
    let peers = status.peers.iter().map(|peer| {
        let bfd = bfd(peer, &status);
        of_peer(peer, port(peer, config), bfd)
    });
    report.peers = peers.collect();
    report
}

fn of_peer(peer: &PeerStatus, port: Option<u16>, bfd: Option<BfdReport>) -> PeerReport {
    let families = peer.families.iter().map(|(family, status)| FamilyReport {
        family: family.to_string(),
        enabled: status.enabled,
        negotiated: status.negotiated,
        advertised: count(status.advertised),
        pending: count(status.pending),
        refused: count(status.refused),
        refused_why: status.refused_why.clone(),
        received: count(status.received),
        received_stale: count(status.received_stale),
    });
    PeerReport {
        name: peer.name.to_string(),
        description: peer.description.clone(),
        remote: peer.remote.clone(),
        address: peer.address,
        port,
        group: peer.group.as_ref().map(ToString::to_string),
        state: peer.state.to_string(),
        waiting: peer.waiting.clone(),
        retry_seconds: peer.retry_in.map(|span| span.as_secs()),
        local_as: peer.local_as.0,
        local_id: peer.local_id.to_string(),
        session: peer.session.as_ref().map(session),
        families: families.collect(),
        messages: MessagesReport {
            received: messages(&peer.counters.received),
            sent: messages(&peer.counters.sent),
            treated_as_withdraw: peer.counters.treated_as_withdraw,
            attribute_discarded: peer.counters.attribute_discarded,
        },
        last_error: peer.last_error.as_ref().map(last_error),
        flaps: peer.flaps,
        graceful_shutdown: peer.graceful_shutdown,
        hint: peer.hint.clone(),
        bfd,
    }
}

/// The port that is dialled, if any is.
fn port(peer: &PeerStatus, config: Option<&BgpConfig>) -> Option<u16> {
    let mut peers = config?.speaker.peers.iter();
    let settings = &peers
        .find(|configured| configured.name == peer.name)?
        .settings;
    (!settings.passive).then_some(settings.transport.port)
}

fn session(session: &SessionStatus) -> SessionReport {
    SessionReport {
        uptime_seconds: session.uptime.as_secs(),
        peer_as: session.peer_as.0,
        peer_id: session.peer_id.to_string(),
        local: session.local,
        remote: session.remote,
        incoming: session.incoming,
        hold_seconds: session.hold_time.as_secs(),
        negotiated: session.negotiated.clone(),
        host_name: session.host_name.clone(),
    }
}

fn messages(messages: &session::Messages) -> MessageCounts {
    MessageCounts {
        open: messages.open,
        update: messages.update,
        notification: messages.notification,
        keepalive: messages.keepalive,
        route_refresh: messages.route_refresh,
    }
}

fn last_error(error: &LastError) -> ErrorReport {
    let by = match error.by {
        EndedBy::Us => "us",
        EndedBy::Peer => "peer",
        EndedBy::Transport => "transport",
    };
    ErrorReport {
        words: error.words.clone(),
        code: error.code.map(|(code, _)| code),
        subcode: error.code.map(|(_, subcode)| subcode),
        by: by.to_owned(),
        seconds_ago: error.ago.as_secs(),
    }
}

fn bfd(peer: &PeerStatus, status: &SpeakerStatus) -> Option<BfdReport> {
    let mut sessions = status.bfd.iter();
    let session = sessions.find(|session| Some(session.id.peer) == peer.address)?;
    Some(BfdReport {
        state: session.state.to_string(),
        diagnostic: session.diagnostic.to_string(),
        detection_ms: milliseconds(session.detection_time),
        flaps: session.flaps,
    })
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

//! How connections end, what that means for the session, and what is tried next.

use super::{DownReason, Event, FailedBy, Failure, Output, Peer, Run, Stop, Timer};
use crate::bgp::message::{ErrorCode, Notification};
use crate::bgp::session::{Connection, ConnectionId, Negotiated, Phase};
use crate::time::Time;
use std::time::Duration;

/// Why a connection ends.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// We found a fault, which the words name.
    Say(Notification, String),
    /// The peer says so.
    Heard(Notification),
    /// TCP is gone.
    Lost(String),
    /// The peer takes nothing from TCP.
    Stuck,
    /// The peer came back on another connection.
    Replaced,
    /// We were told to stop.
    Stopped(Stop),
}

/// What a failure says about the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// The peer may be back at any moment: listen for it.
    Light,
    /// Nothing is tried for a while.
    Heavy,
    /// Nobody but an operator can mend it: nothing is tried for long.
    Lasting,
}

impl Peer {
    /// Ends one connection; if it was the last one, a later attempt is planned.
    pub(super) fn end(&mut self, id: ConnectionId, end: &End, now: Time) {
        let capable = self.connections.get(id).is_some_and(Connection::is_capable);
        let Some(lasted) = self.cut(id, end, now) else {
            return;
        };
        if let Some(held) = self.connections.held() {
            self.confirm(held, now);
        }
        if self.connections.is_empty() && self.run == Run::Going {
            self.plain_open = capable && end.refuses_capabilities();
            self.try_again(end.weight(), lasted, now);
        }
    }

    /// Ends all connections, without a plan. Says how long the session lasted.
    pub(super) fn end_all(&mut self, end: &End, now: Time) -> Duration {
        let mut lasted = Duration::ZERO;
        while let Some(id) = self.connections.first() {
            lasted = lasted.max(self.cut(id, end, now).unwrap_or_default());
        }
        lasted
    }

    /// Ends a connection: last word, report, routes. Says how long a session lasted on it.
    pub(super) fn cut(&mut self, id: ConnectionId, end: &End, now: Time) -> Option<Duration> {
        let mut connection = self.connections.take(id)?;
        let agreed = connection.agreed().cloned();
        let notification = end.last_word(agreed.as_deref());
        if let Some(notification) = &notification {
            connection.outbox.push_notification(notification);
        }
        let was_up = connection.is_established();
        if !matches!(end, End::Lost(_)) {
            let after_flush = notification.is_some();
            self.outputs.push_back(Output::Close {
                connection: id,
                after_flush,
            });
            if after_flush {
                self.connections
                    .close(id, std::mem::take(&mut connection.outbox));
            }
        }
        if was_up || self.connections.is_empty() {
            let failure = end.failure(notification.clone(), &connection, now);
            // What the peer said about itself tells more than that it then hangs up on every attempt.
            let hangs_up = !was_up && matches!(end, End::Lost(_));
            if !(hangs_up && self.peer_said_why()) {
                self.record.failure = Some(failure.clone());
            }
            self.report(Event::Failed(failure));
        }
        match agreed.filter(|_| was_up) {
            None => Some(Duration::ZERO),
            Some(agreed) => {
                let lasted = now - self.record.since;
                self.outputs
                    .push_back(Output::Down(end.down_reason(notification)));
                self.has_routes = false;
                self.timers.clear(Timer::Advertise);
                self.keep_or_forget(end, &agreed, now);
                Some(lasted)
            }
        }
    }

    /// Did the peer end the last session or attempt with a NOTIFICATION?
    fn peer_said_why(&self) -> bool {
        let failure = self.record.failure.as_ref();
        failure.is_some_and(|it| it.by == FailedBy::Peer && it.notification.is_some())
    }

    pub(super) fn try_again(&mut self, weight: Weight, lasted: Duration, now: Time) {
        let is_stable = lasted >= STABLE_AFTER;
        if is_stable {
            self.backoff.reset();
        }
        let (timers, random) = (&self.neighbor.settings.timers, &mut self.random);
        match weight {
            Weight::Lasting => {
                let wait = self.backoff.fail_lastingly(timers, random);
                self.pause(wait, now);
            }
            Weight::Heavy if !is_stable => {
                let wait = self.backoff.fail(timers, random);
                self.pause(wait, now);
            }
            // A dial that is under way is an attempt of its own.
            _ if self.dial.is_some() => {}
            _ => self.retry_later(now),
        }
    }
}

impl End {
    /// The NOTIFICATION to send, if any.
    fn last_word(&self, agreed: Option<&Negotiated>) -> Option<Notification> {
        let kept = agreed.is_some_and(|it| it.keeps_through_notifications);
        let cease = Notification::new;
        match self {
            Self::Say(notification, _) => Some(notification.clone()),
            Self::Stuck => Some(cease(ErrorCode::SEND_HOLD_TIMER_EXPIRED)),
            Self::Heard(_) | Self::Lost(_) | Self::Replaced => None,
            Self::Stopped(stop) => match stop {
                Stop::Upgrade => kept.then(|| cease(ErrorCode::ADMINISTRATIVE_RESET)),
                Stop::Shutdown(words) => {
                    let shutdown = cease(ErrorCode::ADMINISTRATIVE_SHUTDOWN);
                    Some(for_good(shutdown.with_communication(words), kept))
                }
                Stop::Deconfigured | Stop::Removal => {
                    Some(for_good(cease(ErrorCode::PEER_DECONFIGURED), kept))
                }
            },
        }
    }

    fn down_reason(&self, notification: Option<Notification>) -> DownReason {
        match (self, notification) {
            (Self::Stuck, _) => DownReason::SendHoldTimerExpired,
            (_, Some(sent)) => DownReason::NotificationSent(sent),
            (Self::Heard(heard), None) => DownReason::NotificationReceived(heard.clone()),
            (Self::Lost(why), None) => DownReason::Closed(why.clone()),
            (Self::Replaced, None) => DownReason::PeerRestarted,
            (Self::Say(..) | Self::Stopped(_), None) => DownReason::Upgrade,
        }
    }

    fn failure(&self, sent: Option<Notification>, connection: &Connection, at: Time) -> Failure {
        let (by, notification, words) = match self {
            Self::Say(_, words) => (FailedBy::Us, sent, words.clone()),
            Self::Heard(heard) => (FailedBy::Peer, Some(heard.clone()), told(heard)),
            Self::Lost(why) => (FailedBy::Transport, None, lost(why, connection)),
            Self::Stuck => (
                FailedBy::Us,
                sent,
                "the peer takes nothing from TCP".to_owned(),
            ),
            Self::Replaced => (FailedBy::Peer, None, "the peer restarted".to_owned()),
            Self::Stopped(_) => (
                FailedBy::Us,
                sent,
                "the session was stopped here".to_owned(),
            ),
        };
        Failure {
            by,
            notification,
            words,
            at,
        }
    }

    fn weight(&self) -> Weight {
        let error = match self {
            Self::Say(notification, _) | Self::Heard(notification) => notification.error,
            Self::Lost(_) | Self::Stuck | Self::Replaced | Self::Stopped(_) => {
                return Weight::Light;
            }
        };
        match error {
            // The connection was at fault, or the other side does something that soon is over.
            ErrorCode::CONNECTION_REJECTED
            | ErrorCode::CONNECTION_COLLISION
            | ErrorCode::ADMINISTRATIVE_RESET
            | ErrorCode::OTHER_CONFIGURATION_CHANGE
            | ErrorCode::HOLD_TIMER_EXPIRED
            | ErrorCode::UNSUPPORTED_OPTIONAL_PARAMETER => Weight::Light,
            // RFC 5492 section 3: not tried again by itself. RFC 4486: neither, after too many routes.
            ErrorCode::UNSUPPORTED_CAPABILITY | ErrorCode::MAXIMUM_PREFIXES => Weight::Lasting,
            _ => Weight::Heavy,
        }
    }

    /// RFC 5492 section 3: a peer of before capabilities says that it does not know the parameter.
    fn refuses_capabilities(&self) -> bool {
        let refused = ErrorCode::UNSUPPORTED_OPTIONAL_PARAMETER;
        matches!(self, Self::Heard(heard) if heard.error == refused)
    }

    /// May the peer's routes be kept for it to come back (RFC 4724 section 4.2, RFC 8538 section 4)?
    pub(super) fn lets_routes_stay(&self, agreed: &Negotiated) -> bool {
        match self {
            Self::Lost(_) | Self::Replaced | Self::Stuck => true,
            Self::Say(said, _) | Self::Heard(said) => {
                agreed.keeps_through_notifications && said.error != ErrorCode::HARD_RESET
            }
            Self::Stopped(_) => false,
        }
    }
}

/// Makes the peer delete our routes, also if it keeps them through other NOTIFICATIONs (RFC 8538
/// section 3.1).
fn for_good(notification: Notification, kept: bool) -> Notification {
    if !kept {
        return notification;
    }
    let mut data = vec![notification.error.code, notification.error.subcode];
    data.extend(notification.data);
    Notification::with_data(ErrorCode::HARD_RESET, &data)
}

fn lost(why: &str, connection: &Connection) -> String {
    match connection.phase {
        Phase::Established => why.to_owned(),
        _ => format!(
            "{why} before the session was up: check that the peer has this speaker's address and AS \
             configured"
        ),
    }
}

/// What the peer's last word means, with those that its operator added (RFC 9003). A Hard Reset wraps
/// them, as it does the reason (RFC 8538 section 3.1).
fn told(heard: &Notification) -> String {
    let inside = heard.hard_reset_reason();
    let reason = inside.as_ref().unwrap_or(heard);
    let advice = advice(reason);
    reason
        .communication()
        .map_or_else(|| advice.to_owned(), |words| format!("{advice}: {words:?}"))
}

/// What to check when the peer ends the session with this.
fn advice(heard: &Notification) -> &'static str {
    match heard.error {
        ErrorCode::BAD_PEER_AS => {
            "the peer expects another AS: correct our AS here, or the one that it has for us"
        }
        ErrorCode::BAD_BGP_IDENTIFIER => {
            "the peer refuses our router id: check that no other speaker of its AS has the same"
        }
        ErrorCode::UNSUPPORTED_CAPABILITY => {
            "the peer insists on something that we do not offer: enable the same families on both sides"
        }
        ErrorCode::UNSUPPORTED_OPTIONAL_PARAMETER => {
            "the peer knows no capabilities: the next attempt goes without"
        }
        ErrorCode::UNACCEPTABLE_HOLD_TIME => {
            "the peer refuses our hold time: choose another one here, or allow it there"
        }
        ErrorCode::HOLD_TIMER_EXPIRED => {
            "nothing of ours reached the peer for the hold time: check the path for loss and for MTU"
        }
        ErrorCode::SEND_HOLD_TIMER_EXPIRED => {
            "the peer could send us nothing for its send hold time: check the load of this host"
        }
        ErrorCode::MAXIMUM_PREFIXES => {
            "we sent more prefixes than the peer takes: raise its limit, or aggregate"
        }
        ErrorCode::ADMINISTRATIVE_SHUTDOWN => "the peer's operator took the session down",
        ErrorCode::PEER_DECONFIGURED => "this speaker was removed from the peer's configuration",
        ErrorCode::CONNECTION_REJECTED => {
            "the peer refuses connections now: check that it has this speaker configured and enabled"
        }
        ErrorCode::BFD_DOWN => "the peer's BFD lost us: check the link, and BFD on both sides",
        _ => "the peer ended the session",
    }
}

/// A session that lasted so long shows that nothing is wrong with the configuration: failures before
/// it do not count any more.
const STABLE_AFTER: Duration = Duration::from_mins(1);

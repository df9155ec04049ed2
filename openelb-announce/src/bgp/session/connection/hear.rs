//! Octets become messages, and messages that the phase does not expect become errors.

use super::{Connection, Phase};
use crate::bgp::family::Family;
use crate::bgp::message::{
    DecodeContext, ErrorCode, MessageError, MessageKind, Notification, Open, RawMessage,
    RouteRefresh, Update, Verdict,
};
use crate::bgp::rib::AdjRibIn;
use crate::bgp::session::Counters;
use std::fmt::Write;

/// A message of the peer.
#[derive(Debug)]
pub(in crate::bgp) enum Heard {
    Open(Box<Open>),
    Keepalive,
    /// An UPDATE, of which the routes are noted; with the family if it is an End-of-RIB.
    Update(Option<Family>),
    Refresh(RouteRefresh),
    Notification(Notification),
    /// One that must end the session.
    Malformed(MessageError),
    /// One that the phase does not expect, and what to say about it (RFC 6608).
    Unexpected(MessageKind, ErrorCode),
    /// The peer sent more prefixes of a family than the settings allow.
    TooManyPrefixes(Family, u32),
}

/// Faults of UPDATEs that cost routes but not the session (RFC 7606), until they are reported.
#[derive(Clone, Debug, Default)]
pub(in crate::bgp) struct Faults {
    pub(in crate::bgp) treated_as_withdraw: u64,
    pub(in crate::bgp) attribute_discarded: u64,
    /// The last fault.
    pub(in crate::bgp) words: String,
}

impl Faults {
    pub(in crate::bgp) const fn is_empty(&self) -> bool {
        self.treated_as_withdraw == 0 && self.attribute_discarded == 0
    }

    /// Counts later ones in.
    pub(in crate::bgp) fn add(&mut self, later: Self) {
        self.treated_as_withdraw += later.treated_as_withdraw;
        self.attribute_discarded += later.attribute_discarded;
        self.words = later.words;
    }

    fn note(&mut self, update: &Update<'_>) {
        let Some(last) = update.faults().last() else {
            return;
        };
        match update.verdict() {
            Verdict::TreatAsWithdraw => self.treated_as_withdraw += 1,
            Verdict::Accept => self.attribute_discarded += 1,
        }
        self.words.clear();
        // Writing to a `String` does not fail.
        let _ = write!(self.words, "{last}");
    }
}

impl Connection {
    /// Adds octets as they came from TCP.
    pub(in crate::bgp) fn feed(&mut self, octets: &[u8]) {
        self.framer.feed(octets);
    }

    /// The next whole message; `None` until more octets come. Routes are noted in `routes`.
    pub(in crate::bgp) fn hear(
        &mut self,
        routes: &mut AdjRibIn,
        counters: &mut Counters,
        faults: &mut Faults,
    ) -> Option<Heard> {
        let message = match self.framer.next_message()? {
            Ok(message) => message,
            Err(error) => return Some(Heard::Malformed(error)),
        };
        counters.received.count(message.kind);
        if let Some(error) = unexpected(self.phase, message.kind) {
            return Some(Heard::Unexpected(message.kind, error));
        }
        let heard = match message.kind {
            MessageKind::Update => hear_update(message.body, &self.context, routes, faults),
            _ => decode(message),
        };
        Some(heard.unwrap_or_else(Heard::Malformed))
    }
}

/// What is wrong with a message in a phase (RFC 4271 section 8.2.2, RFC 6608 section 4).
///
/// | | OPEN | KEEPALIVE | UPDATE, ROUTE-REFRESH | NOTIFICATION |
/// |---|---|---|---|---|
/// | `Delaying` | fits | 5/0 | 5/0 | fits |
/// | `OpenSent` | fits | 5/1 | 5/1 | fits |
/// | `Held` | 5/1 | fits | 5/1 | fits |
/// | `OpenConfirm` | 5/2 | fits | 5/2 | fits |
/// | `Established` | 5/3 | fits | fits | fits |
fn unexpected(phase: Phase, kind: MessageKind) -> Option<ErrorCode> {
    match (phase, kind) {
        (_, MessageKind::Notification) => None,
        (Phase::Delaying | Phase::OpenSent, MessageKind::Open) => None,
        (Phase::Held { .. } | Phase::OpenConfirm, MessageKind::Keepalive) => None,
        (Phase::Established, MessageKind::Keepalive) => None,
        (Phase::Established, MessageKind::Update | MessageKind::RouteRefresh) => None,
        (Phase::Delaying, _) => Some(ErrorCode::STATE_MACHINE),
        (Phase::OpenSent | Phase::Held { .. }, _) => Some(ErrorCode::UNEXPECTED_IN_OPEN_SENT),
        (Phase::OpenConfirm, _) => Some(ErrorCode::UNEXPECTED_IN_OPEN_CONFIRM),
        (Phase::Established, _) => Some(ErrorCode::UNEXPECTED_IN_ESTABLISHED),
    }
}

fn decode(message: RawMessage<'_>) -> Result<Heard, MessageError> {
    match message.kind {
        MessageKind::Open => Ok(Heard::Open(Box::new(Open::decode(message.body)?))),
        MessageKind::RouteRefresh => Ok(Heard::Refresh(RouteRefresh::decode(message.body)?)),
        // The framer let no shorter one through: this error cannot come.
        MessageKind::Notification => Notification::decode(message.body)
            .map(Heard::Notification)
            .ok_or_else(|| MessageError::new(ErrorCode::BAD_MESSAGE_LENGTH, &[])),
        _ => Ok(Heard::Keepalive),
    }
}

fn hear_update(
    body: &[u8],
    context: &DecodeContext,
    routes: &mut AdjRibIn,
    faults: &mut Faults,
) -> Result<Heard, MessageError> {
    let update = Update::decode(body, context)?;
    faults.note(&update);
    match routes.apply(&update) {
        Ok(()) => Ok(Heard::Update(update.end_of_rib())),
        Err(exceeded) => Ok(Heard::TooManyPrefixes(exceeded.family, exceeded.limit)),
    }
}

//! What a message of the peer does in each state (RFC 4271 section 8.2.2).

use super::ending::End;
use super::{Event, Output, Peer};
use crate::bgp::family::Family;
use crate::bgp::message::{ErrorCode, MessageKind, Notification, Open, RefreshKind, RouteRefresh};
use crate::bgp::session::{ConnectionId, Faults, Heard, Phase};
use crate::time::Time;
use std::sync::Arc;

impl Peer {
    /// Octets arrived: handles every message that is complete.
    pub(super) fn receive(&mut self, id: ConnectionId, octets: &[u8], now: Time) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.feed(octets);
        }
        let mut faults = Faults::default();
        let mut refreshes = Vec::new();
        while let Some(connection) = self.connections.get_mut(id) {
            let counters = &mut self.record.counters;
            let Some(heard) = connection.hear(&mut self.received, counters, &mut faults) else {
                break;
            };
            match heard {
                Heard::Refresh(refresh) => self.hear_refresh(refresh, &mut refreshes, now),
                heard => self.hear(id, heard, now),
            }
        }
        self.report_faults(faults, now);
        self.outputs
            .extend(refreshes.into_iter().map(Output::Refresh));
    }

    fn hear(&mut self, id: ConnectionId, heard: Heard, now: Time) {
        match heard {
            Heard::Open(open) => self.hear_open(id, &open, now),
            Heard::Keepalive => self.hear_keepalive(id, now),
            Heard::Update(end_of_rib) => {
                self.heard_from(id, now);
                if let Some(family) = end_of_rib {
                    self.end_of_rib(family);
                }
            }
            Heard::Refresh(_) => {}
            Heard::Notification(notification) => self.end(id, &End::Heard(notification), now),
            Heard::Malformed(error) => {
                let words = "the peer sent what no BGP speaker sends".to_owned();
                self.end(id, &End::Say(error.notification, words), now);
            }
            Heard::Unexpected(kind, error) => {
                let words = format!("the peer sent {} when it must not", name(kind));
                let notification = Notification::with_data(error, &[kind.into()]);
                self.end(id, &End::Say(notification, words), now);
            }
            Heard::TooManyPrefixes(family, limit) => {
                let words = format!("the peer sent more than {limit} {family} prefixes");
                let end = End::Say(too_many_prefixes(family, limit), words);
                self.end(id, &end, now);
            }
        }
    }

    /// Event 19 or 20 (`BGPOpen`, with `DelayOpenTimer` running).
    fn hear_open(&mut self, id: ConnectionId, open: &Open, now: Time) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let was_delaying = connection.phase == Phase::Delaying;
        match connection.judge(&self.neighbor, open) {
            Ok(agreed) => {
                if was_delaying {
                    connection.send_open(&self.neighbor, now);
                }
                self.resolve_collision(id, &agreed, now);
            }
            Err(refusal) => {
                let end = End::Say(refusal.notification(), refusal.to_string());
                self.end(id, &end, now);
            }
        }
    }

    /// Sends a KEEPALIVE and waits for the peer's.
    pub(super) fn confirm(&mut self, id: ConnectionId, now: Time) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let is_confirmed = connection.phase == Phase::Held { confirmed: true };
        connection.confirm(&mut self.random, now);
        self.give_up_dial();
        self.wake(id);
        if is_confirmed {
            self.establish(id, now);
        }
    }

    /// Event 26 (`KeepAliveMsg`).
    fn hear_keepalive(&mut self, id: ConnectionId, now: Time) {
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.heard_from(now);
        match connection.phase {
            Phase::Held { .. } => connection.phase = Phase::Held { confirmed: true },
            Phase::OpenConfirm => self.establish(id, now),
            Phase::Delaying | Phase::OpenSent | Phase::Established => {}
        }
    }

    fn establish(&mut self, id: ConnectionId, now: Time) {
        self.drop_others(id, now);
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        connection.phase = Phase::Established;
        let Some(agreed) = connection.agreed().map(Arc::clone) else {
            return;
        };
        self.record.established += 1;
        self.has_routes = true;
        self.begin_receiving(&agreed, now);
        self.outputs.push_back(Output::Established(agreed));
        self.wake(id);
    }

    fn heard_from(&mut self, id: ConnectionId, now: Time) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.heard_from(now);
        }
    }

    /// RFC 2918 section 4: a family that was not agreed on is ignored; so is the same request again
    /// while the first is not answered, which is what bounds a peer that repeats it.
    fn hear_refresh(&mut self, refresh: RouteRefresh, asked: &mut Vec<Family>, now: Time) {
        let Some(agreed) = self.negotiated().filter(|it| it.route_refresh) else {
            return;
        };
        let is_marked = agreed.enhanced_route_refresh;
        let agreed_on = |family: &Family| agreed.families.contains(*family);
        let Some(family) = refresh.family().filter(agreed_on) else {
            return;
        };
        match refresh.kind {
            RefreshKind::Request if !asked.contains(&family) => asked.push(family),
            RefreshKind::Begin if is_marked => self.begin_refresh(family, now),
            RefreshKind::End if is_marked => self.end_refresh(family),
            _ => {}
        }
    }

    /// Counts faults at once, and tells them at most once in a while.
    fn report_faults(&mut self, faults: Faults, now: Time) {
        if faults.is_empty() {
            return;
        }
        let record = &mut self.record;
        record.counters.treated_as_withdraw += faults.treated_as_withdraw;
        record.counters.attribute_discarded += faults.attribute_discarded;
        record.faults.add(faults);
        if record.fault_reports.lets_through(now) {
            let faults = std::mem::take(&mut record.faults);
            self.report(Event::UpdateFaults {
                treated_as_withdraw: faults.treated_as_withdraw,
                attribute_discarded: faults.attribute_discarded,
                words: faults.words,
            });
        }
    }
}

fn name(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Open => "an OPEN",
        MessageKind::Update => "an UPDATE",
        MessageKind::Notification => "a NOTIFICATION",
        MessageKind::Keepalive => "a KEEPALIVE",
        MessageKind::RouteRefresh => "a ROUTE-REFRESH",
        MessageKind::Unknown(_) => "an unknown message",
    }
}

/// RFC 4486 section 4: the family and the limit.
fn too_many_prefixes(family: Family, limit: u32) -> Notification {
    let mut data = family.afi().to_be_bytes().to_vec();
    data.push(family.safi());
    data.extend(limit.to_be_bytes());
    Notification::with_data(ErrorCode::MAXIMUM_PREFIXES, &data)
}

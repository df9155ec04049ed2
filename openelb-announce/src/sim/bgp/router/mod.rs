//! A model of the router at the other end: a plain receiver that keeps what it was told.
//!
//! It shares nothing with the speaker but the decoder: its own idea of a session, of graceful restart
//! and of a forwarding table, as simple as they can be written.

mod session;
mod table;

pub use table::{Path, Table};

use crate::bgp::asn::{Asn, RouterId};
use crate::bgp::family::{Family, FamilySet};
use crate::bgp::message::{
    AddPathMode, Capability, ErrorCode, GracefulRestart, MessageKind, Notification, Open,
    write_keepalive,
};
use crate::time::Time;
use session::{Session, State};
use std::collections::BTreeMap;
use std::time::Duration;

/// How a router behaves.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a capability that a router has or lacks"
)]
pub struct RouterOptions {
    /// Its AS.
    pub asn: Asn,
    /// Its identifier.
    pub router_id: RouterId,
    /// The hold time that it offers, in seconds.
    pub hold_time: u16,
    /// The families that it offers.
    pub families: FamilySet,
    /// It keeps our routes while we restart, and offers that time for its own, in seconds.
    pub graceful_restart: Option<u16>,
    /// It keeps them through NOTIFICATIONs too (RFC 8538).
    pub notification: bool,
    /// It takes several paths of a prefix.
    pub add_path: bool,
    /// It takes IPv6 next hops of IPv4 routes.
    pub extended_next_hop: bool,
    /// It takes messages of 65,535 octets.
    pub extended_messages: bool,
}

impl Default for RouterOptions {
    fn default() -> Self {
        Self {
            asn: Asn(64_513),
            router_id: RouterId::new(0x0a00_00fe).expect("it is not zero"),
            hold_time: 90,
            families: FamilySet::ALL,
            graceful_restart: Some(120),
            notification: true,
            add_path: false,
            extended_next_hop: false,
            extended_messages: false,
        }
    }
}

/// What a router wants done on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Send(u64, Vec<u8>),
    Close(u64),
}

/// One router, with one speaker as its neighbour.
#[derive(Debug)]
pub(super) struct Router {
    options: RouterOptions,
    sessions: BTreeMap<u64, Session>,
    table: Table,
    stale_until: Option<Time>,
    acts: Vec<Act>,
    record: Record,
}

/// What a router has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Sessions that came up.
    pub established: u64,
    /// UPDATEs, without End-of-RIB.
    pub updates: u64,
    /// Octets of the longest message.
    pub longest_message: usize,
    /// The families whose End-of-RIB came in this session.
    pub end_of_rib: Vec<Family>,
    /// What the speaker said when it ended sessions.
    pub notifications: Vec<Notification>,
    /// What a speaker must never do, in words. Empty if all is well.
    pub complaints: Vec<String>,
}

impl Router {
    pub(super) fn new(options: RouterOptions) -> Self {
        Self {
            options,
            sessions: BTreeMap::new(),
            table: Table::default(),
            stale_until: None,
            acts: Vec::new(),
            record: Record::default(),
        }
    }

    pub(super) const fn table(&self) -> &Table {
        &self.table
    }

    pub(super) const fn record(&self) -> &Record {
        &self.record
    }

    pub(super) fn is_established(&self) -> bool {
        self.established().is_some()
    }

    pub(super) fn take_acts(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.acts)
    }

    /// The connection that the session runs on.
    pub(super) fn established(&self) -> Option<u64> {
        let mut sessions = self.sessions.iter();
        let up = |(_, session): &(&u64, &Session)| session.state == State::Established;
        sessions.find(up).map(|(id, _)| *id)
    }

    /// A connection is open; the router dialled it or not.
    pub(super) fn opened(&mut self, id: u64, is_ours: bool, now: Time) {
        let hold = Duration::from_mins(4);
        self.sessions.insert(id, Session::new(is_ours, now + hold));
        let mut octets = Vec::new();
        self.open().write(&mut octets);
        self.acts.push(Act::Send(id, octets));
    }

    pub(super) fn received(&mut self, id: u64, octets: &[u8], now: Time) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.framer.feed(octets);
        while let Some(message) = self.next_message(id) {
            match message {
                Ok((kind, body)) => self.hear(id, kind, &body, now),
                Err(notification) => {
                    self.complain(format!("a malformed message: {notification}"));
                    self.end(id, Some(notification), now);
                }
            }
        }
    }

    /// A connection is gone.
    pub(super) fn ended(&mut self, id: u64, now: Time) {
        if let Some(session) = self.sessions.remove(&id) {
            self.lose(&session, true, now);
        }
    }

    pub(super) fn tick(&mut self, now: Time) {
        let ids: Vec<u64> = self.sessions.keys().copied().collect();
        for id in ids {
            let Some(session) = self.sessions.get_mut(&id) else {
                continue;
            };
            if session.hold_at <= now {
                let expired = Notification::new(ErrorCode::HOLD_TIMER_EXPIRED);
                self.end(id, Some(expired), now);
            } else if session.keepalive_at <= now {
                session.keepalive_at = now + session.keepalive;
                self.send_keepalive(id);
            }
        }
        if self.stale_until.is_some_and(|until| until <= now) {
            self.stale_until = None;
            self.table.drop_stale(FamilySet::ALL);
        }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        let timers = self
            .sessions
            .values()
            .flat_map(|session| [session.hold_at, session.keepalive_at]);
        timers
            .chain(self.stale_until)
            .min()
            .filter(|at| *at < Time::MAX)
    }

    /// The next whole message of a connection.
    fn next_message(&mut self, id: u64) -> Option<Result<(MessageKind, Vec<u8>), Notification>> {
        let session = self.sessions.get_mut(&id)?;
        let message = session.framer.next_message()?;
        Some(match message {
            Ok(raw) => Ok((raw.kind, raw.body.to_vec())),
            Err(error) => Err(error.into()),
        })
    }

    fn hear(&mut self, id: u64, kind: MessageKind, body: &[u8], now: Time) {
        let length = HEADER + body.len();
        self.record.longest_message = self.record.longest_message.max(length);
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.hold_at = session.hold.map_or(session.hold_at, |hold| now + hold);
        match (session.state, kind) {
            (State::OpenSent, MessageKind::Open) => match Open::decode(body) {
                Ok(open) => self.meet(id, &open, now),
                Err(error) => self.end(id, Some(error.into()), now),
            },
            (State::OpenConfirm, MessageKind::Keepalive) => self.establish(id, now),
            (State::Established, MessageKind::Update) => self.update(id, body, now),
            (State::Established, MessageKind::Keepalive | MessageKind::RouteRefresh) => {}
            (_, MessageKind::Notification) => self.be_told(id, body, now),
            (state, kind) => {
                self.complain(format!("{kind:?} in {state:?}"));
                self.end(id, Some(Notification::new(ErrorCode::STATE_MACHINE)), now);
            }
        }
    }

    /// The speaker's OPEN is here: which of two connections stays (RFC 4271 section 6.8)?
    fn meet(&mut self, id: u64, open: &Open, now: Time) {
        let ours_wins = self.options.router_id > open.router_id;
        let loser = self.sessions.iter().find_map(|(other, session)| {
            let collides = *other != id && session.state == State::OpenConfirm;
            let other_wins = session.is_ours == ours_wins;
            collides.then_some(if other_wins { id } else { *other })
        });
        // A new connection of a peer that restarts gracefully replaces the old one (RFC 4724 5).
        let restarts = self.options.graceful_restart.is_some() && open.graceful_restart().is_some();
        let old = self.established();
        let collision = Notification::new(ErrorCode::CONNECTION_COLLISION);
        match (old, loser) {
            (Some(old), _) if restarts => self.drop_silently(old, now),
            (Some(_), _) => return self.end(id, Some(collision), now),
            (None, Some(loser)) => {
                self.end(loser, Some(collision), now);
                if loser == id {
                    return;
                }
            }
            (None, None) => {}
        }
        let ours = self.open();
        if let Some(session) = self.sessions.get_mut(&id) {
            session.agree(&ours, open, now);
            self.send_keepalive(id);
        }
    }

    fn establish(&mut self, id: u64, now: Time) {
        let Some(session) = self.sessions.get_mut(&id) else {
            return;
        };
        session.establish();
        let kept = session.forwarding_kept(self.options.graceful_restart.is_some());
        self.record.established += 1;
        self.record.end_of_rib.clear();
        // Routes of families whose forwarding did not survive are gone at once (RFC 4724 4.2).
        self.table.drop_stale_except(kept);
        let others: Vec<u64> = self
            .sessions
            .keys()
            .copied()
            .filter(|other| *other != id)
            .collect();
        for other in others {
            self.end(
                other,
                Some(Notification::new(ErrorCode::CONNECTION_COLLISION)),
                now,
            );
        }
    }

    fn update(&mut self, id: u64, body: &[u8], now: Time) {
        let Some(session) = self.sessions.get(&id) else {
            return;
        };
        match self.table.apply(body, &session.context) {
            Ok(table::Applied::EndOfRib(family)) => {
                self.record.end_of_rib.push(family);
                self.table.drop_stale([family].into_iter().collect());
            }
            Ok(table::Applied::Routes(complaints)) => {
                self.record.updates += 1;
                self.record.complaints.extend(complaints);
            }
            Err(notification) => {
                self.complain(format!("an UPDATE that ends the session: {notification}"));
                self.end(id, Some(notification), now);
            }
        }
    }

    /// The speaker ends the session with a word.
    fn be_told(&mut self, id: u64, body: &[u8], now: Time) {
        let notification = Notification::decode(body);
        let is_hard = notification
            .as_ref()
            .is_none_or(|it| it.error == ErrorCode::HARD_RESET);
        self.record.notifications.extend(notification);
        self.acts.push(Act::Close(id));
        if let Some(session) = self.sessions.remove(&id) {
            let keeps = !is_hard && session.keeps_through_notifications();
            self.lose(&session, keeps, now);
        }
    }

    /// Ends a connection with a word of ours.
    fn end(&mut self, id: u64, why: Option<Notification>, now: Time) {
        let Some(session) = self.sessions.remove(&id) else {
            return;
        };
        if let Some(notification) = why {
            let mut octets = Vec::new();
            notification.write(&mut octets);
            self.acts.push(Act::Send(id, octets));
        }
        self.acts.push(Act::Close(id));
        let keeps = session.keeps_through_notifications();
        self.lose(&session, keeps, now);
    }

    fn drop_silently(&mut self, id: u64, now: Time) {
        self.acts.push(Act::Close(id));
        if let Some(session) = self.sessions.remove(&id) {
            self.lose(&session, true, now);
        }
    }

    /// What becomes of the routes of a session that is gone.
    fn lose(&mut self, session: &Session, keeps: bool, now: Time) {
        if session.state != State::Established {
            return;
        }
        match session
            .restart_time()
            .filter(|_| keeps && self.options.graceful_restart.is_some())
        {
            Some(time) => {
                self.table.mark_stale(session.restart_families());
                self.stale_until = Some(now + time);
            }
            None => self.table.clear(),
        }
    }

    fn complain(&mut self, words: String) {
        self.record.complaints.push(words);
    }

    fn send_keepalive(&mut self, id: u64) {
        let mut octets = Vec::new();
        write_keepalive(&mut octets);
        self.acts.push(Act::Send(id, octets));
    }

    fn open(&self) -> Open {
        let options = &self.options;
        let mut capabilities = vec![
            Capability::RouteRefresh,
            Capability::FourOctetAs(options.asn),
        ];
        capabilities.extend(options.families.iter().map(Capability::multi_protocol));
        if let Some(time) = options.graceful_restart {
            capabilities.push(Capability::GracefulRestart(GracefulRestart {
                restarting: false,
                notification: options.notification,
                time,
                families: options
                    .families
                    .iter()
                    .map(|family| (family, true))
                    .collect(),
            }));
        }
        if options.add_path {
            let receives = options
                .families
                .iter()
                .map(|family| (family, AddPathMode::Receive));
            capabilities.push(Capability::AddPath(receives.collect()));
        }
        if options.extended_next_hop {
            capabilities.push(Capability::v6_next_hops_for_v4());
        }
        if options.extended_messages {
            capabilities.push(Capability::ExtendedMessage);
        }
        Open::new(
            options.asn,
            options.hold_time,
            options.router_id,
            capabilities,
        )
    }
}

/// Octets of a message's header.
const HEADER: usize = 19;

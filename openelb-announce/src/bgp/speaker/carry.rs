//! From the outside to the member it concerns, and from a member to the outside.

use super::member::{Member, Session};
use super::roster::MemberId;
use super::{Event, Input, Output, Speaker, Target};
use crate::bgp::config::Remote;
use crate::bgp::family::Family;
use crate::bgp::peer;
use crate::bgp::rib::{AdjRibOut, Changes, Terms};
use crate::bgp::route::LocalAddresses;
use crate::bgp::session::{ConnectionId, Negotiated};
use crate::machine::Machine;
use crate::time::Time;
use std::net::Ipv6Addr;
use std::sync::Arc;

impl Speaker {
    pub(super) fn hear(&mut self, input: Input<'_>, now: Time) {
        match input {
            Input::Opened {
                connection,
                addresses,
                remote,
            } => {
                let direction = crate::bgp::session::Direction::Outgoing;
                let opened = peer::Input::Opened {
                    connection,
                    direction,
                    addresses,
                    remote,
                };
                self.tell_owner(connection, opened, now);
            }
            Input::OpenFailed { connection, why } => {
                self.tell_gone(connection, peer::Input::OpenFailed { connection, why }, now);
            }
            Input::Received { connection, octets } => {
                self.tell_owner(
                    connection,
                    peer::Input::Received { connection, octets },
                    now,
                );
            }
            Input::Sent { connection, octets } => {
                self.tell_owner(connection, peer::Input::Sent { connection, octets }, now);
            }
            Input::Closed { connection, why } => {
                self.tell_gone(connection, peer::Input::Closed { connection, why }, now);
            }
            Input::Addresses {
                connection,
                addresses,
            } => self.readdress(connection, addresses, now),
            Input::Discovered { interface, address } => {
                self.set_router(interface, Some(address));
            }
            Input::Lost { interface } => self.set_router(interface, None),
            Input::Liveness { peer, liveness } => {
                if let Some(id) = self.roster.find(peer) {
                    self.tell(id, peer::Input::Liveness(liveness), now);
                }
            }
            Input::AuthenticationFailed { segments } => self.blame_keys(segments, now),
        }
    }

    /// Lets a member's timers run out.
    pub(super) fn wake_member(&mut self, id: MemberId, now: Time) {
        if let Some(member) = self.roster.member_mut(id) {
            member.machine.handle_timeout(now);
        }
        self.settle(id, now);
        self.dismiss(id);
    }

    pub(super) fn tell(&mut self, id: MemberId, input: peer::Input<'_>, now: Time) {
        if let Some(member) = self.roster.member_mut(id) {
            member.machine.handle_input(input, now);
        }
        self.settle(id, now);
    }

    /// Carries out all that a member wants.
    pub(super) fn settle(&mut self, id: MemberId, now: Time) {
        while let Some(output) = self.next_of(id) {
            self.carry_out(id, output, now);
        }
        self.learn_from(id, now);
        self.roster.schedule(id);
    }

    pub(super) fn report(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Tells every session what changed in the table.
    pub(super) fn spread(&mut self, changes: &Changes, now: Time) {
        if changes.is_empty() {
            return;
        }
        self.note_announced(changes);
        for id in self.roster.ids() {
            let Some(session) = self.roster.session_mut(id) else {
                continue;
            };
            session.adj.note(&self.rib, changes);
            self.offer_routes(id, now);
        }
        // A little more than what comes, so that the slots of routes that are gone come back.
        let sessions = self.roster.sessions().map(|session| &session.adj);
        self.rib.reclaim(&sessions, changes.len().saturating_mul(2));
    }

    /// Looks at the terms of every session again: only what differs is sent.
    pub(super) fn renew_terms(&mut self, now: Time) {
        for id in self.roster.ids() {
            self.renew_terms_of(id, now);
        }
    }

    fn renew_terms_of(&mut self, id: MemberId, now: Time) {
        let Some(terms) = self.current_terms(id) else {
            return;
        };
        if let Some(session) = self.roster.session_mut(id) {
            session.adj.set_terms(terms, &self.rib);
        }
        self.offer_routes(id, now);
    }

    fn next_of(&mut self, id: MemberId) -> Option<peer::Output> {
        self.roster.member_mut(id)?.machine.poll_output()
    }

    fn carry_out(&mut self, id: MemberId, output: peer::Output, now: Time) {
        match output {
            peer::Output::Connect(connection) => self.dial(id, connection),
            peer::Output::Close {
                connection,
                after_flush,
            } => self.close(id, connection, after_flush),
            peer::Output::Wake(connection) => {
                self.outputs.push_back(Output::Wake(connection));
            }
            peer::Output::Established(negotiated) => self.begin_session(id, negotiated, now),
            peer::Output::Down(_) => self.end_session(id),
            peer::Output::Refresh(family) => self.resend(id, family, now),
            peer::Output::Event(event) => {
                if let Some(member) = self.roster.member(id) {
                    let name = member.neighbor.name.clone();
                    self.report(Event::Peer { name, event });
                }
            }
        }
    }

    fn dial(&mut self, id: MemberId, connection: ConnectionId) {
        self.roster.connect(connection, id);
        let Some(member) = self.roster.member_mut(id) else {
            return;
        };
        match member.address() {
            Some(address) => {
                let neighbor = Arc::clone(&member.neighbor);
                let interface = neighbor.remote.interface().map(str::to_owned);
                let target = Target {
                    address,
                    interface,
                    neighbor,
                };
                self.outputs
                    .push_back(Output::Connect { connection, target });
            }
            None => member.held_dial = Some(connection),
        }
    }

    fn close(&mut self, id: MemberId, connection: ConnectionId, after_flush: bool) {
        if let Some(member) = self.roster.member_mut(id)
            && member
                .held_dial
                .take_if(|held| *held == connection)
                .is_some()
        {
            // Nobody outside has heard of it.
            self.forget(id, connection);
            return;
        }
        self.outputs.push_back(Output::Close {
            connection,
            after_flush,
        });
    }

    fn begin_session(&mut self, id: MemberId, negotiated: Arc<Negotiated>, now: Time) {
        self.name_twin(id, &negotiated);
        let Some(terms) = self.terms_of(id, &negotiated) else {
            return;
        };
        let mut adj = AdjRibOut::new(terms, &self.rib);
        if self.completeness == super::Completeness::Reached {
            adj.allow_end_of_rib();
        }
        if let Some(member) = self.roster.member_mut(id) {
            member.session = Some(Session {
                adj,
                negotiated,
                since: now,
            });
            member.refused_segments = 0;
        }
        self.learn_addresses();
        self.offer_routes(id, now);
        self.update_surroundings();
    }

    fn end_session(&mut self, id: MemberId) {
        if let Some(member) = self.roster.member_mut(id)
            && member.session.take().is_some()
        {
            member.flaps += 1;
        }
        self.update_surroundings();
    }

    fn resend(&mut self, id: MemberId, family: Family, now: Time) {
        if let Some(session) = self.roster.session_mut(id) {
            session.adj.refresh(&self.rib, family);
        }
        self.offer_routes(id, now);
    }

    /// Says so when another established peer has the same identifier in the same AS: between ASes
    /// that is allowed (RFC 6286). A router with a session over IPv4 and one over IPv6, or with one
    /// for the routes of each, is a single router and no fault.
    fn name_twin(&mut self, id: MemberId, negotiated: &Negotiated) {
        let identity = (negotiated.peer_as, negotiated.peer_id);
        let is_twin = |other: &Session| {
            let other = &other.negotiated;
            let is_same = (other.peer_as, other.peer_id) == identity;
            let is_over_same = other.remote.is_ipv6() == negotiated.remote.is_ipv6();
            let is_for_same = other
                .families
                .iter()
                .any(|it| negotiated.families.contains(it));
            is_same && is_over_same && is_for_same
        };
        let is_another = |(other, member): &(MemberId, &Member)| {
            *other != id && member.session.as_ref().is_some_and(is_twin)
        };
        let twin = self.roster.named().find(is_another);
        let twin = twin.map(|(_, twin)| twin.neighbor.name.clone());
        let name = self
            .roster
            .member(id)
            .map(|member| member.neighbor.name.clone());
        if let (Some(name), Some(other)) = (name, twin) {
            let router_id = negotiated.peer_id;
            self.report(Event::DuplicateRouterId {
                name,
                other,
                router_id,
            });
        }
    }

    fn current_terms(&self, id: MemberId) -> Option<Terms> {
        let session = self.roster.member(id)?.session.as_ref()?;
        self.terms_of(id, &session.negotiated)
    }

    fn terms_of(&self, id: MemberId, negotiated: &Negotiated) -> Option<Terms> {
        let member = self.roster.member(id)?;
        let changed = member
            .machine
            .connection()
            .and_then(|it| self.roster.addresses(it));
        let addresses = changed.unwrap_or(negotiated.addresses);
        let policy = &self.config.as_ref()?.policy;
        Some(member.terms(negotiated, &addresses, policy, self.is_draining))
    }

    /// Lets a member ask for routes, if there are any for it.
    pub(super) fn offer_routes(&mut self, id: MemberId, now: Time) {
        let session = self.roster.session_mut(id);
        if session.is_some_and(|session| session.adj.is_pending()) {
            self.tell(id, peer::Input::Routes, now);
        }
    }

    fn tell_owner(&mut self, connection: ConnectionId, input: peer::Input<'_>, now: Time) {
        if let Some(id) = self.roster.owner(connection) {
            self.tell(id, input, now);
        }
    }

    fn tell_gone(&mut self, connection: ConnectionId, input: peer::Input<'_>, now: Time) {
        if let Some(id) = self.roster.owner(connection) {
            self.tell(id, input, now);
            self.forget(id, connection);
        }
    }

    /// Forgets a connection, and with its last one a member that nothing else keeps.
    fn forget(&mut self, id: MemberId, connection: ConnectionId) {
        self.roster.disconnect(connection);
        self.dismiss(id);
        self.roster.sweep(id);
    }

    /// Lets a member of a group go that is gone: without a connection, and without routes that are
    /// kept for it to come back (RFC 4724 section 4.2).
    pub(super) fn dismiss(&mut self, id: MemberId) {
        let is_idle = self.roster.member(id).is_some_and(Member::is_idle);
        if is_idle && !self.roster.is_connected(id) {
            self.roster.retire(id);
            self.unlearn(id);
            self.roster.sweep(id);
            self.update_surroundings();
        }
    }

    /// Our addresses on a connection changed. One that is no session yet may become one.
    fn readdress(&mut self, connection: ConnectionId, addresses: LocalAddresses, now: Time) {
        self.roster.readdress(connection, addresses);
        let Some(id) = self.roster.owner(connection) else {
            return;
        };
        let member = self.roster.member(id);
        if member.is_some_and(|member| member.machine.connection() == Some(connection)) {
            self.learn_addresses();
            self.renew_terms_of(id, now);
        }
    }

    /// A router appeared at, or vanished from, the other end of an unnumbered interface.
    fn set_router(&mut self, interface: &str, router: Option<Ipv6Addr>) {
        match router {
            Some(router) => self.routers.insert(interface.to_owned(), router),
            None => self.routers.remove(interface),
        };
        for id in self.roster.ids() {
            self.find_router(id);
        }
        self.update_surroundings();
    }

    /// Lets a member know the router on its interface, and go on with a dial that waited for it.
    pub(super) fn find_router(&mut self, id: MemberId) {
        let Some(member) = self.roster.member_mut(id) else {
            return;
        };
        let Remote::Interface(interface) = &member.neighbor.remote else {
            return;
        };
        member.router = self.routers.get(interface).copied();
        if member.router.is_some()
            && let Some(held) = member.held_dial.take()
        {
            self.dial(id, held);
        }
    }

    /// Segments were refused for their key: of the peers that cannot connect, those with a key are
    /// the likely ones, and if there is none, any that may use a key that we do not have.
    fn blame_keys(&mut self, segments: u64, now: Time) {
        let down = || {
            self.roster
                .named()
                .filter(|(_, member)| member.session.is_none())
        };
        let keyed: Vec<_> = down()
            .filter(|(_, member)| member.neighbor.settings.password.is_some())
            .map(|(id, _)| id)
            .collect();
        let blamed = if keyed.is_empty() {
            down().map(|(id, _)| id).collect()
        } else {
            keyed
        };
        for id in blamed {
            if let Some(member) = self.roster.member_mut(id) {
                member.refused_segments = member.refused_segments.saturating_add(segments);
            }
            self.tell(id, peer::Input::AuthenticationFailed { segments }, now);
        }
    }
}

//! What the BFD thread does: keeps the wanted sessions, with their sockets and deadlines.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use super::agenda::Agenda;
use super::entry::{Entry, Surroundings};
use super::listeners::Listeners;
use super::options::Options;
use super::status::{Event, SessionStatus};
use super::target::{Desired, SessionId};
use crate::announcer::mailbox::Mailbox;
use crate::bfd::demultiplexer::Arrival;
use crate::bfd::{Demultiplexer, Diagnostic, Hops, Input, Packet};
use crate::driver::poller::Poller;
use crate::driver::{Host, clock};
use crate::link::udp::{Datagram, Room};
use crate::random::Random;
use crate::time::Time;

/// What the handle and the thread share.
pub(super) struct Shared {
    pub(super) mailbox: Mailbox<Letters>,
    /// When the owner last gave a sign of life, in nanoseconds of the driver's clock.
    pub(super) heartbeat: AtomicU64,
}

/// Everything that was left for the thread since it last looked.
#[derive(Default)]
pub(super) struct Letters {
    pub(super) desired: Option<Desired>,
    pub(super) questions: Vec<SyncSender<Vec<SessionStatus>>>,
    pub(super) stop: bool,
}

/// Where events go. Called on the BFD thread; must not block.
pub(super) type Sink = Box<dyn FnMut(Event) + Send>;

/// The state of the thread. Nobody else touches it.
pub(super) struct Worker {
    options: Options,
    shared: Arc<Shared>,
    sink: Sink,
    random: Random,
    listeners: Listeners,
    demultiplexer: Demultiplexer<u32>,
    // Invariant: `places` names exactly the occupied slots, each by its session.
    slots: Vec<Option<Entry>>,
    places: BTreeMap<SessionId, u32>,
    agenda: Agenda,
    /// When to look again for what is missing: ports, interfaces.
    recheck_at: Time,
    /// The owner gives no sign of life: nothing is heard, nothing is said.
    is_muted: bool,
    is_stopping: bool,
}

impl Worker {
    /// A worker without sessions, and the poller that wakes it.
    pub(super) fn new(
        options: Options,
        shared: Arc<Shared>,
        sink: Sink,
    ) -> io::Result<(Self, Poller)> {
        let poller = Poller::new()?;
        poller.watch(&**shared.mailbox.wake(), WAKE)?;
        let now = clock::now();
        let worker = Self {
            options,
            shared,
            sink,
            random: Random::new(RandomState::new().hash_one(now)),
            listeners: Listeners::default(),
            demultiplexer: Demultiplexer::new(),
            slots: Vec::new(),
            places: BTreeMap::new(),
            agenda: Agenda::default(),
            recheck_at: now,
            is_muted: false,
            is_stopping: false,
        };
        Ok((worker, poller))
    }

    fn handle_letters(&mut self, poller: &Poller) {
        let letters = self.shared.mailbox.collect();
        let now = clock::now();
        if let Some(desired) = letters.desired {
            self.adopt(&desired, now);
        }
        if letters.stop {
            self.is_stopping = true;
            self.retire_all_but(&Desired::new(), FAREWELL, now);
        }
        self.listeners.open(poller);
        for asker in letters.questions {
            // An asker that has given up is no concern of this thread.
            drop(asker.send(self.status(now)));
        }
    }

    /// Makes `desired` what is watched.
    fn adopt(&mut self, desired: &Desired, now: Time) {
        self.retire_all_but(desired, LONG_FAREWELL, now);
        for (id, wanted) in desired {
            self.listeners.want(id);
            if let Some(slot) = self.places.get(id).copied() {
                self.with(slot, now, |entry, around| entry.follow(wanted, around));
                continue;
            }
            let slot = self.vacant_slot();
            let (mut around, _) = self.split(now);
            let entry = Entry::new(id.clone(), wanted, slot, &mut around);
            self.agenda.note(slot, entry.poll_timeout());
            self.places.insert(id.clone(), slot);
            if let Some(vacant) = self.slots.get_mut(slot as usize) {
                *vacant = Some(entry);
            }
        }
    }

    fn vacant_slot(&mut self) -> u32 {
        let vacant = self.slots.iter().position(Option::is_none);
        let place = vacant.unwrap_or(self.slots.len());
        if place == self.slots.len() {
            self.slots.push(None);
        }
        u32::try_from(place).expect("a process has far fewer sockets than 2^32")
    }

    fn retire_all_but(&mut self, desired: &Desired, longest: Duration, now: Time) {
        let unwanted = self
            .places
            .iter()
            .filter(|(id, _)| !desired.contains_key(id));
        let unwanted: Vec<u32> = unwanted.map(|(_, slot)| *slot).collect();
        for slot in unwanted {
            self.with(slot, now, |entry, around| entry.retire(longest, around));
        }
    }

    /// Does something with a session, then follows its deadline or lets it go.
    fn with(&mut self, slot: u32, now: Time, act: impl FnOnce(&mut Entry, &mut Surroundings<'_>)) {
        let (mut around, slots) = self.split(now);
        let Some(place) = slots.get_mut(slot as usize) else {
            return;
        };
        let Some(entry) = place else { return };
        act(entry, &mut around);
        let (deadline, is_retired) = (entry.poll_timeout(), entry.is_retired(now));
        if !is_retired {
            self.agenda.note(slot, deadline);
            return;
        }
        if let Some(entry) = place.take() {
            self.places.remove(&entry.id);
            self.agenda.forget(slot);
            entry.close(&mut self.demultiplexer);
        }
    }

    fn split(&mut self, now: Time) -> (Surroundings<'_>, &mut Vec<Option<Entry>>) {
        let around = Surroundings {
            demultiplexer: &mut self.demultiplexer,
            random: &mut self.random,
            sink: &mut *self.sink,
            now,
        };
        (around, &mut self.slots)
    }

    /// Takes in what waits at a port, but not so much that packets of our own come late.
    fn receive(&mut self, token: u64) {
        let mut room = Room::new();
        for _ in 0..BURST {
            let Some((hops, datagram)) = self.listeners.receive(token, &mut room) else {
                return;
            };
            if !self.is_muted {
                self.take_in(hops, &datagram);
            }
        }
    }

    fn take_in(&mut self, hops: Hops, datagram: &Datagram<'_>) {
        // Without a session there is nobody to report to: ports are open to the whole network.
        let Ok(received) = Packet::decode(datagram.octets) else {
            return;
        };
        let arrival = Arrival {
            source: datagram.source,
            destination: datagram.destination,
            interface: datagram.interface,
            hops,
        };
        let named = received.packet.your_discriminator;
        let Some(slot) = self.demultiplexer.select(named, &arrival) else {
            return;
        };
        let ttl = datagram.ttl;
        let packet = Input::Packet {
            received: &received,
            ttl,
        };
        self.with(slot, clock::now(), |entry, around| {
            entry.input(packet, around);
        });
    }

    /// Declares every session down when the owner has been silent for too long: its neighbours must
    /// look for another way. `AdminDown` would tell them that nothing is wrong (RFC 5882 section
    /// 3.2), so it is Down, once, and then silence, which is what a dead host sounds like.
    fn mute(&mut self, silence: Duration, now: Time) {
        tracing::warn!(?silence, "no heartbeat of the owner; BFD sessions go down");
        for slot in 0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX) {
            let reason = Diagnostic::ForwardingPlaneReset;
            self.with(slot, now, |entry, around| {
                entry.input(Input::Fail(reason), around);
            });
        }
        self.is_muted = true;
        (self.sink)(Event::HeartbeatLost { silence });
    }

    fn check_heartbeat(&mut self, now: Time) {
        let Some(limit) = self.options.heartbeat else {
            return;
        };
        let last = Time::from_nanos(self.shared.heartbeat.load(Ordering::Relaxed));
        let silence = now - last;
        if silence > limit && !self.is_muted {
            self.mute(silence, now);
        } else if silence <= limit && self.is_muted {
            self.is_muted = false;
            (self.sink)(Event::HeartbeatBack);
        }
    }

    fn recheck(&mut self, now: Time) {
        self.recheck_at = now + RECHECK;
        if self.listeners.is_incomplete() {
            // Opening is done where letters are read. A full counter wakes as well.
            let _ = self.shared.mailbox.wake().write(1);
        }
        for entry in self.slots.iter_mut().flatten() {
            entry.find_interface(&mut self.demultiplexer);
        }
    }

    fn status(&self, now: Time) -> Vec<SessionStatus> {
        let slots = self.places.values();
        slots
            .filter_map(|slot| self.slots.get(*slot as usize)?.as_ref())
            .filter(|entry| !entry.is_retiring())
            .map(|entry| entry.status(self.listeners.problem(&entry.id), now))
            .collect()
    }
}

impl Host for Worker {
    fn is_finished(&self) -> bool {
        self.is_stopping && (self.places.is_empty() || self.is_muted)
    }

    fn poll_timeout(&self) -> Option<Time> {
        if self.is_muted {
            return None;
        }
        self.agenda
            .next()
            .into_iter()
            .chain([self.recheck_at])
            .min()
    }

    /// Nothing stale is answered: packets are read before any deadline is looked at, and a neighbour
    /// that has given up this host meanwhile says so in them.
    fn fence(&mut self, pause: Duration, _: Time) -> io::Result<()> {
        tracing::warn!(?pause, "the BFD thread did not run for a while");
        (self.sink)(Event::Paused { pause });
        Ok(())
    }

    fn longest_pause(&self) -> Duration {
        LONGEST_PAUSE
    }

    fn renew(&mut self, now: Time) {
        self.check_heartbeat(now);
    }

    fn feed(&mut self, token: u64, poller: &Poller) -> io::Result<()> {
        if token == WAKE {
            self.handle_letters(poller);
        } else {
            self.receive(token);
        }
        Ok(())
    }

    fn is_urgent(&self, _: u64) -> bool {
        false
    }

    fn handle_timeout(&mut self, now: Time) -> io::Result<()> {
        if self.is_muted {
            return Ok(());
        }
        while let Some(slot) = self.agenda.pop_due(now) {
            self.with(slot, now, Entry::handle_timeout);
        }
        if self.recheck_at <= now {
            self.recheck(now);
        }
        Ok(())
    }
}

/// The token of the mailbox; [`Listeners`] has the others.
const WAKE: u64 = 0;
const RECHECK: Duration = Duration::from_secs(1);
// Half a millisecond's work.
const BURST: u32 = 256;
// How long stopping may take when a neighbour does not answer.
const FAREWELL: Duration = Duration::from_secs(1);
const LONG_FAREWELL: Duration = Duration::from_secs(10);
// Only reported, and a quarter of it is how often heartbeats are looked for.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

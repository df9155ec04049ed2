//! What happens at its instant: octets arrive, room is made, somebody is woken.

use super::super::router::Act;
use super::super::tcp::Arrival;
use super::Fabric;
use crate::bgp::session::ConnectionId;
use crate::bgp::speaker::Input;
use crate::time::Time;
use std::cmp::Reverse;

/// Something that will happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pending {
    Dialled {
        speaker: usize,
        connection: ConnectionId,
        router: Option<usize>,
    },
    AtSpeaker {
        wire: u64,
    },
    AtRouter {
        wire: u64,
    },
    /// The router has read, and the speaker learns of it.
    Room {
        wire: u64,
    },
    WakeSpeaker {
        speaker: usize,
    },
    WakeRouter {
        router: usize,
    },
}

impl Fabric {
    pub(super) fn schedule(&mut self, at: Time, pending: Pending) {
        self.scheduled += 1;
        self.schedule.push(Reverse((at, self.scheduled)));
        self.pending.insert(self.scheduled, pending);
    }

    pub(super) fn take_place(&mut self, pending: Pending) {
        match pending {
            Pending::Dialled {
                speaker,
                connection,
                router,
            } => self.dialled(speaker, connection, router),
            Pending::AtSpeaker { wire } => self.read_at_speaker(wire),
            Pending::AtRouter { wire } => self.read_at_router(wire),
            Pending::Room { wire } => self.pump(wire),
            Pending::WakeSpeaker { speaker } => {
                let wake = self.speakers.get(speaker).and_then(|host| host.wake);
                // Another wake-up was scheduled since, before or after this one.
                if wake == Some(self.now) {
                    self.wake_speaker(speaker);
                }
            }
            Pending::WakeRouter { router } => {
                let wake = self.routers.get(router).and_then(|host| host.wake);
                if wake == Some(self.now) {
                    self.wake_router(router);
                }
            }
        }
    }

    /// Lets a speaker send as much as the window takes.
    pub(super) fn pump(&mut self, id: u64) {
        while let Some((speaker, connection, octets)) = self.pull(id) {
            let count = octets.len();
            let now = self.now;
            if let Some(wire) = self.wires.get_mut(&id) {
                let at = wire.tcp.send(wire.speaker_side, octets, now);
                self.schedule(at, Pending::AtRouter { wire: id });
            }
            let octets = count;
            self.tell(speaker, Input::Sent { connection, octets });
        }
    }

    fn pull(&mut self, id: u64) -> Option<(usize, ConnectionId, Vec<u8>)> {
        let wire = self.wires.get(&id)?;
        let (speaker, connection) = (wire.speaker, wire.number?);
        let room = wire.tcp.room(wire.speaker_side);
        if room < LEAST_ROOM || self.speakers.get(speaker)?.is_paused {
            return None;
        }
        let mut octets = Vec::new();
        self.with_quietly(speaker, |process, now| {
            process.speaker.transmit(connection, &mut octets, room, now);
        });
        debug_assert!(octets.len() <= room, "more than the room that was given");
        (!octets.is_empty()).then_some((speaker, connection, octets))
    }

    /// Does something to a running speaker; what it wants is carried out later.
    fn with_quietly(&mut self, speaker: usize, act: impl FnOnce(&mut super::Process, Time)) {
        let Some(host) = self.speakers.get_mut(speaker) else {
            return;
        };
        let now = host.local(self.now);
        if let Some(process) = &mut host.process {
            act(process, now);
        }
    }

    pub(super) fn read_at_speaker(&mut self, id: u64) {
        loop {
            let most = self.piece();
            let now = self.now;
            let Some(wire) = self.wires.get_mut(&id) else {
                return;
            };
            let speaker = wire.speaker;
            let is_running = self
                .speakers
                .get(speaker)
                .is_some_and(|host| !host.is_paused);
            let (true, Some(connection)) = (is_running, wire.number) else {
                return;
            };
            match wire.tcp.read(wire.speaker_side, most, now) {
                None => return,
                Some(Arrival::Octets(octets)) => {
                    let octets = &octets;
                    self.tell(speaker, Input::Received { connection, octets });
                }
                Some(Arrival::End(why)) => {
                    self.close_at_speaker(id);
                    let why = why.to_owned();
                    self.tell(speaker, Input::Closed { connection, why });
                }
            }
        }
    }

    pub(super) fn read_at_router(&mut self, id: u64) {
        loop {
            let most = self.piece();
            let now = self.now;
            let Some(wire) = self.wires.get_mut(&id) else {
                return;
            };
            let (speaker, router) = (wire.speaker, wire.router);
            let Some(host) = self.routers.get_mut(router) else {
                return;
            };
            if host.is_stalled || !wire.is_open_at_router {
                return;
            }
            match wire.tcp.read(wire.speaker_side.other(), most, now) {
                None => return,
                Some(Arrival::Octets(octets)) => {
                    let delay = wire.tcp.delay();
                    host.machine(speaker).received(id, &octets, now);
                    self.schedule(now + delay, Pending::Room { wire: id });
                }
                Some(Arrival::End(_)) => {
                    host.machine(speaker).ended(id, now);
                    self.close_at_router(id);
                }
            }
            self.settle_router(router);
        }
    }

    /// Carries out all that a router wants, and notes when it wants to be woken.
    pub(super) fn settle_router(&mut self, router: usize) {
        let Some(host) = self.routers.get_mut(router) else {
            return;
        };
        let acts: Vec<Act> = host
            .machines
            .values_mut()
            .flat_map(super::Router::take_acts)
            .collect();
        for act in acts {
            match act {
                Act::Send(wire, octets) => self.send_from_router(wire, octets),
                Act::Close(wire) => self.close_at_router(wire),
            }
        }
        self.reschedule_router(router);
    }

    pub(super) fn send_from_router(&mut self, id: u64, octets: Vec<u8>) {
        let now = self.now;
        if let Some(wire) = self.wires.get_mut(&id) {
            let at = wire.tcp.send(wire.speaker_side.other(), octets, now);
            self.schedule(at, Pending::AtSpeaker { wire: id });
        }
    }

    pub(super) fn close_at_speaker(&mut self, id: u64) {
        let now = self.now;
        let Some(wire) = self.wires.get_mut(&id) else {
            return;
        };
        let speaker = wire.speaker;
        let number = wire.number.take();
        let at = wire
            .tcp
            .close(wire.speaker_side, "connection closed by peer", now);
        if let (Some(number), Some(process)) = (number, self.process(speaker)) {
            process.wires.remove(&number);
        }
        self.schedule(at, Pending::AtRouter { wire: id });
        self.forget(id);
    }

    pub(super) fn close_at_router(&mut self, id: u64) {
        let now = self.now;
        let Some(wire) = self.wires.get_mut(&id) else {
            return;
        };
        wire.is_open_at_router = false;
        let at = wire
            .tcp
            .close(wire.speaker_side.other(), "connection closed by peer", now);
        self.schedule(at, Pending::AtSpeaker { wire: id });
        self.forget(id);
    }

    fn forget(&mut self, id: u64) {
        let is_over = |wire: &super::Wire| wire.number.is_none() && !wire.is_open_at_router;
        if self.wires.get(&id).is_some_and(is_over) {
            self.wires.remove(&id);
        }
    }

    fn piece(&mut self) -> usize {
        let most = u64::try_from(self.setup.piece).unwrap_or(u64::MAX);
        usize::try_from(self.random.below(most) + 1).unwrap_or(usize::MAX)
    }
}

/// A speaker is asked for messages when one of usual size fits.
const LEAST_ROOM: usize = 4_096;

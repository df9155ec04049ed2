//! Carries out what machines want besides sending, and tells the front end what happened.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::plan;
use super::station::Station;
use super::status::Event;
use crate::claim::{self, Output};
use crate::driver::clock;
use crate::driver::opener::{Opener, Request};
use crate::driver::port::PortKey;
use crate::time::Time;
use crate::wire::Mac;

/// Where the wishes of machines go.
pub(crate) struct Outbox {
    pub(crate) opener: Opener,
    /// Invariant: only of addresses that the port of that key has.
    pub(crate) sightings: BTreeMap<(PortKey, IpAddr), Sighting>,
    events: SyncSender<Event>,
    missed: u64,
}

/// Another station that was seen using an address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sighting {
    pub(crate) mac: Mac,
    pub(crate) at: Time,
}

impl Outbox {
    /// An outbox that has said nothing yet.
    pub(crate) fn new(opener: Opener, events: SyncSender<Event>) -> Self {
        Self {
            opener,
            sightings: BTreeMap::new(),
            events,
            missed: 0,
        }
    }

    /// Does what the machine of `station` wished for, and empties `wishes`.
    pub(crate) fn carry_out(&mut self, station: &mut Station, wishes: &mut Vec<Output>) {
        let key = station.key;
        for wish in wishes.drain(..) {
            match wish {
                Output::JoinGroup(group) => self.opener.ask(Request::Join(key, group)),
                Output::LeaveGroup(group) => self.opener.ask(Request::Leave(key, group)),
                Output::Event(event) => {
                    plan::note(&mut station.targets, &event);
                    self.note_sighting(key, &event);
                    let interface = Arc::clone(&station.name);
                    self.tell(Event::Address { interface, event });
                }
                // Ports send frames themselves.
                Output::Transmit(_) => {}
            }
        }
    }

    /// Queues `event`, or counts it when there is no room: the I/O thread waits for nobody.
    pub(crate) fn tell(&mut self, event: Event) {
        if self.missed > 0 && self.events.try_send(Event::Missed(self.missed)).is_ok() {
            self.missed = 0;
        }
        if self.missed > 0 || self.events.try_send(event).is_err() {
            self.missed += 1;
        }
    }

    fn note_sighting(&mut self, key: PortKey, event: &claim::Event) {
        match *event {
            claim::Event::Conflict { address, mac, .. } => {
                self.sightings.insert(
                    (key, address),
                    Sighting {
                        mac,
                        at: clock::now(),
                    },
                );
            }
            claim::Event::Announced(address) | claim::Event::Released(address) => {
                self.sightings.remove(&(key, address));
            }
            _ => {}
        }
    }
}

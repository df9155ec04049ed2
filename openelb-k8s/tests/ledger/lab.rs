//! One controller and a server where nothing goes wrong.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use openelb_ipam::Time;
use openelb_ipam::relative::Projection;
use openelb_k8s::api::Eip;
use openelb_k8s::cluster::Service;
use openelb_k8s::controller::{Change, Input, Kind, Machine, Output, Settings};

use crate::judge::shown;
use crate::server::Server;

/// One controller and a server where nothing goes wrong.
pub(crate) struct Lab {
    pub(crate) server: Server,
    pub(crate) machine: Machine,
    pub(crate) now: Time,
    /// What a controller that starts is told of the prefixes.
    pub(crate) prefixes: Option<Projection>,
    /// And of the addresses in conflict.
    pub(crate) conflicts: BTreeMap<IpAddr, String>,
    /// Notes of the Events told.
    pub(crate) told: Vec<String>,
}

impl Lab {
    /// A world of these pools and Services, not yet seen by the controller.
    pub(crate) fn new(eips: Vec<Eip>, services: Vec<Service>) -> Self {
        let mut lab = Self {
            server: Server::default(),
            machine: Machine::new(Settings::default()),
            now: Time(1_800_000_000_000),
            prefixes: None,
            conflicts: BTreeMap::new(),
            told: Vec::new(),
        };
        for eip in eips {
            lab.server.create_eip(eip);
        }
        for service in services {
            lab.server.create_service(service);
        }
        lab
    }

    /// The same, seen and settled.
    pub(crate) fn settled(eips: Vec<Eip>, services: Vec<Service>) -> Self {
        let mut lab = Self::new(eips, services);
        lab.start(Settings::default());
        lab
    }

    /// A controller starts from nothing, and goes as far as it can.
    pub(crate) fn start(&mut self, settings: Settings) {
        self.machine = Machine::new(settings);
        self.server.events.clear();
        if let Some(view) = &self.prefixes {
            let input = Input::Prefixes(Box::new(view.clone()));
            self.machine.handle_input(input, self.now);
        }
        let conflicts = Input::Conflicts(self.conflicts.clone());
        self.machine.handle_input(conflicts, self.now);
        self.machine.handle_input(Input::Leading(true), self.now);
        for kind in Kind::ALL {
            self.machine.handle_input(Input::Restart(kind), self.now);
            for object in self.server.list(kind) {
                self.machine.handle_input(object, self.now);
            }
            self.machine.handle_input(Input::Synced(kind), self.now);
        }
        self.settle();
    }

    /// Everything is carried out and seen until nothing happens any more, time included: gives back
    /// the changes that took place.
    pub(crate) fn settle(&mut self) -> Vec<Change> {
        let before = self.server.writes.len();
        loop {
            let is_busy = self.exchange();
            match self.machine.poll_timeout() {
                _ if is_busy => {}
                Some(at) if at < self.now + Duration::from_hours(1) => {
                    self.now = self.now.max(at);
                    self.machine.handle_timeout(self.now);
                }
                _ => return self.server.writes[before..].to_vec(),
            }
        }
    }

    /// Without time: gives back whether anything happened.
    pub(crate) fn exchange(&mut self) -> bool {
        let mut is_busy = false;
        for (_, event) in std::mem::take(&mut self.server.events) {
            self.machine.handle_input(event, self.now);
            is_busy = true;
        }
        // All that is wanted now goes out before the first answer comes in.
        let outputs: Vec<Output> = std::iter::from_fn(|| self.machine.poll_output()).collect();
        for output in outputs {
            is_busy = true;
            match output {
                Output::Write(write) => {
                    let outcome = self.server.execute(&write.what);
                    let input = Input::Written {
                        id: write.id,
                        outcome,
                    };
                    self.machine.handle_input(input, self.now);
                }
                Output::Happened(it) => self.told.push(format!("{}: {}", it.reason, it.note)),
            }
        }
        is_busy
    }

    pub(crate) fn addresses(&self, key: &str) -> Vec<String> {
        let service = &self.server.services[key].service;
        shown(service).iter().map(ToString::to_string).collect()
    }

    /// The word of the condition; empty when all is well.
    pub(crate) fn reason(&self, key: &str) -> &str {
        let conditions = &self.server.services[key].service.status.conditions;
        conditions.first().map_or("", |condition| &condition.reason)
    }

    pub(crate) fn used(&self, eip: &str, address: &str) -> Option<&str> {
        self.server.eips[eip]
            .status
            .used
            .get(address)
            .map(String::as_str)
    }
}

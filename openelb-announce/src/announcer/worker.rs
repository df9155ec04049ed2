//! What the I/O thread does: follows the desired set and the host's interfaces with its stations.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{Sender, SyncSender};
use std::time::Duration;

use super::component::{Command, Component, Surroundings};
use super::desired::DesiredSet;
use super::elections::{Elections, PermitRequest};
use super::mailbox::Mailbox;
use super::options::Options;
use super::outbox::Outbox;
use super::plan;
use super::readers::{Reader, Readers};
use super::report::{Snapshot, StationView};
use super::routers::Routers;
use super::stations::Stations;
use super::status::Event;
use crate::driver::opener::{Answer, Opener, Request};
use crate::driver::poller::Poller;
use crate::driver::{Host, clock};
use crate::link::netlink::Monitor;
use crate::link::{InterfaceSelector, NoInterface, RouteError};
use crate::time::Time;

/// The state of the I/O thread. Nobody else touches it.
pub(crate) struct Worker {
    options: Options,
    mailbox: Arc<Mailbox>,
    monitor: Monitor,
    desired: Arc<DesiredSet>,
    /// What each selector of `desired` means at present.
    resolved: Vec<Result<BTreeSet<u32>, NoInterface>>,
    stations: Stations,
    components: Vec<Box<dyn Component>>,
    /// What the routing table said about the addresses that selectors depend on.
    routes: BTreeMap<IpAddr, Result<u32, RouteError>>,
    /// When to ask it again, if there are any.
    rescan_at: Option<Time>,
    /// By when the thread ends, once it was told to.
    stop_at: Option<Time>,
    is_finished: bool,
}

impl Worker {
    /// A worker that announces nothing yet, and the poller that wakes it.
    pub(crate) fn new(
        options: Options,
        mailbox: Arc<Mailbox>,
        opener: Opener,
        events: SyncSender<Event>,
        requests: Option<Sender<PermitRequest>>,
    ) -> io::Result<(Self, Poller)> {
        let monitor = Monitor::open()?;
        let poller = Poller::new()?;
        let mut readers = Readers::new(poller.watcher());
        readers.watch(&**mailbox.wake(), Reader::Letters)?;
        readers.watch(&monitor, Reader::Netlink)?;
        let outbox = Outbox::new(opener, events);
        let worker = Self {
            stations: Stations::new(outbox, readers, options.machine.clone()),
            components: vec![
                Box::new(Elections::new(0, requests)?),
                Box::new(Routers::new(1)),
            ],
            options,
            mailbox,
            monitor,
            desired: Arc::default(),
            resolved: Vec::new(),
            routes: BTreeMap::new(),
            rescan_at: None,
            stop_at: None,
            is_finished: false,
        };
        Ok((worker, poller))
    }

    /// Does what the handle left, and takes what the opener has to say.
    fn handle_letters(&mut self) -> io::Result<()> {
        let letters = self.mailbox.collect();
        while let Some(answer) = self.stations.outbox.opener.answer() {
            self.handle_answer(answer)?;
        }
        if let Some(desired) = letters.desired {
            self.adopt(desired)?;
        }
        for command in &letters.commands {
            self.obey(command)?;
        }
        if letters.stop && self.stop_at.is_none() {
            self.obey(&Command::Leave)?;
            self.stop_at = Some(clock::now() + FAREWELL);
        }
        for asker in letters.questions {
            // An asker that has given up is no concern of this thread.
            drop(asker.send(self.snapshot()));
        }
        Ok(())
    }

    /// Ends the thread once others have what was given up, or nobody is left to wait for.
    fn stop_if_left(&mut self) -> io::Result<()> {
        let now = clock::now();
        let Some(stop_at) = self.stop_at else {
            return Ok(());
        };
        let mut components = self.components.iter();
        if now >= stop_at || components.all(|component| component.has_left(now)) {
            self.adopt(DesiredSet::default())?;
            self.stations.close_all()?;
            self.is_finished = true;
        }
        Ok(())
    }

    fn obey(&mut self, command: &Command) -> io::Result<()> {
        self.each(|component, around| {
            component.obey(command, around);
            Ok(())
        })
    }

    fn handle_answer(&mut self, answer: Answer) -> io::Result<()> {
        let now = clock::now();
        match answer {
            Answer::Opened(key, filter, opened) => self.stations.opened(key, filter, opened, now),
            Answer::Route(target, answer) => {
                let known = self.routes.get_mut(&target);
                if let Some(known) = known.filter(|known| **known != answer) {
                    *known = answer;
                    self.reconsider()?;
                }
            }
            Answer::Membership(key, group, error) => {
                self.stations.note_membership(key, group, &error);
            }
            other => {
                let mut answer = Some(other);
                self.each(|component, around| {
                    answer = answer.take().and_then(|it| component.take(it, around));
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    /// Makes `desired` what is announced.
    fn adopt(&mut self, desired: DesiredSet) -> io::Result<()> {
        self.desired = Arc::new(desired);
        self.resolve_selectors();
        self.lead()
    }

    /// Acts if selectors mean other links than before. Most news of the host change nothing here.
    fn reconsider(&mut self) -> io::Result<()> {
        let before = std::mem::take(&mut self.resolved);
        self.resolve_selectors();
        if self.resolved == before {
            return Ok(());
        }
        self.lead()
    }

    fn resolve_selectors(&mut self) {
        let mut targets = BTreeSet::new();
        for selector in &self.desired.selectors {
            selector.route_targets(&mut targets);
        }
        self.routes.retain(|target, _| targets.contains(target));
        for target in targets {
            self.routes.entry(target).or_insert_with(|| {
                self.stations.outbox.opener.ask(Request::Route(target));
                Err(RouteError::Pending)
            });
        }
        if self.rescan_at.is_none() != self.routes.is_empty() {
            self.rescan_at = (!self.routes.is_empty()).then(|| clock::now() + RESCAN);
        }
        let (topology, routes) = (self.monitor.topology(), &self.routes);
        let mut route = |target| match routes.get(&target) {
            Some(answer) => answer.clone(),
            None => Err(RouteError::Pending),
        };
        let mut resolve = |selector: &InterfaceSelector| {
            selector.resolve(topology, &self.options.excluded, &mut route)
        };
        self.resolved = self.desired.selectors.iter().map(&mut resolve).collect();
    }

    /// Asks the routing table again about everything that depends on it.
    fn ask_routes(&mut self) {
        for target in self.routes.keys() {
            self.stations.outbox.opener.ask(Request::Route(*target));
        }
        self.rescan_at = self.rescan_at.map(|_| clock::now() + RESCAN);
    }

    /// Leads every station, and every component, to what it should announce.
    fn lead(&mut self) -> io::Result<()> {
        let links = self
            .resolved
            .iter()
            .map(|links| links.clone().unwrap_or_default());
        let links: Vec<BTreeSet<u32>> = links.collect();
        let placements = plan::place(&self.desired, &links);
        let topology = self.monitor.topology();
        self.stations.lead(placements, topology, clock::now())?;
        let desired = Arc::clone(&self.desired);
        self.each(|component, around| component.lead(&desired, &links, around))
    }

    /// Tells every station and component how its link is now.
    fn follow_links(&mut self) -> io::Result<()> {
        let topology = self.monitor.topology();
        self.stations.follow_links(topology, clock::now());
        self.each(|component, around| component.follow_links(around))
    }

    fn each(
        &mut self,
        mut act: impl FnMut(&mut dyn Component, &mut Surroundings<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut around = Surroundings {
            stations: &mut self.stations,
            topology: self.monitor.topology(),
            now: clock::now(),
        };
        let mut components = self.components.iter_mut();
        components.try_for_each(|component| act(&mut **component, &mut around))
    }

    fn serve_components(&mut self, now: Time) {
        for component in &mut self.components {
            component.handle_timeout(&mut Surroundings {
                stations: &mut self.stations,
                topology: self.monitor.topology(),
                now,
            });
        }
    }

    /// Copies what a report is made of; the asker's thread puts it together.
    fn snapshot(&mut self) -> Snapshot {
        let mut snapshot = Snapshot {
            desired: Arc::clone(&self.desired),
            resolved: self.resolved.clone(),
            stations: self.stations.iter_mut().map(StationView::of).collect(),
            sightings: self.stations.outbox.sightings.clone(),
            topology: self.monitor.topology().clone(),
            routers: Vec::new(),
            segments: Vec::new(),
            now: clock::now(),
        };
        for component in &self.components {
            component.describe(&mut snapshot);
        }
        snapshot
    }
}

impl Host for Worker {
    fn is_finished(&self) -> bool {
        self.is_finished
    }

    fn longest_pause(&self) -> Duration {
        let others = self.components.iter();
        let others = others.filter_map(|component| component.longest_pause());
        let shortest = others.fold(self.options.fence, Duration::min);
        shortest.max(SHORTEST_FENCE)
    }

    fn poll_timeout(&self) -> Option<Time> {
        let components = self.components.iter();
        let components = components.filter_map(|component| component.poll_timeout());
        components
            .chain(self.stations.poll_timeout())
            .chain(self.rescan_at)
            .chain(self.stop_at)
            .min()
    }

    fn fence(&mut self, pause: Duration, now: Time) -> io::Result<()> {
        let components = self.components.iter();
        let is_over = |longest: Duration| pause > longest;
        let lapsed = components.filter(|it| it.longest_pause().is_some_and(is_over));
        let mut lapsed: Vec<&str> = lapsed.map(|component| component.concern()).collect();
        self.each(|component, around| {
            component.fence(pause, around);
            Ok(())
        })?;
        if pause > self.options.fence.max(SHORTEST_FENCE) {
            self.stations.fence_sole(now);
            lapsed.push("addresses that only this host announces");
        }
        let lapsed = lapsed.join(", ");
        tracing::warn!(
            ?pause,
            lapsed,
            "did not run for a while; what lapsed starts again"
        );
        self.stations.outbox.tell(Event::Paused { pause, lapsed });
        Ok(())
    }

    fn renew(&mut self, now: Time) {
        let until = now + self.options.fence.max(SHORTEST_FENCE);
        self.stations.renew_sole(until, now);
    }

    fn feed(&mut self, ready: u64, _: &Poller) -> io::Result<()> {
        match self.stations.readers.reader(ready) {
            Some(Reader::Letters) => self.handle_letters(),
            Some(Reader::Netlink) => {
                if self.monitor.receive()? {
                    self.follow_links()?;
                    let soon = clock::now() + SETTLE;
                    self.rescan_at = self.rescan_at.map(|at| at.min(soon));
                    self.reconsider()?;
                }
                Ok(())
            }
            Some(Reader::Component(place)) => {
                let Some(component) = self.components.get_mut(place) else {
                    return Ok(());
                };
                component.feed(
                    ready,
                    &mut Surroundings {
                        stations: &mut self.stations,
                        topology: self.monitor.topology(),
                        now: clock::now(),
                    },
                )
            }
            Some(Reader::Station(key)) => {
                // Answers to a storm must not delay beats. What others beat has been read by now.
                let now = clock::now();
                let mut components = self.components.iter();
                if components.any(|it| it.poll_timeout().is_some_and(|at| at <= now)) {
                    self.serve_components(now);
                }
                self.stations.receive(key);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn is_urgent(&self, token: u64) -> bool {
        !matches!(
            self.stations.readers.reader(token),
            Some(Reader::Station(_))
        )
    }

    fn handle_timeout(&mut self, now: Time) -> io::Result<()> {
        self.serve_components(now);
        self.stations.handle_timeout(now);
        if self.rescan_at.is_some_and(|at| at <= now) {
            self.ask_routes();
        }
        self.stop_if_left()
    }
}

// How long others may take to take over what is given up: they need one beat for it.
const FAREWELL: Duration = Duration::from_millis(200);
const SHORTEST_FENCE: Duration = Duration::from_millis(10);
// Routes are not subscribed to: a router's table changes thousands of times a second.
const RESCAN: Duration = Duration::from_secs(10);
// News come in bursts, and routes follow links and addresses with a delay.
const SETTLE: Duration = Duration::from_millis(200);

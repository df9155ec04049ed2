//! What the thread does: compares what is wanted with what the kernel holds, whenever either may have
//! changed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use ipnet::IpNet;

use super::options::{Ending, Options};
use super::plan::{Step, plan};
use super::resolve::Neighborhood;
use super::status::{Event, Refusal, RefusedRoute, Status};
use crate::announcer::mailbox::Mailbox;
use crate::driver::clock;
use crate::driver::poller::Poller;
use crate::forwarding::Route;
use crate::link::netlink::Monitor;
use crate::link::routes::{Entry, Hop, RouteTable, RouteWatch};
use crate::time::Time;

/// Everything that was left for the thread since it last looked.
#[derive(Default)]
pub(super) struct Letters {
    pub(super) wanted: Option<Wanted>,
    pub(super) is_complete: bool,
    pub(super) questions: Vec<SyncSender<Status>>,
    pub(super) ending: Option<Ending>,
}

/// The wanted routes, one for each destination.
pub(super) type Wanted = BTreeMap<IpNet, Route>;

/// Where events go. Called on the thread; must not block.
pub(super) type Sink = Box<dyn FnMut(Event) + Send>;

/// The state of the thread. Nobody else touches it.
pub(super) struct Worker {
    options: Options,
    mailbox: Arc<Mailbox<Letters>>,
    sink: Sink,
    table: RouteTable,
    watch: RouteWatch,
    monitor: Monitor,
    wanted: Wanted,
    /// What a former process left, until the wanted routes are complete; `None` before the first
    /// comparison.
    leftovers: Option<BTreeSet<IpNet>>,
    is_complete: bool,
    /// What the kernel held after the last comparison.
    installed: BTreeSet<IpNet>,
    refused: BTreeMap<IpNet, RefusedRoute>,
    problem: Option<String>,
    questions: Vec<SyncSender<Status>>,
    /// When to compare next.
    due: Time,
}

impl Worker {
    pub(super) fn new(
        options: Options,
        mailbox: Arc<Mailbox<Letters>>,
        sink: Sink,
    ) -> io::Result<(Self, Poller)> {
        let table = RouteTable::open(options.table, options.protocol)?;
        let watch = RouteWatch::open(options.protocol, table.port())?;
        let monitor = Monitor::open()?;
        let poller = Poller::new()?;
        poller.watch(&**mailbox.wake(), 0)?;
        poller.watch(&watch, 0)?;
        poller.watch(&monitor, 0)?;
        let worker = Self {
            options,
            mailbox,
            sink,
            table,
            watch,
            monitor,
            wanted: Wanted::new(),
            leftovers: None,
            is_complete: false,
            installed: BTreeSet::new(),
            refused: BTreeMap::new(),
            problem: None,
            questions: Vec::new(),
            due: clock::now(),
        };
        Ok((worker, poller))
    }

    /// Goes on until it is told to end.
    pub(super) fn serve(mut self, mut poller: Poller) -> io::Result<()> {
        loop {
            poller.wait(self.due)?;
            self.hear()?;
            if let Some(ending) = self.read_letters() {
                return match ending {
                    Ending::Keep => Ok(()),
                    Ending::Remove => self.remove_all(),
                };
            }
            if clock::now() >= self.due {
                self.compare();
            }
            self.answer();
        }
    }

    /// Takes in what the kernel tells.
    fn hear(&mut self) -> io::Result<()> {
        let seen = self.watch.receive()?;
        let is_moved = self.monitor.receive()?;
        let waits = || {
            let mut refused = self.refused.values();
            refused.any(|it| it.why == Refusal::Foreign)
        };
        if is_moved || seen.ours || (seen.removal && waits()) {
            // One event seldom comes alone: a link that goes down takes all its routes with it.
            self.due = self.due.min(clock::now() + GATHERING);
        }
        Ok(())
    }

    fn read_letters(&mut self) -> Option<Ending> {
        let letters = self.mailbox.collect();
        if let Some(wanted) = letters.wanted {
            self.wanted = wanted;
            self.due = clock::now();
        }
        if letters.is_complete && !self.is_complete {
            self.is_complete = true;
            self.due = clock::now();
        }
        self.questions.extend(letters.questions);
        letters.ending
    }

    /// Makes the kernel hold what is wanted, and remembers why it does not.
    fn compare(&mut self) {
        let outcome = self.bring_about();
        let now = clock::now();
        let is_refused = |it: &RefusedRoute| matches!(it.why, Refusal::Kernel(_));
        // What the kernel objects to may be mended in a way that is told to nobody.
        let waits = outcome.is_err() || self.refused.values().any(is_refused);
        self.due = now + if waits { RETRY } else { RECHECK };
        let problem = outcome.err().map(|error| error.to_string());
        if let Some(why) = problem.clone().filter(|_| problem != self.problem) {
            (self.sink)(Event::Failed(why));
        }
        self.problem = problem;
    }

    fn bring_about(&mut self) -> io::Result<()> {
        let held = self.table.held()?;
        self.note_leftovers(&held);
        let there: BTreeSet<IpNet> = held.iter().map(|entry| entry.destination).collect();
        let mut refused = BTreeMap::new();
        let hops = self.resolve(&mut refused);
        let empty = BTreeSet::new();
        let spared = self.leftovers.as_ref().unwrap_or(&empty);
        let steps = plan(&hops, held, self.options.metric.get(), spared);
        let lost = self.installed.difference(&there);
        let lost: BTreeSet<IpNet> = lost.copied().collect();
        self.installed = hops.into_keys().collect();
        for step in &steps {
            self.carry_out(step, &mut refused);
        }
        let restored = lost.intersection(&self.installed).count();
        if restored > 0 {
            (self.sink)(Event::Restored(restored));
        }
        self.tell_refusals(refused);
        Ok(())
    }

    /// What was there before this process wanted anything is a former one's, until it is told what
    /// all is wanted.
    fn note_leftovers(&mut self, held: &[Entry]) {
        if self.leftovers.is_none() {
            let found: BTreeSet<IpNet> = held.iter().map(|entry| entry.destination).collect();
            if !found.is_empty() {
                (self.sink)(Event::Found(found.len()));
            }
            self.leftovers = Some(found);
        }
        if !self.is_complete {
            return;
        }
        let leftovers = self.leftovers.replace(BTreeSet::new()).unwrap_or_default();
        let swept = leftovers.iter().filter(|it| !self.wanted.contains_key(it));
        let swept = swept.count();
        if swept > 0 {
            (self.sink)(Event::Swept(swept));
        }
    }

    /// The neighbours of every wanted route; those without any are left out and refused.
    fn resolve(
        &self,
        refused: &mut BTreeMap<IpNet, RefusedRoute>,
    ) -> BTreeMap<IpNet, BTreeSet<Hop>> {
        let mut around = Neighborhood::new(self.monitor.topology());
        let mut all = BTreeMap::new();
        for (destination, route) in &self.wanted {
            let resolved = around.resolve(route);
            let is_installed = !resolved.hops.is_empty();
            if let Some(why) = resolved.refusal {
                refuse(refused, *destination, is_installed, why);
            }
            if is_installed {
                all.insert(*destination, resolved.hops);
            }
        }
        all
    }

    fn carry_out(&mut self, step: &Step, refused: &mut BTreeMap<IpNet, RefusedRoute>) {
        let (destination, outcome) = match step {
            Step::Add(entry) => (entry.destination, self.table.add(entry)),
            Step::Change { from, to } => (to.destination, self.table.change(from, to)),
            Step::Remove(entry) => (entry.destination, self.table.remove(entry)),
        };
        let Err(error) = outcome else {
            return;
        };
        let why = match error.raw_os_error() {
            Some(libc::EEXIST) => Refusal::Foreign,
            Some(libc::EPERM) => Refusal::Kernel(format!("{error}; it takes CAP_NET_ADMIN")),
            _ => Refusal::Kernel(error.to_string()),
        };
        let is_installed = !matches!(step, Step::Add(_));
        if !is_installed {
            self.installed.remove(&destination);
        }
        refuse(refused, destination, is_installed, why);
    }

    /// Tells what is new about refused routes.
    fn tell_refusals(&mut self, refused: BTreeMap<IpNet, RefusedRoute>) {
        let before = std::mem::replace(&mut self.refused, refused);
        for (destination, refused) in &self.refused {
            if before.get(destination) != Some(refused) {
                (self.sink)(Event::Refused(refused.clone()));
            }
        }
        for destination in before.keys() {
            if !self.refused.contains_key(destination) && self.installed.contains(destination) {
                (self.sink)(Event::Recovered(*destination));
            }
        }
    }

    fn answer(&mut self) {
        for asker in std::mem::take(&mut self.questions) {
            // An asker that has given up is no concern of this thread.
            drop(asker.send(self.status()));
        }
    }

    fn status(&self) -> Status {
        let leftovers = self.leftovers.iter().flatten();
        let unwanted = leftovers.filter(|it| !self.wanted.contains_key(it));
        Status {
            wanted: self.wanted.len(),
            installed: self.installed.len(),
            refused: self.refused.values().cloned().collect(),
            leftovers: unwanted.count(),
            problem: self.problem.clone(),
        }
    }

    fn remove_all(&mut self) -> io::Result<()> {
        for entry in self.table.held()? {
            self.table.remove(&entry)?;
        }
        Ok(())
    }
}

/// The first reason counts.
fn refuse(
    refused: &mut BTreeMap<IpNet, RefusedRoute>,
    destination: IpNet,
    is_installed: bool,
    why: Refusal,
) {
    refused.entry(destination).or_insert(RefusedRoute {
        destination,
        is_installed,
        why,
    });
}

/// How long events are gathered before everything is compared.
const GATHERING: Duration = Duration::from_millis(20);
/// Nothing should ever be missed; a look once a minute costs a millisecond for a thousand routes.
const RECHECK: Duration = Duration::from_mins(1);
const RETRY: Duration = Duration::from_secs(5);

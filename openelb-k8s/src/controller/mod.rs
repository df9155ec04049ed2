//! Who gets which address, written so that several controllers at once give none twice.
//!
//! A [`Machine`] is told what the API server shows and what became of its writes, and says what to
//! write next. It does no I/O and reads no clock; openelb-ipam decides who gets what.
//!
//! # The rules
//!
//! The record of who has an address is `Eip.status.used`, or an `AddressBlock` beyond some thousand
//! records. What follows holds with any number of controllers that all believe to lead, whatever
//! writes are lost, late or repeated by none, and wherever one of them stops:
//!
//! 1. An address is in the status of two Services only if they may share it.
//! 2. A Service shows an address only after its record was confirmed by a write that named the
//!    version it replaced; the record goes only after the Service shows the address no more.
//! 3. Records of Services that are gone or want nothing are removed.
//! 4. An address that a Service has stays with it, unless its user asks otherwise or another station on
//!    the link has it: see `shun`.
//! 5. A world that does not change costs no write.
//! 6. Nothing is given or taken before all kinds were seen whole; what Services show wins over gaps
//!    in the records.
//!
//! # How they are held
//!
//! Every write names the version of the object that it was decided for. That settles races for one
//! object; two rules settle those between a ledger and a Service. To *show* an address, the ledger
//! must have been written after the version of the Service was seen that will be replaced. To *remove*
//! a record, the Service must have been written without the address, and nobody else may have written
//! the ledger since. Of two controllers, one that shows and one that removes, either the second finds
//! the ledger written, or the first finds the Service changed.
//!
//! An address that two Eips list is given only once the younger one says in its status that it
//! overlaps: see `pools`.

mod adopt;
mod answer;
mod apply;
mod commit;
mod counters;
mod doubt;
mod follow;
mod holder;
mod input;
mod key;
mod ledger;
mod observe;
mod output;
mod patience;
mod pools;
mod retry;
mod settings;
mod shun;
mod step;
mod stranger;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use openelb_ipam::{Ipam, Time};
use smallvec::SmallVec;

pub use counters::Counters;
pub use input::{Input, Kind, Object, Outcome};
pub use output::{Change, ObjectRef, Occurrence, Output, ServiceApply, Write, WriteId};
pub use settings::Settings;

pub(crate) use key::is_older;
pub(crate) use retry::Retry;

use crate::cluster::Namespace;
use follow::Prefixes;
use holder::Holder;
use key::{Key, LedgerId, Subject, Tick};
use ledger::Ledger;
use observe::BlockState;
use pools::PoolState;
use shun::Shunned;
use stranger::Strangers;

/// The controller: objects and answers in, writes out.
#[derive(Debug)]
pub struct Machine {
    settings: Settings,
    ipam: Ipam,
    pools: BTreeMap<Arc<str>, PoolState>,
    blocks: BTreeMap<Arc<str>, BlockState>,
    /// Boxed: the nodes of the tree are half empty where keys come in order.
    holders: BTreeMap<Key, Box<Holder>>,
    namespaces: BTreeMap<Arc<str>, Box<Namespace>>,
    prefixes: Prefixes,
    /// Every record by address, wherever it is.
    recorded: HashMap<IpAddr, SmallVec<[(Key, LedgerId); 1]>>,
    strangers: Strangers,
    shunned: Shunned,
    /// Names seen in a list that is not complete yet.
    listing: BTreeMap<Kind, Vec<String>>,
    synced: BTreeSet<Kind>,
    is_leading: bool,
    is_started: bool,
    are_pools_due: bool,
    /// When another controller was last seen to write records.
    rival_seen: Option<Time>,
    /// Generation of the ledger of addresses that all who wait were told the reasons of.
    explained: u64,
    /// When they will be told again.
    explaining: Option<Time>,
    dirty: BTreeSet<Key>,
    readopt: BTreeSet<Key>,
    stirred: BTreeSet<LedgerId>,
    timers: BTreeSet<(Time, Subject)>,
    flights: BTreeMap<WriteId, Subject>,
    outputs: VecDeque<Output>,
    counters: Counters,
    tick: Tick,
    last_write: u64,
}

impl Machine {
    /// A machine that has seen nothing and does not lead.
    pub fn new(settings: Settings) -> Self {
        Self {
            ipam: Ipam::new().with_seed(settings.seed).with_log_capacity(LOG),
            settings,
            pools: BTreeMap::new(),
            blocks: BTreeMap::new(),
            holders: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            prefixes: Prefixes::default(),
            recorded: HashMap::new(),
            strangers: Strangers::default(),
            shunned: Shunned::default(),
            listing: BTreeMap::new(),
            synced: BTreeSet::new(),
            is_leading: false,
            is_started: false,
            are_pools_due: false,
            rival_seen: None,
            explained: 0,
            explaining: None,
            dirty: BTreeSet::new(),
            readopt: BTreeSet::new(),
            stirred: BTreeSet::new(),
            timers: BTreeSet::new(),
            flights: BTreeMap::new(),
            outputs: VecDeque::new(),
            counters: Counters::default(),
            tick: Tick::default(),
            last_write: 0,
        }
    }

    /// The operator's choices.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Learns one thing. O(what changed), but for an edit of the pools: O(addresses in use).
    pub fn handle_input(&mut self, input: Input, now: Time) {
        match input {
            Input::Restart(kind) => self.begin_list(kind),
            Input::Synced(kind) => self.end_list(kind),
            Input::Eip(eip) => self.see_eip(eip, true, now),
            Input::EipGone(name) => self.lose_eip(&name),
            Input::Block(block) => self.see_block(block, now),
            Input::BlockGone(name) => self.lose_block(&name),
            Input::Service(service) => self.see_service(service, now),
            Input::ServiceGone { namespace, name } => {
                self.lose_service(&Key::new(&namespace, &name));
            }
            Input::Namespace(namespace) => self.see_namespace(namespace),
            Input::NamespaceGone(name) => self.lose_namespace(&name),
            Input::Prefixes(view) => self.see_prefixes(*view),
            Input::Conflicts(view) => self.see_conflicts(view, now),
            Input::Unreadable {
                kind,
                namespace,
                name,
            } => self.see_unreadable(kind, &namespace, &name),
            Input::Leading(is_leading) => {
                self.is_leading = is_leading;
                self.is_started &= is_leading;
            }
            Input::Written { id, outcome } => self.handle_answer(id, outcome, now),
        }
        self.settle(now);
    }

    /// Does what is due. Call it when [`poll_timeout`](Self::poll_timeout) says so; earlier or later
    /// does no harm.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some((at, _)) = self.timers.first()
            && *at <= now
            && let Some((_, subject)) = self.timers.pop_first()
        {
            if self.is_started {
                self.wake(subject, now);
            }
        }
        if self.is_started {
            self.ipam.expire(now);
        }
        self.settle(now);
    }

    /// The next thing to be done, until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do; `None` is never.
    pub fn poll_timeout(&self) -> Option<Time> {
        let deadline = self.ipam.next_deadline().filter(|_| self.is_started);
        let timer = self.timers.first().map(|(at, _)| *at);
        deadline.into_iter().chain(timer).min()
    }

    /// Whether it leads, and all kinds were seen whole: before, it writes nothing.
    pub fn is_working(&self) -> bool {
        self.is_started
    }

    /// Who has what, as far as decided; what is decided may not be written yet.
    pub fn ipam(&self) -> &Ipam {
        &self.ipam
    }

    /// What was done since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn wake(&mut self, subject: Subject, now: Time) {
        match subject {
            Subject::Ledger(id) => {
                let Some(ledger) = self.ledger(&id) else {
                    return;
                };
                if let Some(until) = ledger.retry.rests_until(now) {
                    self.timers.insert((until, Subject::Ledger(id)));
                } else if ledger.retry.is_stale && ledger.flight.is_none() {
                    self.read_ledger(&id);
                } else {
                    self.stirred.insert(id);
                }
            }
            Subject::Service(key) => {
                let Some(holder) = self.holders.get(&key) else {
                    return;
                };
                if let Some(until) = holder.retry.rests_until(now) {
                    self.timers.insert((until, Subject::Service(key)));
                } else if holder.retry.is_stale && holder.flight.is_none() {
                    self.read_service(&key);
                } else {
                    self.dirty.insert(key);
                }
            }
            Subject::Waiting => {
                let waiting = self
                    .holders
                    .iter()
                    .filter(|(_, holder)| holder.trouble.is_some());
                let waiting: Vec<Key> = waiting.map(|(key, _)| key.clone()).collect();
                self.dirty.extend(waiting);
                // What an Eip says of itself may follow from the records of another one.
                let eips = self.pools.keys().cloned().map(LedgerId::eip);
                self.stirred.extend(eips);
                self.explained = self.ipam.generation();
                self.explaining = None;
            }
        }
    }

    /// Goes as far as possible with what is known.
    fn settle(&mut self, now: Time) {
        if !self.is_started {
            if !self.is_leading || self.synced.len() < Kind::ALL.len() {
                return;
            }
            self.start(now);
        }
        loop {
            self.settle_services(now);
            while let Some(id) = self.stirred.pop_first() {
                self.commit(&id, now);
            }
            // Whoever a commit sends back needs something else first, so this comes to an end.
            if self.dirty.is_empty() {
                break;
            }
        }
        if self.ipam.generation() != self.explained && self.explaining.is_none() {
            let at = now + EXPLAIN_PAUSE;
            self.explaining = Some(at);
            self.timers.insert((at, Subject::Waiting));
        }
    }

    fn settle_services(&mut self, now: Time) {
        for _ in 0..ROUNDS {
            if self.are_pools_due {
                self.refresh_pools(now);
            }
            self.adopt_changed(now);
            while let Some(key) = self.dirty.pop_first() {
                self.step(&key, now);
            }
            let woken = self.ipam.take_woken();
            // Only who can be served is woken, so this comes to an end.
            self.dirty.extend(woken.iter().filter_map(Key::of));
            if self.dirty.is_empty() && self.readopt.is_empty() && !self.are_pools_due {
                return;
            }
        }
        // Nobody is known who would undo another's plan that often. Should there be one, it must not keep all
        // others waiting, nor a processor busy.
        debug_assert!(false, "Services undo each other's plans: {:?}", self.dirty);
        let at = now + ROUNDS_PAUSE;
        let later = std::mem::take(&mut self.dirty).into_iter();
        let later = later.map(|key| (at, Subject::Service(key)));
        self.timers.extend(later);
        self.timers.insert((at, Subject::Waiting));
    }

    /// Begins to lead: what was decided before another led is worth nothing.
    fn start(&mut self, now: Time) {
        self.is_started = true;
        self.ipam = Ipam::new()
            .with_seed(self.settings.seed)
            .with_log_capacity(LOG);
        self.strangers = Strangers::default();
        self.rival_seen = None;
        self.timers.clear();
        self.explaining = None;
        for holder in self.holders.values_mut() {
            holder.grants.clear();
            holder.ghosts.clear();
            holder.tolerated = None;
            holder.trouble = None;
            holder.patience = None;
            // What was written or read before may have been undone by others meanwhile.
            holder.fence = None;
            holder.looked.clear();
        }
        self.refresh_pools(now);
        self.adopt_all(now);
        self.shun_free(now);
        self.dirty.extend(self.holders.keys().cloned());
        self.stirred
            .extend(self.pools.keys().cloned().map(LedgerId::eip));
        self.stirred
            .extend(self.blocks.keys().cloned().map(LedgerId::block));
        let ledgers = self.stirred.iter().cloned().map(Subject::Ledger);
        let services = self.holders.iter();
        let services = services.filter(|(_, it)| it.retry.is_stale || it.retry.is_resting(now));
        let services = services.map(|(key, _)| Subject::Service(key.clone()));
        let due: Vec<_> = ledgers.chain(services).map(|it| (now, it)).collect();
        self.timers.extend(due);
    }

    /// Asks for a write, or a reading.
    fn issue(&mut self, subject: Subject, what: Change) -> WriteId {
        self.last_write += 1;
        let id = WriteId(self.last_write);
        self.flights.insert(id, subject);
        self.counters.requests += 1;
        self.outputs.push_back(Output::Write(Write { id, what }));
        id
    }

    fn next_tick(&mut self) -> Tick {
        self.tick = Tick(self.tick.0 + 1);
        self.tick
    }

    fn ledger(&self, id: &LedgerId) -> Option<&Ledger> {
        match id.kind {
            Kind::Eip => self.pools.get(&id.name).map(|pool| &pool.ledger),
            _ => self.blocks.get(&id.name).map(|block| &block.ledger),
        }
    }

    fn ledger_mut(&mut self, id: &LedgerId) -> Option<&mut Ledger> {
        match id.kind {
            Kind::Eip => self.pools.get_mut(&id.name).map(|pool| &mut pool.ledger),
            _ => self.blocks.get_mut(&id.name).map(|block| &mut block.ledger),
        }
    }

    /// Enters a record into the tables that are looked up by Service and by address.
    fn record(&mut self, key: &Key, address: IpAddr, id: &LedgerId) {
        let holder = self.holders.entry(key.clone()).or_default();
        // Most have one, and a vector that grows by itself begins with room for four.
        holder.records.reserve_exact(1);
        holder.records.push((address, id.clone()));
        let owners = self.recorded.entry(address).or_default();
        owners.push((key.clone(), id.clone()));
    }

    /// Takes a record out of these tables.
    fn unrecord(&mut self, key: &Key, address: IpAddr, id: &LedgerId) {
        if let Some(holder) = self.holders.get_mut(key) {
            holder
                .records
                .retain(|(at, ledger)| *at != address || ledger != id);
        }
        if let Some(owners) = self.recorded.get_mut(&address) {
            owners.retain(|(owner, ledger)| owner != key || ledger != id);
            if owners.is_empty() {
                self.recorded.remove(&address);
            }
        }
    }
}

/// Who waits hears at most this often that it waits for another reason now.
const EXPLAIN_PAUSE: Duration = Duration::from_secs(1);
/// So often Services wake each other in one step; the others' writes go out then, and they go on later.
const ROUNDS: u32 = 1000;
const ROUNDS_PAUSE: Duration = Duration::from_secs(10);
/// The changes of the ledger of addresses are never asked for.
const LOG: usize = 1;

//! The allocations and their store behind one door: a question in, an answer out, durable before it
//! is given.
//!
//! The daemon and the `ip` verbs without a daemon both work through an [`Engine`], so they cannot
//! answer differently.

mod answer;
mod bgp;
mod explain;
mod follow;
mod link;
mod map;
mod pools;
mod prefix;
mod question;
mod rows;
mod status;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::net::IpAddr;

use openelb_ipam::{
    AllocateError, Allocation, Fence, Ipam, Owner, OwnerKey, PoolPlan, PoolSpec, Request, Snapshot,
    Time,
};

pub(crate) use self::answer::{
    Allocated, Answer, Explained, FamilyUse, Held, Holder, Holdings, MapRow, PlanReport, PoolMap,
    PoolReport, Pools, Refused, Released, Whois,
};
pub(crate) use self::bgp::{
    BfdReport, BgpReport, DrainState, DrainStep, ErrorReport, EventReport, EventsReport,
    FamilyReport, InterfaceReport, ListenerReport, MessageCounts, MessagesReport, PeerReport,
    RouteReport, RoutesReport, SessionReport,
};
pub(crate) use self::link::{
    DrainReport, ElectionReport, NodeReport, RouterCounters, RouterReport, SegmentCounters,
    SegmentReport, UnitReport, VrrpReport,
};
use self::prefix::Prefixes;
pub(crate) use self::prefix::{Follow, PrefixReport, PrefixesReport, steps};
pub(crate) use self::question::{Owners, PROTOCOL, Question};
pub(crate) use self::status::{
    AnnouncementStatus, ConfigStatus, ServiceState, ServiceStatus, StatusReport,
};
use crate::exit_code::{ExitCode, Failure};
use crate::store::{Store, StoreError};

/// The allocations of one installation.
// Invariant: `stored` is the generation of the last batch the store took.
pub(crate) struct Engine {
    ipam: Ipam,
    prefixes: Prefixes,
    store: Box<dyn Store>,
    stored: u64,
    read_only: Option<String>,
}

impl Engine {
    /// Loads everything a store holds.
    pub(crate) fn open(mut store: Box<dyn Store>) -> Result<Self, Failure> {
        let mut stored = store.load().map_err(|error| store_failure(&error))?;
        let generation = stored.generation;
        let prefixes = Prefixes::take(&mut stored).map_err(|error| store_failure(&error))?;
        let snapshot = rows::decode(stored).map_err(|error| store_failure(&error))?;
        let ipam = restore(snapshot).map_err(|error| store_failure(&error))?;
        Ok(Self {
            ipam,
            prefixes,
            store,
            stored: generation,
            read_only: None,
        })
    }

    /// Answers a question from memory. An answer to a question that
    /// [changes](Question::changes) the state must be kept back until [`commit`](Self::commit).
    pub(crate) fn answer(&mut self, question: Question, now: Time) -> Result<Answer, Failure> {
        if question.changes() {
            self.check_writable()?;
        }
        Ok(match question {
            Question::Allocate { owners, request } => {
                Answer::Allocated(self.allocate_all(&owners, &request, now)?)
            }
            Question::Release { owners } => Answer::Released(self.release_all(owners, now)),
            Question::Reserve { address, owner } => {
                Answer::Allocated(self.reserve(address, owner, now)?)
            }
            Question::List { pool, namespace } => {
                Answer::Holdings(self.holdings(pool.as_deref(), namespace.as_deref()))
            }
            Question::Whois { address } => {
                let address = self.meant(address, None, None)?;
                Answer::Whois(explain::whois(
                    &self.ipam,
                    address,
                    self.prefixes.projection(),
                ))
            }
            Question::Pools => Answer::Pools(Pools {
                pools: self.pools(),
            }),
            Question::Pool { name } => Answer::Pools(Pools {
                pools: vec![pools::named(&self.ipam, &name, self.prefixes.projection())?],
            }),
            Question::Map { name, cells } => {
                let projection = self.prefixes.projection();
                Answer::Map(map::draw(&self.ipam, &name, cells, projection)?)
            }
            Question::Plan { pools } => Answer::Plan(self.plan(&pools)?.1),
            Question::Apply { pools } => Answer::Plan(self.set_pools(&pools, now)?),
            Question::Explain { owner, request } => {
                Answer::Explained(self.explain(owner, request.as_deref(), now)?)
            }
            Question::Prefixes { name } => Answer::Prefixes(self.prefixes_named(name, now)?),
            Question::PrefixEvents { .. }
            | Question::Status
            | Question::Bgp
            | Question::BgpRoutes { .. }
            | Question::BgpEvents { .. }
            | Question::Election
            | Question::LinkEvents { .. }
            | Question::Vrrp
            | Question::Drain { .. } => {
                return Err(Failure::new(
                    ExitCode::Unreachable,
                    "no daemon runs on this state directory",
                )
                .next("start one with `openelb run CONFIG`"));
            }
        })
    }

    /// Makes everything since the last commit durable.
    ///
    /// After an error the engine refuses every change until it is opened again, and shows what the
    /// store holds.
    pub(crate) fn commit(&mut self) -> Result<(), Failure> {
        // First: an answer given before a failure, and forgotten by it, must not pass for durable.
        self.check_writable()?;
        if self.ipam.generation() == self.stored && !self.prefixes.has_changes() {
            return Ok(());
        }
        let changes = rows::changes(&self.ipam, self.stored, self.store.as_mut());
        let committed = changes.and_then(|mut batch| {
            self.prefixes.add_changes(&mut batch)?;
            self.store.commit(&batch)
        });
        match committed {
            Ok(()) => {
                self.stored = self.ipam.generation();
                self.prefixes.is_stored();
                Ok(())
            }
            Err(error) => {
                self.read_only = Some(error.to_string());
                self.forget_what_is_not_durable();
                Err(store_failure(&error))
            }
        }
    }

    /// Why changes are refused, if they are.
    pub(crate) fn read_only(&self) -> Option<&str> {
        self.read_only.as_deref()
    }

    /// Makes these the pools, by a plan.
    pub(crate) fn set_pools(
        &mut self,
        specs: &[PoolSpec],
        now: Time,
    ) -> Result<PlanReport, Failure> {
        self.check_writable()?;
        let (plan, report) = self.plan(specs)?;
        self.ipam
            .apply_pools(plan, now)
            .map_err(|error| Failure::new(ExitCode::Failed, error).next("try again"))?;
        Ok(PlanReport {
            applied: true,
            ..report
        })
    }

    /// Gives one owner what it asks for; a refused one waits.
    pub(crate) fn allocate(
        &mut self,
        owner: &Owner,
        request: &Request,
        now: Time,
    ) -> Result<Allocation, AllocateError> {
        // Where several are meant the allocator says that it has no such address.
        let meant = self.in_ledger(request, Some(&owner.key));
        let request = meant.unwrap_or(Cow::Borrowed(request));
        self.ipam.allocate(owner, &request, now)
    }

    /// Takes back everything an owner holds, and its place in the waiting list.
    pub(crate) fn release(&mut self, owner: &OwnerKey, now: Time) -> Option<Holder> {
        let held = self.holder(owner);
        // `Fence::Any` refuses nothing.
        let _ = self.ipam.release(owner, Fence::Any, now);
        held
    }

    /// What an owner holds.
    pub(crate) fn holder(&self, owner: &OwnerKey) -> Option<Holder> {
        self.ipam
            .holdings(owner.as_str())
            .map(|row| rows::holder(&row, self.prefixes.projection()))
    }

    /// Every owner of a kind that holds something or waits.
    pub(crate) fn owners_of_kind(&self, kind: &str) -> Vec<OwnerKey> {
        let holding = self.ipam.allocations().map(|row| row.owner.key);
        let waiting = self.ipam.waiting().map(|row| row.owner.key.clone());
        let mut owners: Vec<_> = holding
            .chain(waiting)
            .filter(|key| key.kind() == kind)
            .collect();
        owners.sort_unstable();
        owners.dedup();
        owners
    }

    /// Keeps everybody away from an address; its holders lose it and are woken. Of an address that
    /// follows a prefix the host part is meant, unless its prefix is a former one: then only an
    /// address that leaves soon is lost, and nobody gets another for it.
    pub(crate) fn quarantine(
        &mut self,
        address: IpAddr,
        until: Time,
        cause: &str,
        now: Time,
    ) -> Vec<OwnerKey> {
        let projection = self.prefixes.projection();
        let ledger = projection.read_address(address);
        if ledger != address && projection.show(ledger).current() != Some(address) {
            return Vec::new();
        }
        // An address that nobody gives out any more needs no quarantine.
        self.ipam
            .quarantine(ledger, until, cause, now)
            .unwrap_or_default()
    }

    /// Ends what has ended.
    pub(crate) fn expire(&mut self, now: Time) {
        self.ipam.expire(now);
        self.prefixes.advance(now);
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        let prefixes = self.prefixes.next_deadline();
        self.ipam.next_deadline().into_iter().chain(prefixes).min()
    }

    /// Owners that may be served now.
    pub(crate) fn take_woken(&mut self) -> Vec<OwnerKey> {
        self.ipam.take_woken()
    }

    /// Generation of the allocations.
    pub(crate) fn generation(&self) -> u64 {
        self.ipam.generation()
    }

    /// All pools with their use.
    pub(crate) fn pools(&self) -> Vec<PoolReport> {
        pools::reports(&self.ipam, self.prefixes.projection())
    }

    /// Goes back to what the store holds, where it can still be read, so that nothing is shown that
    /// a restart would not show.
    fn forget_what_is_not_durable(&mut self) {
        let Ok(mut stored) = self.store.load() else {
            return;
        };
        // What the network says of its prefixes is true whether it can be written down or not.
        if Prefixes::take(&mut stored).is_err() {
            return;
        }
        let generation = stored.generation;
        if let Ok(ipam) = rows::decode(stored).and_then(restore) {
            self.ipam = ipam;
            self.stored = generation;
        }
    }

    fn check_writable(&self) -> Result<(), Failure> {
        match &self.read_only {
            None => Ok(()),
            Some(reason) => Err(Failure::new(
                ExitCode::ReadOnly,
                format!("the state is read-only: {reason}"),
            )
            .next(StoreError::ReadOnly.next_step())),
        }
    }

    fn allocate_all(
        &mut self,
        owners: &Owners,
        request: &Request,
        now: Time,
    ) -> Result<Allocated, Failure> {
        let owners = named(owners)?;
        let mut report = Allocated::default();
        // In slices, so that the log of changes the commit reads from always holds them all.
        let first = owners.first().map(|owner| &owner.key);
        let request = self.in_ledger(request, first)?.into_owned();
        for (number, slice) in owners.chunks(SLICE).enumerate() {
            if number > 0 {
                self.commit()?;
            }
            let asked = slice.iter().map(|owner| (owner, &request));
            let answers = self.ipam.allocate_many(asked, now);
            for (owner, answer) in slice.iter().zip(answers) {
                match answer {
                    Ok(_) => report.allocations.extend(self.holder(&owner.key)),
                    Err(error) => {
                        // Whoever types a command is told and decides; only services wait.
                        if self.holder(&owner.key).is_none() {
                            self.release(&owner.key, now);
                        }
                        let projection = self.prefixes.projection();
                        report.refused.push(explain::refused(&error, projection));
                    }
                }
            }
        }
        report.generation = self.ipam.generation();
        Ok(report)
    }

    fn release_all(&mut self, owners: Vec<OwnerKey>, now: Time) -> Released {
        let mut report = Released::default();
        for owner in owners {
            match self.release(&owner, now) {
                Some(holder) => report.released.push(holder),
                None => report.unknown.push(owner),
            }
        }
        report.generation = self.ipam.generation();
        report
    }

    fn reserve(
        &mut self,
        address: IpAddr,
        owner: OwnerKey,
        now: Time,
    ) -> Result<Allocated, Failure> {
        let request = Request::default().pin(self.meant(address, None, Some(&owner))?);
        self.allocate_all(&Owners::Named(vec![owner]), &request, now)
    }

    fn plan(&self, specs: &[PoolSpec]) -> Result<(PoolPlan, PlanReport), Failure> {
        pools::plan(&self.ipam, specs, self.prefixes.projection())
    }

    fn explain(
        &self,
        owner: OwnerKey,
        request: Option<&Request>,
        now: Time,
    ) -> Result<Explained, Failure> {
        let request = request.map(|request| self.in_ledger(request, Some(&owner)));
        let request = request.transpose()?;
        let projection = self.prefixes.projection();
        Ok(explain::owner(
            &self.ipam,
            owner,
            request.as_deref(),
            projection,
            now,
        ))
    }

    fn holdings(&self, pool: Option<&str>, namespace: Option<&str>) -> Holdings {
        let is_meant = |key: &OwnerKey| namespace.is_none_or(|name| key.namespace() == name);
        let mut holders: Vec<Holder> = self
            .ipam
            .allocations()
            .filter(|row| is_meant(&row.owner.key))
            .map(|row| rows::holder(&row, self.prefixes.projection()))
            .filter(|holder| {
                pool.is_none_or(|name| holder.addresses.iter().any(|held| &*held.pool == name))
            })
            .collect();
        holders.sort_unstable_by(|a, b| a.owner.cmp(&b.owner));
        let waiting = self.ipam.waiting().map(|row| row.owner.key.clone());
        let mut waiting: Vec<_> = waiting
            .filter(|key| pool.is_none() && is_meant(key))
            .collect();
        waiting.sort_unstable();
        Holdings { holders, waiting }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("generation", &self.ipam.generation())
            .field("stored", &self.stored)
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}

/// A failure of the store, as the user sees it.
pub(crate) fn store_failure(error: &StoreError) -> Failure {
    let code = match error {
        StoreError::Commit(_) | StoreError::ReadOnly => ExitCode::ReadOnly,
        StoreError::Stale { .. } => ExitCode::Busy,
        _ => ExitCode::Failed,
    };
    Failure::new(code, error).next(error.next_step())
}

fn restore(snapshot: Snapshot) -> Result<Ipam, StoreError> {
    Ipam::restore(snapshot).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn named(owners: &Owners) -> Result<Vec<Owner>, Failure> {
    match owners {
        Owners::Named(keys) => Ok(keys.iter().cloned().map(Owner::from).collect()),
        Owners::Numbered { stem, count } if *count > MOST_OWNERS => {
            let message = format!("{stem}: {count} owners in one request; at most {MOST_OWNERS}");
            Err(Failure::new(ExitCode::Invalid, message).next("ask several times"))
        }
        Owners::Numbered { stem, count } => (1..=*count)
            .map(|number| {
                let name = format!("{}-{number}", stem.name());
                OwnerKey::new(stem.kind(), stem.namespace(), &name)
                    .map(Owner::from)
                    .map_err(|error| {
                        Failure::new(ExitCode::Invalid, error).next("choose a shorter name")
                    })
            })
            .collect(),
    }
}

/// Owners allocated between two commits: a commit of so many rows takes about 10 ms, and the log of
/// changes holds eight times as many.
const SLICE: usize = 8_192;

/// Owners in one request; an answer of so many is about 150 MB of JSON.
const MOST_OWNERS: u32 = 1_000_000;

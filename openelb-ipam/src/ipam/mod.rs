//! The ledger: which address belongs to whom, and every operation that changes it.
//!
//! `choose` decides without changing anything; `act` carries a decision out and cannot fail. Every
//! operation is one step of the generation, or none when nothing changed.

mod act;
mod allocate;
mod apply;
mod audit;
mod bulk;
mod choose;
mod effect;
mod explain;
mod holders;
mod insert;
mod log;
mod owners;
mod plan;
mod prefix;
mod quarantine;
mod refusal;
mod release;
mod reserve;
mod rows;
mod search;
mod share;
mod state;
mod usage;
mod wait;
mod whois;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use hashbrown::HashMap;
use smallvec::SmallVec;

pub use self::allocate::{Allocation, Assigned};
pub use self::apply::StalePlan;
pub use self::effect::{ClaimEffect, Fate, PoolConflict, PoolEdit};
pub use self::explain::{Explanation, Grant, Granted};
pub use self::insert::{RowError, RowProblem};
pub use self::plan::{PoolPlan, PoolPlanError};
pub use self::prefix::PrefixError;
pub use self::quarantine::QuarantineError;
pub use self::refusal::{AllocateError, Hint, Reason, Refusal, Rule, ShareRefusal};
pub use self::release::{Fence, ReleaseError, Released};
pub use self::reserve::{CommitError, Reservation};
pub use self::rows::Compacted;
pub use self::usage::Usage;
pub use self::whois::{Holding, Status};

use self::holders::Holders;
use self::log::{Changed, Log};
use self::owners::{Owners, PoolIndex, Slot};
use self::reserve::Booking;
use self::state::PoolState;
use self::wait::Waiting;
use crate::family::Family;
use crate::name::PoolName;
use crate::owner::OwnerKey;
use crate::pool::Pool;
use crate::request::Sharing;
use crate::row::{ReservationId, RowKey};
use crate::time::Time;

/// The ledger of one installation: pools, owners, and what every address is used for.
///
/// One writer owns it; it is as fast as a few hash tables and never blocks. Time is an argument.
/// Nothing is read from a clock, the network or the disk: store the [`Changes`](crate::row::Changes)
/// of each step and [restore](Self::restore) them after a crash.
///
/// ```
/// use openelb_ipam::{Ipam, Owner, PoolSpec, Request, Time};
///
/// let mut ipam = Ipam::new();
/// let spec = PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"]);
/// let plan = ipam.plan_pools(&[spec])?;
/// ipam.apply_pools(plan, Time(0))?;
///
/// let web: Owner = "service/default/web".parse()?;
/// let allocation = ipam.allocate(&web, &Request::dual_stack(), Time(0))?;
/// assert_eq!(allocation.to_string(), "192.0.2.1, 2001:db8::1");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ipam {
    pools: Vec<PoolState>,
    by_name: BTreeMap<PoolName, PoolIndex>,
    /// Default pools first, then by priority, then as listed.
    order: Vec<PoolIndex>,
    /// Whether any pool wants orphaned addresses to be moved: asked on every allocation.
    has_draining_pool: bool,
    owners: Owners,
    holders: Holders,
    /// First address of every delegated prefix.
    prefixes: BTreeMap<(Family, u128), Slot>,
    /// Addresses cooling down, by the owner that may have them back.
    cooling: HashMap<OwnerKey, SmallVec<[(Family, u128); 2]>>,
    /// Addresses held under a sharing key.
    shared: HashMap<Sharing, BTreeSet<(Family, u128)>>,
    bookings: BTreeMap<ReservationId, Booking>,
    waiting: Waiting,
    deadlines: BTreeSet<(Time, Due)>,
    log: Log,
    generation: u64,
    seed: u64,
}

/// What happens at a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A mark ends.
    Mark(Family, u128),
    /// A reservation lapses.
    Reservation(ReservationId),
}

impl Ipam {
    /// An empty ledger: no pools, no owners, generation 0.
    ///
    /// ```
    /// # use openelb_ipam::Ipam;
    /// assert_eq!(Ipam::new().generation(), 0);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn new() -> Self {
        Self {
            pools: Vec::new(),
            by_name: BTreeMap::new(),
            order: Vec::new(),
            has_draining_pool: false,
            owners: Owners::default(),
            holders: Holders::default(),
            prefixes: BTreeMap::new(),
            cooling: HashMap::new(),
            shared: HashMap::new(),
            bookings: BTreeMap::new(),
            waiting: Waiting::default(),
            deadlines: BTreeSet::new(),
            log: Log::new(0),
            generation: 0,
            seed: 0,
        }
    }

    /// Sets the seed of [`Strategy::Random`](crate::pool::Strategy::Random). With the same seed and
    /// the same steps the same addresses are given.
    ///
    /// ```
    /// # use openelb_ipam::Ipam;
    /// let ipam = Ipam::new().with_seed(42);
    /// # assert_eq!(ipam.generation(), 0);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets how many changed rows [`changes_since`](Self::changes_since) remembers, 65,536 by
    /// default, at 24 bytes each.
    ///
    /// ```
    /// # use openelb_ipam::Ipam;
    /// let ipam = Ipam::new().with_log_capacity(1_000_000);
    /// # assert_eq!(ipam.generation(), 0);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_log_capacity(mut self, rows: usize) -> Self {
        self.log.set_capacity(rows);
        self
    }

    /// How many steps led to this state. Every step that changed anything counts once.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// let before = ipam.generation();
    /// ipam.allocate(&web, &Request::default(), Time(0))?;
    /// ipam.allocate(&web, &Request::default(), Time(0))?;
    /// assert_eq!(ipam.generation(), before + 1);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The pools, in the order in which they were listed.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// assert!(ipam.pools().map(|pool| pool.name().to_string()).eq(["public"]));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn pools(&self) -> impl Iterator<Item = &Pool> {
        self.pools.iter().map(|state| &state.pool)
    }

    /// The elder pool that a pool overlaps and yields to: it then gives nothing new.
    ///
    /// ```
    /// # use openelb_ipam::{Ipam, PoolSpec, Time};
    /// let mut ipam = Ipam::new();
    /// let pool = |name: &str| PoolSpec::new(name.parse().unwrap(), ["192.0.2.0/24"]);
    /// let plan = ipam.plan_pools(&[pool("elder"), pool("younger")])?;
    /// ipam.apply_pools(plan, Time(0))?;
    /// assert_eq!(ipam.conflict_of("younger").map(ToString::to_string).as_deref(), Some("elder"));
    /// assert!(ipam.conflict_of("elder").is_none());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn conflict_of(&self, pool: &str) -> Option<&PoolName> {
        self.pool_state(pool)?.1.conflict.as_ref()
    }

    /// How many owners hold something. O(1).
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// ipam.allocate(&web, &Request::default(), Time(0))?;
    /// assert_eq!(ipam.owner_count(), 1);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn owner_count(&self) -> usize {
        self.owners.len()
    }

    /// When [`expire`](Self::expire) has something to do; call it then. `None` is never.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// assert_eq!(ipam.next_deadline(), None);
    /// ipam.reserve(&web, &Request::default(), Time(5_000), Time(0))?;
    /// assert_eq!(ipam.next_deadline(), Some(Time(5_000)));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Prepares for rows of a generation; `None` when no ledger can reach it.
    pub(crate) fn begin_restore(&mut self, generation: u64) -> Option<()> {
        if generation > MAX_GENERATION {
            return None;
        }
        self.generation = generation.saturating_sub(1);
        Some(())
    }

    /// Ends what [`begin_restore`](Self::begin_restore) began.
    pub(crate) fn end_restore(&mut self, generation: u64) {
        self.generation = generation;
    }

    /// Forgets how the state came to be: what happened before a restore is not known.
    pub(crate) fn forget_history(&mut self) {
        self.log.restart(self.generation);
    }

    /// Takes over a restored state and keeps what is not part of it.
    pub(crate) fn become_restored(&mut self, mut restored: Self) {
        restored.seed = self.seed;
        restored.log.set_capacity(self.log.capacity());
        *self = restored;
    }

    fn pool_state(&self, name: &str) -> Option<(PoolIndex, &PoolState)> {
        let at = *self.by_name.get(name)?;
        Some((at, self.pools.get(usize::from(at))?))
    }

    /// The generation that the running step leads to.
    fn next_generation(&self) -> u64 {
        self.generation + 1
    }

    /// Notes a changed owner; the step then counts.
    fn changed_owner(&mut self, slot: Slot) {
        let next = self.next_generation();
        if let Some(record) = self.owners.get_mut(slot) {
            record.generation = next;
        }
        self.log.note(next, Changed::Owner(slot));
    }

    /// Notes any other changed row; the step then counts.
    fn changed(&mut self, key: RowKey) {
        self.log
            .note(self.next_generation(), Changed::Key(key.into()));
    }

    /// Ends a step: the generation moves if anything was noted.
    fn end_step(&mut self) {
        if self.log.last() > self.generation {
            self.generation += 1;
        }
    }
}

impl Default for Ipam {
    fn default() -> Self {
        Self::new()
    }
}

/// A step a nanosecond for 292 years; beyond it a generation is damaged data.
const MAX_GENERATION: u64 = u64::MAX / 2;

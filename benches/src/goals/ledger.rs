//! Goals of the ledger: pairs with owner, repeats, bytes per owner, snapshot and restore.

use openelb_ipam::{Fence, Ipam, Owner, PoolSpec, Request, Time};

use super::{BUDGET, Bound, Row, Unit};
use crate::fill::SplitMix;
use crate::memory;
use crate::meter::{batched, repeated, timed};

/// Measures all of them, with 10,000 and a million owners.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut small = Ledger::with_owners(10_000);
    rows.push(row(
        "allocate a pair, 10,000 owners",
        small.allocate(),
        250.0,
        Bound::Mebibyte,
    ));
    rows.push(row(
        "repeat it, 10,000 owners",
        small.repeat(),
        80.0,
        Bound::Mebibyte,
    ));
    let mut large = Ledger::with_owners(1_000_000);
    rows.push(row(
        "allocate a pair, a million owners",
        large.allocate(),
        1_200.0,
        Bound::Dram,
    ));
    rows.push(row(
        "repeat it, a million owners",
        large.repeat(),
        500.0,
        Bound::Dram,
    ));
    rows.push(Row::new(
        "memory of a dual-stack owner, key included".to_owned(),
        large.bytes_per_owner,
        140.0,
        Unit::Bytes,
        Bound::None,
    ));
    rows.push(large.restore());
    rows
}

fn row(what: &str, measured: f64, goal: f64, bound: Bound) -> Row {
    Row::new(what.to_owned(), measured, goal, Unit::Nanoseconds, bound)
}

/// A ledger over 10.0.0.0/8 and a /64 with some dual-stack owners, keys of 29 characters.
#[derive(Debug)]
pub struct Ledger {
    ipam: Ipam,
    owners: u32,
    bytes_per_owner: f64,
    newcomers: Vec<Owner>,
}

impl Ledger {
    /// Fills it.
    #[expect(clippy::cast_precision_loss, reason = "bytes of one process")]
    pub fn with_owners(owners: u32) -> Self {
        let mut ipam = Ipam::new();
        let name = "public".parse().expect("a valid name");
        let spec = PoolSpec::new(name, ["10.0.0.0/8", "2001:db8::/64"]);
        let plan = ipam.plan_pools(&[spec]).expect("valid pools");
        ipam.apply_pools(plan, NOW).expect("nothing changed since");
        let before = memory::live();
        let request = Request::dual_stack();
        for n in 0..owners {
            ipam.allocate(&owner(n), &request, NOW)
                .expect("the pools have room");
        }
        let bytes_per_owner = (memory::live() - before) as f64 / f64::from(owners);
        let newcomers = (owners..owners + BATCH).map(owner).collect();
        Self {
            ipam,
            owners,
            bytes_per_owner,
            newcomers,
        }
    }

    /// One pair for an owner that is new.
    pub fn allocate(&mut self) -> f64 {
        let request = Request::dual_stack();
        let newcomers = &self.newcomers;
        batched(
            BUDGET * 4,
            newcomers.len(),
            &mut self.ipam,
            |ipam| {
                for owner in newcomers {
                    drop(std::hint::black_box(ipam.allocate(owner, &request, NOW)));
                }
            },
            |ipam| {
                for owner in newcomers {
                    drop(ipam.release(&owner.key, Fence::Any, NOW));
                }
            },
        )
    }

    /// The same request again, for owners at random.
    pub fn repeat(&mut self) -> f64 {
        let request = Request::dual_stack();
        let mut generator = SplitMix::new(3);
        let askers: Vec<Owner> = (0..4_096)
            .map(|_| owner(generator.below(self.owners)))
            .collect();
        let mut askers = askers.iter().cycle();
        repeated(BUDGET * 4, || {
            askers
                .next()
                .map(|owner| self.ipam.allocate(owner, &request, NOW))
        })
    }

    /// One call of [`Ipam::allocate`] for a newcomer and its release, for counting instructions.
    pub fn allocate_and_release(&mut self, times: u32) {
        let request = Request::dual_stack();
        for owner in self.newcomers.iter().cycle().take(times as usize) {
            drop(self.ipam.allocate(owner, &request, NOW));
            drop(self.ipam.release(&owner.key, Fence::Any, NOW));
        }
    }

    /// The same owner's request again and again, for counting instructions.
    pub fn repeat_one(&mut self, times: u32) {
        let (request, owner) = (Request::dual_stack(), owner(self.owners / 2));
        for _ in 0..times {
            drop(self.ipam.allocate(&owner, &request, NOW));
        }
    }

    /// Saves and restores it, for profiling.
    pub fn restore_once(&self) {
        drop(std::hint::black_box(Ipam::restore(self.ipam.snapshot())));
    }

    fn restore(self) -> Row {
        let snapshot = self.ipam.snapshot();
        let mut restored = None;
        let took = timed(|| restored = Some(Ipam::restore(snapshot)));
        drop(restored);
        let name = format!("restore {} dual-stack owners from a snapshot", self.owners);
        row(&name, took.as_secs_f64() * 1e9, 0.25e9, Bound::Dram)
    }
}

fn owner(n: u32) -> Owner {
    let key = format!("service/team-{:04}/web-{n:07}", n % 1_000);
    key.parse().expect("a valid key")
}

const NOW: Time = Time(1_700_000_000_000);
/// New owners per timed batch.
const BATCH: u32 = 1_024;

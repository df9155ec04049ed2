//! Two writers, one store: every order of reads, commits, crashes and late messages, checked exhaustively.
//!
//! The ledger is the real one. A writer reads the store, allocates in its memory and commits the changed rows if the store
//! still has the generation that they start from (compare-and-swap). Only then is the owner told. A writer may crash at any
//! moment and read again. This is how a controller keeps the ledger in API objects, and why two that believe themselves
//! leader still never give one address to two owners.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a panic is how a test fails"
)]

use std::collections::BTreeMap;
use std::net::IpAddr;

use openelb_ipam::{
    Changes, Fence, Ipam, Owner, OwnerKey, PoolSpec, Request, RowKey, Snapshot, Time,
};
use stateright::{Checker, HasDiscoveries, Model, Property};

/// A pool of two addresses, three owners that want one each.
const OWNERS: [&str; 3] = ["vip//a", "vip//b", "vip//c"];
const WRITERS: usize = 2;
/// How many commits a run may hold; it bounds the state space.
const COMMITS: u64 = 3;

struct TwoWriters {
    /// Whether a commit compares the generation. Without it the check must find a double allocation.
    is_fenced: bool,
}

/// Everything is kept as canonical text, which is hashable and hides nothing of the ledger's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    generation: u64,
    rows: BTreeMap<String, String>,
    writers: [Writer; WRITERS],
    /// What each owner was told, in order of time; cleared by its release.
    told: BTreeMap<&'static str, Vec<IpAddr>>,
    commits: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Writer {
    /// The generation and the rows it works on; `None` after a crash or a refused commit.
    memory: Option<(u64, BTreeMap<String, String>)>,
    /// What it wants to commit.
    pending: Option<Pending>,
    /// What it committed and has not told yet.
    untold: Option<(&'static str, IpAddr)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pending {
    from: u64,
    to: u64,
    puts: BTreeMap<String, String>,
    deletes: Vec<String>,
    given: Option<(&'static str, IpAddr)>,
    released: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Action {
    Read(usize),
    Allocate(usize, &'static str),
    Release(usize, &'static str),
    Commit(usize),
    Tell(usize),
    Crash(usize),
}

impl Model for TwoWriters {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let mut ipam = Ipam::new();
        let pool = PoolSpec::new("two".parse().unwrap(), ["192.0.2.1-192.0.2.2"]);
        let plan = ipam.plan_pools(&[pool]).unwrap();
        ipam.apply_pools(plan, Time(0)).unwrap();
        let (generation, rows) = written(&ipam.snapshot());
        vec![World {
            generation,
            rows,
            writers: Default::default(),
            told: BTreeMap::new(),
            commits: 0,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (at, writer) in world.writers.iter().enumerate() {
            if writer.memory.is_none() {
                actions.push(Action::Read(at));
            } else {
                actions.push(Action::Crash(at));
            }
            if writer.untold.is_some() {
                actions.push(Action::Tell(at));
            }
            if writer.pending.is_some() {
                actions.push(Action::Commit(at));
            } else if writer.memory.is_some() && writer.untold.is_none() {
                actions.extend(OWNERS.map(|owner| Action::Allocate(at, owner)));
                actions.extend(OWNERS.map(|owner| Action::Release(at, owner)));
            }
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        match action {
            Action::Read(at) => {
                next.writers[at].memory = Some((world.generation, world.rows.clone()));
            }
            Action::Crash(at) => next.writers[at] = Writer::default(),
            Action::Tell(at) => {
                let (owner, address) = next.writers[at].untold.take()?;
                next.told.entry(owner).or_default().push(address);
            }
            Action::Allocate(at, owner) => next.writers[at].propose(|ipam| {
                let key: Owner = owner.parse().unwrap();
                let given = ipam.allocate(&key, &Request::default(), Time(1)).ok()?;
                Some((Some((owner, given.addresses[0].address)), None))
            })?,
            Action::Release(at, owner) => next.writers[at].propose(|ipam| {
                let key: OwnerKey = owner.parse().unwrap();
                let given = ipam.release(&key, Fence::Any, Time(1)).unwrap();
                (!given.is_empty()).then_some((None, Some(owner)))
            })?,
            Action::Commit(at) => {
                let pending = next.writers[at].pending.take()?;
                if self.is_fenced && pending.from != world.generation {
                    next.writers[at].memory = None;
                } else {
                    next.commit(at, pending);
                }
            }
        }
        (next.commits <= COMMITS).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no address has two owners", |_, world: &World| {
                let addresses: Vec<_> = world.holders().into_values().collect();
                (1..addresses.len()).all(|at| !addresses[at..].contains(&addresses[at - 1]))
            }),
            Property::always("an owner keeps what it was told", |_, world: &World| {
                let holders = world.holders();
                let kept = |(owner, told): (&&str, &Vec<IpAddr>)| {
                    told.iter()
                        .all(|address| holders.get(*owner) == Some(address))
                };
                world.told.iter().all(kept)
            }),
            Property::always("what is stored can be read", |_, world: &World| {
                ledger(world.generation, &world.rows).is_some()
            }),
            Property::sometimes("both addresses are given", |_, world: &World| {
                world.holders().len() == 2
            }),
            Property::sometimes("a commit is refused", |_, world: &World| {
                let stale = |writer: &Writer| {
                    let pending = writer.pending.as_ref();
                    pending.is_some_and(|pending| pending.from != world.generation)
                };
                world.writers.iter().any(stale)
            }),
        ]
    }
}

impl World {
    /// Who holds what, as the store says.
    fn holders(&self) -> BTreeMap<String, IpAddr> {
        let Some(ipam) = ledger(self.generation, &self.rows) else {
            return BTreeMap::new();
        };
        let held = OWNERS.into_iter().filter_map(|owner| {
            let allocation = ipam.allocation(owner)?;
            Some((owner.to_owned(), allocation.addresses[0].address))
        });
        held.collect()
    }

    fn commit(&mut self, at: usize, pending: Pending) {
        for key in &pending.deletes {
            self.rows.remove(key);
        }
        self.rows.extend(pending.puts);
        self.generation = pending.to;
        self.commits += 1;
        if let Some(owner) = pending.released {
            // The owner gave it up itself, so what it was told no longer counts, nor does what
            // another writer was about to tell it.
            self.told.remove(owner);
            for writer in &mut self.writers {
                writer.untold.take_if(|(untold, _)| *untold == owner);
            }
        }
        self.writers[at].untold = pending.given;
    }
}

type Outcome = (Option<(&'static str, IpAddr)>, Option<&'static str>);

impl Writer {
    /// Changes its memory and notes the rows to commit; `None` when nothing changes.
    fn propose(&mut self, act: impl FnOnce(&mut Ipam) -> Option<Outcome>) -> Option<()> {
        let (generation, rows) = self.memory.as_ref()?;
        let mut ipam = ledger(*generation, rows)?;
        let (given, released) = act(&mut ipam)?;
        let changes: Changes = ipam.changes_since(*generation).ok()?;
        if changes.is_empty() {
            return None;
        }
        let row = |row: &openelb_ipam::Row| (row.key().to_string(), text(row));
        self.pending = Some(Pending {
            from: changes.from,
            to: changes.to,
            puts: changes.puts.iter().map(row).collect(),
            deletes: changes.deletes.iter().map(RowKey::to_string).collect(),
            given,
            released,
        });
        self.memory = Some(written(&ipam.snapshot()));
        Some(())
    }
}

fn ledger(generation: u64, rows: &BTreeMap<String, String>) -> Option<Ipam> {
    let rows = rows.values().map(|row| serde_json::from_str(row));
    let rows = rows.collect::<Result<_, _>>().ok()?;
    Ipam::restore(Snapshot { generation, rows }).ok()
}

fn written(snapshot: &Snapshot) -> (u64, BTreeMap<String, String>) {
    let rows = snapshot.rows.iter();
    (
        snapshot.generation,
        rows.map(|row| (row.key().to_string(), text(row))).collect(),
    )
}

fn text(row: &openelb_ipam::Row) -> String {
    serde_json::to_string(row).unwrap()
}

#[test]
fn two_writers_never_give_one_address_to_two_owners() {
    let checker = TwoWriters { is_fenced: true }
        .checker()
        .threads(2)
        .spawn_bfs()
        .join();
    checker.assert_properties();
    assert!(
        checker.unique_state_count() > 1_000,
        "{} states",
        checker.unique_state_count()
    );
}

#[test]
fn without_comparing_the_generation_the_same_check_finds_the_double_allocation() {
    let checker = TwoWriters { is_fenced: false }
        .checker()
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let found = checker.discovery("no address has two owners").is_some()
        || checker.discovery("what is stored can be read").is_some();
    assert!(found, "the check would not notice a double allocation");
}

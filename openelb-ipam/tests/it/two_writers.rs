//! Two controllers at once over a compare-and-swap store: every interleaving of steps, commits,
//! crashes and late messages, explored.
//!
//! Each writer works on its own real [`Ipam`], restored from the store. A step changes the copy and
//! yields [`Changes`]; a commit succeeds only if the store is still at the generation that the step
//! started from; only what was committed is told to the outside.

use std::collections::{BTreeMap, BTreeSet};

use openelb_ipam::{Changes, Fence, Ipam, Request, Snapshot, Time};
use stateright::{Checker, Model, Property};

use crate::desk::{owner, pool};

/// The two writers and how careful the store is.
#[derive(Clone)]
struct TwoWriters {
    /// Whether the store compares generations before it swaps.
    compares: bool,
}

/// States are compared and hashed, so ledgers are kept as their JSON.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct World {
    store: String,
    /// The changes of every commit, in order, as a watch would deliver them.
    history: Vec<String>,
    writers: [Writer; 2],
    /// What the outside was told, by owner.
    told: BTreeMap<u8, String>,
    /// Owners that exist; a deleted one never comes back.
    alive: BTreeSet<u8>,
    crashes: u8,
    is_promise_broken: bool,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct Writer {
    /// What it believes the store holds.
    copy: String,
    /// What it wants to commit.
    pending: Option<Step>,
    /// What it has committed and not told yet.
    to_tell: Option<u8>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct Step {
    base: u64,
    after: String,
    changes: String,
    owner: u8,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
enum Action {
    /// A writer allocates for an owner, or releases one that is deleted, on its copy.
    Work(usize, u8),
    /// It tries to commit.
    Commit(usize),
    /// It tells the outside what it committed.
    Tell(usize),
    /// It loses everything and reads the store again.
    Crash(usize),
    /// It receives the changes of some commit: late, twice or out of order.
    Deliver(usize, usize),
    /// The user deletes an owner.
    Delete(u8),
}

impl Model for TwoWriters {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let mut ipam = Ipam::new();
        let plan = ipam
            .plan_pools(&[pool("p", ["192.0.2.1-192.0.2.2"])])
            .unwrap();
        ipam.apply_pools(plan, Time(0)).unwrap();
        let store = save(&ipam);
        let writer = Writer {
            copy: store.clone(),
            pending: None,
            to_tell: None,
        };
        vec![World {
            store,
            history: Vec::new(),
            writers: [writer.clone(), writer],
            told: BTreeMap::new(),
            alive: OWNERS.into(),
            crashes: 0,
            is_promise_broken: false,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (at, writer) in world.writers.iter().enumerate() {
            match writer.pending {
                Some(_) => actions.push(Action::Commit(at)),
                None if writer.to_tell.is_some() => actions.push(Action::Tell(at)),
                None => {
                    actions.extend(OWNERS.map(|owner| Action::Work(at, owner)));
                    actions.extend((0..world.history.len()).map(|n| Action::Deliver(at, n)));
                }
            }
            if world.crashes < CRASHES {
                actions.push(Action::Crash(at));
            }
        }
        // Only the first owner is ever deleted: the second is there to want its address.
        if world.alive.contains(&0) {
            actions.push(Action::Delete(0));
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = last.clone();
        match action {
            Action::Work(at, who) => world.work(at, who)?,
            Action::Commit(at) => world.commit(at, self.compares),
            Action::Tell(at) => world.tell(at),
            Action::Crash(at) => {
                world.crashes += 1;
                let copy = world.store.clone();
                world.writers[at] = Writer {
                    copy,
                    pending: None,
                    to_tell: None,
                };
            }
            Action::Deliver(at, n) => {
                let mut ipam = load(&world.writers[at].copy);
                let changes: Changes = serde_json::from_str(&world.history[n]).unwrap();
                // A gap is an error and changes nothing; what is known already does nothing.
                let _ = ipam.apply_changes(changes);
                world.writers[at].copy = save(&ipam);
            }
            Action::Delete(who) => {
                world.alive.remove(&who);
                world.told.remove(&who);
            }
        }
        (world != *last).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always("the store is consistent", |_, world| {
                load(&world.store).audit().is_empty()
            }),
            Property::<Self>::always("no address is told to two owners", |_, world| {
                let told: BTreeSet<_> = world.told.values().collect();
                told.len() == world.told.len()
            }),
            Property::<Self>::always("what was told is true and stays the same", |_, world| {
                let ipam = load(&world.store);
                let is_true =
                    |(who, address): (&u8, &String)| held(&ipam, *who).as_ref() == Some(address);
                world.told.iter().all(is_true) && !world.is_promise_broken
            }),
            Property::<Self>::always(
                "nothing is held but by owners that exist or wait to be released",
                |_, world| {
                    load(&world.store)
                        .allocations()
                        .all(|row| OWNERS.iter().any(|who| row.owner.key == name(*who).key))
                },
            ),
            Property::<Self>::sometimes("both owners are served", |_, world| world.told.len() == 2),
            Property::<Self>::sometimes(
                "a deleted owner's address is given to the other",
                |_, world| {
                    let ipam = load(&world.store);
                    !world.alive.contains(&0)
                        && held(&ipam, 0).is_none()
                        && held(&ipam, 1).is_some()
                },
            ),
        ]
    }

    fn within_boundary(&self, world: &World) -> bool {
        world.history.len() <= COMMITS
    }
}

impl World {
    /// `None` when there is nothing to do.
    fn work(&mut self, at: usize, who: u8) -> Option<()> {
        let mut ipam = load(&self.writers[at].copy);
        let base = ipam.generation();
        if self.alive.contains(&who) {
            ipam.allocate(&name(who), &Request::default(), Time(0))
                .ok()?;
        } else {
            ipam.release(&name(who).key, Fence::Any, Time(0)).ok()?;
        }
        if ipam.generation() == base {
            // Nothing to write: what the copy holds may be told, if the store holds it too.
            self.writers[at].to_tell = Some(who);
            return Some(());
        }
        let changes = serde_json::to_string(&ipam.changes_since(base).unwrap()).unwrap();
        self.writers[at].pending = Some(Step {
            base,
            after: save(&ipam),
            changes,
            owner: who,
        });
        Some(())
    }

    fn commit(&mut self, at: usize, compares: bool) {
        let Some(step) = self.writers[at].pending.take() else {
            return;
        };
        if compares && load(&self.store).generation() != step.base {
            self.writers[at].copy = self.store.clone();
            return;
        }
        self.store.clone_from(&step.after);
        self.history.push(step.changes);
        self.writers[at].copy = step.after;
        self.writers[at].to_tell = Some(step.owner);
    }

    /// Tells what was committed. A copy may be behind the store, but never with an address that a
    /// living owner lost: addresses are sticky.
    fn tell(&mut self, at: usize) {
        let Some(who) = self.writers[at].to_tell.take() else {
            return;
        };
        if !self.alive.contains(&who) {
            return;
        }
        if let Some(address) = held(&load(&self.writers[at].copy), who) {
            let before = self.told.insert(who, address.clone());
            self.is_promise_broken |= before.is_some_and(|before| before != address);
        }
    }
}

fn name(who: u8) -> openelb_ipam::Owner {
    owner(&format!("s{who}"))
}

fn held(ipam: &Ipam, who: u8) -> Option<String> {
    ipam.allocation(name(who).key.as_str())
        .map(|held| held.to_string())
}

fn save(ipam: &Ipam) -> String {
    serde_json::to_string(&ipam.snapshot()).unwrap()
}

fn load(text: &str) -> Ipam {
    let snapshot: Snapshot = serde_json::from_str(text).unwrap();
    Ipam::restore(snapshot).unwrap()
}

const OWNERS: [u8; 2] = [0, 1];
const COMMITS: usize = 3;
const CRASHES: u8 = 1;

#[test]
fn two_writers_with_crashes_and_late_messages_never_give_one_address_twice() {
    let checker = TwoWriters { compares: true }.checker().spawn_bfs().join();
    checker.assert_properties();
    assert!(
        checker.unique_state_count() > 1_000,
        "{} states",
        checker.unique_state_count()
    );
}

#[test]
fn without_the_comparison_the_model_finds_the_broken_promise() {
    let checker = TwoWriters { compares: false }.checker().spawn_bfs().join();
    let found = checker.discovery("what was told is true and stays the same");
    assert!(found.is_some(), "a model that cannot fail proves nothing");
}

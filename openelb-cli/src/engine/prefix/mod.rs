//! The prefixes that addresses follow: a machine for each, what the store keeps of it, and what the
//! ledger's addresses are under it now.

mod pin;
mod report;
mod steps;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::{Event, Generations, Input, Machine, Settings, Sighting, State};
use openelb_ipam::relative::{Overlap, PrefixName, Projection};
use serde::{Deserialize, Serialize};

pub(super) use self::pin::meant;
pub(crate) use self::report::{PrefixReport, PrefixesReport};
pub(crate) use self::steps::steps;
pub(super) use self::words::{in_words, moment, shown};
use crate::store::{Batch, StoreError, Stored};

/// How a prefix is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Follow {
    /// Its name.
    pub(crate) name: PrefixName,
    /// What decides.
    pub(crate) settings: Settings,
    /// Where it is learned, in order, in words.
    pub(crate) sources: Vec<String>,
}

/// Every prefix by name.
// Invariant: `projection` has the generations of every prefix in `followed`.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    followed: BTreeMap<PrefixName, Followed>,
    projection: Projection,
    /// Rows that the store has and that nobody needs any more.
    leftovers: BTreeSet<PrefixName>,
    version: u64,
    events: Vec<(PrefixName, Event)>,
    /// As they were told last.
    overlaps: Vec<Overlap>,
}

/// A prefix.
#[derive(Debug, Default)]
struct Followed {
    /// How; `None` without a configuration that has it.
    follow: Option<Follow>,
    /// Whose word the state holds.
    sources: Vec<String>,
    /// What the store kept, until a configuration says how the prefix is followed.
    kept: State,
    machine: Option<Machine>,
    /// What the store was told; `None`: nothing yet.
    told: Option<Told>,
}

/// A change of this is written down. Sightings alone are not: the network repeats them all day.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    sources: Vec<String>,
    generations: Generations,
    renumbered: u64,
    degraded: Option<String>,
}

/// What is written down.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept<S> {
    /// The sources whose word the state holds.
    sources: Vec<String>,
    state: S,
}

impl Prefixes {
    /// Takes the rows about prefixes out of what a store holds.
    pub(super) fn take(stored: &mut Stored) -> Result<Self, StoreError> {
        let is_ours = |(key, _): &mut (Vec<u8>, Vec<u8>)| key.starts_with(KEY);
        let mut prefixes = Self::default();
        for (key, row) in stored.rows.extract_if(.., is_ours) {
            let damaged = |error: &dyn std::fmt::Display| {
                let key = String::from_utf8_lossy(&key);
                StoreError::Damaged(format!("row {key}: {error}"))
            };
            let name = key.get(KEY.len()..).unwrap_or_default();
            let name = String::from_utf8_lossy(name).parse::<PrefixName>();
            let name = name.map_err(|error| damaged(&error))?;
            let kept: Kept<State> =
                serde_json::from_slice(&row).map_err(|error| damaged(&error))?;
            let mut followed = Followed {
                sources: kept.sources,
                kept: kept.state,
                ..Followed::default()
            };
            followed.told = Some(followed.to_tell());
            prefixes.followed.insert(name.clone(), followed);
            prefixes.project(&name);
        }
        Ok(prefixes)
    }

    /// Makes these the prefixes that are followed. Of one that is not among them only the name stays,
    /// and only while `is_held` says that somebody has an address that follows it.
    pub(super) fn configure(
        &mut self,
        wanted: &[Follow],
        is_held: impl Fn(&PrefixName) -> bool,
        now: Time,
    ) {
        for follow in wanted {
            let settings = follow.settings.clone();
            let followed = self.followed.entry(follow.name.clone()).or_default();
            match &mut followed.machine {
                Some(machine) if *machine.settings() == settings => {}
                Some(machine) => machine.handle_input(Input::Configure(settings), now),
                None => {
                    let kept = std::mem::take(&mut followed.kept);
                    followed.machine = Some(Machine::restore(settings, kept, now));
                }
            }
            followed.change_sources(&follow.sources, now);
            followed.follow = Some(follow.clone());
            self.leftovers.remove(&follow.name);
        }
        let is_wanted = |name: &PrefixName| wanted.iter().any(|wanted| wanted.name == *name);
        let gone: Vec<_> = self
            .followed
            .keys()
            .filter(|it| !is_wanted(it))
            .cloned()
            .collect();
        for name in gone {
            if is_held(&name) {
                if let Some(followed) = self.followed.get_mut(&name) {
                    followed.follow = None;
                    (followed.machine, followed.kept) = (None, State::default());
                }
            } else {
                let followed = self.followed.remove(&name);
                self.projection.remove(&name);
                self.version += 1;
                if followed.is_some_and(|followed| followed.told.is_some()) {
                    self.leftovers.insert(name);
                }
            }
        }
        self.advance(now);
    }

    /// Takes what a source says of a prefix, or what was announced of it.
    pub(super) fn hear(&mut self, name: &PrefixName, input: Input, now: Time) {
        if let Some(machine) = self.machine_mut(name) {
            machine.handle_input(input, now);
        }
        self.advance(now);
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, now: Time) {
        let names: Vec<_> = self.followed.keys().cloned().collect();
        for name in names {
            if let Some(machine) = self.machine_mut(&name) {
                // What follows from one deadline may be due at once itself.
                while machine.poll_timeout().is_some_and(|at| at <= now) {
                    machine.handle_timeout(now);
                }
                let events: Vec<_> = std::iter::from_fn(|| machine.poll_event()).collect();
                let events = events.into_iter().map(|event| (name.clone(), event));
                self.events.extend(events);
            }
            self.project(&name);
        }
    }

    /// When [`advance`](Self::advance) has something to do.
    pub(super) fn next_deadline(&self) -> Option<Time> {
        let machines = self.followed.values().filter_map(|it| it.machine.as_ref());
        machines.filter_map(Machine::poll_timeout).min()
    }

    /// What the ledger's addresses are now.
    pub(super) fn projection(&self) -> &Projection {
        &self.projection
    }

    /// Raised whenever an address may be another one.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// What happened since the last call.
    pub(super) fn take_events(&mut self) -> Vec<(PrefixName, Event)> {
        std::mem::take(&mut self.events)
    }

    /// The prefixes that are not shown since the last call, because another name has them.
    pub(super) fn take_overlaps(&mut self) -> Vec<Overlap> {
        let present = self.projection.overlaps().to_vec();
        let known = std::mem::replace(&mut self.overlaps, present.clone());
        let mut new = present;
        new.retain(|overlap| !known.contains(overlap));
        new
    }

    /// Adds to a batch what the store lacks.
    pub(super) fn add_changes(&self, batch: &mut Batch) -> Result<(), StoreError> {
        for (name, followed) in &self.followed {
            if followed.told.as_ref() != Some(&followed.to_tell()) {
                let (sources, state) = (followed.sources.clone(), followed.state());
                batch
                    .puts
                    .push((key(name), bytes(&Kept { sources, state })?));
            }
        }
        batch.deletes.extend(self.leftovers.iter().map(key));
        Ok(())
    }

    /// Whether the store lacks something.
    pub(super) fn has_changes(&self) -> bool {
        let mut followed = self.followed.values();
        let is_changed = |it: &Followed| it.told.as_ref() != Some(&it.to_tell());
        !self.leftovers.is_empty() || followed.any(is_changed)
    }

    /// The store has everything.
    pub(super) fn is_stored(&mut self) {
        self.leftovers.clear();
        for followed in self.followed.values_mut() {
            followed.told = Some(followed.to_tell());
        }
    }

    fn machine_mut(&mut self, name: &PrefixName) -> Option<&mut Machine> {
        self.followed.get_mut(name)?.machine.as_mut()
    }

    /// Shows addresses under the generations that a prefix has now.
    fn project(&mut self, name: &PrefixName) {
        let Some(followed) = self.followed.get(name) else {
            return;
        };
        let generations = match &followed.machine {
            Some(machine) => machine.generations().clone(),
            None => followed.kept.generations(),
        };
        if self.projection.generations(name) != Some(&generations) {
            self.version += 1;
            // A name whose block another has is refused with the configuration.
            let _ = self.projection.insert(name.clone(), generations);
        }
    }
}

impl Followed {
    fn state(&self) -> &State {
        let machine = self.machine.as_ref();
        machine.map_or(&self.kept, Machine::state)
    }

    fn to_tell(&self) -> Told {
        let state = self.state();
        Told {
            sources: self.sources.clone(),
            generations: state.generations(),
            renumbered: state.renumbered,
            degraded: state.degraded.clone(),
        }
    }

    /// Takes back the word of sources that were edited away. Those that stay say it again at once,
    /// which then was no change.
    fn change_sources(&mut self, sources: &[String], now: Time) {
        if self.sources == sources {
            return;
        }
        let sightings = self.state().sightings.clone();
        for sighting in sightings.into_iter().map(|known| known.sighting) {
            let Sighting {
                source,
                origin,
                prefix,
                ..
            } = sighting;
            if let Some(machine) = &mut self.machine {
                machine.handle_input(
                    Input::Gone {
                        source,
                        origin,
                        prefix,
                    },
                    now,
                );
            }
        }
        self.sources = sources.to_vec();
    }
}

impl Follow {
    /// One of which only the name is known.
    fn of(name: &PrefixName) -> Self {
        Self {
            name: name.clone(),
            settings: Settings::default(),
            sources: Vec::new(),
        }
    }
}

fn key(name: &PrefixName) -> Vec<u8> {
    [KEY, name.as_bytes()].concat()
}

fn bytes(kept: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(kept).map_err(|error| StoreError::Commit(error.to_string()))
}

/// The key of a row about a prefix is this and its name; the allocator has no such rows.
pub(super) const KEY: &[u8] = b"prefix/";

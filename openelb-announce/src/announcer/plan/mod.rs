//! From the desired set to what each port has to do: a pure comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::announcement::Desired;
use crate::claim::{ConflictPhase, Event, Probe};
use crate::driver::port::{PortKey, Protocol};

/// Which addresses each port announces.
pub(crate) type Placements = BTreeMap<PortKey, Vec<Target>>;

/// An address on one port, and how far it has come there. Lists of it are sorted by address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) address: IpAddr,
    pub(crate) probe: Probe,
    pub(crate) progress: Progress,
}

/// How far an address has come on one port, as the machine's events told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Claimed; nothing was sent yet.
    Waiting,
    /// Being probed.
    Probing,
    /// Answered for.
    Announced,
    /// Silent, because somebody else uses it.
    Conflict,
    /// Its group would be one too many.
    GroupsExhausted,
    /// The machine refused it.
    Unsuitable,
}

/// What changes at one port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) released: Vec<IpAddr>,
    pub(crate) claimed: Vec<(IpAddr, Probe)>,
}

/// Where every desired address belongs, given the links that each selector means (by index, empty
/// for those that mean none). Linear in the number of addresses times their links.
pub(crate) fn place(desired: &Desired, links: &[BTreeSet<u32>]) -> Placements {
    let mut placements = Placements::new();
    for entry in &desired.entries {
        let protocol = Protocol::of(entry.address);
        for index in links.get(usize::from(entry.selector)).into_iter().flatten() {
            let targets = placements
                .entry(PortKey {
                    index: *index,
                    protocol,
                })
                .or_default();
            // Entries are sorted, so two selectors that mean the same link meet here.
            if targets
                .last()
                .is_none_or(|last| last.address != entry.address)
            {
                let (address, probe) = (entry.address, entry.probe);
                targets.push(Target {
                    address,
                    probe,
                    progress: Progress::Waiting,
                });
            }
        }
    }
    placements
}

/// What leads from `old` to `new` on one port; `new` takes over the progress of what stays.
/// One walk over both.
pub(crate) fn compare(old: &[Target], new: &mut [Target]) -> Change {
    let mut change = Change::default();
    let mut before = old.iter().peekable();
    for target in new {
        while let Some(gone) = before.next_if(|old| old.address < target.address) {
            change.released.push(gone.address);
        }
        match before.next_if(|old| old.address == target.address) {
            Some(kept) => target.progress = kept.progress,
            None => change.claimed.push((target.address, target.probe)),
        }
    }
    change.released.extend(before.map(|gone| gone.address));
    change
}

/// Notes in `targets` what a machine reported: O(log n), or O(n) for what concerns all of them.
pub(crate) fn note(targets: &mut [Target], event: &Event) {
    let (address, progress) = match *event {
        Event::Probing(address) => (address, Progress::Probing),
        Event::Announced(address) => (address, Progress::Announced),
        Event::Conflict {
            address,
            phase: ConflictPhase::Defended,
            ..
        } => (address, Progress::Announced),
        Event::Conflict { address, .. } => (address, Progress::Conflict),
        Event::GroupsExhausted { address, .. } => (address, Progress::GroupsExhausted),
        Event::Unsuitable(address) => (address, Progress::Unsuitable),
        Event::Expired(address) | Event::Released(address) => (address, Progress::Waiting),
        Event::Lapsed => {
            return targets
                .iter_mut()
                .for_each(|it| it.progress = Progress::Waiting);
        }
    };
    if let Ok(place) = targets.binary_search_by_key(&address, |target| target.address)
        && let Some(target) = targets.get_mut(place)
    {
        target.progress = progress;
    }
}

#[cfg(test)]
mod tests;

//! From the desired set to what each port has to do: a pure comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::desired::DesiredSet;
use crate::claim::{ConflictPhase, Event, Probe};
use crate::driver::port::{PortKey, Protocol, Role};

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
    /// Not claimed: the port's role has not said that it is this host's.
    Standby,
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
    /// What is new and this host's at once; what is new on standby is not here.
    pub(crate) claimed: Vec<(IpAddr, Probe)>,
    /// Are there other addresses than before?
    pub(crate) is_different: bool,
}

/// Where every desired address belongs, given the links that each selector means (by index, empty
/// for those that mean none). Linear in the number of addresses times their links.
pub(crate) fn place(desired: &DesiredSet, links: &[BTreeSet<u32>]) -> Placements {
    let mut placements = Placements::new();
    for entry in &desired.entries {
        let protocol = Protocol::of(entry.address);
        for index in links.get(usize::from(entry.selector)).into_iter().flatten() {
            let Some(role) = desired.role(entry.owner) else {
                continue;
            };
            let key = PortKey {
                index: *index,
                protocol,
                role,
            };
            let targets = placements.entry(key).or_default();
            // Entries are sorted, so two selectors that mean the same link meet here.
            if targets
                .last()
                .is_none_or(|last| last.address != entry.address)
            {
                let (address, probe) = (entry.address, entry.probe);
                targets.push(Target {
                    address,
                    probe,
                    progress: Progress::at_first(role),
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
        if let Some(kept) = before.next_if(|old| old.address == target.address) {
            target.progress = kept.progress;
            continue;
        }
        change.is_different = true;
        if target.progress != Progress::Standby {
            change.claimed.push((target.address, target.probe));
        }
    }
    change.released.extend(before.map(|gone| gone.address));
    change.is_different |= !change.released.is_empty();
    change
}

impl Progress {
    /// Where an address begins on a port of that role.
    fn at_first(role: Role) -> Self {
        match role {
            Role::Sole => Self::Waiting,
            Role::Elected | Role::Router(..) => Self::Standby,
        }
    }
}

/// The place of `address` in `targets`: O(log n).
pub(crate) fn find(targets: &mut [Target], address: IpAddr) -> Option<&mut Target> {
    let place = targets.binary_search_by_key(&address, |target| target.address);
    targets.get_mut(place.ok()?)
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
                .for_each(|it| it.advance(Progress::Waiting));
        }
    };
    if let Some(target) = find(targets, address) {
        target.advance(progress);
    }
}

impl Target {
    /// What the machine says of an address that is not claimed any more is no news.
    fn advance(&mut self, progress: Progress) {
        if self.progress != Progress::Standby {
            self.progress = progress;
        }
    }
}

#[cfg(test)]
mod tests;

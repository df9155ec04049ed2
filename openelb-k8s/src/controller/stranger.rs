//! What Services show that want nothing from here: kept from all others for as long as it is shown.
//!
//! Such a Service may be another load balancer's, or have changed its mind before it was adopted; what
//! it shows may be served, and nothing records it. It is no record either: whoever has one keeps the
//! address, and so does whoever wants an address from here and shows it already. What is only planned
//! yields.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use openelb_ipam::ipam::{AllocateError, Status};
use openelb_ipam::{Fence, OwnerKey, Request, Sharing, Time};

use super::Machine;
use super::key::Key;
use crate::names;
use crate::wish::Refusal;

/// Addresses of the pools that are shown by whoever wants none from here.
// Invariant: `of` and `at` tell the same; `unplaced` is part of `at`.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    of: BTreeMap<Key, Vec<IpAddr>>,
    at: BTreeMap<IpAddr, BTreeSet<Key>>,
    /// Those that somebody else holds as well, in the ledger of addresses, or held a moment ago.
    unplaced: BTreeSet<IpAddr>,
}

impl Strangers {
    pub(super) fn has(&self, key: &Key) -> bool {
        self.of.contains_key(key)
    }

    fn enter(&mut self, key: &Key, shown: Vec<IpAddr>) {
        for address in &shown {
            self.at.entry(*address).or_default().insert(key.clone());
        }
        // Also what was known before: an edit of the pools may have dropped it.
        self.unplaced.extend(&shown);
        if !shown.is_empty() {
            self.of.insert(key.clone(), shown);
        }
    }

    /// Forgets a Service; gives back what it showed.
    fn remove(&mut self, key: &Key) -> Vec<IpAddr> {
        let shown = self.of.remove(key).unwrap_or_default();
        for address in &shown {
            if let Some(keys) = self.at.get_mut(address) {
                keys.remove(key);
                if keys.is_empty() {
                    self.at.remove(address);
                    self.unplaced.remove(address);
                }
            }
        }
        shown
    }
}

impl Machine {
    /// Enters what a Service shows that wants nothing from here, and ends it for one that does want
    /// something, or is gone, or shows something else.
    pub(super) fn see_stranger(&mut self, key: &Key, is_customer: bool, now: Time) {
        let shown = if is_customer {
            Vec::new()
        } else {
            self.shown_unasked(key)
        };
        if shown.is_empty() && !self.strangers.has(key) {
            return;
        }
        let before = self.strangers.remove(key);
        for address in before.iter().filter(|it| !shown.contains(it)) {
            let Some(owner) = stranger(key, *address) else {
                continue;
            };
            if is_customer {
                // It is entered as its own at once: it has not been free in between.
                self.erase(&owner);
            } else {
                let released = self.ipam.release(&owner, Fence::Any, now);
                debug_assert!(released.is_ok(), "any incarnation is released");
            }
            if self.strangers.at.contains_key(address) {
                self.strangers.unplaced.insert(*address);
            }
        }
        self.strangers.enter(key, shown);
        self.place_strangers(now);
    }

    /// What a Service shows without a record, of what the pools give.
    fn shown_unasked(&self, key: &Key) -> Vec<IpAddr> {
        let Some(holder) = self.holders.get(key) else {
            return Vec::new();
        };
        let mut shown = holder.shown();
        shown.retain(|address| {
            let mut pools = self.ipam.pools();
            !holder.is_recorded(*address) && pools.any(|pool| pool.universe().contains(*address))
        });
        shown
    }

    /// Keeps from others what strangers show and nobody else has any more.
    pub(super) fn place_strangers(&mut self, now: Time) {
        let unplaced: Vec<IpAddr> = self.strangers.unplaced.iter().copied().collect();
        for address in unplaced {
            let keys = self.strangers.at.get(&address);
            let Some(key) = keys.and_then(BTreeSet::first).cloned() else {
                continue;
            };
            let owners = self.owners_of(address);
            let mut kinds = owners.iter().map(OwnerKey::kind);
            if kinds.any(|kind| kind == names::STRANGER_OWNER_KIND) {
                self.strangers.unplaced.remove(&address);
                continue;
            }
            if owners.iter().any(|owner| self.is_had_by(owner, address)) {
                continue;
            }
            self.make_room(&key, address, now);
            let alone = Request {
                sharing: Some(Sharing::new("")),
                ..Request::default()
            };
            if let Some(owner) = stranger(&key, address) {
                self.enter(&owner, &[address], Some(&alone));
            }
            self.strangers.unplaced.remove(&address);
        }
    }

    /// Who holds an address in the ledger of addresses.
    fn owners_of(&self, address: IpAddr) -> Vec<OwnerKey> {
        match self.ipam.whois(address).status {
            Status::Held { owners, .. } => owners,
            _ => Vec::new(),
        }
    }

    /// Whether an owner has an address by record or in the status, not only by a plan.
    fn is_had_by(&self, owner: &OwnerKey, address: IpAddr) -> bool {
        let holder = Key::of(owner).and_then(|key| self.holders.get(&key));
        holder.is_none_or(|it| it.is_recorded(address) || it.shows(address))
    }

    /// Takes an address from the strangers that show it, for whoever has it by right.
    pub(super) fn displace_strangers(&mut self, address: IpAddr) {
        let keys = self.strangers.at.get(&address).cloned().unwrap_or_default();
        for key in keys {
            if let Some(owner) = stranger(&key, address) {
                self.erase(&owner);
            }
            self.strangers.unplaced.insert(address);
        }
    }

    /// What the ledger of addresses refused, in words, with the strangers that stand in the way.
    pub(super) fn refusal(&self, error: &AllocateError) -> Refusal {
        let strangers = self.strangers.at.iter().filter_map(|(address, keys)| {
            let pool = self.pool_of(*address)?;
            Some((pool, *address, keys.first()?.to_string()))
        });
        Refusal::from(error).beside_strangers(error, strangers)
    }
}

/// The owner that stands for an address in the status of a Service.
fn stranger(key: &Key, address: IpAddr) -> Option<OwnerKey> {
    let kind = names::STRANGER_OWNER_KIND;
    OwnerKey::new(kind, &address.to_string(), &key.to_string()).ok()
}

//! Addresses that another station on the link has: who has one is given another where there is one, and
//! nobody else is given it for a while.
//!
//! This is the exception to the fourth rule: nobody announces such an address, so nobody loses by the
//! move. Who asked for it by name keeps it, as does who shares it or finds no other one: the speakers go
//! on trying, and the address is announced as soon as it is free.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use openelb_ipam::ipam::{Assigned, Status};
use openelb_ipam::{Owner, Request, Time};

use super::Machine;
use super::key::Key;
use crate::wish::{Decision, Refusal};

/// The addresses to stay away from, in the ledgers' form.
#[derive(Debug, Default)]
pub(super) struct Shunned(BTreeMap<IpAddr, Shun>);

#[derive(Debug)]
struct Shun {
    cause: String,
    /// Until when nobody is given it; `None` while it is seen.
    until: Option<Time>,
}

impl Shunned {
    /// What is seen of an address now.
    fn cause(&self, address: IpAddr) -> Option<&str> {
        let shun = self.0.get(&address)?;
        shun.until.is_none().then_some(&*shun.cause)
    }
}

impl Machine {
    /// Takes the addresses in conflict as they are now.
    pub(super) fn see_conflicts(&mut self, view: BTreeMap<IpAddr, String>, now: Time) {
        let view = view.into_iter().filter_map(|(address, cause)| {
            let known = self.prefixes.read_shown(address);
            // One of a former prefix goes anyway.
            let is_current = self.projected(known).first() == Some(&address);
            is_current.then_some((known, cause))
        });
        let view: BTreeMap<IpAddr, String> = view.collect();
        for (address, shun) in &mut self.shunned.0 {
            if !view.contains_key(address) {
                shun.until.get_or_insert(now + QUARANTINE);
            }
        }
        let is_over = |shun: &Shun| shun.until.is_some_and(|until| until <= now);
        self.shunned.0.retain(|_, shun| !is_over(shun));
        for (address, cause) in view {
            let until = None;
            self.shunned.0.insert(address, Shun { cause, until });
        }
        for address in self.shunned.0.keys() {
            let owners = self.recorded.get(address).into_iter().flatten();
            self.dirty.extend(owners.map(|(key, _)| key.clone()));
        }
        self.shun_free(now);
    }

    /// Keeps everybody away from those of them that nobody has. To be called when one may have come free.
    pub(super) fn shun_free(&mut self, now: Time) {
        for (address, shun) in &self.shunned.0 {
            let until = shun.until.unwrap_or(now + QUARANTINE);
            let status = self.ipam.whois(*address).status;
            if until > now && matches!(status, Status::Free | Status::Cooling { .. }) {
                // One that no pool has any more is given to nobody anyway.
                let _ = self.ipam.quarantine(*address, until, &shun.cause, now);
            }
        }
    }

    /// Whether another station is seen to use an address, so that nobody announces it.
    pub(super) fn is_in_conflict(&self, address: IpAddr) -> bool {
        self.shunned.cause(address).is_some()
    }

    /// What a Service is to leave: addresses in conflict that nobody shares with it.
    pub(super) fn to_leave(&self, owner: &Owner) -> Vec<IpAddr> {
        let all = self.shunned.0.keys().copied();
        all.filter(|address| self.is_in_conflict(*address) && self.is_alone_at(owner, *address))
            .collect()
    }

    fn is_alone_at(&self, owner: &Owner, address: IpAddr) -> bool {
        let status = self.ipam.whois(address).status;
        matches!(status, Status::Held { owners, .. } if owners == [owner.key.clone()])
    }

    /// Tells the user of a Service which of its addresses are replaced.
    pub(super) fn tell_left(&mut self, key: &Key, left: &[IpAddr]) {
        for address in left {
            if let Some(cause) = self.shunned.cause(*address) {
                let refusal = Refusal::left(&self.prefixes.key_of(*address), cause);
                self.tell(key, Decision::Refused(&refusal));
            }
        }
    }

    /// What stands in the way of announcing what a Service has.
    pub(super) fn in_conflict(
        &self,
        owner: &Owner,
        request: &Request,
        grants: &[Assigned],
    ) -> Option<Refusal> {
        grants.iter().find_map(|Assigned { address, .. }| {
            let cause = self.shunned.cause(*address)?;
            let stays = request.addresses.contains(address) || !self.is_alone_at(owner, *address);
            let address = self.prefixes.key_of(*address);
            Some(Refusal::on_wire(&address, cause, stays))
        })
    }
}

/// As the standalone daemon: long enough for somebody to look for the other station, short enough for an
/// address that is free again not to be missed.
const QUARANTINE: Duration = Duration::from_mins(5);

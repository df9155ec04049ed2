//! What the cluster says about who has which address, entered into the ledger of addresses.
//!
//! Records come first, then what Services show without a record: they may be served by it, so it is
//! recorded rather than given to somebody else. What was only planned yields to both.

use std::collections::BTreeSet;
use std::net::IpAddr;

use openelb_ipam::ipam::{Assigned, Status};
use openelb_ipam::pool::OnShrink;
use openelb_ipam::row::{Claim, Claims, OwnerRow};
use openelb_ipam::{
    Changes, Family, Fence, Owner, OwnerKey, PoolName, PortSet, Request, Row, RowKey, Sharing, Time,
};

use super::Machine;
use super::key::Key;
use crate::wish::{Wish, remains, wish};

impl Machine {
    /// Enters all that is known, into a ledger of addresses that has pools and nothing else.
    pub(super) fn adopt_all(&mut self, now: Time) {
        let recorded = self
            .holders
            .iter()
            .filter(|(_, holder)| !holder.records.is_empty());
        let recorded: Vec<Key> = recorded.map(|(key, _)| key.clone()).collect();
        for key in &recorded {
            self.adopt(key, false, now);
        }
        let shown = self.holders.iter();
        let shown = shown.filter(|(_, holder)| holder.has_gap());
        let mut shown: Vec<(Option<String>, Key)> = shown
            .map(|(key, holder)| {
                let service = holder.service.as_ref();
                let created = service.and_then(|it| it.metadata.creation_timestamp.clone());
                (created, key.clone())
            })
            .collect();
        // Of two that show one address the elder has it.
        shown.sort();
        for (_, key) in &shown {
            self.adopt(key, true, now);
        }
        self.readopt.clear();
    }

    /// Adopts again whoever's records or status somebody else changed.
    pub(super) fn adopt_changed(&mut self, now: Time) {
        let changed: Vec<Key> = self.readopt.iter().cloned().collect();
        for key in &changed {
            self.lay_the_gone(key, now);
        }
        while let Some(key) = self.readopt.pop_first() {
            self.adopt(&key, true, now);
            self.dirty.insert(key);
        }
    }

    /// Makes the ledger of addresses say of a Service what its records say, and, where these are
    /// silent, its status.
    fn adopt(&mut self, key: &Key, with_status: bool, now: Time) {
        let Some(owner) = key.owner() else { return };
        self.lay_the_gone(key, now);
        // Who shows what no pool lists is left alone, whatever it asks for.
        let request = self.request_of(key).filter(|_| self.foreign(key).is_none());
        if with_status {
            self.see_stranger(key, request.is_some(), now);
        }
        let Some(holder) = self.holders.get(key) else {
            return;
        };
        let mut shown = holder.shown();
        if !with_status || request.is_none() {
            shown.retain(|address| holder.is_recorded(*address));
        }
        let recorded: BTreeSet<IpAddr> = holder.records.iter().map(|(at, _)| *at).collect();
        let ghosts = holder.ghosts.clone();
        let chosen = self.choose(&recorded, &shown);
        if self.is_entered(&owner, &recorded, &chosen, &ghosts) {
            return;
        }
        self.erase(&owner);
        for ghost in ghosts {
            self.lay(key, ghost, now);
        }
        for address in &recorded {
            self.make_room(key, *address, now);
        }
        for address in &chosen {
            self.displace_strangers(*address);
        }
        let all = chosen;
        let mut chosen = all.clone();
        let mut is_entered = self.enter(&owner, &chosen, request.as_ref());
        if !is_entered {
            // What it only shows may be somebody else's by record.
            chosen.retain(|address| recorded.contains(address));
            is_entered = self.enter(&owner, &chosen, request.as_ref());
        }
        // Only what is shown already is tolerated: a mere record gives no right to be shown.
        let is_legacy =
            !is_entered && !chosen.is_empty() && chosen.iter().all(|it| shown.contains(it));
        if is_legacy {
            // The one of its addresses that nobody else has is still its own. Offered to somebody who waits,
            // it would be taken away again at once, and offered again.
            for address in &all {
                if self.enter(&owner, &[*address], request.as_ref()) {
                    break;
                }
            }
        }
        if let Some(holder) = self.holders.get_mut(key) {
            holder.tolerated = request.filter(|_| is_legacy).map(Box::new);
        }
        for address in recorded.into_iter().chain(shown) {
            if !chosen.contains(&address) {
                self.haunt(key, address);
            }
        }
    }

    /// Whether the ledger of addresses says the same already.
    fn is_entered(
        &self,
        owner: &OwnerKey,
        recorded: &BTreeSet<IpAddr>,
        chosen: &[IpAddr],
        ghosts: &[IpAddr],
    ) -> bool {
        let held = self.ipam.holdings(owner.as_str());
        let claims = held.map(|row| row.claims).unwrap_or_default();
        let is_at_home = |claim: &Claim| self.pool_of(claim.address).as_ref() == Some(&claim.pool);
        let held: Vec<IpAddr> = claims.iter().map(|claim| claim.address).collect();
        let is_known = |address: &IpAddr| held.contains(address) || ghosts.contains(address);
        !held.is_empty()
            && claims.iter().all(is_at_home)
            && held.iter().all(|address| recorded.contains(address))
            && chosen.iter().all(|address| held.contains(address))
            && recorded.iter().all(is_known)
    }

    /// One address of each family: shown and recorded before recorded, and that before shown; one that
    /// another station on the link has only where there is nothing else.
    fn choose(&self, recorded: &BTreeSet<IpAddr>, shown: &[IpAddr]) -> Vec<IpAddr> {
        let both = shown.iter().filter(|address| recorded.contains(address));
        let all = both.chain(recorded).chain(shown);
        let (clear, shunned): (Vec<IpAddr>, Vec<IpAddr>) =
            all.partition(|address| !self.is_in_conflict(**address));
        let mut chosen: Vec<IpAddr> = Vec::new();
        for address in clear.into_iter().chain(shunned) {
            let family = Family::of(address);
            let is_first = chosen.iter().all(|other| Family::of(*other) != family);
            if is_first && self.may_stay(address) {
                chosen.push(address);
            }
        }
        chosen
    }

    /// Whether whoever has an address may keep it: its pool lists it, or keeps what it lists no more.
    fn may_stay(&self, address: IpAddr) -> bool {
        let Some(name) = self.pool_of(address) else {
            return false;
        };
        let mut pools = self.ipam.pools();
        let pool = pools.find(|pool| *pool.name() == name);
        pool.is_some_and(|pool| {
            pool.ranges().contains(address) || pool.spec().on_shrink != OnShrink::Reassign
        })
    }

    /// What a Service asks for; `None` when that is nothing, or nothing that can be meant.
    pub(super) fn request_of(&self, key: &Key) -> Option<Request> {
        let service = self.holders.get(key)?.service.as_deref()?;
        let namespace = self.namespaces.get(key.namespace()).map(|it| &**it);
        match wish(service, namespace, &self.settings.serving) {
            Wish::Ask(_, request) => {
                let read = self.read_request(request);
                Some(read.unwrap_or_else(|_| remains(service)))
            }
            Wish::Refused(_) => Some(remains(service)),
            Wish::NotOurs | Wish::Nothing => None,
        }
    }

    /// The pool that an address belongs to: the one that lists it, else the one that has a record of
    /// it. It follows from the objects alone, so that all controllers who see the same agree.
    pub(super) fn pool_of(&self, address: IpAddr) -> Option<PoolName> {
        let mut pools = self.ipam.pools();
        if let Some(pool) = pools.find(|pool| pool.ranges().contains(address)) {
            return Some(pool.name().clone());
        }
        let recorded = self.recorded.get(&address)?.iter();
        let names = recorded.filter_map(|(_, id)| Some((id, &self.ledger(id)?.pool)));
        let pools = names.filter_map(|(id, name)| {
            let pool = self.ipam.pools().find(|pool| **pool.name() == **name)?;
            Some((id, pool.name().clone()))
        });
        pools.min_by_key(|(id, _)| *id).map(|(_, pool)| pool)
    }

    /// Sends away who was only to have an address, and forgets that it cools down.
    pub(super) fn make_room(&mut self, key: &Key, address: IpAddr, now: Time) {
        let mark = RowKey::Mark(address);
        if self.ipam.row(&mark).is_some() {
            self.change(Vec::new(), vec![mark]);
        }
        let Status::Held { owners, .. } = self.ipam.whois(address).status else {
            return;
        };
        for owner in owners {
            let Some(other) = Key::of(&owner) else {
                continue;
            };
            let holder = self.holders.get(&other);
            if other == *key || holder.is_some_and(|holder| holder.is_recorded(address)) {
                continue;
            }
            self.erase(&owner);
            if let Some(holder) = self.holders.get_mut(&other) {
                holder.grants.clear();
            }
            if holder_has_records(self, &other) {
                self.adopt(&other, false, now);
            }
            self.dirty.insert(other);
        }
    }

    pub(super) fn enter(
        &mut self,
        owner: &OwnerKey,
        addresses: &[IpAddr],
        request: Option<&Request>,
    ) -> bool {
        let claims = addresses.iter().filter_map(|address| {
            let pool = self.pool_of(*address)?;
            let address = *address;
            Some(Claim { address, pool })
        });
        let claims: Claims = claims.collect();
        if claims.is_empty() {
            return false;
        }
        let wanted = request.and_then(|request| request.sharing.clone());
        let sharing = match wanted {
            // An empty key shares with nobody.
            Some(wanted) => Some(wanted).filter(|sharing| !sharing.key.is_empty()),
            None => Some(Sharing::of_namespace(owner.namespace())),
        };
        let ports = request.filter(|_| sharing.is_some());
        let ports = ports.map_or(PortSet::All, |request| request.ports.clone());
        let ipv6_first = claims.first().map(|claim| Family::of(claim.address)) == Some(Family::V6);
        let row = OwnerRow {
            owner: Owner::from(owner.clone()),
            generation: self.ipam.generation() + 1,
            claims,
            ipv6_first,
            prefixes: Vec::new(),
            sharing,
            ports,
        };
        self.change(vec![Row::Owner(row)], Vec::new())
    }

    /// Keeps an address that a Service gave up from all others until its record is gone and its status
    /// shows it no more.
    pub(super) fn haunt(&mut self, key: &Key, address: IpAddr) {
        let Some(holder) = self.holders.get(key) else {
            return;
        };
        let is_there = holder.is_recorded(address) || holder.shows(address);
        if !is_there || holder.ghosts.contains(&address) {
            return;
        }
        let Some(ghost) = ghost(key, address) else {
            return;
        };
        if self.enter(&ghost, &[address], None)
            && let Some(holder) = self.holders.get_mut(key)
        {
            holder.ghosts.push(address);
        }
    }

    /// Ends what [`haunt`](Self::haunt) began.
    pub(super) fn lay(&mut self, key: &Key, address: IpAddr, now: Time) {
        let Some(holder) = self.holders.get_mut(key) else {
            return;
        };
        if !holder.ghosts.contains(&address) {
            return;
        }
        holder.ghosts.retain(|ghost| *ghost != address);
        if let Some(ghost) = ghost(key, address) {
            let released = self.ipam.release(&ghost, Fence::Any, now);
            debug_assert!(released.is_ok(), "any incarnation is released");
            self.shun_free(now);
        }
    }

    /// Gives up what is decided and not recorded. An edit of the pools must not keep, as if it were
    /// in use, what nobody has yet: the pool may never give it again.
    pub(super) fn drop_plans(&mut self) {
        let planned = self.holders.iter().filter(|(_, holder)| {
            let mut grants = holder.grants.iter();
            grants.any(|grant| !holder.is_recorded(grant.address))
        });
        let planned: Vec<Key> = planned.map(|(key, _)| key.clone()).collect();
        for key in planned {
            if let Some(owner) = key.owner() {
                self.erase(&owner);
            }
            if let Some(holder) = self.holders.get_mut(&key) {
                holder.grants.clear();
            }
            self.readopt.insert(key.clone());
            self.dirty.insert(key);
        }
    }

    /// Ends what [`haunt`](Self::haunt) began for records that another controller removed, and for what
    /// was shown without one.
    pub(super) fn lay_the_gone(&mut self, key: &Key, now: Time) {
        let Some(holder) = self.holders.get(key) else {
            return;
        };
        let is_there = |ghost: &IpAddr| holder.is_recorded(*ghost) || holder.shows(*ghost);
        let gone = holder.ghosts.iter().filter(|ghost| !is_there(ghost));
        let gone: Vec<IpAddr> = gone.copied().collect();
        for ghost in gone {
            self.lay(key, ghost, now);
        }
    }

    /// Takes from a Service, in the ledger of addresses, all but these.
    pub(super) fn narrow(&mut self, owner: &OwnerKey, kept: &[Assigned]) {
        let Some(mut row) = self.ipam.holdings(owner.as_str()) else {
            return;
        };
        self.erase(owner);
        let is_kept = |claim: &Claim| kept.iter().any(|it| it.address == claim.address);
        row.claims.retain(|claim| is_kept(claim));
        row.generation = self.ipam.generation() + 1;
        let first = row.claims.first().map(|claim| Family::of(claim.address));
        row.ipv6_first = first == Some(Family::V6);
        if first.is_some() {
            self.change(vec![Row::Owner(row)], Vec::new());
        }
    }

    pub(super) fn erase(&mut self, owner: &OwnerKey) {
        if self.ipam.holdings(owner.as_str()).is_some() {
            self.change(Vec::new(), vec![RowKey::Owner(owner.clone())]);
        }
    }

    fn change(&mut self, puts: Vec<Row>, deletes: Vec<RowKey>) -> bool {
        let from = self.ipam.generation();
        let changes = Changes {
            from,
            to: from + 1,
            puts,
            deletes,
        };
        self.ipam.apply_changes(changes).is_ok()
    }
}

fn holder_has_records(machine: &Machine, key: &Key) -> bool {
    let holder = machine.holders.get(key);
    holder.is_some_and(|holder| !holder.records.is_empty())
}

/// The owner that stands for a record to be removed.
fn ghost(key: &Key, address: IpAddr) -> Option<OwnerKey> {
    OwnerKey::new(GHOST_KIND, &address.to_string(), &key.to_string()).ok()
}

const GHOST_KIND: &str = "record";

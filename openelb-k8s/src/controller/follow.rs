//! Addresses that follow a prefix: how Services show what the ledgers hold under its name.
//!
//! Records and decisions know host parts only (`openelb_ipam::relative`), so a renumbering changes
//! neither. What a Service shows is translated when it is seen, and what it is to show when it is
//! written: a change of the prefix writes every Service that follows it once, and nothing else.

use std::mem;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::Ipv6Net;
use openelb_ipam::Request;
use openelb_ipam::ipam::Assigned;
use openelb_ipam::relative::{Names, PrefixName, Projection, RelativeRange, is_ledger, unproject};

use super::Machine;
use super::key::Key;
use crate::cluster::Service;
use crate::wish::Refusal;
use crate::{follow, pool};

/// What is known of the prefixes.
#[derive(Debug, Default)]
pub(super) struct Prefixes {
    /// As their objects have them now.
    view: Projection,
    /// Every name that was met: a record is written by name, also when its prefix is gone.
    pub(super) names: Names,
    /// Those that left, the latest last: a Service may show them still.
    past: Vec<(PrefixName, Ipv6Net)>,
}

impl Prefixes {
    /// The ledger's form of an address that a Service shows.
    pub(super) fn read_shown(&self, address: IpAddr) -> IpAddr {
        let read = self.view.read_address(address);
        let IpAddr::V6(host) = read else { return read };
        let mut past = self.past.iter();
        let left = past.find_map(|(name, prefix)| unproject(host, *prefix, name));
        left.map_or(read, IpAddr::V6)
    }

    /// What a record is written as: `home/::10`, or the address.
    pub(super) fn key_of(&self, address: IpAddr) -> String {
        key_text(&self.names, address)
    }

    fn replace(&mut self, view: Projection) {
        let old = mem::replace(&mut self.view, view);
        for (name, _) in old.iter() {
            let left = old.shown(name).map(|it| it.prefix).filter(|prefix| {
                let mut kept = self.view.shown(name);
                kept.all(|it| it.prefix != *prefix)
            });
            self.past.extend(left.map(|prefix| (name.clone(), prefix)));
        }
        let beyond = self.past.len().saturating_sub(MOST_PAST);
        self.past.drain(..beyond);
        for (name, _) in self.view.iter() {
            // Of two names with one block the later is not shown: `Projection` refused it.
            let _ = self.names.insert(name);
        }
    }
}

impl Machine {
    /// Takes the prefixes as they are now.
    pub(super) fn see_prefixes(&mut self, view: Projection) {
        if view == self.prefixes.view {
            return;
        }
        self.prefixes.replace(view);
        let keys: Vec<Key> = self.holders.keys().cloned().collect();
        for key in keys {
            self.note_shown(&key);
            let holder = self.holders.get(&key);
            let follows = holder.is_some_and(|holder| {
                let granted = holder.grants.iter().map(|grant| grant.address);
                let recorded = holder.records.iter().map(|(address, _)| *address);
                let mut all = granted.chain(recorded).chain(holder.shown());
                // Who waits may wait for the prefix, or may name one of its addresses.
                holder.trouble.is_some() || all.any(follows_a_prefix)
            });
            if follows {
                self.readopt.insert(key.clone());
                self.dirty.insert(key);
            }
        }
    }

    /// Translates what a Service shows; to be called whenever that changed.
    pub(super) fn note_shown(&mut self, key: &Key) {
        let Some(holder) = self.holders.get_mut(key) else {
            return;
        };
        let service = holder.service.as_deref();
        let mut shown: Vec<IpAddr> = Vec::new();
        for address in service.into_iter().flat_map(Service::shown) {
            let address = self.prefixes.read_shown(address);
            if !shown.contains(&address) {
                shown.push(address);
            }
        }
        shown.shrink_to_fit();
        holder.shown = shown;
    }

    /// What the world is to see of what a Service has, the address for new connections first.
    pub(super) fn projected(&self, address: IpAddr) -> Vec<IpAddr> {
        self.prefixes.view.show(address).addresses().collect()
    }

    /// What a Service was given, as the world is to see it.
    pub(super) fn in_public(&self, given: &Assigned) -> Vec<Assigned> {
        let shown = self.prefixes.view.show(given.address).current();
        let shown = shown.map(|address| Assigned {
            address,
            pool: given.pool.clone(),
        });
        shown.into_iter().collect()
    }

    /// Whether the world sees nothing of an address, so that nothing hangs on its record.
    pub(super) fn is_hidden(&self, address: IpAddr) -> bool {
        follows_a_prefix(address) && self.projected(address).is_empty()
    }

    /// What stands in the way of showing what a Service has.
    pub(super) fn unknown_prefix(&self, grants: &[Assigned]) -> Option<Refusal> {
        let hidden = grants.iter().find(|grant| self.is_hidden(grant.address))?;
        let record = self.prefixes.key_of(hidden.address);
        Some(follow::unseen(&self.prefixes.view, hidden, &record))
    }

    /// A refusal with every address as it would be written: nobody outside knows the ledger's form.
    pub(super) fn in_words(&self, refusal: &Refusal) -> Refusal {
        let written = |address: Ipv6Addr| {
            let name = self.prefixes.names.of(address)?.clone();
            let range = RelativeRange::of_ledger(name, address.into())?;
            Some(range.to_string())
        };
        Refusal {
            reason: refusal.reason,
            message: pool::in_words(&refusal.message, written),
        }
    }

    /// A request with every address in the ledger's form.
    pub(super) fn read_request(&self, request: Request) -> Result<Request, Refusal> {
        let ranges = |pool: &str| {
            let pool = self.pools.get(pool);
            pool.map(|pool| pool.ranges.iter().copied().collect())
                .unwrap_or_default()
        };
        follow::read_request(request, &self.prefixes.view, ranges)
    }
}

/// The address of a record's key, and the name of its prefix if it has one.
pub(super) fn parse_key(text: &str) -> Option<(IpAddr, Option<PrefixName>)> {
    if let Ok(address) = text.parse() {
        return Some((address, None));
    }
    let range: RelativeRange = text.parse().ok()?;
    let is_one = range.first() == range.last();
    let name = range.prefix().clone();
    is_one.then(|| (range.in_ledger().first(), Some(name)))
}

/// What a record is written as. One of a name that was never met stays as it was.
pub(super) fn key_text(names: &Names, address: IpAddr) -> String {
    let name = match address {
        IpAddr::V6(host) => names.of(host),
        IpAddr::V4(_) => None,
    };
    let range = name.and_then(|name| RelativeRange::of_ledger(name.clone(), address));
    range.map_or_else(|| address.to_string(), |range| range.to_string())
}

fn follows_a_prefix(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(host) if is_ledger(host))
}

/// More than all generations of a handful of prefixes.
const MOST_PAST: usize = 64;

//! The addresses and routes of this host, and which prefixes were told of them.
//!
//! A prefix is told for what the kernel has, not for every address by itself:
//!
//! - Temporary addresses (RFC 8981) are passed over. They live for a day, their prefix longer; and
//!   whoever has them has a lasting one beside them.
//! - Tentative ones count, and those whose duplicate was found: that another host has the same
//!   address says nothing against the prefix.
//! - Deprecated ones count, with no preferred lifetime left: that is how a host learns from its own
//!   kernel that the network renumbers.
//! - Addresses that somebody configured by hand never end. They count only where no other address of
//!   the prefix knows better.
//! - What is deleted while its link is down is not taken back: the kernel removes addresses with the
//!   link, and losing a source is not losing the prefix.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv6Addr;
use std::time::Duration;

use ipnet::Ipv6Net;
use netlink_packet_route::route::RouteType;

use super::is_wanted;
use super::sighting::{Event, Origin, RouteKind, Routes, Sighting, Wanted};
use crate::link::prefix_monitor::{Address, News, Route};
use crate::time::Time;
use crate::wire::Mac;

/// The host as the kernel tells it, and what was made of it.
// Invariant: `told` has one entry for each of `wanted`.
#[derive(Debug)]
pub(super) struct Host {
    wanted: Vec<Wanted>,
    told: Vec<Told>,
    links: BTreeMap<u32, Link>,
    addresses: BTreeMap<(u32, Ipv6Addr), (Address, Lifetimes)>,
    routes: BTreeMap<RouteKey, (Route, Lifetimes)>,
    /// Everything was read, so that what is missing is truly not there.
    is_complete: bool,
    events: VecDeque<Event>,
}

/// A link as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) index: u32,
    pub(super) name: String,
    pub(super) is_up: bool,
    pub(super) mac: Option<Mac>,
}

/// What was said of one of the wanted things.
#[derive(Debug, Default)]
struct Told {
    rows: BTreeMap<Key, Lifetimes>,
    /// Why it cannot be looked at; `None` before anything was said.
    state: Option<Result<(), String>>,
}

type Key = (Origin, Ipv6Net);

/// Table, destination, priority and first link.
type RouteKey = (u32, Ipv6Net, u32, u32);

/// Until when something may be used; `None`: for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lifetimes {
    preferred: Option<Time>,
    valid: Option<Time>,
}

impl Host {
    /// A host of which nothing is known yet.
    pub(super) fn new(wanted: Vec<Wanted>) -> Self {
        Self {
            told: wanted.iter().map(|_| Told::default()).collect(),
            wanted,
            links: BTreeMap::new(),
            addresses: BTreeMap::new(),
            routes: BTreeMap::new(),
            is_complete: false,
            events: VecDeque::new(),
        }
    }

    /// Takes in what the kernel says. [`look`](Self::look) afterwards.
    pub(super) fn take_in(&mut self, news: News, now: Time) {
        match news {
            News::Beginning => {
                self.links.clear();
                self.addresses.clear();
                self.routes.clear();
                self.is_complete = false;
            }
            News::Complete => self.is_complete = true,
            News::Link {
                index,
                name,
                is_up,
                mac,
            } => {
                let mac = mac.map(Mac::new).filter(|mac| mac.is_station());
                let link = Link {
                    index,
                    name,
                    is_up,
                    mac,
                };
                self.links.insert(index, link);
            }
            News::NoLink { index } => {
                self.links.remove(&index);
                self.addresses.retain(|(link, _), _| *link != index);
                self.routes
                    .retain(|_, (route, _)| !route.links.contains(&index));
            }
            News::Address(address) => {
                let lifetimes = Lifetimes::from_now(address.preferred, address.valid, now);
                let key = (address.index, address.own);
                self.addresses.insert(key, (address, lifetimes));
            }
            News::NoAddress { index, address } => {
                self.addresses.remove(&(index, address));
            }
            News::Route { route, replaces } => self.put_route(route, replaces, now),
            News::NoRoute(route) => {
                self.routes.remove(&key_of(&route));
            }
        }
    }

    /// Compares what is there with what was told, and tells the difference.
    pub(super) fn look(&mut self, now: Time) {
        if !self.is_complete {
            return;
        }
        for index in 0..self.wanted.len() {
            let Some(wanted) = self.wanted.get(index) else {
                return;
            };
            let (state, seen) = match wanted {
                Wanted::Addresses { interface } => (
                    self.usable(interface).map(drop),
                    self.addresses_of(interface, now),
                ),
                Wanted::Routes(routes) => self.routes_of(routes, now),
                // Their listener speaks for them.
                Wanted::Advertisements { .. } => continue,
            };
            self.tell(index, state, seen, now);
        }
    }

    /// What is to be told next.
    pub(super) fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether everything was read at least once.
    pub(super) fn is_known(&self) -> bool {
        self.is_complete
    }

    /// The link of this name, or why it cannot be used.
    pub(super) fn usable(&self, interface: &str) -> Result<&Link, String> {
        let link = self.links.values().find(|link| link.name == interface);
        match link {
            Some(link) if link.is_up => Ok(link),
            Some(_) => Err(format!("interface {interface} is down")),
            None => Err(format!("there is no interface {interface}")),
        }
    }

    /// A link-local address of a link that can be used as a source.
    pub(super) fn link_local(&self, index: u32) -> Option<Ipv6Addr> {
        self.addresses
            .range((index, Ipv6Addr::UNSPECIFIED)..)
            .take_while(|((link, _), _)| *link == index)
            .map(|(_, (address, _))| address)
            .find(|address| address.own.is_unicast_link_local() && !address.is_tentative)
            .map(|address| address.own)
    }

    fn put_route(&mut self, route: Route, replaces: bool, now: Time) {
        let key = key_of(&route);
        if replaces {
            let is_same = |other: &RouteKey| (other.0, other.1, other.2) == (key.0, key.1, key.2);
            self.routes.retain(|other, _| !is_same(other));
        }
        // Nothing else is kept of a table that may have a million routes.
        if is_wanted(route.prefix) && self.wanted.iter().any(|wanted| may_be(wanted, &route)) {
            let lifetimes = Lifetimes::from_now(route.expires, route.expires, now);
            self.routes.insert(key, (route, lifetimes));
        }
    }

    /// The prefixes of an interface's addresses, and those that it reaches without a router.
    fn addresses_of(&self, interface: &str, now: Time) -> BTreeMap<Key, Lifetimes> {
        let Some(link) = self.links.values().find(|link| link.name == interface) else {
            return BTreeMap::new();
        };
        let origin = Origin::Address {
            interface: interface.to_owned(),
        };
        let mut seen: BTreeMap<Key, Lifetimes> = BTreeMap::new();
        let of_link = self.addresses.values().filter(|(address, lifetimes)| {
            address.index == link.index && !address.is_temporary && !lifetimes.are_over(now)
        });
        for (address, lifetimes) in of_link {
            let Ok(net) = Ipv6Net::new(address.own, address.length) else {
                continue;
            };
            if is_wanted(net.trunc()) {
                seen.entry((origin.clone(), net.trunc()))
                    .and_modify(|best| *best = best.or(*lifetimes))
                    .or_insert(*lifetimes);
            }
        }
        // A /128 from a server (RFC 8415) tells no prefix, the route to its neighbours does. How long
        // it is preferred nobody says, so it is as long as the route stands.
        for (route, lifetimes) in self.routes.values() {
            let is_on_link = is_on_link(route) && route.links.contains(&link.index);
            if is_on_link && !lifetimes.are_over(now) {
                seen.entry((origin.clone(), route.prefix))
                    .or_insert(*lifetimes);
            }
        }
        seen
    }

    fn routes_of(
        &self,
        wanted: &Routes,
        now: Time,
    ) -> (Result<(), String>, BTreeMap<Key, Lifetimes>) {
        let mut seen = BTreeMap::new();
        let matching = self.routes.values().filter(|(route, lifetimes)| {
            is_of(wanted, route) && !lifetimes.are_over(now) && self.leads(wanted, route)
        });
        for (route, lifetimes) in matching {
            if seen.len() == MOST_ROUTES {
                let why = format!(
                    "more than {MOST_ROUTES} routes are like that; name the protocol that installs \
                     the one that is meant"
                );
                return (Err(why), BTreeMap::new());
            }
            let origin = Origin::Route {
                interface: self.interface_of(route),
                protocol: route.protocol,
            };
            seen.insert((origin, route.prefix), *lifetimes);
        }
        let state = match &wanted.interface {
            Some(interface) => self.usable(interface).map(drop),
            None => Ok(()),
        };
        (state, seen)
    }

    fn leads(&self, wanted: &Routes, route: &Route) -> bool {
        wanted.interface.as_ref().is_none_or(|interface| {
            let names = route.links.iter().filter_map(|index| self.links.get(index));
            names.into_iter().any(|link| link.name == *interface)
        })
    }

    /// The interface that a route leads to. One that leads nowhere leads to `lo`, says the kernel.
    fn interface_of(&self, route: &Route) -> String {
        let link = route.links.first().and_then(|index| self.links.get(index));
        link.filter(|_| route.kind == RouteType::Unicast)
            .map(|link| link.name.clone())
            .unwrap_or_default()
    }

    fn tell(
        &mut self,
        wanted: usize,
        state: Result<(), String>,
        seen: BTreeMap<Key, Lifetimes>,
        now: Time,
    ) {
        let Some(told) = self.told.get_mut(wanted) else {
            return;
        };
        let is_usable = state.is_ok();
        if told.state.as_ref() != Some(&state) {
            self.events.push_back(match &state {
                Ok(()) => Event::Worked { wanted },
                Err(why) => Event::Failed {
                    wanted,
                    why: why.clone(),
                },
            });
            told.state = Some(state);
        }
        if !is_usable {
            // Forgotten, not taken back.
            told.rows.clear();
            return;
        }
        let former: BTreeSet<Key> = told.rows.keys().cloned().collect();
        for (origin, prefix) in former {
            let key = (origin, prefix);
            let is_over = told.rows.get(&key).is_some_and(|row| row.are_over(now));
            if seen.contains_key(&key) {
                continue;
            }
            told.rows.remove(&key);
            // Whoever was told of a lifetime knows by itself when that ended.
            if !is_over {
                let (origin, prefix) = key;
                self.events.push_back(Event::Gone {
                    wanted,
                    origin,
                    prefix,
                });
            }
        }
        for (key, lifetimes) in seen {
            let known = told.rows.get(&key);
            if known.is_none_or(|known| known.differ(lifetimes)) {
                told.rows.insert(key.clone(), lifetimes);
                let (origin, prefix) = key;
                self.events.push_back(Event::Seen(Sighting {
                    wanted,
                    origin,
                    prefix,
                    preferred: lifetimes.preferred.map(|until| until - now),
                    valid: lifetimes.valid.map(|until| until - now),
                }));
            }
        }
    }
}

impl Lifetimes {
    fn from_now(preferred: Option<Duration>, valid: Option<Duration>, now: Time) -> Self {
        Self {
            preferred: preferred.map(|span| now + span),
            valid: valid.map(|span| now + span),
        }
    }

    /// Of two for the same prefix the longer ones, but what ends before what was said to be for ever.
    fn or(self, other: Self) -> Self {
        let longer = |one: Option<Time>, other: Option<Time>| one.max(other);
        Self {
            preferred: longer(self.preferred, other.preferred),
            valid: longer(self.valid, other.valid),
        }
    }

    fn are_over(self, now: Time) -> bool {
        self.valid.is_some_and(|until| until <= now)
    }

    /// Whether they are others, and not the same read a second later.
    fn differ(self, other: Self) -> bool {
        let differ = |one: Option<Time>, other: Option<Time>| match (one, other) {
            (Some(one), Some(other)) => (one - other).max(other - one) > SAME,
            (one, other) => one != other,
        };
        differ(self.preferred, other.preferred) || differ(self.valid, other.valid)
    }
}

fn key_of(route: &Route) -> RouteKey {
    let link = match route.links.as_slice() {
        [one] => *one,
        _ => 0,
    };
    (route.table, route.prefix, route.priority, link)
}

/// Whether a route can matter to something wanted, as long as it is not known which link is which.
fn may_be(wanted: &Wanted, route: &Route) -> bool {
    match wanted {
        Wanted::Addresses { .. } => is_on_link(route),
        Wanted::Routes(routes) => is_of(routes, route),
        Wanted::Advertisements { .. } => false,
    }
}

fn is_on_link(route: &Route) -> bool {
    route.kind == RouteType::Unicast && !route.has_gateway && route.table == MAIN_TABLE
}

fn is_of(wanted: &Routes, route: &Route) -> bool {
    let kind = match wanted.kind {
        RouteKind::Unicast => RouteType::Unicast,
        RouteKind::Unreachable => RouteType::Unreachable,
        RouteKind::Blackhole => RouteType::BlackHole,
    };
    let is_protocol = wanted
        .protocol
        .is_none_or(|wanted| wanted == route.protocol);
    route.kind == kind && route.table == wanted.table && is_protocol
}

/// The kernel counts lifetimes in whole seconds, and messages take their time.
const SAME: Duration = Duration::from_secs(2);
/// More prefixes than anybody is delegated are routes of another kind.
const MOST_ROUTES: usize = 64;
/// `RT_TABLE_MAIN`.
const MAIN_TABLE: u32 = 254;

#[cfg(test)]
mod tests;

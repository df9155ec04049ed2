//! What a speaker shows of itself: the addresses that it announces, and its sessions, in the words of
//! the API objects.

mod peer;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use openelb_announce::announcer::{AddressStatus, State};
use openelb_announce::bgp::peer::State as PeerState;
use openelb_announce::bgp::prefix::Prefix;
use openelb_announce::bgp::route::{PeerName, Route};
use openelb_announce::bgp::status::PeerStatus;
use openelb_announce::wire::Mac;

use super::{Desired, Row};
use crate::api::{AnnouncedAddress, AnnouncementState, NodeAnnouncementStatus, Protocol};

pub use self::peer::{conf_status, peer_status};

/// What the network shows of a desired set.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The addresses on the links.
    pub addresses: Vec<AddressStatus>,
    /// The BGP peers.
    pub peers: Vec<PeerStatus>,
    /// Addresses whose group of the election is more than a beat can carry, so that no node has them.
    pub left_out: BTreeSet<IpAddr>,
}

/// Remembers since when each address is in its state.
#[derive(Debug, Clone, Default)]
pub struct Record {
    since: HashMap<Key, (AnnouncementState, String)>,
}

/// Address, service and protocol: what tells two entries apart.
type Key = (String, String, Protocol);

/// What is shown, and how much there is of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// The entries, in the order of address and service; at most [`MOST_SHOWN`].
    pub addresses: Vec<AnnouncedAddress>,
    /// Every address that is announced, shown or not.
    pub announced: BTreeSet<IpAddr>,
    /// How many there would be, by protocol and state.
    pub counts: BTreeMap<(&'static str, &'static str), usize>,
}

impl Shown {
    /// How many entries there would be.
    pub fn total(&self) -> usize {
        self.counts.values().sum()
    }
}

impl Record {
    /// Goes on with what a former life of the speaker wrote: what has not changed since then has not
    /// changed.
    pub fn continued(status: &NodeAnnouncementStatus) -> Self {
        let entries = status.addresses.iter();
        let since = entries.map(|entry| (key(entry), (entry.state, entry.since.clone())));
        Self {
            since: since.collect(),
        }
    }

    /// What is to be shown, as of `now` in RFC 3339. O(n log n).
    ///
    /// Beyond [`MOST_SHOWN`] entries, those are left out first that this node may not announce, then
    /// those that another node has.
    pub fn show(&mut self, desired: &Desired, seen: &Seen, now: &str) -> Shown {
        let sight = Sight::of(desired, seen);
        let mut shown = Shown::default();
        let ranked = desired.rows.iter().map(|row| {
            let entry = sight.entry(row);
            (importance(row, &entry), entry)
        });
        let mut ranked: Vec<_> = ranked.collect();
        for (row, (_, entry)) in desired.rows.iter().zip(&ranked) {
            if entry.state == AnnouncementState::Announced {
                shown.announced.insert(row.address);
            }
            let words = (protocol(entry.protocol), state(entry.state));
            *shown.counts.entry(words).or_default() += 1;
        }
        // The rows come in the order of services, and the sort keeps it among equals.
        ranked.sort_by_key(|(importance, _)| *importance);
        ranked.truncate(MOST_SHOWN);
        let mut entries: Vec<_> = ranked.into_iter().map(|(_, entry)| entry).collect();
        entries.sort_by_cached_key(order);
        for entry in &mut entries {
            let before = self.since.get(&key(entry));
            let before = before.filter(|(state, _)| *state == entry.state);
            entry.since = before.map_or_else(|| now.to_owned(), |(_, since)| since.clone());
        }
        let since = entries
            .iter()
            .map(|entry| (key(entry), (entry.state, entry.since.clone())));
        self.since = since.collect();
        shown.addresses = entries;
        shown
    }
}

/// What the network shows, ready to be looked up.
struct Sight<'a> {
    links: HashMap<IpAddr, &'a AddressStatus>,
    routes: BTreeMap<Prefix, Vec<&'a Route>>,
    /// The lengths of the prefixes, longest first.
    lengths: Vec<u8>,
    established: Vec<&'a PeerName>,
    left_out: &'a BTreeSet<IpAddr>,
}

impl<'a> Sight<'a> {
    fn of(desired: &'a Desired, seen: &'a Seen) -> Self {
        let mut routes: BTreeMap<Prefix, Vec<&Route>> = BTreeMap::new();
        for route in &desired.routes {
            routes.entry(route.prefix).or_default().push(route);
        }
        let lengths: HashSet<u8> = routes.keys().map(Prefix::length).collect();
        let mut lengths: Vec<_> = lengths.into_iter().collect();
        lengths.sort_unstable_by(|one, other| other.cmp(one));
        let up = seen
            .peers
            .iter()
            .filter(|peer| peer.state == PeerState::Established);
        let links = seen.addresses.iter().map(|status| (status.address, status));
        Self {
            links: links.collect(),
            routes,
            lengths,
            established: up.map(|peer| &peer.name).collect(),
            left_out: &seen.left_out,
        }
    }

    fn entry(&self, row: &Row) -> AnnouncedAddress {
        let entry = AnnouncedAddress {
            address: row.address.to_string(),
            service: format!("{}/{}", row.service.namespace(), row.service.name()),
            eip: row.eip.clone(),
            protocol: row.protocol,
            ..AnnouncedAddress::default()
        };
        if let Err(why) = &row.here {
            return AnnouncedAddress {
                reason: why.word().to_owned(),
                ..entry
            };
        }
        match row.protocol {
            Protocol::Bgp => self.routed(row, entry),
            Protocol::Layer2 | Protocol::Vip | Protocol::None => self.on_link(row, entry),
        }
    }

    fn routed(&self, row: &Row, entry: AnnouncedAddress) -> AnnouncedAddress {
        let prefixes = self.lengths.iter().filter_map(|length| {
            let prefix = Prefix::truncate(row.address, *length).ok()?;
            self.routes.get(&prefix)
        });
        let routes: Vec<_> = prefixes.flatten().collect();
        let hears = |peer: &&&PeerName| routes.iter().any(|route| route.peers.selects(peer));
        let peers: Vec<_> = self.established.iter().filter(hears).collect();
        let (state, reason) = if peers.is_empty() {
            (AnnouncementState::Waiting, "NoSession")
        } else {
            (AnnouncementState::Announced, "")
        };
        AnnouncedAddress {
            peers: peers.into_iter().map(ToString::to_string).collect(),
            state,
            reason: reason.to_owned(),
            ..entry
        }
    }

    fn on_link(&self, row: &Row, entry: AnnouncedAddress) -> AnnouncedAddress {
        let status = self.links.get(&row.address);
        let places = status.into_iter().flat_map(|status| &status.places);
        let best = places.min_by_key(|place| &place.state);
        let (state, reason) = best.map_or_else(
            || (AnnouncementState::Waiting, "NoInterface"),
            |place| in_words(&place.state),
        );
        let (state, reason) = match state {
            AnnouncementState::Standby if self.left_out.contains(&row.address) => {
                (AnnouncementState::Waiting, "TooManyGroups")
            }
            _ => (state, reason),
        };
        AnnouncedAddress {
            interface: best
                .map(|place| place.interface.clone())
                .unwrap_or_default(),
            state,
            reason: reason.to_owned(),
            station: best
                .and_then(|place| station(&place.state))
                .map(|mac| mac.to_string())
                .unwrap_or_default(),
            ..entry
        }
    }
}

/// Who else uses the address.
const fn station(state: &State) -> Option<Mac> {
    match state {
        State::Announced { contested_by } => *contested_by,
        State::Conflict { mac } => *mac,
        _ => None,
    }
}

/// The state of an address on a link, and one word why it is not announced.
fn in_words(state: &State) -> (AnnouncementState, &'static str) {
    match state {
        State::Announced { contested_by: None } => (AnnouncementState::Announced, ""),
        State::Announced { .. } => (AnnouncementState::Announced, "Contested"),
        State::Standby => (AnnouncementState::Standby, ""),
        State::Conflict { .. } => (AnnouncementState::Conflict, "AddressInUse"),
        State::Probing | State::Waiting => (AnnouncementState::Waiting, "Probing"),
        State::LinkDown => (AnnouncementState::Waiting, "LinkDown"),
        State::NoSocket { .. } => (AnnouncementState::Waiting, "NoSocket"),
        State::GroupsExhausted => (AnnouncementState::Waiting, "MulticastGroupsExhausted"),
        State::NoInterface => (AnnouncementState::Waiting, "NoInterface"),
        _ => (AnnouncementState::Waiting, "Unsuitable"),
    }
}

/// The smaller, the sooner it is shown.
const fn importance(row: &Row, entry: &AnnouncedAddress) -> u8 {
    match (entry.state, row.here.is_ok()) {
        (AnnouncementState::Conflict, _) => 0,
        (AnnouncementState::Announced, _) => 1,
        (AnnouncementState::Waiting, true) => 2,
        (AnnouncementState::Standby, _) => 3,
        (AnnouncementState::Waiting, false) => 4,
    }
}

/// By the number of the address, not by its text.
fn order(entry: &AnnouncedAddress) -> (Option<IpAddr>, String) {
    (entry.address.parse().ok(), entry.service.clone())
}

fn key(entry: &AnnouncedAddress) -> Key {
    (entry.address.clone(), entry.service.clone(), entry.protocol)
}

const fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Bgp => "bgp",
        Protocol::Layer2 => "layer2",
        Protocol::Vip => "vip",
        Protocol::None => "none",
    }
}

const fn state(state: AnnouncementState) -> &'static str {
    match state {
        AnnouncementState::Announced => "announced",
        AnnouncementState::Standby => "standby",
        AnnouncementState::Waiting => "waiting",
        AnnouncementState::Conflict => "conflict",
    }
}

/// About 200 octets each: 400 KB, well below the 1.5 MiB that etcd takes, and written at most once a
/// second.
pub const MOST_SHOWN: usize = 2_000;

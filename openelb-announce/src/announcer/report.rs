//! Puts a report together from what the I/O thread copied, on the thread of whoever asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::desired::{DesiredSet, Entry};
use super::elections::SegmentStatus;
use super::outbox::Sighting;
use super::plan::{Progress, Target};
use super::routers::RouterStatus;
use super::station::{SocketState, Station};
use super::status::{AddressStatus, InterfaceStatus, Place, State, Warning};
use crate::driver::port::{Counters, PortKey, Protocol, Role};
use crate::link::NoInterface;
use crate::link::sysctl::Ipv4Settings;
use crate::link::topology::{Media, Topology};
use crate::time::Time;
use crate::wire::Mac;

/// A copy of the I/O thread's state at one instant.
pub(crate) struct Snapshot {
    pub(crate) desired: Arc<DesiredSet>,
    pub(crate) resolved: Vec<Result<BTreeSet<u32>, NoInterface>>,
    pub(crate) stations: Vec<StationView>,
    pub(crate) sightings: BTreeMap<(PortKey, IpAddr), Sighting>,
    pub(crate) topology: Topology,
    pub(crate) routers: Vec<RouterStatus>,
    pub(crate) segments: Vec<SegmentStatus>,
    pub(crate) now: Time,
}

/// A copy of one station.
pub(crate) struct StationView {
    key: PortKey,
    name: Arc<str>,
    mac: Option<Mac>,
    is_up: bool,
    targets: Vec<Target>,
    socket: Result<(), Option<String>>,
    counters: Counters,
    last_error: Option<String>,
    settings: Ipv4Settings,
}

impl StationView {
    /// Copies `station` and reads the kernel settings of its interface.
    pub(crate) fn of(station: &mut Station) -> Self {
        let last_error = station.last_error();
        let (socket, counters) = match &mut station.socket {
            SocketState::Opening => (Err(None), Counters::default()),
            SocketState::Open(port, _) => (Ok(()), port.counters()),
            SocketState::Failed { reason, .. } => (Err(Some(reason.clone())), Counters::default()),
        };
        let settings = match station.key.protocol {
            Protocol::Arp => Ipv4Settings::read(&station.name),
            Protocol::Ndp => Ipv4Settings::default(),
        };
        Self {
            key: station.key,
            name: Arc::clone(&station.name),
            mac: station.mac(),
            is_up: station.is_link_up(),
            targets: station.targets.clone(),
            socket,
            counters,
            last_error,
            settings,
        }
    }
}

impl Snapshot {
    /// The status of every desired address, sorted by address.
    pub(crate) fn addresses(&self) -> Vec<AddressStatus> {
        let surroundings = self.surroundings();
        let same_address = |one: &Entry, other: &Entry| one.address == other.address;
        self.desired
            .entries
            .chunk_by(same_address)
            .filter_map(|entries| {
                Some(self.address(entries.first()?.address, entries, &surroundings))
            })
            .collect()
    }

    /// The status of every interface on which something is to be announced.
    pub(crate) fn interfaces(&self) -> Vec<InterfaceStatus> {
        let mut interfaces: BTreeMap<u32, InterfaceStatus> = BTreeMap::new();
        let in_use = |station: &&StationView| !station.targets.is_empty();
        for station in self.stations.iter().filter(in_use) {
            let status = interfaces
                .entry(station.key.index)
                .or_insert_with(|| InterfaceStatus {
                    name: station.name.to_string(),
                    index: station.key.index,
                    mac: station.mac,
                    is_up: station.is_up,
                    arp: Counters::default(),
                    ndp: Counters::default(),
                    last_error: None,
                });
            match station.key.protocol {
                Protocol::Arp => status.arp += station.counters,
                Protocol::Ndp => status.ndp += station.counters,
            }
            let failure = station.socket.clone().err().flatten();
            status.last_error = failure
                .or_else(|| station.last_error.clone())
                .or_else(|| status.last_error.take());
        }
        interfaces.into_values().collect()
    }

    fn address(
        &self,
        address: IpAddr,
        entries: &[Entry],
        surroundings: &Surroundings,
    ) -> AddressStatus {
        let mut status = AddressStatus {
            address,
            selectors: Vec::new(),
            places: Vec::new(),
            missing: Vec::new(),
            warnings: Vec::new(),
        };
        for entry in entries {
            let place = usize::from(entry.selector);
            status
                .selectors
                .extend(self.desired.selectors.get(place).cloned());
            if let Some(Err(reason)) = self.resolved.get(place) {
                status.missing.push(reason.clone());
            }
        }
        for station in self
            .stations
            .iter()
            .filter(|station| station.speaks_for(address))
        {
            let Some(target) = station.target(address) else {
                continue;
            };
            let state = self.state(station, target);
            status.places.push(Place {
                interface: station.name.to_string(),
                state,
            });
            status
                .warnings
                .extend(self.owner_warning(station, address, surroundings));
            status
                .warnings
                .extend(station.reverse_path_warning(surroundings));
        }
        status
    }

    fn state(&self, station: &StationView, target: Target) -> State {
        let sighting = self.sightings.get(&(station.key, target.address));
        let mac = sighting.map(|sighting| sighting.mac);
        let lately = sighting.filter(|sighting| self.now - sighting.at < SIGHTING_LASTS);
        match (&station.socket, target.progress) {
            (Err(reason), _) => State::NoSocket {
                reason: reason.clone(),
            },
            (_, Progress::Unsuitable) => State::Unsuitable,
            _ if !station.is_up => State::LinkDown,
            (_, Progress::Standby) => State::Standby,
            (_, Progress::Announced) => State::Announced {
                contested_by: lately.map(|sighting| sighting.mac),
            },
            (_, Progress::Probing) => State::Probing,
            (_, Progress::Waiting) => State::Waiting,
            (_, Progress::Conflict) => State::Conflict { mac },
            (_, Progress::GroupsExhausted) => State::GroupsExhausted,
        }
    }

    /// The kernel answers Neighbor Solicitations only on the interface that has the address, but
    /// ARP requests on every one unless `arp_ignore` forbids it (3 only spares host scope).
    fn owner_warning(
        &self,
        station: &StationView,
        address: IpAddr,
        surroundings: &Surroundings,
    ) -> Option<Warning> {
        let owner = *surroundings.owners.get(&address)?;
        let interface = station.name.to_string();
        if owner == station.key.index {
            if self.is_put_there(station.key.role, address) {
                return None;
            }
            return Some(Warning::OnAnnouncingInterface { address, interface });
        }
        let owner = self.topology.link(owner)?.name.clone();
        let answers = address.is_ipv4() && matches!(station.settings.arp_ignore, Some(0 | 3));
        answers.then_some(Warning::KernelAnswersToo {
            address,
            owner,
            interface,
        })
    }

    /// Does the interface have the address because a virtual router accepts packets to it, or owns it?
    fn is_put_there(&self, role: Role, address: IpAddr) -> bool {
        let mut routers = self.desired.routers.iter().map(|router| &router.settings);
        routers.any(|settings| {
            role == Role::Router(settings.family.into(), settings.vrid.get())
                && (settings.accept || settings.owner)
                && settings.addresses.contains(&address)
        })
    }

    fn surroundings(&self) -> Surroundings {
        let has_ipv4 = |index| {
            let mut own = self.topology.addresses(index);
            own.any(|net| net.addr().is_ipv4())
        };
        let networks = self
            .topology
            .links()
            .filter(|link| link.is_up && link.media != Media::Loopback && has_ipv4(link.index));
        Surroundings {
            has_several_networks: networks.count() > 1,
            owners: self.topology.own_addresses().collect(),
        }
    }
}

/// What the warnings depend on besides the station.
struct Surroundings {
    /// The link of each address that the host itself has.
    owners: HashMap<IpAddr, u32>,
    /// Could a reply leave by another interface? Only then do strict checks hurt.
    has_several_networks: bool,
}

impl StationView {
    fn speaks_for(&self, address: IpAddr) -> bool {
        self.key.protocol == Protocol::of(address)
    }

    fn reverse_path_warning(&self, surroundings: &Surroundings) -> Option<Warning> {
        let is_strict = self.settings.rp_filter == Some(1) && surroundings.has_several_networks;
        is_strict.then(|| Warning::StrictReversePath {
            interface: self.name.to_string(),
        })
    }

    fn target(&self, address: IpAddr) -> Option<Target> {
        let place = self
            .targets
            .binary_search_by_key(&address, |target| target.address)
            .ok()?;
        self.targets.get(place).copied()
    }
}

// Longer than the ten seconds between two reports of one conflict, several times over.
const SIGHTING_LASTS: Duration = Duration::from_mins(1);

//! The election on one link: a machine, the sockets of its beats, and the addresses of its shards.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::line::Line;
use super::permit::Permits;
use super::status::{SegmentStatus, ShardStatus};
use crate::announcer::announcement::Election;
use crate::announcer::component::Surroundings;
use crate::announcer::readers::Reader;
use crate::announcer::status::Event;
use crate::claim::Probe;
use crate::driver::port::Role;
use crate::link::beat_socket::{BeatRoom, BeatSocket, Endpoint};
use crate::link::reception::Receptions;
use crate::link::topology::Topology;
use crate::link::udp::Version;
use crate::machine::Machine as _;
use crate::ownership::{self, How, Input, Machine, Output, Settings, Shard};
use crate::time::Time;

/// The addresses of each shard on one link, sorted.
pub(super) type Shards = BTreeMap<Shard, Vec<IpAddr>>;

/// The part of this host in the election on one link.
pub(super) struct Segment {
    index: u32,
    name: Arc<str>,
    seed: u64,
    machine: Machine,
    permits: Permits,
    lines: [Line; 2],
    shards: Shards,
    /// Since when this node has each shard that it owns.
    owned: BTreeMap<Shard, Time>,
    /// The deadline that stations were told last.
    valid_until: Option<Time>,
    /// How many packets had come in on the link, and when that was looked at; nothing once a beat
    /// has come in since.
    received: Option<(u64, Time)>,
    /// Has a beat come in since?
    has_heard: bool,
    is_up: bool,
    /// What the machine was told last; it may drain by order of another node all the same.
    is_draining: bool,
}

impl Segment {
    /// A segment that nothing is known of yet.
    pub(super) fn new(
        index: u32,
        seed: u64,
        election: &Election,
        permits: Permits,
        around: &Surroundings<'_>,
    ) -> Self {
        let link = around.topology.link(index);
        let name = link.map_or_else(String::new, |link| link.name.clone());
        Self {
            index,
            name: name.into(),
            seed,
            machine: Machine::new(),
            permits,
            lines: endpoints(index, election, around.topology).map(Line::new),
            shards: Shards::new(),
            owned: BTreeMap::new(),
            valid_until: None,
            received: None,
            has_heard: false,
            is_up: false,
            is_draining: false,
        }
    }

    /// The present name of the interface.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Takes over the settings, and the addresses of each shard.
    pub(super) fn lead(
        &mut self,
        election: &Election,
        shards: Shards,
        around: &mut Surroundings<'_>,
    ) {
        let mut settings: Settings = election.settings.clone();
        settings.seed ^= self.seed;
        self.input(Input::Configure(&settings, &election.groups), around);
        // Stations that are new here know no deadline yet.
        self.valid_until = None;
        self.renew(around);
        // What the machine gave up was released by the lists of before. What moved between shards
        // is looked for in the new ones.
        let before = std::mem::replace(&mut self.shards, shards);
        for (shard, addresses) in &self.shards {
            if before.get(shard) == Some(addresses) {
                continue;
            }
            let (stations, now) = (&mut *around.stations, around.now);
            if self.owned.contains_key(shard) {
                stations.acquire(self.index, Role::Elected, addresses, None, now);
            } else {
                stations.relinquish(self.index, Role::Elected, addresses, now);
            }
        }
        self.follow(election, around);
    }

    /// Follows the link and the addresses of the host.
    pub(super) fn follow(&mut self, election: &Election, around: &mut Surroundings<'_>) {
        if let Some(link) = around.topology.link(self.index)
            && *self.name != *link.name
        {
            let name = Arc::from(link.name.as_str());
            self.permits.rename(&self.name, &name);
            self.name = name;
        }
        for (line, endpoint) in
            self.lines
                .iter_mut()
                .zip(endpoints(self.index, election, around.topology))
        {
            if *line.endpoint() != endpoint {
                std::mem::replace(line, Line::new(endpoint)).close(around);
            }
            line.follow(around);
        }
        self.follow_link(around);
    }

    /// Takes the socket that the opener got for `reader`; gives back one that nobody waits for any
    /// more.
    pub(super) fn opened(
        &mut self,
        endpoint: &Endpoint,
        mut socket: std::io::Result<BeatSocket>,
        reader: Reader,
        around: &mut Surroundings<'_>,
    ) -> Option<BeatSocket> {
        for line in &mut self.lines {
            let Err(other) = line.opened(endpoint, socket, reader, around) else {
                self.follow_link(around);
                return None;
            };
            socket = other;
        }
        socket.ok()
    }

    /// Hands the machine the beats that wait under `token`; false when that is no token of here.
    pub(super) fn receive(
        &mut self,
        token: u64,
        room: &mut BeatRoom,
        around: &mut Surroundings<'_>,
    ) -> bool {
        let Some(place) = self.lines.iter().position(|it| it.token() == Some(token)) else {
            return false;
        };
        for _ in 0..BURST {
            let socket = self.lines.get(place).and_then(Line::socket);
            let Some(Ok(datagram)) = socket.map(|socket| socket.receive(room)) else {
                break;
            };
            let input = Input::Datagram {
                octets: datagram.octets,
                hop_limit: datagram.ttl,
                // After a stall the queue holds beats of nodes that may have died meanwhile.
                received: around.now - datagram.age,
            };
            self.has_heard = true;
            self.machine.handle_input(input, around.now);
            self.serve(around);
        }
        true
    }

    /// Throws away what waits, at the sockets here and at the ports of the stations.
    pub(super) fn discard(&mut self, room: &mut BeatRoom, around: &mut Surroundings<'_>) {
        for socket in self.lines.iter().filter_map(Line::socket) {
            socket.discard_queued(room);
        }
        around.stations.discard(self.index, Role::Elected);
    }

    /// Tells the machine something and does what it wants done.
    pub(super) fn input(&mut self, input: Input<'_>, around: &mut Surroundings<'_>) {
        self.machine.handle_input(input, around.now);
        self.serve(around);
    }

    /// Drains, or takes part again, if the machine was not told so last. To tell it again would undo
    /// what another node has ordered meanwhile.
    pub(super) fn drain(&mut self, drain: bool, around: &mut Surroundings<'_>) {
        if self.is_draining != drain {
            self.is_draining = drain;
            self.input(Input::Drain(drain), around);
        }
    }

    /// Tells the machine if anything has come in besides beats, which tell it themselves; the
    /// counters are looked at only when there were none.
    ///
    /// A packet that came in between two looks counts as of the first. As of the second, a node that
    /// has just gone deaf would take itself for one that hears until its peers are dead.
    fn look_for_reception(&mut self, receptions: &mut Receptions, around: &mut Surroundings<'_>) {
        if std::mem::take(&mut self.has_heard) {
            self.received = None;
            return;
        }
        // Without the counters a node takes itself for deaf when it hears no beats.
        let count = receptions.of(&self.name).ok().flatten();
        let received = count.map(|count| (count, around.now));
        let before = std::mem::replace(&mut self.received, received);
        if let (Some((count, _)), Some((least, at))) = (received, before)
            && count != least
        {
            self.input(Input::Reception(at), around);
        }
    }

    /// When something is to be done here.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let lines = self.lines.iter().filter_map(Line::poll_timeout);
        lines.chain(self.machine.poll_timeout()).min()
    }

    /// Does what is due. It looks for receptions after every beat, which takes no wake-up of its own;
    /// not before, or the machine would beat when told of one, and not when told the time.
    pub(super) fn handle_timeout(
        &mut self,
        receptions: &mut Receptions,
        around: &mut Surroundings<'_>,
    ) {
        if self
            .machine
            .poll_timeout()
            .is_some_and(|at| at <= around.now)
        {
            self.machine.handle_timeout(around.now);
            self.serve(around);
            self.look_for_reception(receptions, around);
        }
        for line in &mut self.lines {
            if line.poll_timeout().is_some_and(|at| at <= around.now) {
                line.follow(around);
            }
        }
    }

    /// Does somebody else have every shard with addresses, or is there no other node? What is claimed by
    /// nobody may be what this node gave up and has not said yet.
    pub(super) fn is_settled(&self, now: Time) -> bool {
        let status = self.machine.status(now);
        let is_alone = status.nodes.is_empty();
        let mut owners = self.shards.keys().map(|shard| self.machine.owner(*shard));
        is_alone || owners.all(|owner| owner.is_some() && owner != status.node.as_ref())
    }

    /// What is known here.
    pub(super) fn status(&self, now: Time) -> SegmentStatus {
        let shards = self.shards.iter().map(|(shard, addresses)| ShardStatus {
            shard: *shard,
            owner: self.machine.owner(*shard).cloned(),
            owned_for: self.owned.get(shard).map(|since| now - *since),
            addresses: addresses.clone(),
        });
        let failures = self.lines.iter().filter_map(Line::failure);
        SegmentStatus {
            interface: self.name.to_string(),
            index: self.index,
            failures: failures.map(str::to_owned).collect(),
            status: self.machine.status(now),
            shards: shards.collect(),
        }
    }

    /// Ends the part of this host: gives everything up and closes the sockets.
    pub(super) fn close(mut self, around: &mut Surroundings<'_>) {
        self.input(Input::Leave, around);
        for line in self.lines {
            line.close(around);
        }
    }

    /// For the machine the link is up once beats can pass.
    fn follow_link(&mut self, around: &mut Surroundings<'_>) {
        let link = around.topology.link(self.index);
        let has_carrier = link.is_some_and(|link| link.is_up);
        let up = has_carrier && (self.is_up || self.lines.iter().any(Line::is_ready));
        if up != self.is_up {
            self.is_up = up;
            self.input(Input::Link { up }, around);
        }
    }

    /// Does what the machine wants done, in its order.
    fn serve(&mut self, around: &mut Surroundings<'_>) {
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Transmit(octets) => {
                    // Every line, not the first that works.
                    let sent = self.lines.each_ref().map(|line| line.send(&octets));
                    if !sent.contains(&true) {
                        self.machine.handle_input(Input::Unsent, around.now);
                    }
                }
                Output::Event(event) => {
                    // Stations must know the deadline before they are given what it holds for, but
                    // only once they have let go of what is lost: whoever is told does what is due.
                    if matches!(event, ownership::Event::Acquired { .. }) {
                        self.renew(around);
                    }
                    self.carry_out(event, around);
                }
                Output::WantPermit(fence) => self.permits.want(&self.name, fence),
                Output::ReleasePermit(fence) => self.permits.release(&self.name, fence),
            }
        }
        self.renew(around);
    }

    fn renew(&mut self, around: &mut Surroundings<'_>) {
        let valid_until = self.machine.valid_until();
        if valid_until == self.valid_until {
            return;
        }
        self.valid_until = valid_until;
        if let Some(until) = valid_until {
            around
                .stations
                .renew(self.index, Role::Elected, until, around.now);
        }
    }

    fn carry_out(&mut self, event: ownership::Event, around: &mut Surroundings<'_>) {
        let (stations, now) = (&mut *around.stations, around.now);
        let addresses = |shard| self.shards.get(shard).map_or(&[][..], Vec::as_slice);
        match &event {
            ownership::Event::Acquired {
                shard,
                how,
                is_doubtful,
            } => {
                // Nobody probes what it takes over from an owner that is known.
                let probe = (*how != How::Cold).then_some(Probe::Skip);
                stations.acquire(self.index, Role::Elected, addresses(shard), probe, now);
                if *is_doubtful {
                    stations.announce_once(self.index, Role::Elected, addresses(shard), now);
                }
                self.owned.insert(*shard, now);
            }
            ownership::Event::Lost { shard, .. } => {
                stations.relinquish(self.index, Role::Elected, addresses(shard), now);
                self.owned.remove(shard);
            }
            ownership::Event::Reannounce { shard } => {
                stations.announce_again(self.index, Role::Elected, addresses(shard), now);
            }
            _ => {}
        }
        let interface = Arc::clone(&self.name);
        around
            .stations
            .outbox
            .tell(Event::Ownership { interface, event });
    }
}

/// The sockets that an election wants on a link. Beats to this host itself would look like those of
/// another node of its name; who is told of nobody else speaks to whoever is there.
fn endpoints(index: u32, election: &Election, topology: &Topology) -> [Endpoint; 2] {
    let mut peers = election.peers.clone();
    if !peers.is_empty() {
        let own: Vec<IpAddr> = topology.own_addresses().map(|(it, _)| it).collect();
        peers.retain(|peer| !own.contains(peer));
    }
    [Version::V4, Version::V6].map(|version| Endpoint::new(index, version, election.port, &peers))
}

// Beats of 128 nodes in both families, twice; more waits for the next round.
const BURST: u32 = 512;

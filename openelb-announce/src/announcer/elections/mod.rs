//! The ownership elections of this host, one on each link that carries elected addresses.

mod line;
mod permit;
mod segment;
mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::mpsc::Sender;
use std::time::Duration;

pub use permit::PermitRequest;
pub use status::{SegmentStatus, ShardStatus};

use permit::Permits;
use segment::{Segment, Shards};

use super::announcement::Election;
use super::component::{Command, Component, Surroundings};
use super::desired::DesiredSet;
use super::readers::Reader;
use super::report::Snapshot;
use crate::driver::opener::{Answer, Request};
use crate::link::beat_socket::BeatRoom;
use crate::link::reception::Receptions;
use crate::ownership::Input;
use crate::time::Time;

/// What decides on [`Owner::Elected`](super::Owner::Elected) addresses.
pub(crate) struct Elections {
    /// Which of the worker's components this is.
    place: usize,
    /// Who asks the outer fence.
    requests: Option<Sender<PermitRequest>>,
    election: Option<Election>,
    segments: BTreeMap<u32, Segment>,
    receptions: Receptions,
    /// The handle said so, whatever the desired set says.
    is_draining: bool,
    has_left: bool,
    room: Box<BeatRoom>,
}

impl Elections {
    /// No election yet, as the worker's component in `place`. Must be made on the I/O thread, in whose network namespace it counts packets.
    pub(crate) fn new(place: usize, requests: Option<Sender<PermitRequest>>) -> io::Result<Self> {
        Ok(Self {
            place,
            requests,
            election: None,
            segments: BTreeMap::new(),
            receptions: Receptions::open()?,
            is_draining: false,
            has_left: false,
            room: Box::new(BeatRoom::new()),
        })
    }

    fn tell_draining(&mut self, around: &mut Surroundings<'_>) {
        let desired = self.election.as_ref().is_some_and(|it| it.draining);
        let is_draining = self.is_draining || desired;
        for segment in self.segments.values_mut() {
            segment.drain(is_draining, around);
        }
    }

    fn tell(&mut self, input: Input<'_>, around: &mut Surroundings<'_>) {
        for segment in self.segments.values_mut() {
            segment.input(input, around);
        }
    }
}

impl Component for Elections {
    fn lead(
        &mut self,
        desired: &DesiredSet,
        links: &[BTreeSet<u32>],
        around: &mut Surroundings<'_>,
    ) -> io::Result<()> {
        self.election.clone_from(&desired.election);
        let mut wanted = shards(desired, links);
        wanted.retain(|index, _| around.topology.link(*index).is_some());
        let known: Vec<u32> = self.segments.keys().copied().collect();
        for index in known {
            if !wanted.contains_key(&index)
                && let Some(segment) = self.segments.remove(&index)
            {
                segment.close(around);
            }
        }
        let Some(election) = &self.election else {
            return Ok(());
        };
        for (index, shards) in wanted {
            let segment = self.segments.entry(index).or_insert_with(|| {
                // Hosts that start together must not beat together.
                let seed = RandomState::new().hash_one((index, around.now));
                let permits = Permits::new(self.requests.clone());
                Segment::new(index, seed, election, permits, around)
            });
            segment.lead(election, shards, around);
        }
        self.tell_draining(around);
        Ok(())
    }

    fn follow_links(&mut self, around: &mut Surroundings<'_>) -> io::Result<()> {
        if let Some(election) = &self.election {
            for segment in self.segments.values_mut() {
                segment.follow(election, around);
            }
        }
        Ok(())
    }

    fn feed(&mut self, token: u64, around: &mut Surroundings<'_>) -> io::Result<()> {
        let mut segments = self.segments.values_mut();
        segments.any(|segment| segment.receive(token, &mut self.room, around));
        Ok(())
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.segments
            .values()
            .filter_map(Segment::poll_timeout)
            .min()
    }

    fn handle_timeout(&mut self, around: &mut Surroundings<'_>) {
        for segment in self.segments.values_mut() {
            segment.handle_timeout(&mut self.receptions, around);
        }
    }

    fn concern(&self) -> &'static str {
        "elected addresses"
    }

    fn longest_pause(&self) -> Option<Duration> {
        let timing = self.election.as_ref()?.settings.timing;
        (!self.segments.is_empty()).then(|| timing.valid_for())
    }

    fn fence(&mut self, pause: Duration, around: &mut Surroundings<'_>) {
        if self.longest_pause().is_none_or(|longest| pause <= longest) {
            return;
        }
        for segment in self.segments.values_mut() {
            segment.discard(&mut self.room, around);
            segment.input(Input::Fence, around);
        }
    }

    fn take(&mut self, answer: Answer, around: &mut Surroundings<'_>) -> Option<Answer> {
        let Answer::Beats(endpoint, socket) = answer else {
            return Some(answer);
        };
        let reader = Reader::Component(self.place);
        let unwanted = match self.segments.get_mut(&endpoint.index) {
            Some(segment) => segment.opened(&endpoint, socket, reader, around),
            None => socket.ok(),
        };
        if let Some(socket) = unwanted {
            around.stations.outbox.opener.ask(Request::close(socket));
        }
        None
    }

    fn obey(&mut self, command: &Command, around: &mut Surroundings<'_>) {
        match command {
            Command::Drain(drain) => {
                self.is_draining = *drain;
                // Said aloud, it holds against the order of another node too.
                if !drain {
                    self.tell(Input::Drain(false), around);
                }
                self.tell_draining(around);
            }
            Command::Order(node, drain) => self.tell(
                Input::Order {
                    node,
                    drain: *drain,
                },
                around,
            ),
            Command::Permit {
                interface,
                fence,
                until,
            } => {
                let mut segments = self.segments.values_mut();
                if let Some(segment) = segments.find(|it| it.name() == &**interface) {
                    let (fence, until) = (*fence, *until);
                    segment.input(Input::Permit { fence, until }, around);
                }
            }
            Command::Leave => {
                self.has_left = true;
                self.tell(Input::Leave, around);
            }
        }
    }

    fn describe(&self, snapshot: &mut Snapshot) {
        let segments = self.segments.values();
        let now = snapshot.now;
        snapshot.segments = segments.map(|segment| segment.status(now)).collect();
    }

    fn has_left(&self, now: Time) -> bool {
        let mut segments = self.segments.values();
        !self.has_left || segments.all(|segment| segment.is_settled(now))
    }
}

/// The addresses of each shard on each link: O(addresses x links).
fn shards(desired: &DesiredSet, links: &[BTreeSet<u32>]) -> BTreeMap<u32, Shards> {
    let mut wanted: BTreeMap<u32, Shards> = BTreeMap::new();
    for entry in &desired.entries {
        let Some(shard) = desired.shard(entry.owner) else {
            continue;
        };
        for index in links.get(usize::from(entry.selector)).into_iter().flatten() {
            let shards = wanted.entry(*index).or_default();
            let addresses = shards.entry(shard).or_default();
            // Entries are sorted, so two selectors that mean the same link meet here.
            if addresses.last() != Some(&entry.address) {
                addresses.push(entry.address);
            }
        }
    }
    wanted
}

//! VRRP at work: the virtual routers of this host, their sockets, and what they do to stations.

mod lane;
mod presence;
mod primary;
mod router;
mod status;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::net::IpAddr;
use std::time::Duration;

pub use status::RouterStatus;

use self::lane::{Lane, LaneKey};
use self::presence::Orders;
use self::router::{Desk, Router, RouterKey};
use super::announcement::VirtualRouter;
use super::component::{Command, Component, Surroundings};
use super::desired::DesiredSet;
use super::readers::Reader;
use super::report::Snapshot;
use crate::driver::opener::{Answer, Request};
use crate::link::vrrp_socket::{Room, VrrpSocket};
use crate::time::Time;
use crate::vrrp::{Input, packet};

/// The virtual routers of all links.
pub(crate) struct Routers {
    /// The component's place, under which its sockets are watched.
    place: usize,
    by_key: BTreeMap<RouterKey, Router>,
    /// Those that are not on a link because another one has their VRID there, and since when.
    displaced: Vec<(RouterStatus, Time)>,
    lanes: BTreeMap<LaneKey, Lane>,
    orders: Orders,
    room: Box<Room>,
}

impl Routers {
    /// No virtual routers yet; the component in that place.
    pub(crate) fn new(place: usize) -> Self {
        Self {
            place,
            by_key: BTreeMap::new(),
            displaced: Vec::new(),
            lanes: BTreeMap::new(),
            orders: Orders::default(),
            room: Box::new(Room::new()),
        }
    }

    /// Lets `act` do something with a router.
    fn with(
        &mut self,
        key: RouterKey,
        around: &mut Surroundings<'_>,
        act: impl FnOnce(&mut Router, &mut Desk<'_, '_>),
    ) {
        if let Some(router) = self.by_key.get_mut(&key) {
            let mut desk = Desk {
                socket: self.lanes.get(&key.lane).and_then(Lane::socket),
                orders: &mut self.orders,
                around,
            };
            act(router, &mut desk);
        }
    }

    /// Lets `act` do something with each router.
    fn each(
        &mut self,
        around: &mut Surroundings<'_>,
        mut act: impl FnMut(&mut Router, &mut Desk<'_, '_>),
    ) {
        for (key, router) in &mut self.by_key {
            let mut desk = Desk {
                socket: self.lanes.get(&key.lane).and_then(Lane::socket),
                orders: &mut self.orders,
                around,
            };
            act(router, &mut desk);
        }
    }

    /// Ends the routers that are not `wanted` as they are, and then the sockets that nobody needs.
    fn end_others(
        &mut self,
        wanted: &BTreeMap<RouterKey, &VirtualRouter>,
        around: &mut Surroundings<'_>,
    ) -> io::Result<()> {
        let stays = |key: &RouterKey, router: &Router| {
            let desired = wanted.get(key);
            desired.is_some_and(|desired| router.is(desired))
        };
        let ended = self.by_key.iter().filter(|(key, it)| !stays(key, it));
        for key in ended.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.with(key, around, Router::close);
            self.by_key.remove(&key);
        }
        let needed: BTreeSet<LaneKey> = wanted.keys().map(|key| key.lane).collect();
        let unneeded = self.lanes.keys().filter(|key| !needed.contains(key));
        for key in unneeded.copied().collect::<Vec<_>>() {
            if let Some(Lane::Open(socket, token)) = self.lanes.remove(&key) {
                around.stations.readers.forget(&socket, token)?;
                around.stations.outbox.opener.ask(Request::close(socket));
            }
        }
        Ok(())
    }

    /// Remembers, and warns once, which routers have to stay away from a link. Two selectors may come to
    /// mean one link at any time, so the whole set is not refused for it.
    fn note_displaced(
        &mut self,
        wanted: &BTreeMap<RouterKey, &VirtualRouter>,
        displaced: &[(RouterKey, &VirtualRouter)],
        around: &Surroundings<'_>,
    ) {
        let before = std::mem::take(&mut self.displaced);
        for (key, router) in displaced {
            let (Some(link), Some(by)) = (around.topology.link(key.lane.index), wanted.get(key))
            else {
                continue;
            };
            let status = RouterStatus::displaced(router, &link.name, &by.name);
            let known = before.iter().find(|(known, _)| *known == status);
            if known.is_none() {
                let problem = status.last_error.as_deref();
                tracing::warn!(router = %status.name, problem, "virtual router not started");
            }
            let since = known.map_or(around.now, |(_, since)| *since);
            self.displaced.push((status, since));
        }
    }

    /// Gives an opened socket to its lane.
    fn opened(
        &mut self,
        key: LaneKey,
        outcome: io::Result<VrrpSocket>,
        around: &mut Surroundings<'_>,
    ) {
        let lane = self.lanes.get_mut(&key);
        let lane = lane.filter(|lane| matches!(lane, Lane::Opening));
        let opener = &around.stations.outbox.opener;
        match (outcome, lane) {
            (Ok(socket), None) => opener.ask(Request::close(socket)),
            (Err(_), None) => {}
            (Err(error), Some(lane)) => {
                tracing::warn!(link = key.index, %error, "VRRP socket not opened");
                lane.fail(&error, around.now);
            }
            (Ok(socket), Some(lane)) => {
                let reader = Reader::Component(self.place);
                match around.stations.readers.watch(&socket, reader) {
                    Ok(token) => *lane = Lane::Open(socket, token),
                    Err(error) => {
                        lane.fail(&error, around.now);
                        return opener.ask(Request::close(socket));
                    }
                }
            }
        }
        self.follow(around);
    }

    /// Asks again for the sockets that could not be opened, when it is time.
    fn reopen(&mut self, around: &Surroundings<'_>) {
        for (key, lane) in &mut self.lanes {
            let is_due = lane.poll_timeout().is_some_and(|at| at <= around.now);
            if let Some(link) = around.topology.link(key.index).filter(|_| is_due) {
                let name = link.name.as_str().into();
                *lane = Lane::new(*key, &name, &around.stations.outbox.opener);
            }
        }
    }

    /// Tells every router how its link is.
    fn follow(&mut self, around: &mut Surroundings<'_>) {
        let topology = around.topology;
        let served = self.by_key.values().flat_map(Router::addresses);
        let served: HashSet<IpAddr> = served.copied().collect();
        for key in self.by_key.keys().copied().collect::<Vec<_>>() {
            let index = key.lane.index;
            self.with(key, around, |router, desk| {
                let primary = router.settings().and_then(|settings| {
                    primary::primary(topology, index, settings, |it| served.contains(&it))
                });
                router.follow(topology.link(index), primary, desk);
            });
        }
    }

    /// Hands the packets that wait on a lane to their routers, some of them at most.
    fn receive(&mut self, lane: LaneKey, around: &mut Surroundings<'_>) {
        let Self {
            by_key,
            lanes,
            orders,
            room,
            ..
        } = self;
        let Some(socket) = lanes.get(&lane).and_then(Lane::socket) else {
            return;
        };
        for _ in 0..PACKETS_PER_ROUND {
            let advert = match socket.receive(room) {
                Ok(advert) => advert,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => continue,
                // Nothing waits, or the link has gone, which netlink tells.
                Err(_) => return,
            };
            let vrid = packet::Advert::vrid(advert.octets);
            let meant = |key: &RouterKey| key.lane == lane && vrid.is_none_or(|it| it == key.vrid);
            for (_, router) in by_key.iter_mut().filter(|(key, _)| meant(key)) {
                let mut desk = Desk {
                    socket: Some(socket),
                    orders,
                    around,
                };
                let received = desk.around.now;
                let input = Input::Packet {
                    octets: advert.octets,
                    source: advert.source,
                    destination: advert.destination,
                    hop_limit: advert.hop_limit,
                    received,
                };
                router.handle(input, &mut desk);
            }
        }
    }
}

impl Component for Routers {
    fn lead(
        &mut self,
        desired: &DesiredSet,
        links: &[BTreeSet<u32>],
        around: &mut Surroundings<'_>,
    ) -> io::Result<()> {
        let (wanted, displaced) = place(desired, links);
        self.note_displaced(&wanted, &displaced, around);
        self.end_others(&wanted, around)?;
        for (key, desired) in &wanted {
            let Some(link) = around.topology.link(key.lane.index) else {
                continue;
            };
            let name = link.name.as_str().into();
            let opener = &around.stations.outbox.opener;
            self.lanes
                .entry(key.lane)
                .or_insert_with(|| Lane::new(key.lane, &name, opener));
            self.by_key
                .entry(*key)
                .or_insert_with(|| Router::new(*key, desired, link, around.now));
            self.with(*key, around, |router, desk| {
                router.lead(&desired.settings, desk);
            });
        }
        self.follow(around);
        Ok(())
    }

    fn follow_links(&mut self, around: &mut Surroundings<'_>) -> io::Result<()> {
        self.follow(around);
        Ok(())
    }

    fn take(&mut self, answer: Answer, around: &mut Surroundings<'_>) -> Option<Answer> {
        match answer {
            Answer::OpenedVrrp(index, family, opened) => {
                self.opened(LaneKey { index, family }, opened, around);
                None
            }
            Answer::Configured(number, outcome) => {
                let mut has_link_changed = false;
                self.each(around, |router, desk| {
                    has_link_changed |= router.take(number, &outcome, desk);
                });
                if has_link_changed {
                    self.follow(around);
                }
                None
            }
            other => Some(other),
        }
    }

    /// What is left behind is given up when the set is emptied.
    fn obey(&mut self, _: &Command, _: &mut Surroundings<'_>) {}

    fn has_left(&self, _: Time) -> bool {
        true
    }

    fn feed(&mut self, token: u64, around: &mut Surroundings<'_>) -> io::Result<()> {
        let is_ready = |lane: &Lane| matches!(lane, Lane::Open(_, own) if *own == token);
        let ready = self.lanes.iter().find(|(_, lane)| is_ready(lane));
        if let Some(key) = ready.map(|(key, _)| *key) {
            self.receive(key, around);
        }
        Ok(())
    }

    fn poll_timeout(&self) -> Option<Time> {
        let routers = self.by_key.values().filter_map(Router::poll_timeout);
        let lanes = self.lanes.values().filter_map(Lane::poll_timeout);
        routers.chain(lanes).min()
    }

    fn handle_timeout(&mut self, around: &mut Surroundings<'_>) {
        self.reopen(around);
        let now = around.now;
        // What waits may say that the silence is none.
        let due = self.by_key.iter().filter(|(_, it)| it.is_due(now));
        let due: BTreeSet<LaneKey> = due.map(|(key, _)| key.lane).collect();
        for lane in due {
            self.receive(lane, around);
        }
        self.each(around, Router::handle_timeout);
    }

    /// Others take over after three intervals of the shortest kind.
    fn concern(&self) -> &'static str {
        "virtual routers"
    }

    fn longest_pause(&self) -> Option<Duration> {
        let intervals = self.by_key.values().filter_map(Router::interval);
        intervals.min().map(|shortest| shortest.duration() * 3)
    }

    fn fence(&mut self, pause: Duration, around: &mut Surroundings<'_>) {
        // What waits at the sockets is read after this: it says who has taken over.
        self.each(around, |router, desk| {
            let interval = router.interval();
            if interval.is_some_and(|interval| pause > interval.duration() * 3) {
                router.fence(desk);
            }
        });
    }

    fn describe(&self, snapshot: &mut Snapshot) {
        let statuses = self.by_key.iter().map(|(key, router)| {
            let lane = self.lanes.get(&key.lane);
            router.status(lane, snapshot.now)
        });
        snapshot.routers.extend(statuses);
        let displaced = self.displaced.iter().map(|(status, since)| RouterStatus {
            since: snapshot.now - *since,
            ..status.clone()
        });
        snapshot.routers.extend(displaced);
    }
}

type Displaced<'a> = Vec<(RouterKey, &'a VirtualRouter)>;

/// What is desired, on each link that it means. Where two routers of one family have one VRID on a
/// link, the first counts, and the other one is among the displaced.
fn place<'a>(
    desired: &'a DesiredSet,
    links: &[BTreeSet<u32>],
) -> (BTreeMap<RouterKey, &'a VirtualRouter>, Displaced<'a>) {
    let (mut wanted, mut displaced) = (BTreeMap::new(), Vec::new());
    for (router, selector) in desired.routers.iter().zip(&desired.router_selectors) {
        for index in links.get(usize::from(*selector)).into_iter().flatten() {
            let lane = LaneKey {
                index: *index,
                family: router.settings.family,
            };
            let vrid = router.settings.vrid;
            let key = RouterKey { lane, vrid };
            match wanted.entry(key) {
                Entry::Vacant(free) => drop(free.insert(router)),
                Entry::Occupied(_) => displaced.push((key, router)),
            }
        }
    }
    (wanted, displaced)
}

// A flood on one link must not keep the others, or the timers, waiting.
const PACKETS_PER_ROUND: usize = 64;

//! A model peer that reads what a session writes, and what it should know by then.

use crate::bgp::attribute::Attributes;
use crate::bgp::community::Community;
use crate::bgp::family::{Family, FamilySet, PerFamily};
use crate::bgp::message::{
    DecodeContext, Framer, LIMIT, MessageKind, RawMessage, RefreshKind, RouteRefresh, Update,
    Verdict,
};
use crate::bgp::next_hop::NextHop;
use crate::bgp::prefix::{Nlri, Prefix};
use crate::bgp::rib::table::path_ids;
use crate::bgp::rib::{AdjRibOut, Filled, Rib, Terms};
use crate::bgp::route::{NextHopMode, PeerSelection, Route, third_party_next_hop};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

pub(super) type Table = BTreeMap<Nlri, (Attributes, NextHop)>;

/// The other end of a session.
pub(super) struct Peer {
    pub(super) session: AdjRibOut,
    pub(super) table: Table,
    pub(super) ended: PerFamily<u32>,
    pub(super) refreshes: PerFamily<u32>,
    /// The lengths of the UPDATEs that arrived, and how many routes each had.
    pub(super) updates: Vec<(usize, usize)>,
    unrefreshed: PerFamily<Option<BTreeSet<Nlri>>>,
    may_end: bool,
}

impl Peer {
    pub(super) fn new(terms: Terms, rib: &Rib) -> Self {
        Self {
            session: AdjRibOut::new(terms, rib),
            table: Table::new(),
            ended: PerFamily::default(),
            refreshes: PerFamily::default(),
            updates: Vec::new(),
            unrefreshed: PerFamily::default(),
            may_end: false,
        }
    }

    pub(super) fn allow_end_of_rib(&mut self) {
        self.session.allow_end_of_rib();
        self.may_end = true;
    }

    /// Lets the session write once, and reads it.
    pub(super) fn fill(&mut self, rib: &Rib, desired: &[Route], room: usize) -> Filled {
        let mut octets = vec![0xa5; 3];
        let filled = self.session.fill(rib, &mut octets, room);
        assert!(octets.len() - 3 <= room, "{} of {room}", octets.len() - 3);
        assert_eq!(octets[..3], [0xa5; 3]);
        let messages = self.read(&octets[3..], desired);
        assert_eq!(messages, filled.messages);
        assert_eq!(filled.more, self.session.is_pending());
        filled
    }

    /// Lets the session write until it has nothing to say.
    pub(super) fn drain(&mut self, rib: &Rib, desired: &[Route]) -> Filled {
        let mut all = Filled::default();
        loop {
            let filled = self.fill(rib, desired, 65_536);
            all.messages += filled.messages;
            all.announced += filled.announced;
            all.withdrawn += filled.withdrawn;
            if !filled.more {
                return all;
            }
            assert!(filled.messages > 0, "stuck: {:?}", self.session);
        }
    }

    fn read(&mut self, octets: &[u8], desired: &[Route]) -> usize {
        let limit = self.session.terms().message_limit;
        let mut framer = Framer::new();
        if limit > LIMIT {
            framer.allow_extended_messages();
        }
        framer.feed(octets);
        let mut messages = 0;
        while let Some(message) = framer.next_message() {
            messages += 1;
            self.hear(message.unwrap(), desired);
        }
        messages
    }

    fn hear(&mut self, message: RawMessage<'_>, desired: &[Route]) {
        assert!(message.body.len() + 19 <= self.session.terms().message_limit);
        match message.kind {
            MessageKind::Update => self.update(message.body, desired),
            MessageKind::RouteRefresh => {
                self.refresh(RouteRefresh::decode(message.body).unwrap());
            }
            kind => panic!("{kind:?}"),
        }
    }

    fn update(&mut self, body: &[u8], desired: &[Route]) {
        let terms = self.session.terms();
        let context = DecodeContext {
            four_octet_as: terms.four_octet_as,
            families: FamilySet::ALL,
            add_path: terms.add_path.map(|most| most.is_some()),
            extended_next_hop: terms.extended_next_hop,
            ebgp: !terms.ibgp,
            first_as: None,
        };
        let families = terms.families;
        let update = Update::decode(body, &context).unwrap();
        assert_eq!(
            (update.verdict(), update.faults()),
            (Verdict::Accept, &[][..])
        );
        if let Some(family) = update.end_of_rib() {
            assert!(families.contains(family) && self.may_end);
            assert_eq!(
                self.known(family),
                expected(desired, self.session.terms(), family)
            );
            self.ended[family] += 1;
            return;
        }
        let mut routes = 0;
        for nlri in update.withdrawn() {
            assert!(
                self.table.remove(&nlri).is_some(),
                "{nlri} was never announced"
            );
            routes += 1;
        }
        let attributes = update.attributes();
        for reach in update.reached() {
            for nlri in reach.nlri {
                assert!(families.contains(nlri.prefix.family()));
                self.table
                    .insert(nlri, (attributes.clone(), reach.next_hop));
                if let Some(waiting) = &mut self.unrefreshed[nlri.prefix.family()] {
                    waiting.remove(&nlri);
                }
                routes += 1;
            }
        }
        self.updates.push((body.len() + 19, routes));
    }

    fn refresh(&mut self, mark: RouteRefresh) {
        let family = mark.family().unwrap();
        assert!(self.session.terms().enhanced_refresh);
        assert!(self.ended[family] > 0, "RFC 7313 section 4");
        if mark.kind == RefreshKind::Begin {
            self.unrefreshed[family] = Some(self.known(family).into_keys().collect());
            return;
        }
        // What did not come again between the marks is gone for the peer.
        for nlri in self.unrefreshed[family].take().unwrap() {
            self.table.remove(&nlri);
        }
        self.refreshes[family] += 1;
    }

    pub(super) fn known(&self, family: Family) -> Table {
        let known = self.table.iter();
        known
            .filter(|(nlri, _)| nlri.prefix.family() == family)
            .map(|(nlri, said)| (*nlri, said.clone()))
            .collect()
    }

    /// Checks that the peer knows what it should, and the session knows that.
    pub(super) fn check(&self, rib: &Rib, desired: &[Route]) {
        for family in Family::ALL {
            let expected = expected(desired, self.session.terms(), family);
            assert_eq!(self.known(family), expected);
            let counts = self.session.counts()[family];
            assert_eq!((counts.advertised, counts.pending), (expected.len(), 0));
        }
        for sent in self.session.routes(rib) {
            let known = self.table.get(&sent.nlri).cloned();
            assert_eq!(sent.announced, known, "{}", sent.nlri);
        }
    }
}

/// What the peer of a session should know, worked out the slow way.
pub(super) fn expected(desired: &[Route], terms: &Terms, family: Family) -> Table {
    let mut prefixes: BTreeMap<Prefix, Vec<&Route>> = BTreeMap::new();
    for route in desired {
        prefixes.entry(route.prefix).or_default().push(route);
    }
    let mut table = Table::new();
    for (prefix, routes) in prefixes {
        let heard = prefix.family() == family && terms.families.contains(family);
        let Some(route) = meant_for(terms, &routes).filter(|_| heard) else {
            continue;
        };
        for (path, next_hop) in paths(route, terms) {
            let path_id = terms.add_path[family].map(|_| path);
            if let Ok(next_hop) = next_hop {
                table.insert(
                    Nlri { path_id, prefix },
                    (attributes(route, terms), next_hop),
                );
            }
        }
    }
    table
}

fn meant_for<'a>(terms: &Terms, routes: &[&'a Route]) -> Option<&'a Route> {
    let mut named = None;
    let mut for_all = None;
    for route in routes.iter().copied() {
        match &route.peers {
            PeerSelection::All => for_all = for_all.or(Some(route)),
            PeerSelection::Named(peers) if peers.contains(&terms.peer) => {
                named = named.or(Some(route));
            }
            PeerSelection::Named(_) => {}
        }
    }
    named.or(for_all)
}

type Path = (u32, Result<NextHop, ()>);

fn paths(route: &Route, terms: &Terms) -> Vec<Path> {
    let family = route.prefix.family();
    let own = || (1, terms.own_next_hop[family].map_err(drop));
    let to = |path, address: IpAddr| {
        let next_hop = third_party_next_hop(family, address, terms.extended_next_hop);
        (path, next_hop.map_err(drop))
    };
    match &route.next_hop {
        NextHopMode::Own => vec![own()],
        NextHopMode::Exactly(address) => vec![to(1, *address)],
        NextHopMode::Nodes(nodes) if nodes.is_empty() => Vec::new(),
        NextHopMode::Nodes(nodes) => match terms.add_path[family] {
            None => vec![own()],
            Some(most) => {
                let of_family = |node: &&IpAddr| Family::of(**node) == family;
                let mut nodes: Vec<_> = nodes.iter().filter(of_family).copied().collect();
                nodes.truncate(most.into());
                nodes
                    .iter()
                    .map(|node| to(path_ids(&[*node])[0].0, *node))
                    .collect()
            }
        },
    }
}

fn attributes(route: &Route, terms: &Terms) -> Attributes {
    let mut attributes = Attributes::clone(&route.attributes);
    if terms.ibgp {
        attributes.local_pref = Some(attributes.local_pref.unwrap_or(100));
    } else {
        attributes.local_pref = None;
        attributes
            .as_path
            .prepend(terms.local_as, 1 + usize::from(route.prepend));
    }
    if terms.graceful_shutdown {
        attributes.communities.insert(Community::GRACEFUL_SHUTDOWN);
        attributes.local_pref = terms.ibgp.then_some(0);
    }
    attributes
}

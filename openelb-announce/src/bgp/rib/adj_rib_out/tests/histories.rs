//! Random histories: whatever happens in whatever order, the peers end up with what is desired.

use super::peer::Peer;
use super::terms;
use crate::bgp::attribute::Attributes;
use crate::bgp::community::Community;
use crate::bgp::family::{Family, FamilySet, PerFamily};
use crate::bgp::prefix::Prefix;
use crate::bgp::rib::{Rib, Terms};
use crate::bgp::route::{NextHopMode, PeerSelection, Route};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

#[derive(Clone, Debug)]
enum Step {
    Replace(Vec<Route>),
    Change(Vec<Route>, Vec<Prefix>),
    Fill { session: usize, room: usize },
    Refresh { session: usize, family: Family },
    Restart { session: usize },
    Shutdown { session: usize, graceful: bool },
    Renumber { session: usize, last: u8 },
    AllowEnd { session: usize },
    Reclaim { limit: usize },
}

const SESSIONS: usize = 4;

fn prefix() -> impl Strategy<Value = Prefix> {
    let v4 = (0..12_u8).prop_map(|last| Prefix::host([192, 0, 2, last].into()));
    let v6 = (0..12_u16).prop_map(|last| Prefix::host([0x2001, 0xdb8, 0, 0, 0, 0, 0, last].into()));
    let wide = Just(Prefix::truncate([192, 0, 2, 0].into(), 24).unwrap());
    prop_oneof![5 => v4, 5 => v6, 1 => wide]
}

fn next_hop() -> impl Strategy<Value = NextHopMode> {
    let nodes: Vec<IpAddr> = [
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.3",
        "2001:db8:1::1",
        "2001:db8:1::2",
    ]
    .map(|node| node.parse().unwrap())
    .into();
    let exactly = prop::sample::select(nodes.clone()).prop_map(NextHopMode::Exactly);
    // All of one family, or both, so that the fallback to a foreign family does not come up.
    let some = prop::sample::subsequence(nodes, 0..=5).prop_filter_map("both or none", |nodes| {
        let families: BTreeSet<_> = nodes.iter().map(|node| Family::of(*node)).collect();
        (families.len() != 1).then(|| NextHopMode::Nodes(nodes.into()))
    });
    prop_oneof![3 => Just(NextHopMode::Own), 1 => exactly, 2 => some]
}

fn peers() -> impl Strategy<Value = PeerSelection> {
    let named = prop::sample::subsequence(vec!["peer-0", "peer-1", "peer-2", "nobody"], 0..3);
    prop_oneof![
        3 => Just(PeerSelection::All),
        1 => named.prop_map(|names| names.into_iter().collect()),
    ]
}

fn route() -> impl Strategy<Value = Route> {
    (prefix(), next_hop(), peers(), 0..3_u16, 0..2_u8).prop_map(
        |(prefix, next_hop, peers, tag, prepend)| {
            let tags = (1..=tag).map(|low| Community::of(64_512, low));
            Route {
                prefix,
                attributes: Arc::new(Attributes {
                    communities: tags.collect(),
                    med: (tag == 2).then_some(7),
                    ..Attributes::default()
                }),
                next_hop,
                peers,
                prepend,
            }
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let session = 0..SESSIONS;
    let family = prop::sample::select(Family::ALL.to_vec());
    let room = prop_oneof![0..300_usize, Just(4096), Just(70_000)];
    prop_oneof![
        2 => prop::collection::vec(route(), 0..30).prop_map(Step::Replace),
        4 => (prop::collection::vec(route(), 0..4), prop::collection::vec(prefix(), 0..4))
            .prop_map(|(routes, removed)| Step::Change(routes, removed)),
        8 => (session.clone(), room).prop_map(|(session, room)| Step::Fill { session, room }),
        2 => (session.clone(), family).prop_map(|(session, family)| Step::Refresh { session, family }),
        1 => session.clone().prop_map(|session| Step::Restart { session }),
        1 => (session.clone(), any::<bool>())
            .prop_map(|(session, graceful)| Step::Shutdown { session, graceful }),
        1 => (session.clone(), 1..4_u8).prop_map(|(session, last)| Step::Renumber { session, last }),
        1 => session.prop_map(|session| Step::AllowEnd { session }),
        2 => (0..20_usize).prop_map(|limit| Step::Reclaim { limit }),
    ]
}

/// Four sessions that differ in everything: an internal one with add-path, an external one of
/// each family alone, and one with two-octet AS numbers and without marks.
fn terms_of(session: usize) -> Terms {
    let name = format!("peer-{session}");
    let base = terms(&name);
    match session {
        0 => Terms {
            ibgp: true,
            add_path: PerFamily::both(Some(2)),
            ..base
        },
        1 => Terms {
            families: FamilySet::new(true, false),
            ..base
        },
        2 => Terms {
            families: FamilySet::new(false, true),
            message_limit: 65_535,
            ..base
        },
        _ => Terms {
            four_octet_as: false,
            enhanced_refresh: false,
            ..base
        },
    }
}

/// The table, its desired contents and its sessions.
struct World {
    rib: Rib,
    desired: Vec<Route>,
    peers: Vec<Peer>,
}

impl World {
    fn new() -> Self {
        let rib = Rib::new();
        let peers = (0..SESSIONS).map(|session| Peer::new(terms_of(session), &rib));
        Self {
            peers: peers.collect(),
            rib,
            desired: Vec::new(),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Replace(desired) => {
                self.desired.clone_from(&desired);
                let changes = self.rib.replace(desired);
                self.note(&changes);
            }
            Step::Change(routes, removed) => {
                let put: BTreeSet<_> = routes.iter().map(|route| route.prefix).collect();
                self.desired.retain(|route| {
                    !removed.contains(&route.prefix) && !put.contains(&route.prefix)
                });
                self.desired.extend(routes.iter().cloned());
                let changes = self.rib.change(routes, &removed);
                self.note(&changes);
            }
            Step::Fill { session, room } => {
                self.peers[session].fill(&self.rib, &self.desired, room);
            }
            Step::Refresh { session, family } => {
                self.peers[session].session.refresh(&self.rib, family);
            }
            Step::Restart { session } => {
                self.peers[session] = Peer::new(terms_of(session), &self.rib);
            }
            Step::Shutdown { session, graceful } => self.retune(session, |terms| {
                terms.graceful_shutdown = graceful;
            }),
            Step::Renumber { session, last } => self.retune(session, |terms| {
                terms.own_next_hop = terms_with(last);
            }),
            Step::AllowEnd { session } => self.peers[session].allow_end_of_rib(),
            Step::Reclaim { limit } => self.reclaim(limit),
        }
    }

    fn note(&mut self, changes: &crate::bgp::rib::Changes) {
        for peer in &mut self.peers {
            peer.session.note(&self.rib, changes);
        }
    }

    fn retune(&mut self, session: usize, change: impl FnOnce(&mut Terms)) {
        let session = &mut self.peers[session].session;
        let mut terms = session.terms().clone();
        change(&mut terms);
        session.set_terms(terms, &self.rib);
    }

    fn reclaim(&mut self, limit: usize) {
        let sessions = self.peers.iter().map(|peer| &peer.session);
        self.rib.reclaim(&sessions, limit);
    }

    fn settle(&mut self) {
        for peer in &mut self.peers {
            peer.allow_end_of_rib();
            peer.drain(&self.rib, &self.desired);
            peer.check(&self.rib, &self.desired);
            let families = peer.session.terms().families;
            for family in Family::ALL {
                assert_eq!(peer.ended[family], u32::from(families.contains(family)));
            }
        }
    }
}

/// The own next hops of a node with another address.
fn terms_with(last: u8) -> PerFamily<Result<crate::bgp::NextHop, crate::bgp::route::NoNextHop>> {
    let address = [192, 0, 2, 200 + last].into();
    PerFamily {
        ipv4: crate::bgp::NextHop::v4(address).map_err(Into::into),
        ipv6: terms("any").own_next_hop.ipv6,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn whatever_happened_the_peers_end_with_what_is_desired(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.settle();
        // What is withdrawn everywhere leaves nothing behind.
        world.step(Step::Replace(Vec::new()));
        world.settle();
        world.reclaim(usize::MAX);
        prop_assert!(world.rib.is_empty() && world.peers.iter().all(|peer| peer.table.is_empty()));
        prop_assert_eq!(world.rib.free_slots(), world.rib.slot_count());
    }
}

//! What is learned from several peers, when it is told, and that it goes no further.

use super::{Bench, Input, Output, config, group, ip, open, peer, plain, route, set};
use crate::bgp::asn::Asn;
use crate::bgp::attribute::{AsPath, Attributes};
use crate::bgp::config::{Peer, RemoteAs, Settings};
use crate::bgp::family::{Family, FamilySet};
use crate::bgp::message::{
    AttributeBlock, Capability, GracefulRestart, Open, write_announcements, write_end_of_rib,
    write_withdrawals,
};
use crate::bgp::next_hop::NextHop;
use crate::bgp::policy::PrefixRange;
use crate::bgp::prefix::Nlri;
use crate::bgp::rib::NotLearned;
use crate::bgp::session::ConnectionId;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

const V4: Family = Family::Ipv4Unicast;

fn learning(change: impl FnOnce(&mut Settings)) -> Settings {
    set(|settings| {
        let ranges = ["10.244.0.0/16", "fd00:10:244::/56"];
        let ranges = ranges.map(|range| PrefixRange::within(range.parse().unwrap()));
        settings.import = ranges.to_vec();
        change(settings);
    })
}

fn leaf(number: u8) -> Peer {
    let address = IpAddr::from([192, 0, 2, number]);
    peer(&format!("leaf{number}"), address, learning(|_| {}))
}

/// Everybody's dials by address.
fn dials(bench: &mut Bench) -> BTreeMap<IpAddr, ConnectionId> {
    let dial = |output| match output {
        Output::Connect { connection, target } => Some((target.address, connection)),
        _ => None,
    };
    bench.take().into_iter().filter_map(dial).collect()
}

/// The OPEN of a peer that keeps forwarding while it restarts.
fn graceful(router_id: u32) -> Open {
    let mut open = open(router_id);
    let families = FamilySet::ALL.iter().map(|family| (family, true));
    open.capabilities
        .push(Capability::GracefulRestart(GracefulRestart {
            restarting: false,
            notification: false,
            time: 120,
            families: families.collect(),
        }));
    open
}

/// Speakers 2 and 3 are up, each on its connection.
fn two_leaves() -> (Bench, ConnectionId, ConnectionId) {
    let mut bench = Bench::with(config([leaf(2), leaf(3)]));
    let dials = dials(&mut bench);
    let (two, three) = (dials[&ip("192.0.2.2")], dials[&ip("192.0.2.3")]);
    bench.open(two, "192.0.2.2", &graceful(2));
    bench.open(three, "192.0.2.3", &graceful(3));
    (bench, two, three)
}

/// An UPDATE about IPv4 prefixes through 192.0.2.`last`.
fn update(prefixes: &[&str], last: u8, path: &[u32]) -> Vec<u8> {
    let attributes = Attributes {
        as_path: AsPath::sequence(path.iter().copied().map(Asn)),
        ..Attributes::default()
    };
    let next_hop = NextHop::v4([192, 0, 2, last].into()).unwrap();
    let block = AttributeBlock::new(&attributes, next_hop, true).unwrap();
    let mut octets = Vec::new();
    let mut nlri = nlri(prefixes).into_iter();
    write_announcements(&mut octets, 4096, &block, &mut nlri).unwrap();
    octets
}

fn withdrawal(prefixes: &[&str]) -> Vec<u8> {
    let mut octets = Vec::new();
    write_withdrawals(&mut octets, 4096, V4, &mut nlri(prefixes).into_iter()).unwrap();
    octets
}

fn nlri(prefixes: &[&str]) -> Vec<Nlri> {
    let prefix = |text: &&str| Nlri::from(text.parse::<crate::bgp::Prefix>().unwrap());
    prefixes.iter().map(prefix).collect()
}

impl Bench {
    fn say(&mut self, connection: ConnectionId, octets: &[u8]) {
        self.input(Input::Received { connection, octets });
    }

    fn end_of_rib(&mut self, connection: ConnectionId) {
        let mut octets = Vec::new();
        for family in Family::ALL {
            write_end_of_rib(&mut octets, family);
        }
        self.say(connection, &octets);
    }

    fn learned(&mut self) -> Vec<String> {
        let learned = self.speaker.learned().routes;
        learned.iter().map(|it| it.route.to_string()).collect()
    }

    fn is_complete(&mut self) -> bool {
        self.speaker.learned().is_complete
    }

    /// How often the front end was told to look.
    fn told(&self) -> usize {
        let events = self.events();
        events
            .iter()
            .filter(|it| it.ends_with("are learned"))
            .count()
    }
}

#[test]
fn equally_good_routes_of_two_peers_are_learned_together_and_one_goes_alone() {
    let (mut bench, two, three) = two_leaves();
    bench.say(
        two,
        &update(&["10.244.1.0/24", "203.0.113.0/24"], 2, &[64_513]),
    );
    bench.say(three, &update(&["10.244.1.0/24"], 3, &[64_513]));
    assert_eq!(bench.learned(), ["10.244.1.0/24 via 192.0.2.2, 192.0.2.3"]);
    bench.say(two, &withdrawal(&["10.244.1.0/24"]));
    assert_eq!(bench.learned(), ["10.244.1.0/24 via 192.0.2.3"]);
    bench.say(three, &withdrawal(&["10.244.1.0/24"]));
    assert!(bench.learned().is_empty());
}

#[test]
fn whoever_does_not_look_is_told_once_and_after_looking_again() {
    let (mut bench, two, _) = two_leaves();
    assert_eq!(bench.told(), 0);
    bench.say(two, &update(&["10.244.1.0/24"], 2, &[64_513]));
    bench.say(two, &update(&["10.244.2.0/24"], 2, &[64_513]));
    assert_eq!(bench.told(), 1);
    bench.learned();
    // The same again is no news.
    bench.say(two, &update(&["10.244.2.0/24"], 2, &[64_513]));
    assert_eq!(bench.told(), 1);
    bench.say(two, &withdrawal(&["10.244.2.0/24"]));
    assert_eq!(bench.told(), 2);
}

#[test]
fn what_was_learned_is_told_to_nobody() {
    // Both an internal and an external peer, and a table of our own that is complete.
    let internal = learning(|it| it.remote_as = RemoteAs::Internal);
    let internal = peer("leaf3", ip("192.0.2.3"), internal);
    let mut bench = Bench::with(config([leaf(2), internal, plain("leaf4", "192.0.2.4")]));
    bench
        .speaker
        .announce(vec![route("198.51.100.1/32")], bench.now);
    bench.speaker.synced(bench.now);
    let dials = dials(&mut bench);
    let mut ours = graceful(3);
    ours.asn = Asn(64_512);
    ours.capabilities[0] = Capability::FourOctetAs(Asn(64_512));
    for (last, open) in [(2, graceful(2)), (3, ours), (4, graceful(4))] {
        let address = IpAddr::from([192, 0, 2, last]);
        bench.open(dials[&address], &address.to_string(), &open);
    }
    bench.say(dials[&ip("192.0.2.3")], &update(&["10.244.3.0/24"], 3, &[]));
    bench.say(
        dials[&ip("192.0.2.2")],
        &update(&["10.244.2.0/24"], 2, &[64_513]),
    );
    assert_eq!(bench.learned().len(), 2);
    for connection in dials.values() {
        assert_eq!(bench.transmit(*connection), Vec::<u8>::new());
    }
    for name in ["leaf2", "leaf3", "leaf4"] {
        let sent = bench.speaker.routes(&name.into()).unwrap();
        let sent: Vec<_> = sent.map(|sent| sent.nlri.prefix.to_string()).collect();
        assert_eq!(sent, ["198.51.100.1/32"], "{name}");
    }
}

#[test]
fn a_prefix_that_this_speaker_announces_itself_is_not_learned_meanwhile() {
    let (mut bench, two, _) = two_leaves();
    bench.say(two, &update(&["10.244.1.0/24"], 2, &[64_513]));
    bench.learned();
    bench
        .speaker
        .announce(vec![route("10.244.1.0/24")], bench.now);
    bench.drain();
    assert_eq!(bench.told(), 2);
    assert!(bench.learned().is_empty());
    let hidden = bench.speaker.not_learned(&"leaf2".into()).unwrap();
    assert_eq!(hidden[0].1, NotLearned::AnnouncedHere);
    bench.speaker.withdraw_all(bench.now);
    bench.drain();
    assert_eq!(bench.learned(), ["10.244.1.0/24 via 192.0.2.2"]);
}

#[test]
fn a_route_through_us_or_by_us_is_not_learned_and_says_why() {
    let (mut bench, two, _) = two_leaves();
    bench.say(two, &update(&["10.244.1.0/24"], 2, &[64_513, 64_512]));
    bench.say(two, &update(&["10.244.2.0/24"], 1, &[64_513]));
    assert!(bench.learned().is_empty());
    let mut refused = bench.speaker.not_learned(&"leaf2".into()).unwrap();
    refused.sort_by_key(|(nlri, _)| *nlri);
    let words: Vec<_> = refused.iter().map(|(_, why)| why.to_string()).collect();
    assert_eq!(
        words,
        [
            "its AS_PATH holds our AS 64512: it began here or went through here",
            "its next hop 192.0.2.1 is this host",
        ]
    );
    assert!(bench.speaker.not_learned(&"nobody".into()).is_none());
}

#[test]
fn routes_of_a_peer_that_restarts_stay_until_its_time_is_over() {
    let (mut bench, two, _) = two_leaves();
    bench.say(two, &update(&["10.244.1.0/24"], 2, &[64_513]));
    bench.close(two);
    assert_eq!(bench.learned(), ["10.244.1.0/24 via 192.0.2.2"]);
    bench.run(119);
    assert_eq!(bench.learned().len(), 1);
    bench.run(2);
    assert!(bench.learned().is_empty());
}

#[test]
fn routes_that_a_restarted_peer_does_not_send_again_go_with_its_end_of_rib() {
    let (mut bench, two, _) = two_leaves();
    bench.say(
        two,
        &update(&["10.244.1.0/24", "10.244.2.0/24"], 2, &[64_513]),
    );
    bench.close(two);
    bench.run(3);
    let again = dials(&mut bench)[&ip("192.0.2.2")];
    bench.open(again, "192.0.2.2", &graceful(2));
    bench.say(again, &update(&["10.244.2.0/24"], 2, &[64_513]));
    assert_eq!(bench.learned().len(), 2);
    bench.end_of_rib(again);
    assert_eq!(bench.learned(), ["10.244.2.0/24 via 192.0.2.2"]);
}

#[test]
fn routes_of_a_peer_without_graceful_restart_go_with_its_session() {
    let mut bench = Bench::with(config([leaf(2)]));
    let two = dials(&mut bench)[&ip("192.0.2.2")];
    bench.open(two, "192.0.2.2", &open(2));
    bench.say(two, &update(&["10.244.1.0/24"], 2, &[64_513]));
    assert_eq!(bench.learned().len(), 1);
    bench.close(two);
    assert!(bench.learned().is_empty());
}

#[test]
fn kept_routes_of_a_peer_go_when_it_is_removed_or_taken_down() {
    let (mut bench, two, three) = two_leaves();
    bench.say(two, &update(&["10.244.2.0/24"], 2, &[64_513]));
    bench.say(three, &update(&["10.244.3.0/24"], 3, &[64_513]));
    bench.close(two);
    bench.close(three);
    assert_eq!(bench.learned().len(), 2);
    let down = learning(|it| it.admin_down = Some("maintenance".to_owned()));
    bench.configure(config([peer("leaf2", ip("192.0.2.2"), down)]));
    assert!(bench.learned().is_empty());
}

#[test]
fn what_was_learned_is_complete_when_every_peer_has_sent_end_of_rib() {
    let (mut bench, two, three) = two_leaves();
    bench.end_of_rib(two);
    assert!(!bench.is_complete());
    bench.end_of_rib(three);
    assert!(bench.is_complete());
    assert_eq!(bench.told(), 1);
}

#[test]
fn a_peer_that_never_comes_is_waited_for_no_longer_than_the_deferral_time() {
    let (mut bench, two, _) = two_leaves();
    bench.end_of_rib(two);
    bench.run(359);
    assert!(!bench.is_complete());
    bench.run(1);
    assert!(bench.is_complete());
}

#[test]
fn nothing_is_complete_before_there_is_anybody_to_learn_from() {
    let mut bench = Bench::with(config([plain("leaf1", "192.0.2.9")]));
    assert!(!bench.is_complete());
    bench.configure(config([leaf(2)]));
    assert!(!bench.is_complete());
    assert_eq!(bench.told(), 0);
}

/// Whoever connects out of 192.0.2.0/24 may, up to a limit.
fn members(limit: u32, settings: Settings) -> crate::bgp::config::Config {
    let mut dynamic = config([]);
    let mut members = group("192.0.2.0/24", limit);
    members.settings = settings;
    dynamic.dynamic = vec![members];
    dynamic
}

/// Speaker 2 came out of the range, announced 10.244.1.0/24, and its connection broke.
fn gone_member(limit: u32, said: &Open) -> Bench {
    let mut bench = Bench::with(members(limit, learning(|_| {})));
    let connection = bench.accept("192.0.2.2", None).unwrap().connection;
    bench.establish(connection, said);
    bench.say(connection, &update(&["10.244.1.0/24"], 2, &[64_513]));
    assert_eq!(bench.learned().len(), 1);
    bench.close(connection);
    bench
}

#[test]
fn routes_of_a_dynamic_neighbor_without_graceful_restart_go_with_its_connection() {
    let mut bench = gone_member(9, &open(2));
    assert!(bench.learned().is_empty());
    assert!(bench.status().is_empty());
}

#[test]
fn routes_of_a_dynamic_neighbor_that_restarts_stay_until_its_time_is_over_and_it_goes_with_them() {
    let mut bench = gone_member(9, &graceful(2));
    assert_eq!(bench.learned(), ["10.244.1.0/24 via 192.0.2.2"]);
    assert_eq!(bench.status()[0].families.ipv4.received_stale, 1);
    bench.run(119);
    assert_eq!(bench.learned().len(), 1);
    bench.run(2);
    assert!(bench.learned().is_empty());
    assert!(bench.status().is_empty());
}

#[test]
fn a_dynamic_neighbor_that_comes_back_confirms_its_routes_or_loses_them_with_end_of_rib() {
    let mut bench = gone_member(9, &graceful(2));
    bench.run(5);
    let again = bench.accept("192.0.2.2", None).unwrap().connection;
    bench.establish(again, &graceful(2));
    bench.say(again, &update(&["10.244.2.0/24"], 2, &[64_513]));
    assert_eq!(bench.learned().len(), 2);
    bench.end_of_rib(again);
    assert_eq!(bench.learned(), ["10.244.2.0/24 via 192.0.2.2"]);
    assert_eq!(bench.status().len(), 1);
}

#[test]
fn dynamic_neighbors_that_are_gone_make_room_for_those_that_come() {
    let mut bench = gone_member(1, &graceful(2));
    bench.accept("192.0.2.3", None).unwrap();
    assert!(bench.learned().is_empty());
    assert_eq!(bench.status().len(), 1);
    bench.accept("192.0.2.4", None).unwrap_err();
}

#[test]
fn a_group_that_is_taken_down_or_learns_no_more_forgets_who_is_gone() {
    let down = learning(|it| it.admin_down = Some("maintenance".to_owned()));
    let deaf = learning(|it| it.import.clear());
    for settings in [down, deaf] {
        let mut bench = gone_member(9, &graceful(2));
        bench.configure(members(9, settings));
        assert!(bench.learned().is_empty());
        assert!(bench.status().is_empty());
    }
    let mut bench = gone_member(9, &graceful(2));
    bench.configure(config([]));
    assert!(bench.learned().is_empty());
    assert!(bench.status().is_empty());
}

/// One thing that a peer does, or that happens to it. 2 and 3 are dialled, the others come by themselves.
#[derive(Clone, Debug)]
enum Step {
    Announce(u8, Vec<u8>, Vec<u32>),
    Withdraw(u8, Vec<u8>),
    Close(u8),
    Open(u8, bool),
    Arrive(u8, bool),
    EndOfRib(u8),
    Import(u8),
    Own(Vec<u8>),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let peer = || 2_u8..8;
    let some = || prop::collection::vec(0_u8..6, 0..4);
    // 64512 is our own AS.
    let path = prop::collection::vec(64_511_u32..64_514, 0..3);
    prop_oneof![
        4 => (peer(), some(), path).prop_map(|(peer, some, path)| Step::Announce(peer, some, path)),
        3 => (peer(), some()).prop_map(|(peer, some)| Step::Withdraw(peer, some)),
        1 => peer().prop_map(Step::Close),
        2 => (2_u8..4, any::<bool>()).prop_map(|(peer, is_graceful)| Step::Open(peer, is_graceful)),
        2 => (4_u8..8, any::<bool>()).prop_map(|(peer, is_graceful)| Step::Arrive(peer, is_graceful)),
        1 => peer().prop_map(Step::EndOfRib),
        1 => (0_u8..3).prop_map(Step::Import),
        1 => some().prop_map(Step::Own),
        1 => (0_u64..200).prop_map(Step::Wait),
    ]
}

/// Two peers and whoever comes, and the connections that are up.
struct History {
    bench: Bench,
    up: BTreeMap<u8, ConnectionId>,
}

impl History {
    fn new() -> Self {
        let (bench, two, three) = two_leaves();
        let up = BTreeMap::from([(2, two), (3, three)]);
        let mut history = Self { bench, up };
        history.import(0);
        history
    }

    fn act(&mut self, step: Step) {
        let names = |some: &[u8]| -> Vec<String> {
            some.iter().map(|it| format!("10.244.{it}.0/24")).collect()
        };
        match step {
            Step::Announce(peer, some, mut path) => {
                path.insert(0, 64_513);
                let names = names(&some);
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                self.say(peer, &update(&names, peer, &path));
            }
            Step::Withdraw(peer, some) => {
                let names = names(&some);
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                self.say(peer, &withdrawal(&names));
            }
            Step::Close(peer) => {
                if let Some(connection) = self.up.remove(&peer) {
                    self.bench.close(connection);
                }
            }
            Step::Open(peer, is_graceful) => self.open(peer, is_graceful),
            Step::Arrive(peer, is_graceful) => self.arrive(peer, is_graceful),
            Step::EndOfRib(peer) => {
                if let Some(connection) = self.up.get(&peer) {
                    self.bench.end_of_rib(*connection);
                }
            }
            Step::Import(length) => self.import(length),
            Step::Own(some) => {
                let routes = names(&some).iter().map(|it| route(it)).collect();
                self.bench.speaker.announce(routes, self.bench.now);
                self.bench.drain();
            }
            Step::Wait(seconds) => self.bench.run(seconds),
        }
        self.forget_ended();
    }

    fn say(&mut self, peer: u8, octets: &[u8]) {
        if let Some(connection) = self.up.get(&peer) {
            self.bench.say(*connection, octets);
        }
    }

    /// The last dial to a peer that is down succeeds.
    fn open(&mut self, peer: u8, is_graceful: bool) {
        let address = IpAddr::from([192, 0, 2, peer]);
        let is_its = |output: &&Output| matches!(output, Output::Connect { target, .. } if target.address == address);
        let Some(Output::Connect { connection, .. }) =
            self.bench.outputs.iter().rfind(is_its).cloned()
        else {
            return;
        };
        if self.up.contains_key(&peer) {
            return;
        }
        self.bench.open(
            connection,
            &address.to_string(),
            &opening(peer, is_graceful),
        );
        self.up.insert(peer, connection);
    }

    /// A peer out of the range connects, if it may.
    fn arrive(&mut self, peer: u8, is_graceful: bool) {
        if self.up.contains_key(&peer) {
            return;
        }
        if let Ok(accepted) = self.bench.accept(&format!("192.0.2.{peer}"), None) {
            let connection = accepted.connection;
            self.bench
                .establish(connection, &opening(peer, is_graceful));
            self.up.insert(peer, connection);
        }
    }

    /// More or less of 10.244.0.0/16 is imported.
    fn import(&mut self, length: u8) {
        let range = format!("10.244.0.0/{}", 20 + length).parse().unwrap();
        let import = vec![PrefixRange::within(range)];
        let mut all = members(2, learning(|it| it.import.clone_from(&import)));
        all.peers = vec![leaf(2), leaf(3)];
        for peer in &mut all.peers {
            peer.settings.import.clone_from(&import);
        }
        self.bench.configure(all);
    }

    /// Every connection breaks, and nobody comes back.
    fn end(&mut self) {
        for (_, connection) in std::mem::take(&mut self.up) {
            self.bench.close(connection);
        }
        self.bench.run(400);
    }

    /// What the speaker closed is closed.
    fn forget_ended(&mut self) {
        let ended = |output: &Output| match output {
            Output::Close { connection, .. } => Some(*connection),
            _ => None,
        };
        let ended: BTreeSet<_> = self.bench.outputs.iter().filter_map(ended).collect();
        let gone: Vec<_> = self.up.extract_if(.., |_, it| ended.contains(it)).collect();
        for (_, connection) in gone {
            self.bench.close(connection);
        }
    }
}

fn opening(peer: u8, is_graceful: bool) -> Open {
    if is_graceful {
        graceful(peer.into())
    } else {
        open(peer.into())
    }
}

proptest! {
    #[test]
    fn whatever_happened_what_is_learned_is_what_choosing_anew_would_choose(
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let mut history = History::new();
        for step in steps {
            history.act(step);
            let learned = history.bench.speaker.learned().routes;
            for it in &learned {
                let prefix = crate::bgp::Prefix::from(it.route.destination());
                let is_known = |peer: &crate::bgp::route::PeerName| {
                    let mut received = history.bench.speaker.received(peer).unwrap();
                    received.any(|it| it.is_imported && it.nlri.prefix == prefix)
                };
                prop_assert!(it.peers.iter().all(is_known), "{it:?}");
            }
            history.bench.speaker.select_all();
            prop_assert_eq!(&history.bench.speaker.learned().routes, &learned);
            history.bench.drain();
        }
        history.end();
        prop_assert!(history.bench.learned().is_empty());
        prop_assert_eq!(history.bench.status().len(), 2, "nobody is left of the range");
    }
}

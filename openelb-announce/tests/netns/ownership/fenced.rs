//! An outer fence: whoever has no permit owns nothing, though nobody hears the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use openelb_announce::announcer::{AnnounceError, Announcer, PermitRequest};

use super::super::world::{Host, eventually, with_hosts};
use super::census::Census;
use super::cluster::{Plan, mac, options, segment, shares, until_mutual};

#[test]
fn an_election_with_fences_is_refused_where_there_is_nobody_to_ask() {
    with_hosts(|_, [one]| {
        let node = one.run(|| Announcer::start(options()).unwrap());
        let refused = node.set(fenced().desired(one.number));
        assert!(
            matches!(refused, Err(AnnounceError::NeedsFence { fences: FENCES })),
            "{refused:?}"
        );
    });
}

#[test]
fn a_node_owns_what_it_has_permits_for_and_falls_silent_when_they_end() {
    with_hosts(|_, [one, client]| {
        let plan = fenced();
        let (node, requests) = join(&plan, &one);
        let census = Census::start(&client, &plan.addresses());
        let mut wanted = BTreeSet::new();
        eventually("it wants all permits", || {
            wanted.extend(requests.try_iter().map(|it| {
                assert!(it.wanted && *it.interface == *"eth0", "{it:?}");
                it.fence
            }));
            wanted.len() == usize::from(FENCES)
        });
        census.ask_more(50);
        assert_eq!(census.answers(0, mac(&one)), 0);
        let permit_all = |span| (0..FENCES).for_each(|fence| node.permit("eth0", fence, span));
        permit_all(Some(Duration::from_mins(10)));
        assert_eq!(shares(&census.settled(&plan.addresses())).len(), 1);
        // One that is taken back takes its share with it, the others stay.
        node.permit("eth0", 0, None);
        eventually("it gave up a part", || {
            let owned = owned(&node);
            owned > 0 && owned < segment(&node).shards.len()
        });
        // Those that are not renewed end by themselves.
        permit_all(Some(Duration::from_millis(300)));
        eventually("it owns everything again", || {
            owned(&node) == segment(&node).shards.len()
        });
        eventually("it owns nothing", || owned(&node) == 0);
        let ended = census.asked();
        census.ask_more(50);
        assert_eq!(census.answers(ended, mac(&one)), 0);
        node.stop();
        let given_back: BTreeSet<u16> = requests
            .iter()
            .filter(|it| !it.wanted)
            .map(|it| it.fence)
            .collect();
        assert_eq!(given_back.len(), usize::from(FENCES));
    });
}

#[test]
fn of_two_nodes_that_do_not_hear_each_other_the_holder_of_the_permit_answers_alone() {
    with_hosts(|world, [one, two, client]| {
        let plan = fenced();
        let census = Census::start(&client, &plan.addresses());
        let lease = Lease::default();
        let nodes = [&one, &two].map(|host| Holder::start(&plan, host, &lease));
        until_mutual(&nodes.each_ref().map(|node| &*node.announcer), 1);
        let before = census.settled(&plan.addresses());
        assert_eq!(shares(&before).len(), 2, "they share the permits");
        world.on_switch("nft add table bridge t");
        world.on_switch("nft add chain bridge t c { type filter hook forward priority 0 ; }");
        world.on_switch("nft add rule bridge t c udp dport 7947 drop");
        eventually("neither hears the other", || {
            nodes
                .iter()
                .all(|node| segment(&node.announcer).status.nodes.is_empty())
        });
        census.ask_more(100);
        assert_eq!(census.settled(&plan.addresses()), before);
        assert_eq!(census.doubles(0), []);
        // The permits of one that is gone come to the other once they are over.
        let [gone, _left] = nodes;
        drop(gone);
        eventually("the other answers for everything", || {
            shares(&census.settled(&plan.addresses()))
                .into_keys()
                .eq([mac(&two)])
        });
        assert_eq!(census.doubles(0), []);
    });
}

fn fenced() -> Plan {
    Plan {
        fences: Some(FENCES),
        ..Plan::default()
    }
}

fn join(plan: &Plan, host: &Host) -> (Announcer, Receiver<PermitRequest>) {
    let (sender, requests) = channel();
    let announcer = host.run(|| Announcer::start_fenced(options(), sender).unwrap());
    announcer.set(plan.desired(host.number)).unwrap();
    (announcer, requests)
}

/// How many of the shards with addresses a node owns.
fn owned(node: &Announcer) -> usize {
    let shards = segment(node).shards;
    shards.iter().filter(|it| it.owned_for.is_some()).count()
}

/// Who holds which permit until when.
type Lease = Arc<Mutex<BTreeMap<u16, (u8, Instant)>>>;

/// A node, and what asks for its permits.
struct Holder {
    announcer: Arc<Announcer>,
    stop: Arc<AtomicBool>,
}

impl Holder {
    fn start(plan: &Plan, host: &Host, lease: &Lease) -> Self {
        let (announcer, requests) = join(plan, host);
        let announcer = Arc::new(announcer);
        let stop = Arc::new(AtomicBool::new(false));
        let (number, lease) = (host.number, Arc::clone(lease));
        let (asked, stopped) = (Arc::clone(&announcer), Arc::clone(&stop));
        std::thread::spawn(move || {
            let mut wanted = BTreeSet::new();
            while !stopped.load(Ordering::Relaxed) {
                for request in requests.try_iter() {
                    if request.wanted {
                        wanted.insert(request.fence);
                    } else {
                        wanted.remove(&request.fence);
                        give_back(&lease, number, request.fence);
                    }
                }
                for fence in wanted.iter().filter(|fence| hold(&lease, number, **fence)) {
                    asked.permit("eth0", *fence, Some(LEASE / 2));
                }
                std::thread::sleep(LEASE / 40);
            }
        });
        Self { announcer, stop }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Gets the permit of a fence group, or renews it; false while another node has it.
#[expect(
    clippy::disallowed_methods,
    reason = "a lease is a matter of real time"
)]
fn hold(lease: &Lease, number: u8, fence: u16) -> bool {
    let now = Instant::now();
    let mut holders = lease.lock().unwrap();
    let is_free = |(holder, until): &(u8, Instant)| *holder == number || *until <= now;
    let is_ours = holders.get(&fence).is_none_or(is_free);
    if is_ours {
        holders.insert(fence, (number, now + LEASE));
    }
    is_ours
}

fn give_back(lease: &Lease, number: u8, fence: u16) {
    let mut holders = lease.lock().unwrap();
    holders.retain(|held, (holder, _)| *held != fence || *holder != number);
}

const FENCES: u16 = 4;
const LEASE: Duration = Duration::from_secs(4);

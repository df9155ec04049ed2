//! Beats that are not what they should be: refused, counted, told once, and without effect.

use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::socket::{MsgFlags, recv, send};
use openelb_announce::announcer::{Announcer, Event, Options};
use openelb_announce::ownership::{self, Refusal};

use super::super::world::{Host, eventually, with_hosts};
use super::census::{self, Census};
use super::cluster::{Plan, mac, segment, shares, until_mutual};

fn refused(announcer: &Announcer, reason: Refusal) -> u64 {
    let counters = segment(announcer).status.counters;
    counters.refused.get(&reason).copied().unwrap_or(0)
}

/// How often a refusal for this reason was told.
fn told(announcer: &Announcer, wanted: Refusal) -> usize {
    let is_it = |event: &Event| {
        matches!(
            event,
            Event::Ownership { event: ownership::Event::Refused { reason, .. }, .. } if *reason == wanted
        )
    };
    let events = std::iter::from_fn(|| announcer.events().try_recv().ok());
    events.filter(is_it).count()
}

#[test]
fn beats_signed_with_another_key_are_counted_told_once_and_change_nothing() {
    with_hosts(|_, [one, two, stranger, client]| {
        let plan = Plan::default();
        let (census, nodes, before) = plan.form([&one, &two], &client);
        let other = Plan {
            secret: "a secret of somebody else",
            ..Plan::default()
        };
        // It beats, but has no address of the others.
        let mut desired = other.desired(3);
        desired.announcements.truncate(1);
        desired.announcements[0].address = "192.0.2.250".parse().unwrap();
        let strange = stranger.run(|| Announcer::start(Options::default()).unwrap());
        strange.set(desired).unwrap();
        for node in &nodes {
            eventually("many were refused", || refused(node, Refusal::Key) >= 10);
            assert_eq!(told(node, Refusal::Key), 1);
            assert_eq!(segment(node).status.nodes.len(), 1);
        }
        assert_eq!(census.settled(&plan.addresses()), before);
        assert_eq!(census.doubles(0), []);
    });
}

#[test]
fn beats_that_came_through_a_router_are_refused() {
    with_hosts(|world, [one, two, far, client]| {
        let plan = Plan::default();
        let (census, nodes, before) = plan.form([&one, &two], &client);
        let port = format!("p{}eth0", far.number);
        world.on_switch("nft add table netdev t");
        world.on_switch(&format!(
            "nft add chain netdev t in {{ type filter hook ingress device {port} priority 0 ; }}"
        ));
        world.on_switch("nft add rule netdev t in udp dport 7947 ip6 hoplimit set 254");
        world.on_switch("nft add rule netdev t in udp dport 7947 ip ttl set 254");
        let _far = plan.join(&far);
        for node in &nodes {
            eventually("many were refused", || {
                refused(node, Refusal::HopLimit) >= 10
            });
            assert_eq!(segment(node).status.nodes.len(), 1);
        }
        // It hears claims of others, who do not hear it: it takes nothing from them.
        assert_eq!(census.settled(&plan.addresses()), before);
        assert_eq!(census.answers(0, mac(&far)), 0);
        assert_eq!(census.doubles(0), []);
    });
}

/// What was beaten by `host` over IPv4, as frames, until `enough` were heard on `listener`.
fn record(listener: &Host, host: &Host, enough: usize) -> Vec<Vec<u8>> {
    let socket = listener.run(census::open);
    let from = mac(host).octets();
    let mut beats = Vec::new();
    let mut room = [0; 1600];
    eventually("beats were heard", || {
        while let Ok(length) = recv(socket.as_raw_fd(), &mut room, MsgFlags::empty()) {
            let frame = &room[..length];
            let port = 7947_u16.to_be_bytes();
            if frame.get(6..12) == Some(&from[..]) && frame.get(36..38) == Some(&port[..]) {
                let mut beat = frame.to_vec();
                // Another hardware address, or the bridge would look for the victim at the wrong
                // port; and no UDP checksum, which IPv4 allows and veth leaves unfinished.
                beat[6..12].copy_from_slice(&[0x02, 0x5e, 0xed, 0, 0, 2]);
                beat[40..42].fill(0);
                beats.push(beat);
            }
        }
        beats.len() >= enough
    });
    beats
}

/// Frames that are sent over and over until this is dropped.
struct Attack {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Attack {
    fn start(host: &Host, frames: Vec<Vec<u8>>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let socket = host.run(census::open);
        let over = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                for frame in &frames {
                    let _ = send(socket.as_raw_fd(), frame, MsgFlags::empty());
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self {
            is_over,
            thread: Some(thread),
        }
    }
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[test]
fn a_dead_nodes_beats_played_back_keep_nothing_alive() {
    with_hosts(|_, [one, two, client]| {
        let plan = Plan::default();
        let census = Census::start(&client, &plan.addresses());
        let victim = plan.spawn_plain(&one);
        let heir = plan.join(&two);
        until_mutual(&[&heir], 1);
        let before = census.settled(&plan.addresses());
        assert!(shares(&before).contains_key(&mac(&one)));
        let beats = record(&client, &one, 12);
        let attack = Attack::start(&client, beats);
        victim.signal("KILL");
        eventually("the heir has everything", || {
            shares(&census.settled(&plan.addresses()))
                .into_keys()
                .eq([mac(&two)])
        });
        // It goes on, and brings nobody back.
        let heard = segment(&heir).status.counters.heard;
        census.ask_more(100);
        let status = segment(&heir).status;
        assert_eq!((status.counters.heard, status.nodes), (heard, Vec::new()));
        assert_eq!(census.doubles(0), []);
        drop(attack);
    });
}

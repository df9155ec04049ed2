//! Each side takes over from the other, for every kind of other router.

use std::time::{SystemTime, UNIX_EPOCH};

use openelb_announce::vrrp::{Event, Family, State, machine::Cause};

use crate::capture::Capture;
use crate::node::{Node, until_found_at, vip};
use crate::other::{Kind, with_routers};
use crate::world::{Host, eventually};

#[test]
fn openelb_49_keepalived_and_we_take_over_from_each_other_in_version_2() {
    with_routers(|_, hosts| take_turns(Kind::KeepalivedV2, &hosts));
}

#[test]
fn openelb_49_keepalived_and_we_take_over_from_each_other_over_ipv4() {
    with_routers(|_, hosts| take_turns(Kind::Keepalived(Family::Ipv4), &hosts));
}

#[test]
fn openelb_49_keepalived_and_we_take_over_from_each_other_over_ipv6() {
    with_routers(|_, hosts| take_turns(Kind::Keepalived(Family::Ipv6), &hosts));
}

#[test]
fn openelb_49_frr_and_we_take_over_from_each_other_over_ipv4() {
    with_routers(|_, hosts| take_turns(Kind::Frr(Family::Ipv4), &hosts));
}

#[test]
fn openelb_49_frr_and_we_take_over_from_each_other_over_ipv6() {
    with_routers(|_, hosts| take_turns(Kind::Frr(Family::Ipv6), &hosts));
}

fn take_turns(kind: Kind, [node, peer, client]: &[Host; 3]) {
    let family = kind.family();
    let wire = Wire::watch(kind, client);
    let ours = Node::start(node, vec![kind.router(200)]);
    ours.until(family, State::Active);
    let other = kind.start(peer, 100);

    // We leave, and come back with a higher priority.
    let since = now();
    ours.set(Vec::new());
    other.until_active(true);
    wire.tell("we leave", since, peer);
    ours.set(vec![kind.router(200)]);
    ours.until(family, State::Active);
    other.until_active(false);
    until_found_at(client, family, &node.mac("eth0"));

    // We become unfit: the other is preferred, and takes over.
    let since = now();
    ours.set(vec![kind.router(50)]);
    other.until_active(true);
    ours.until(family, State::Backup);
    wire.tell("we become unfit", since, peer);
    eventually("the client finds the other", || {
        let found = client.resolve(vip(family));
        found.is_some_and(|mac| mac != node.mac("eth0"))
    });

    // The other leaves with a word, then without one.
    ours.events();
    let since = now();
    other.signal("TERM");
    ours.until(family, State::Active);
    wire.tell("the other leaves", since, node);
    assert_eq!(ours.status(family).counters.left, 1);
    assert!(ours.events().contains(&active(Cause::Left)));
    drop(other);
    let other = kind.start(peer, 100);
    other.until_active(true);
    ours.until(family, State::Backup);
    let since = now();
    other.signal("KILL");
    ours.until(family, State::Active);
    wire.tell("the other is killed", since, node);
    assert!(ours.events().contains(&active(Cause::Silence)));
    until_found_at(client, family, &node.mac("eth0"));
    assert_eq!(ours.status(family).counters.refused, 0);
}

fn active(cause: Cause) -> Event {
    Event::Active { cause }
}

/// What a client sees, to tell how long a takeover took.
struct Wire {
    kind: Kind,
    capture: Capture,
}

impl Wire {
    fn watch(kind: Kind, client: &Host) -> Self {
        let capture = Capture::start(client, "proto 112");
        Self { kind, capture }
    }

    /// Prints when the first advertisement of `host` came. Nothing depends on it.
    fn tell(&self, what: &str, since: f64, host: &Host) {
        let source = match self.kind.family() {
            Family::Ipv4 => format!("ip.src == 192.0.2.{}", host.number),
            // FRR's come from the virtual MAC, ours and keepalived's do not.
            Family::Ipv6 if matches!(self.kind, Kind::Frr(_)) && host.number == 2 => {
                "eth.src == 00:00:5e:00:02:33".to_owned()
            }
            Family::Ipv6 => format!("eth.src == {}", host.mac("eth0")),
        };
        let is_advert = format!("{source} && vrrp.prio != 0 && frame.time_epoch > {since:.6}");
        let frames = self.capture.frames(&is_advert, &["frame.time_epoch"]);
        let first = frames
            .first()
            .and_then(|fields| fields[0].parse::<f64>().ok());
        match first {
            Some(at) => println!("{:?}: {what}: {:.0} ms", self.kind, (at - since) * 1000.0),
            None => println!("{:?}: {what}: the client saw no advertisement", self.kind),
        }
    }
}

fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs_f64()
}

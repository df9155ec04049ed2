//! A BGP session that only is kept alive takes nothing from the heap.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![expect(
    unsafe_code,
    reason = "a global allocator is an unsafe trait; it forwards every call"
)]

use openelb_announce::bgp::config::{Neighbor, Settings};
use openelb_announce::bgp::message::{Capability, Open, write_keepalive};
use openelb_announce::bgp::peer::{Input, Origin, Output, Peer, State};
use openelb_announce::bgp::route::{LocalAddresses, PeerName};
use openelb_announce::bgp::session::{ConnectionId, Direction};
use openelb_announce::bgp::{Asn, Family};
use openelb_announce::{Machine, Time};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator; counts what each thread takes.
struct Counting;

// SAFETY: every call goes to `System` unchanged; the counter has no influence on it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.set(TAKEN.get() + 1);
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises about `pointer` and `layout` are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[test]
fn an_hour_of_keepalives_in_both_directions_takes_nothing_from_the_heap() {
    let mut now = Time::ZERO;
    let mut peer = established(now);
    let mut keepalive = Vec::new();
    write_keepalive(&mut keepalive);
    let mut out = Vec::with_capacity(4_096);
    minutes(&mut peer, &mut now, 5, &keepalive, &mut out);
    let before = TAKEN.get();
    let sent = minutes(&mut peer, &mut now, 60, &keepalive, &mut out);
    assert_eq!(TAKEN.get() - before, 0);
    assert!((120..=160).contains(&sent), "{sent} KEEPALIVEs in an hour");
}

/// Lets time pass, with a KEEPALIVE of the peer every 20 seconds; says how many it got.
fn minutes(peer: &mut Peer, now: &mut Time, count: u32, octets: &[u8], out: &mut Vec<u8>) -> usize {
    let mut sent = 0;
    for _ in 0..count * 3 {
        let end = *now + Duration::from_secs(20);
        while let Some(at) = peer.poll_timeout().filter(|at| *at <= end) {
            *now = at;
            peer.handle_timeout(at);
            sent += carry_out(peer, at, out);
        }
        *now = end;
        let connection = CONNECTION;
        peer.handle_input(Input::Received { connection, octets }, end);
        sent += carry_out(peer, end, out);
    }
    sent
}

/// Sends what there is to send; says how many KEEPALIVEs that were.
fn carry_out(peer: &mut Peer, now: Time, out: &mut Vec<u8>) -> usize {
    let mut sent = 0;
    while let Some(output) = peer.poll_output() {
        assert_eq!(output, Output::Wake(CONNECTION));
        out.clear();
        while peer.transmit(CONNECTION, out, 4_096, now, &mut |_, _| false) > 0 {}
        let (connection, octets) = (CONNECTION, out.len());
        peer.handle_input(Input::Sent { connection, octets }, now);
        sent += octets / 19;
    }
    sent
}

fn established(now: Time) -> Peer {
    let origin = Origin {
        seed: 1,
        started: now,
        first_connection: CONNECTION,
    };
    let mut peer = Peer::new(Arc::new(neighbor()), origin);
    peer.handle_input(Input::Start, now);
    let (connection, direction) = (CONNECTION, Direction::Outgoing);
    let addresses = LocalAddresses {
        session: "192.0.2.5".parse().unwrap(),
        v4: None,
        v6_global: None,
        v6_link_local: None,
        on_link: true,
    };
    let remote = SocketAddr::from(([192, 0, 2, 1], 179));
    let opened = Input::Opened {
        connection,
        direction,
        addresses,
        remote,
    };
    peer.handle_input(opened, now);
    let capabilities = vec![Capability::multi_protocol(Family::Ipv4Unicast)];
    let id = "10.0.0.9".parse().unwrap();
    let mut octets = Vec::new();
    Open::new(Asn(64_513), 90, id, capabilities).write(&mut octets);
    write_keepalive(&mut octets);
    let octets = &octets;
    peer.handle_input(Input::Received { connection, octets }, now);
    assert_eq!(peer.state(), State::Established);
    let mut out = Vec::new();
    while peer.transmit(connection, &mut out, 4_096, now, &mut |_, _| false) > 0 {}
    let octets = out.len();
    peer.handle_input(Input::Sent { connection, octets }, now);
    while peer.poll_output().is_some() {}
    peer
}

fn neighbor() -> Neighbor {
    Neighbor {
        name: PeerName::from("tor"),
        remote: "192.0.2.1".parse::<IpAddr>().unwrap().into(),
        local_as: Asn(64_512),
        router_id: "10.0.0.5".parse().unwrap(),
        settings: Settings::default(),
    }
}

const CONNECTION: ConnectionId = ConnectionId(1);

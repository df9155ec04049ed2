//! What one step costs the state machine of a BGP peer, without sockets.

use criterion::{Criterion, criterion_group, criterion_main};
use openelb_announce::bgp::config::{Neighbor, Settings};
use openelb_announce::bgp::message::{Capability, Open, write_end_of_rib, write_keepalive};
use openelb_announce::bgp::peer::{Input, Origin, Peer, State};
use openelb_announce::bgp::route::{LocalAddresses, PeerName};
use openelb_announce::bgp::session::{ConnectionId, Direction};
use openelb_announce::bgp::{Asn, Family, RouterId};
use openelb_announce::{Machine, Time};
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bgp-session-step");
    let mut keepalive = Vec::new();
    write_keepalive(&mut keepalive);
    let mut update = Vec::new();
    write_end_of_rib(&mut update, Family::Ipv4Unicast);
    for (name, octets) in [("keepalive", &keepalive), ("update", &update)] {
        let (mut peer, mut now) = established();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                now += Duration::from_millis(1);
                receive(&mut peer, octets, now);
                black_box(peer.poll_timeout())
            });
        });
    }
    let (mut peer, mut now) = established();
    let mut out = Vec::with_capacity(4_096);
    group.bench_function("wake-and-transmit", |bencher| {
        bencher.iter(|| {
            now += Duration::from_millis(1);
            peer.handle_input(Input::Routes, now);
            while peer.poll_output().is_some() {}
            out.clear();
            let mut nothing = |_: &mut Vec<u8>, _: usize| false;
            black_box(peer.transmit(CONNECTION, &mut out, 4_096, now, &mut nothing))
        });
    });
    group.bench_function("come-up-and-end", |bencher| bencher.iter(established));
    group.finish();
}

fn receive(peer: &mut Peer, octets: &[u8], now: Time) {
    let connection = CONNECTION;
    peer.handle_input(Input::Received { connection, octets }, now);
    while peer.poll_output().is_some() {}
}

fn established() -> (Peer, Time) {
    let now = Time::ZERO;
    let origin = Origin {
        seed: 1,
        started: now,
        first_connection: CONNECTION,
    };
    let mut peer = Peer::new(Arc::new(neighbor()), origin);
    peer.handle_input(Input::Start, now);
    let opened = Input::Opened {
        connection: CONNECTION,
        direction: Direction::Outgoing,
        addresses: LocalAddresses {
            session: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 5)),
            v4: None,
            v6_global: None,
            v6_link_local: None,
            on_link: true,
        },
        remote: SocketAddr::from(([192, 0, 2, 1], 179)),
    };
    peer.handle_input(opened, now);
    let capabilities = vec![Capability::multi_protocol(Family::Ipv4Unicast)];
    let mut octets = Vec::new();
    Open::new(Asn(64_513), 90, router_id(9), capabilities).write(&mut octets);
    write_keepalive(&mut octets);
    receive(&mut peer, &octets, now);
    let mut out = Vec::new();
    while peer.transmit(CONNECTION, &mut out, 4_096, now, &mut |_, _| false) > 0 {}
    let (connection, octets) = (CONNECTION, out.len());
    peer.handle_input(Input::Sent { connection, octets }, now);
    assert_eq!(peer.state(), State::Established);
    (peer, now)
}

fn neighbor() -> Neighbor {
    Neighbor {
        name: PeerName::from("tor"),
        remote: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)).into(),
        local_as: Asn(64_512),
        router_id: router_id(5),
        settings: Settings::default(),
    }
}

fn router_id(last: u8) -> RouterId {
    RouterId::try_from(Ipv4Addr::new(10, 0, 0, last)).expect("it is not zero")
}

const CONNECTION: ConnectionId = ConnectionId(1);

criterion_group!(benches, steps);
criterion_main!(benches);

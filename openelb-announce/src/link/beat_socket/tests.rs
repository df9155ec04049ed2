//! Tests of the beat socket over the loopback interface; the rest is shown in network namespaces.

use super::*;
use std::time::Duration;

fn loopback() -> u32 {
    nix::net::if_::if_nametoindex("lo").unwrap()
}

fn endpoint(version: Version, peers: &[&str]) -> Endpoint {
    let peers: Vec<IpAddr> = peers.iter().map(|peer| peer.parse().unwrap()).collect();
    Endpoint::new(loopback(), version, 0, &peers)
}

fn destinations(version: Version, peers: &[&str]) -> Vec<String> {
    let destinations = endpoint(version, peers).destinations;
    destinations.iter().map(IpAddr::to_string).collect()
}

#[test]
fn without_peers_the_group_of_the_family_is_sent_to() {
    assert_eq!(destinations(Version::V6, &[]), ["ff02::114"]);
    assert_eq!(destinations(Version::V4, &[]), ["224.0.0.254"]);
}

#[test]
fn peers_are_sent_to_in_their_own_family_and_no_group_is() {
    let peers = ["192.0.2.1", "2001:db8::1", "fe80::1"];
    assert_eq!(destinations(Version::V4, &peers), ["192.0.2.1"]);
    assert_eq!(
        destinations(Version::V6, &peers),
        ["2001:db8::1", "fe80::1"]
    );
}

#[test]
fn a_datagram_comes_with_its_hop_limit_and_what_waits_can_be_thrown_away() {
    for (version, own) in [(Version::V4, "127.0.0.1"), (Version::V6, "::1")] {
        let mut socket = BeatSocket::open(&endpoint(version, &[own])).unwrap();
        let port = socket.socket.local_addr().unwrap().as_socket().unwrap();
        let own: IpAddr = own.parse().unwrap();
        socket.destinations = vec![SocketAddr::new(own, port.port()).into()];
        let mut room = BeatRoom::new();
        socket.send(b"beat").unwrap();
        let datagram = socket.receive(&mut room).unwrap();
        assert_eq!((datagram.octets, datagram.ttl), (&b"beat"[..], 255));
        socket.send(b"old").unwrap();
        socket.discard_queued(&mut room);
        let nothing = socket.receive(&mut room).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
    }
}

#[test]
fn a_family_without_peers_says_so_instead_of_pretending_to_send() {
    let socket = BeatSocket::open(&endpoint(Version::V4, &["::1"])).unwrap();
    assert!(socket.send(b"beat").is_err());
}

#[test]
fn a_datagram_that_waited_says_for_how_long() {
    for (version, own) in [(Version::V4, "127.0.0.1"), (Version::V6, "::1")] {
        let mut socket = BeatSocket::open(&endpoint(version, &[own])).unwrap();
        let port = socket.socket.local_addr().unwrap().as_socket().unwrap();
        socket.destinations = vec![SocketAddr::new(own.parse().unwrap(), port.port()).into()];
        let wait = Duration::from_millis(30);
        let mut room = BeatRoom::new();
        let mut age_after_waiting = || {
            socket.send(b"beat").unwrap();
            std::thread::sleep(wait);
            socket.receive(&mut room).unwrap().age
        };
        // The kernel begins to stamp a moment after the first socket of the host asks for it.
        let mut ages = (0..100).map(|_| age_after_waiting());
        assert!(ages.any(|age| age >= wait / 2));
    }
}

//! Tests of the beat socket over the loopback interface; the rest is shown in network namespaces.

use super::*;

fn line(version: Version, peers: &[&str]) -> Line {
    Line {
        index: nix::net::if_::if_nametoindex("lo").unwrap(),
        version,
        port: 0,
        peers: peers.iter().map(|peer| peer.parse().unwrap()).collect(),
    }
}

#[test]
fn without_peers_the_group_of_the_family_is_sent_to_on_that_link() {
    let destinations = line(Version::V6, &[]).destinations();
    let group = destinations[0].as_socket_ipv6().unwrap();
    assert_eq!(group.ip().to_string(), "ff02::114");
    assert_eq!(group.scope_id(), line(Version::V6, &[]).index);
    let destinations = line(Version::V4, &[]).destinations();
    let group = destinations[0].as_socket_ipv4().unwrap();
    assert_eq!(group.ip().to_string(), "224.0.0.254");
}

#[test]
fn peers_are_sent_to_in_their_own_family_and_no_group_is() {
    let peers = ["192.0.2.1", "2001:db8::1", "fe80::1"];
    let of = |version| -> Vec<String> {
        let destinations = line(version, &peers).destinations();
        let ip = |address: &SockAddr| address.as_socket().unwrap().ip().to_string();
        destinations.iter().map(ip).collect()
    };
    assert_eq!(of(Version::V4), ["192.0.2.1"]);
    assert_eq!(of(Version::V6), ["2001:db8::1", "fe80::1"]);
}

#[test]
fn a_datagram_comes_with_its_hop_limit_and_what_waits_can_be_thrown_away() {
    for (version, own) in [(Version::V4, "127.0.0.1"), (Version::V6, "::1")] {
        let mut socket = BeatSocket::open(&line(version, &[own])).unwrap();
        let port = socket.socket.local_addr().unwrap().as_socket().unwrap();
        socket.destinations = Line {
            port: port.port(),
            ..line(version, &[own])
        }
        .destinations();
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
    let socket = BeatSocket::open(&line(Version::V4, &["::1"])).unwrap();
    assert!(socket.send(b"beat").is_err());
}

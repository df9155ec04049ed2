//! Tests of the UDP sockets, over the loopback interface.

use super::{Datagram, Receiver, Room, Route, Sender, Version};
use std::io;
use std::net::IpAddr;
use std::time::Duration;

/// A receiver on some free port, and that port.
fn receiver(version: Version) -> (Receiver, u16) {
    let receiver = Receiver::open(version, 0).unwrap();
    let address = receiver.socket.local_addr().unwrap();
    let port = address.as_socket().unwrap().port();
    (receiver, port)
}

fn sender(remote: IpAddr, port: u16) -> Sender {
    Sender::open(&Route {
        remote,
        port,
        local: Some(remote),
        interface: None,
        source_port: 0,
    })
    .unwrap()
}

/// Loopback delivers within the call that sends, so nothing waits here.
fn only_datagram<'a>(receiver: &Receiver, room: &'a mut Room) -> Datagram<'a> {
    receiver.receive(room).unwrap()
}

#[test]
fn a_datagram_tells_its_addresses_interface_and_hop_limit() {
    for (version, address) in [(Version::V4, "127.0.0.1"), (Version::V6, "::1")] {
        let address: IpAddr = address.parse().unwrap();
        let (receiver, port) = receiver(version);
        sender(address, port).send(b"hello").unwrap();
        let loopback = nix::net::if_::if_nametoindex("lo").unwrap();
        assert_eq!(
            only_datagram(&receiver, &mut Room::new()),
            Datagram {
                source: address,
                destination: address,
                interface: loopback,
                ttl: 255,
                age: Duration::ZERO,
                octets: b"hello",
            }
        );
    }
}

#[test]
fn nothing_to_read_would_block() {
    let (receiver, _) = receiver(Version::V4);
    let error = receiver.receive(&mut Room::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn a_port_belongs_to_one_receiver_of_a_family() {
    let (_first, port) = receiver(Version::V4);
    let error = Receiver::open(Version::V4, port).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    Receiver::open(Version::V6, port).unwrap();
}

#[test]
fn an_overlong_datagram_is_cut_and_the_next_one_is_whole() {
    let (receiver, port) = receiver(Version::V4);
    let sender = sender("127.0.0.1".parse().unwrap(), port);
    sender.send(&[7; 1000]).unwrap();
    sender.send(b"next").unwrap();
    let mut room = Room::new();
    assert_eq!(only_datagram(&receiver, &mut room).octets, [7; 256]);
    assert_eq!(only_datagram(&receiver, &mut room).octets, b"next");
}

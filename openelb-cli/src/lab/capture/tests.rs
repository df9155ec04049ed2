//! What each kind of frame is taken for.

use super::{Message, decode};
use openelb_announce::wire::Mac;
use std::net::IpAddr;
use std::time::Duration;

const OURS: [u8; 6] = [2, 0, 0, 0, 0, 0x0a];

fn read(kind: u16, content: &[u8]) -> Option<(Message, IpAddr)> {
    let header = [[0xff; 6].as_slice(), &OURS, &kind.to_be_bytes()].concat();
    let heard = decode(&[&header, content].concat(), Duration::ZERO)?;
    assert_eq!(heard.from, Mac::new(OURS));
    Some((heard.message, heard.address))
}

fn arp(operation: u8, sender: [u8; 4], target: [u8; 4]) -> Option<(Message, IpAddr)> {
    let types = [0, 1, 8, 0, 6, 4, 0, operation];
    let packet = [types.as_slice(), &OURS, &sender, &[0; 6], &target].concat();
    // Ethernet pads short frames.
    read(0x0806, &[packet, vec![0; 18]].concat())
}

fn discovery(kind: u8, flags: u8, source: &str) -> Option<(Message, IpAddr)> {
    let header = [0x60, 0, 0, 0, 0, 32, 58, 255];
    let source = source.parse::<std::net::Ipv6Addr>().unwrap().octets();
    let target = "2001:db8::f1"
        .parse::<std::net::Ipv6Addr>()
        .unwrap()
        .octets();
    let message = [kind, 0, 0, 0, flags, 0, 0, 0];
    read(
        0x86dd,
        &[header.as_slice(), &source, &[0xff; 16], &message, &target].concat(),
    )
}

#[test]
fn arp_frames_are_told_apart_by_operation_and_addresses() {
    let (nobody, asker, owner) = ([0; 4], [192, 0, 2, 1], [192, 0, 2, 241]);
    let about = IpAddr::from(owner);
    assert_eq!(arp(1, nobody, owner), Some((Message::Probe, about)));
    assert_eq!(arp(1, asker, owner), Some((Message::Question, about)));
    assert_eq!(arp(2, owner, asker), Some((Message::Answer, about)));
    assert_eq!(arp(1, owner, owner), Some((Message::Announcement, about)));
    assert_eq!(arp(2, owner, owner), Some((Message::Announcement, about)));
    assert_eq!(arp(3, asker, owner), None, "reverse ARP is somebody else's");
}

#[test]
fn neighbour_discovery_is_told_apart_by_type_source_and_flags() {
    let about: IpAddr = "2001:db8::f1".parse().unwrap();
    assert_eq!(discovery(135, 0, "::"), Some((Message::Probe, about)));
    assert_eq!(
        discovery(135, 0, "2001:db8::1"),
        Some((Message::Question, about))
    );
    assert_eq!(
        discovery(136, 0x60, "2001:db8::f1"),
        Some((Message::Answer, about))
    );
    assert_eq!(
        discovery(136, 0x20, "2001:db8::f1"),
        Some((Message::Announcement, about))
    );
    assert_eq!(
        discovery(134, 0, "fe80::1"),
        None,
        "router advertisements are not noted"
    );
}

#[test]
fn a_cut_frame_is_no_sighting() {
    assert_eq!(decode(&[0; 13], Duration::ZERO), None);
    assert_eq!(read(0x0806, &[0, 1, 8, 0, 6, 4, 0]), None);
    assert_eq!(read(0x86dd, &[0x60, 0, 0, 0, 0, 32, 58, 255, 0]), None);
}

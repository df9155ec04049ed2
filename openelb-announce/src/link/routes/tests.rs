//! What is written can be read again, and whose changes are heard.

use super::message;
use super::message::{question, read, write};
use super::watch::{Sightings, look};
use super::{Entry, Hop};
use netlink_packet_core::{NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use std::collections::BTreeSet;

const TABLE: u32 = 254;
const OURS: u8 = 112;

fn entry(destination: &str, gateways: &[&str]) -> Entry {
    let hop = |gateway: &&str| Hop {
        gateway: gateway.parse().unwrap(),
        link: 7,
    };
    let hops: BTreeSet<Hop> = gateways.iter().map(hop).collect();
    Entry::new(destination.parse().unwrap(), 2048, &hops)
}

/// As octets and back.
fn over_the_wire(message: RouteNetlinkMessage, port: u32) -> (Vec<u8>, RouteNetlinkMessage) {
    let mut header = NetlinkHeader::default();
    header.port_number = port;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
    message.finalize();
    let mut octets = vec![0; message.buffer_len()];
    message.serialize(&mut octets);
    let read = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&octets).unwrap();
    match read.payload {
        NetlinkPayload::InnerMessage(inner) => (octets, inner),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_route_of_every_kind_is_read_as_it_was_written() {
    for (destination, gateways) in [
        ("10.244.1.0/24", ["192.0.2.1"].as_slice()),
        ("10.244.1.0/24", &["fe80::1"]),
        ("10.244.1.0/24", &["192.0.2.1", "fe80::1"]),
        ("2001:db8:1::/64", &["fe80::1"]),
        ("2001:db8:1::/64", &["2001:db8::1", "2001:db8::2"]),
        ("0.0.0.0/0", &["192.0.2.1"]),
        ("::/0", &["fe80::1"]),
    ] {
        let entry = entry(destination, gateways);
        for table in [TABLE, 4_000_000] {
            let message = RouteNetlinkMessage::NewRoute(write(&entry, table, OURS));
            let (_, again) = over_the_wire(message, 0);
            let RouteNetlinkMessage::NewRoute(again) = again else {
                panic!("{again:?}");
            };
            assert_eq!(message::table(&again), table, "{entry}");
            assert_eq!(read(&again), Some(entry.clone()), "{entry}");
        }
    }
}

#[test]
fn a_route_that_leads_nowhere_is_odd_and_named_without_gateways() {
    let mut message = write(&entry("10.244.1.0/24", &["192.0.2.1"]), TABLE, OURS);
    message.header.kind = netlink_packet_route::route::RouteType::BlackHole;
    let odd = read(&message).unwrap();
    assert!(odd.is_odd);
    assert_eq!(write(&odd, TABLE, OURS).attributes.len(), 3);
    assert!(read(&question(AddressFamily::Bridge, TABLE, OURS)).is_none());
}

#[test]
fn only_what_others_do_is_heard() {
    let heard = |message: RouteNetlinkMessage, port: u32| {
        let (octets, _) = over_the_wire(message, port);
        let mut seen = Sightings::default();
        look(&octets, OURS, 5, &mut seen);
        (seen.ours, seen.removal)
    };
    let route = |protocol| write(&entry("10.244.1.0/24", &["192.0.2.1"]), TABLE, protocol);
    let (new, gone) = (RouteNetlinkMessage::NewRoute, RouteNetlinkMessage::DelRoute);
    assert_eq!(heard(gone(route(OURS)), 5), (false, false));
    assert_eq!(heard(gone(route(OURS)), 0), (true, false));
    assert_eq!(heard(new(route(OURS)), 6), (true, false));
    assert_eq!(heard(new(route(11)), 6), (false, false));
    assert_eq!(heard(gone(route(11)), 6), (false, true));
}

#[test]
fn news_that_make_no_sense_are_passed_over() {
    let (octets, _) = over_the_wire(
        RouteNetlinkMessage::DelRoute(write(&entry("::/0", &["fe80::1"]), TABLE, OURS)),
        0,
    );
    for length in 0..octets.len() {
        let mut seen = Sightings::default();
        look(&octets[..length], OURS, 5, &mut seen);
        assert_eq!(seen, Sightings::default(), "{length}");
    }
    // A message that says that it has no length would be read for ever.
    let mut seen = Sightings::default();
    look(&[0; 64], OURS, 5, &mut seen);
    assert_eq!(seen, Sightings::default());
}

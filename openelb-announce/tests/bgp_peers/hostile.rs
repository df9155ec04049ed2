//! What strangers and broken peers send harms nobody else.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::lab::with_lab;
use crate::ours::Ours;
use crate::router::{Description, Feature, Kind, Neighbor, Router};
use crate::routes::{assortment, wait_for_routes};
use crate::row::{OUR_AS, PLAIN};
use crate::world::Host;

#[test]
fn nothing_that_a_broken_peer_sends_touches_the_other_sessions() {
    with_lab(&Kind::ALL, |_, hosts: [Host; 7]| {
        let [speaker, routers @ .., attacker] = &hosts;
        let ours = with_broken_peers(PLAIN.speaker(routers));
        let ours = Ours::start(speaker, &ours, assortment());
        speaker.sh(&format!("ip route add {BROKEN}.0/24 dev eth0"));
        let routers = PLAIN.routers(&hosts[..6]);
        for router in &routers {
            wait_for_routes(router, &PLAIN, &assortment());
        }
        for (place, (name, octets, answer)) in openings().into_iter().enumerate() {
            become_peer(attacker, place);
            let said = attacker.run(|| say_and_hear(&octets));
            assert_eq!(notification(&said), answer, "{name}: {said:?}");
        }
        for (place, (name, octets, answer)) in updates().into_iter().enumerate() {
            become_peer(attacker, openings().len() + place);
            let update = message(UPDATE, &octets);
            let whole = [open(), message(KEEPALIVE, &[]), update].concat();
            let said = attacker.run(|| say_and_hear(&whole));
            assert_eq!(notification(&said), answer, "{name}: {said:?}");
        }
        for router in &routers {
            wait_for_routes(router, &PLAIN, &assortment());
        }
        for peer in ours.peers() {
            let is_broken = peer.name.as_str().starts_with(BROKEN);
            assert!(is_broken || peer.flaps == 0, "{peer:?}");
        }
    });
}

#[test]
fn a_stranger_is_turned_away_and_named() {
    with_lab(&[Kind::Frr], |_, hosts: [Host; 3]| {
        let [speaker, router, stranger] = &hosts;
        let ours = Ours::start(
            speaker,
            &PLAIN.speaker(std::slice::from_ref(router)),
            assortment(),
        );
        let router = Router::start(Kind::Frr, router, PLAIN.router(Kind::Frr, router));
        wait_for_routes(&router, &PLAIN, &assortment());
        for _ in 0..100 {
            let said = stranger.run(|| say_and_hear(&open()));
            assert!(said.is_empty() || notification(&said).is_some(), "{said:?}");
        }
        wait_for_routes(&router, &PLAIN, &assortment());
        assert!(ours.peers().iter().all(|peer| peer.flaps == 0));
    });
}

/// Adds a passive peer for every attack: one that has just failed is not listened to for a while.
fn with_broken_peers(description: Description) -> Description {
    let peers = 0..openings().len() + updates().len();
    peers.fold(description, |description, place| {
        let neighbor = Neighbor::new(ATTACKER_AS, &format!("{BROKEN}.{place}"));
        description.neighbor(neighbor.with(Feature::Passive))
    })
}

/// Connects to the speaker as another of these peers from now on.
fn become_peer(attacker: &Host, place: usize) {
    attacker.sh(&format!("ip addr add {BROKEN}.{place}/32 dev eth0"));
    attacker.sh(&format!(
        "ip route replace 192.0.2.1/32 dev eth0 src {BROKEN}.{place}"
    ));
}

/// Openings of a session that are wrong, and the code and subcode of the answer.
fn openings() -> Vec<Attack> {
    let mut wrong_marker = open();
    wrong_marker[3] = 0;
    let mut too_short = open();
    too_short[17] = 18;
    let mut too_long = open();
    too_long[16..18].copy_from_slice(&5000_u16.to_be_bytes());
    let no_type = message(77, &[]);
    let other_version = message(OPEN, &open_body(3, ATTACKER_AS, 90, 7));
    let other_as = message(OPEN, &open_body(4, ATTACKER_AS + 1, 90, 7));
    let hold_of_one = message(OPEN, &open_body(4, ATTACKER_AS, 1, 7));
    let no_identifier = message(OPEN, &open_body(4, ATTACKER_AS, 90, 0));
    let mut options = open_body(4, ATTACKER_AS, 90, 7);
    options.pop();
    options.extend([20, 2, 200, 1]);
    vec![
        (
            "a web browser",
            b"GET / HTTP/1.1\r\nHost: openelb\r\n\r\n".to_vec(),
            Some((1, 1)),
        ),
        ("a wrong marker", wrong_marker, Some((1, 1))),
        ("a length below the header's", too_short, Some((1, 2))),
        ("a length beyond the limit", too_long, Some((1, 2))),
        ("an unknown type", no_type, Some((1, 3))),
        ("another version", other_version, Some((2, 1))),
        ("another AS", other_as, Some((2, 2))),
        ("a hold time of one second", hold_of_one, Some((2, 6))),
        ("no identifier", no_identifier, Some((2, 3))),
        (
            "parameters that are cut off",
            message(OPEN, &options),
            Some((2, 0)),
        ),
        (
            "an UPDATE instead of an OPEN",
            message(UPDATE, &[0, 0, 0, 0]),
            Some((5, 1)),
        ),
    ]
}

/// Bodies of UPDATEs that are wrong, and the code and subcode of the answer; none where RFC 7606 does
/// without one.
fn updates() -> Vec<Attack> {
    let attributes = |octets: &[u8], routes: &[u8]| {
        let length = u16::try_from(octets.len()).unwrap().to_be_bytes();
        [&[0, 0], &length[..], octets, routes].concat()
    };
    let route = [32, 10, 0, 0, 1];
    vec![
        ("nothing", Vec::new(), Some((1, 2))),
        (
            "withdrawn routes beyond the end",
            vec![0xff, 0xff, 0, 0],
            Some((3, 1)),
        ),
        (
            "attributes beyond the end",
            vec![0, 0, 0xff, 0xff],
            Some((3, 1)),
        ),
        ("a route without attributes", attributes(&[], &route), None),
        (
            "an origin of two octets",
            attributes(&[0x40, 1, 2, 0, 0], &route),
            None,
        ),
        (
            "a prefix of 255 bits",
            attributes(&[0x40, 1, 1, 0], &[255, 10]),
            Some((3, 10)),
        ),
        (
            "a path that is cut off",
            attributes(&[0x40, 2, 200, 2, 1], &route),
            None,
        ),
        (
            "MP_REACH_NLRI that is cut off",
            attributes(&[0x80, 14, 2, 0, 1], &[]),
            Some((3, 9)),
        ),
        (
            "MP_UNREACH_NLRI of nobody's family",
            attributes(&[0x80, 15, 3, 64, 9, 200], &[]),
            None,
        ),
        (
            "an unknown attribute of everybody's",
            attributes(&[0x40, 99, 1, 0], &[]),
            Some((3, 2)),
        ),
    ]
}

/// Connects to the speaker, says all of that and hears what it says until it hangs up or is silent.
fn say_and_hear(octets: &[u8]) -> Vec<u8> {
    let speaker = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 179));
    let Ok(mut stream) = TcpStream::connect_timeout(&speaker, Duration::from_secs(10)) else {
        return Vec::new();
    };
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let _ = stream.write_all(octets);
    let mut said = Vec::new();
    // A reset or silence ends it as well; what was heard before counts.
    let _ = stream.read_to_end(&mut said);
    said
}

/// The code and subcode of the first NOTIFICATION in messages.
fn notification(mut messages: &[u8]) -> Option<(u8, u8)> {
    while messages.len() >= HEADER {
        let length = usize::from(u16::from_be_bytes([messages[16], messages[17]]));
        if messages[18] == NOTIFICATION {
            return Some((messages[19], messages[20]));
        }
        messages = &messages[length..];
    }
    None
}

/// An OPEN as it should be.
fn open() -> Vec<u8> {
    message(OPEN, &open_body(4, ATTACKER_AS, 90, 7))
}

fn open_body(version: u8, asn: u32, hold_time: u16, identifier: u32) -> Vec<u8> {
    let mut body = vec![version];
    body.extend(u16::try_from(asn).unwrap().to_be_bytes());
    body.extend(hold_time.to_be_bytes());
    body.extend(identifier.to_be_bytes());
    body.push(0);
    body
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(HEADER + body.len()).unwrap();
    let mut message = vec![0xff; 16];
    message.extend(length.to_be_bytes());
    message.push(kind);
    message.extend(body);
    message
}

/// Its name, its octets, and the code and subcode of the NOTIFICATION that answers it.
type Attack = (&'static str, Vec<u8>, Option<(u8, u8)>);

/// What the addresses of broken peers begin with.
const BROKEN: &str = "198.18.0";
const ATTACKER_AS: u32 = OUR_AS + 100;
const HEADER: usize = 19;
const OPEN: u8 = 1;
const UPDATE: u8 = 2;
const NOTIFICATION: u8 = 3;
const KEEPALIVE: u8 = 4;

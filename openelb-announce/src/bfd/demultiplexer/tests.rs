//! Tests of finding a packet's session.

use super::{Arrival, Demultiplexer, Hops, Path};
use crate::random::Random;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::num::NonZeroU32;

fn ip(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn path(remote: u8, local: Option<u8>, interface: Option<u32>) -> Path {
    Path {
        remote: ip(remote),
        local: local.map(ip),
        interface,
        hops: Hops::Single,
    }
}

fn arrival(source: u8, destination: u8, interface: u32) -> Arrival {
    Arrival {
        source: ip(source),
        destination: ip(destination),
        interface,
        hops: Hops::Single,
    }
}

#[test]
fn discriminators_are_random_unique_and_not_zero() {
    let mut random = Random::new(1);
    let mut demultiplexer = Demultiplexer::new();
    let mut given = BTreeSet::new();
    for number in 0..1000_u32 {
        let path = path(1, None, Some(number));
        assert!(given.insert(demultiplexer.insert(path, number, &mut random)));
    }
    let steps: BTreeSet<u32> = given
        .iter()
        .zip(given.iter().skip(1))
        .map(|(a, b)| b.get() - a.get())
        .collect();
    assert!(steps.len() > 900, "they do not follow each other");
}

#[test]
fn our_discriminator_decides_alone_whatever_the_addresses_are() {
    let mut demultiplexer = Demultiplexer::new();
    let known = demultiplexer.insert(path(1, Some(9), Some(2)), 'a', &mut Random::new(1));
    let elsewhere = arrival(77, 78, 79);
    assert_eq!(demultiplexer.select(Some(known), &elsewhere), Some('a'));
}

#[test]
fn an_unknown_discriminator_finds_no_session_even_from_a_known_neighbor() {
    let mut demultiplexer = Demultiplexer::new();
    let known = demultiplexer.insert(path(1, None, None), 'a', &mut Random::new(1));
    let other = NonZeroU32::new(known.get() ^ 1);
    assert_eq!(demultiplexer.select(other, &arrival(1, 9, 2)), None);
}

#[test]
fn without_a_discriminator_source_interface_and_destination_decide() {
    let mut random = Random::new(1);
    let mut demultiplexer = Demultiplexer::new();
    demultiplexer.insert(path(1, None, None), "any", &mut random);
    demultiplexer.insert(path(1, None, Some(2)), "on 2", &mut random);
    demultiplexer.insert(path(1, Some(9), Some(2)), "on 2 to 9", &mut random);
    for (arrival, expected) in [
        (arrival(1, 8, 3), Some("any")),
        (arrival(1, 8, 2), Some("on 2")),
        (arrival(1, 9, 2), Some("on 2 to 9")),
        (arrival(4, 9, 2), None),
    ] {
        assert_eq!(demultiplexer.select(None, &arrival), expected);
    }
}

#[test]
fn a_session_over_routers_hears_nothing_from_the_port_of_a_single_hop() {
    let mut demultiplexer = Demultiplexer::new();
    let far = Path {
        hops: Hops::Multiple,
        ..path(1, None, None)
    };
    let known = demultiplexer.insert(far, 'a', &mut Random::new(1));
    let near = arrival(1, 9, 2);
    assert_eq!(demultiplexer.select(None, &near), None);
    assert_eq!(demultiplexer.select(Some(known), &near), None);
    let far = Arrival {
        hops: Hops::Multiple,
        ..near
    };
    assert_eq!(demultiplexer.select(None, &far), Some('a'));
}

proptest! {
    /// Any insertions and removals, beside a plain list.
    #[test]
    fn it_finds_what_a_plain_list_finds(
        seed: u64,
        steps in prop::collection::vec((0..6_u8, 0..3_u8, 0..3_u32, any::<bool>()), 1..60),
    ) {
        let mut random = Random::new(seed);
        let mut demultiplexer = Demultiplexer::new();
        let mut list: BTreeMap<NonZeroU32, (Path, usize)> = BTreeMap::new();
        for (key, (remote, local, interface, add)) in steps.into_iter().enumerate() {
            let path = path(
                remote,
                (local > 0).then_some(local),
                (interface > 0).then_some(interface),
            );
            if add {
                let given = demultiplexer.insert(path, key, &mut random);
                prop_assert!(list.insert(given, (path, key)).is_none());
            } else if let Some(known) = list.keys().next().copied() {
                list.remove(&known);
                demultiplexer.remove(known);
            }
            let arrival = arrival(remote, 1, 1);
            for (known, (_, key)) in &list {
                prop_assert_eq!(demultiplexer.select(Some(*known), &arrival), Some(*key));
            }
            let fits = |path: &Path| {
                path.remote == arrival.source
                    && path.local.is_none_or(|local| local == arrival.destination)
                    && path.interface.is_none_or(|number| number == arrival.interface)
            };
            let found = demultiplexer.select(None, &arrival);
            let fitting: Vec<_> = list.values().filter(|(path, _)| fits(path)).collect();
            prop_assert_eq!(found.is_some(), !fitting.is_empty());
            if let Some(found) = found {
                prop_assert!(fitting.iter().any(|(_, key)| *key == found));
            }
        }
    }
}

//! What is written is read, in any number of pieces, and nothing else is.

use super::*;
use crate::ownership::keys::{Key, KeyRing};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

fn keys() -> KeyRing {
    KeyRing::new(Key::new(&[7; 32]).unwrap(), [])
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn offer() -> impl Strategy<Value = Offer> {
    let standing = prop_oneof![
        Just(Standing::Excluded),
        (1..=1000_u16, any::<u8>())
            .prop_map(|(weight, preference)| Standing::Eligible { weight, preference }),
    ];
    let octets = proptest::collection::vec(any::<u8>(), 0..128);
    (any::<u64>(), 1..=1024_u16, standing, octets).prop_map(|(group, shards, standing, octets)| {
        Offer {
            group: GroupId(group),
            standing,
            claims: ShardSet::read(shards, &octets),
        }
    })
}

fn heard() -> impl Strategy<Value = Heard> {
    (
        any::<u64>(),
        any::<u64>(),
        any::<u64>(),
        any::<u16>(),
        any::<u16>(),
    )
        .prop_map(|(node, boot, sequence, age, changes)| Heard {
            node: NodeKey(node),
            boot,
            sequence,
            age: millis(age.into()),
            changes,
        })
}

fn beat() -> impl Strategy<Value = Beat> {
    let order = (any::<u64>(), any::<u64>(), any::<bool>());
    let order = order.prop_map(|(node, number, drain)| Order {
        node: NodeKey(node),
        number,
        drain,
    });
    (
        "[a-z0-9.-]{1,63}",
        (any::<u64>(), any::<u64>(), any::<u16>()),
        (1..1000_u64, 1000..=65_535_u64),
        any::<[bool; 3]>(),
        proptest::option::of(0..65_535_u64),
        proptest::collection::vec(heard(), 0..MOST_NODES),
        proptest::collection::vec(order, 0..MOST_ORDERS),
        proptest::collection::vec(offer(), 0..80),
    )
        .prop_map(
            |(node, (boot, sequence, changes), timing, flags, reception, heard, orders, offers)| {
                Beat {
                    node: NodeId::new(&node).unwrap(),
                    boot,
                    sequence,
                    interval: millis(timing.0),
                    dead_after: millis(timing.1),
                    is_listening: flags[0],
                    is_draining: flags[1],
                    is_leaving: flags[2],
                    reception: reception.map(millis),
                    changes,
                    heard,
                    orders,
                    offers,
                }
            },
        )
}

fn join(datagrams: &[impl AsRef<[u8]>]) -> Option<Result<Beat, BeatError>> {
    let mut assembly = Assembly::default();
    let mut joined = None;
    for octets in datagrams {
        let datagram = Datagram::decode(octets.as_ref()).unwrap();
        joined = datagram
            .whole()
            .or_else(|| assembly.add(&datagram))
            .or(joined);
    }
    joined
}

proptest! {
    #[test]
    fn what_is_written_is_read_whatever_the_order_of_the_pieces(beat in beat(), turn in 0..32_usize) {
        let mut datagrams = beat.datagrams(&keys());
        prop_assert!(datagrams.iter().all(|it| it.len() <= MOST_OCTETS));
        for octets in &datagrams {
            prop_assert_eq!(Datagram::decode(octets).unwrap().verify(&keys()), Ok(()));
        }
        let turn = turn % datagrams.len();
        datagrams.rotate_left(turn);
        prop_assert_eq!(join(&datagrams), Some(Ok(beat)));
    }

    #[test]
    fn a_beat_cut_short_anywhere_is_refused(beat in beat(), cut in any::<proptest::sample::Index>()) {
        let datagrams = beat.datagrams(&KeyRing::unsigned());
        let first = &datagrams[0];
        let cut = first.get(..cut.index(first.len())).unwrap();
        // Either the header is cut, or the body, or what is left is signed no more.
        let datagram = Datagram::decode(cut);
        let is_proved = datagram.as_ref().is_ok_and(|it| it.verify(&keys()).is_ok());
        prop_assert!(!is_proved);
        if let Ok(datagram) = datagram {
            prop_assert!(!matches!(datagram.whole(), Some(Ok(read)) if read == beat));
        }
    }

    #[test]
    fn any_octets_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut framed = b"ob\x01\x00\x01\x03key.boot....sequenceabc".to_vec();
        framed.extend(&octets);
        for octets in [&octets, &framed] {
            if let Ok(datagram) = Datagram::decode(octets) {
                prop_assert!(datagram.verify(&keys()).is_err());
                let _ = datagram.whole();
            }
        }
    }

    #[test]
    fn one_changed_bit_anywhere_breaks_the_signature(
        beat in beat(), place in any::<proptest::sample::Index>(), bit in 0..8_u32,
    ) {
        let mut octets = beat.datagrams(&keys())[0].to_vec();
        let place = place.index(octets.len());
        octets[place] ^= 1 << bit;
        prop_assert!(!Datagram::decode(&octets).is_ok_and(|it| it.verify(&keys()).is_ok()));
    }
}

#[test]
fn the_longest_beat_fits_the_datagrams_that_are_allowed() {
    let heard = |node| Heard {
        node: NodeKey(node),
        boot: 0,
        sequence: 0,
        age: Duration::ZERO,
        changes: 0,
    };
    let order = |node| Order {
        node: NodeKey(node),
        number: 0,
        drain: true,
    };
    let offer = |group| Offer {
        group: GroupId(group),
        standing: Standing::default(),
        claims: ShardSet::read(64, &[0xff; 8]),
    };
    let beat = Beat {
        node: NodeId::new(&"n".repeat(63)).unwrap(),
        boot: 1,
        sequence: 1,
        interval: millis(333),
        dead_after: millis(1000),
        is_listening: false,
        is_draining: false,
        is_leaving: false,
        reception: None,
        changes: 0,
        heard: (0..128).map(heard).collect(),
        orders: (0..16).map(order).collect(),
        offers: (0..1024).map(offer).collect(),
    };
    assert_eq!(64 * 1024, MOST_SHARDS_OF_ALL);
    let datagrams = beat.datagrams(&keys());
    assert!(
        datagrams.len() <= usize::from(MOST_PARTS),
        "{}",
        datagrams.len()
    );
    assert_eq!(join(&datagrams), Some(Ok(beat)));
}

#[test]
fn pieces_of_different_beats_are_never_joined() {
    let mut first = proptest::test_runner::TestRunner::deterministic();
    let strategy = beat().prop_filter("several pieces", |it| it.heard.len() > 100);
    let mut beat = strategy.new_tree(&mut first).unwrap().current();
    beat.sequence = 1;
    let older = beat.datagrams(&keys());
    beat.sequence = 2;
    let newer = beat.datagrams(&keys());
    assert!(older.len() > 1);
    let mixed: Vec<_> = older.iter().take(1).chain(newer.iter().skip(1)).collect();
    assert_eq!(join(&mixed), None);
    // An older piece in between does no harm.
    let between: Vec<_> = newer
        .iter()
        .take(1)
        .chain(&older)
        .chain(newer.iter().skip(1))
        .collect();
    assert_eq!(join(&between), Some(Ok(beat)));
}

#[test]
fn another_version_says_what_to_do() {
    let refused = Datagram::decode(b"ob\x02\x00\x01\x03").unwrap_err();
    assert_eq!(refused, BeatError::Version(2));
    assert!(refused.to_string().contains("same release"));
    assert_eq!(
        Datagram::decode(b"xx\x01\x00\x01\x03").unwrap_err(),
        BeatError::Foreign
    );
}

#[test]
fn impossible_fields_are_refused_by_name() {
    let beat = || {
        let strategy = beat().prop_map(|beat| Beat {
            heard: Vec::new(),
            orders: Vec::new(),
            offers: Vec::new(),
            ..beat
        });
        strategy
            .new_tree(&mut proptest::test_runner::TestRunner::deterministic())
            .unwrap()
            .current()
    };
    let whole = |beat: &Beat| {
        let datagrams = beat.datagrams(&keys());
        Datagram::decode(&datagrams[0]).unwrap().whole().unwrap()
    };
    let timing = Beat {
        interval: Duration::ZERO,
        ..beat()
    };
    assert_eq!(whole(&timing), Err(BeatError::Field("timing")));
    let timing = Beat {
        interval: millis(1001),
        dead_after: millis(1000),
        ..beat()
    };
    assert_eq!(whole(&timing), Err(BeatError::Field("timing")));
    let shards = |shards| {
        let offer = Offer {
            group: GroupId(1),
            standing: Standing::Excluded,
            claims: ShardSet::new(shards),
        };
        whole(&Beat {
            offers: vec![offer],
            ..beat()
        })
    };
    assert_eq!(shards(0), Err(BeatError::Field("number of shards")));
    assert_eq!(shards(1025), Err(BeatError::Field("number of shards")));
    assert!(shards(1024).is_ok());
}

//! Tests of the comparison between what is desired and what is announced.

use super::*;
use crate::announcer::announcement::{Announcement, Desired, Owner};
use crate::wire::Mac;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn desired(pairs: &[(&str, &str)]) -> DesiredSet {
    let announcements = pairs.iter().map(|(address, interfaces)| Announcement {
        address: address.parse().unwrap(),
        interfaces: interfaces.parse().unwrap(),
        probe: Probe::Fast,
        owner: Owner::Sole,
    });
    DesiredSet::new(Desired {
        announcements: announcements.collect(),
        ..Desired::default()
    })
    .unwrap()
}

fn targets(addresses: &[&str]) -> Vec<Target> {
    let target = |text: &&str| Target {
        address: address(text),
        probe: Probe::Fast,
        progress: Progress::Waiting,
    };
    addresses.iter().map(target).collect()
}

fn listed(placements: &Placements) -> Vec<(u32, Protocol, Vec<String>)> {
    placements
        .iter()
        .map(|(key, targets)| {
            let addresses = targets
                .iter()
                .map(|target| target.address.to_string())
                .collect();
            (key.index, key.protocol, addresses)
        })
        .collect()
}

#[test]
fn each_family_goes_to_its_own_port_of_the_same_link() {
    let placements = place(
        &desired(&[("192.0.2.1", "eth0"), ("2001:db8::1", "eth0")]),
        &[BTreeSet::from([2])],
    );
    assert_eq!(
        listed(&placements),
        [
            (2, Protocol::Arp, vec!["192.0.2.1".to_owned()]),
            (2, Protocol::Ndp, vec!["2001:db8::1".to_owned()]),
        ]
    );
}

#[test]
fn two_selectors_for_one_address_place_it_on_the_union_of_their_links_once_each() {
    let set = desired(&[("192.0.2.1", "eth*"), ("192.0.2.1", "eth0")]);
    let links = [BTreeSet::from([2, 3]), BTreeSet::from([2])];
    let expected = vec!["192.0.2.1".to_owned()];
    assert_eq!(
        listed(&place(&set, &links)),
        [
            (2, Protocol::Arp, expected.clone()),
            (3, Protocol::Arp, expected)
        ]
    );
}

#[test]
fn a_selector_without_links_places_nothing() {
    assert!(place(&desired(&[("192.0.2.1", "eth9")]), &[BTreeSet::new()]).is_empty());
}

#[test]
fn only_what_differs_is_released_and_claimed() {
    let old = targets(&["192.0.2.1", "192.0.2.2", "192.0.2.5"]);
    let mut new = targets(&["192.0.2.0", "192.0.2.2", "192.0.2.3"]);
    let change = compare(&old, &mut new);
    assert_eq!(
        change.released,
        [address("192.0.2.1"), address("192.0.2.5")]
    );
    let claimed: Vec<IpAddr> = change.claimed.iter().map(|(address, _)| *address).collect();
    assert_eq!(claimed, [address("192.0.2.0"), address("192.0.2.3")]);
}

#[test]
fn the_same_set_again_changes_nothing_and_keeps_the_progress() {
    let mut old = targets(&["192.0.2.1", "192.0.2.2"]);
    note(&mut old, &Event::Announced(address("192.0.2.2")));
    let mut new = targets(&["192.0.2.1", "192.0.2.2"]);
    assert_eq!(compare(&old, &mut new), Change::default());
    assert_eq!(new, old);
}

#[test]
fn events_move_the_progress_of_their_address_only() {
    let mac = Mac::new([2, 0, 0, 0, 0, 9]);
    let mut list = targets(&["192.0.2.1", "192.0.2.2", "192.0.2.4"]);
    let conflict = |text, phase| Event::Conflict {
        address: address(text),
        mac,
        phase,
    };
    note(&mut list, &conflict("192.0.2.1", ConflictPhase::Probing));
    note(&mut list, &conflict("192.0.2.2", ConflictPhase::Defended));
    note(&mut list, &Event::Announced(address("192.0.2.3")));
    let progress: Vec<Progress> = list.iter().map(|target| target.progress).collect();
    assert_eq!(
        progress,
        [Progress::Conflict, Progress::Announced, Progress::Waiting]
    );
}

proptest::proptest! {
    #[test]
    fn applying_a_change_to_the_old_set_gives_the_new_one(
        old in proptest::collection::btree_set(0_u32..64, 0..40),
        new in proptest::collection::btree_set(0_u32..64, 0..40),
    ) {
        let list = |bits: &BTreeSet<u32>| -> Vec<Target> {
            let target = |bits: &u32| Target {
                address: IpAddr::V4((*bits).into()),
                probe: Probe::Skip,
                progress: Progress::Waiting,
            };
            bits.iter().map(target).collect()
        };
        let mut after = list(&new);
        let change = compare(&list(&old), &mut after);
        let mut have: BTreeSet<IpAddr> = list(&old).iter().map(|target| target.address).collect();
        for gone in &change.released {
            proptest::prop_assert!(have.remove(gone));
        }
        for (come, _) in &change.claimed {
            proptest::prop_assert!(have.insert(*come));
        }
        proptest::prop_assert_eq!(have, after.iter().map(|target| target.address).collect());
    }
}

//! What must move together has one name.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeSet, VecDeque};
use std::net::{Ipv4Addr, Ipv6Addr};

fn address(number: u8) -> IpAddr {
    if number.is_multiple_of(2) {
        Ipv4Addr::new(192, 0, 2, number).into()
    } else {
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into()).into()
    }
}

#[test]
fn an_address_alone_is_a_unit_of_its_own() {
    let units = units([(1, address(4)), (2, address(5))]);
    assert_eq!(&*units[&address(4)], "192.0.2.4");
    assert_eq!(&*units[&address(5)], "2001:db8::5");
}

#[test]
fn a_chain_of_sharers_is_one_unit_named_by_its_lowest_address() {
    let pairs = [(1, 8), (1, 9), (2, 9), (2, 7), (3, 7), (3, 2)];
    let units = units(pairs.map(|(owner, number)| (owner, address(number))));
    assert!(units.values().all(|unit| &**unit == "192.0.2.2"));
    assert_eq!(units.len(), 4);
}

#[test]
fn nothing_has_no_units() {
    assert!(units(std::iter::empty::<(u8, IpAddr)>()).is_empty());
}

proptest! {
    #[test]
    fn units_are_the_connected_parts_whatever_the_order(
        pairs in proptest::collection::vec((0..12_u8, 0..24_u8), 0..40),
        turn in 0..40_usize,
    ) {
        let found = units(pairs.iter().map(|(owner, number)| (*owner, address(*number))));
        let mut turned: Vec<_> = pairs.clone();
        turned.rotate_left(turn.min(pairs.len()));
        turned.reverse();
        let again = units(turned.iter().map(|(owner, number)| (*owner, address(*number))));
        prop_assert_eq!(&found, &again);
        for (_, start) in &pairs {
            // The plain way: walk to whatever can be reached.
            let mut reached = BTreeSet::from([*start]);
            let mut next = VecDeque::from([*start]);
            while let Some(from) = next.pop_front() {
                let owners: BTreeSet<u8> = pairs.iter().filter(|it| it.1 == from).map(|it| it.0).collect();
                let more = pairs.iter().filter(|it| owners.contains(&it.0)).map(|it| it.1);
                next.extend(more.filter(|it| reached.insert(*it)).collect::<Vec<_>>());
            }
            let lowest = reached.iter().map(|it| address(*it)).min().unwrap();
            prop_assert_eq!(&*found[&address(*start)], lowest.to_string());
        }
    }
}

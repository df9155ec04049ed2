use proptest::prelude::*;

use super::*;
use crate::cni::{Arguments, Network};
use openelb_ipam::{Family, RangeSet};

/// A range set as a configuration has it.
fn set(ranges: &str) -> Ranges {
    let text = format!(r#"{{"cniVersion":"1.1.0","name":"n","ipam":{{"ranges":[[{ranges}]]}}}}"#);
    let addressing = Network::read(text.as_bytes())
        .unwrap()
        .addressing(&Arguments::default());
    addressing.unwrap().sets.remove(0)
}

fn taken(family: Family, addresses: &[&str]) -> Occupancy {
    let mut taken = Occupancy::new(family, &RangeSet::from(AddressRange::all(family)));
    for address in addresses {
        taken.take(to_bits(address.parse().unwrap()));
    }
    taken
}

fn next_text(set: &Ranges, last: Option<&str>, held: &[&str]) -> Option<String> {
    let last = last.map(|last| last.parse().unwrap());
    next(set, last, &taken(set.family(), held)).map(|address| address.to_string())
}

#[test]
fn the_search_starts_after_the_gateway_and_goes_on_after_the_last_address() {
    let set = set(r#"{"subnet":"10.1.0.0/29"}"#);
    assert_eq!(next_text(&set, None, &[]).as_deref(), Some("10.1.0.2"));
    assert_eq!(
        next_text(&set, Some("10.1.0.4"), &[]).as_deref(),
        Some("10.1.0.5")
    );
    assert_eq!(
        next_text(&set, Some("10.1.0.6"), &[]).as_deref(),
        Some("10.1.0.2")
    );
    assert_eq!(
        next_text(&set, Some("192.0.2.1"), &["10.1.0.2"]).as_deref(),
        Some("10.1.0.3")
    );
}

#[test]
fn the_last_address_itself_comes_last() {
    let set = set(r#"{"subnet":"10.1.0.0/29"}"#);
    let others = ["10.1.0.2", "10.1.0.3", "10.1.0.5", "10.1.0.6"];
    assert_eq!(
        next_text(&set, Some("10.1.0.4"), &others).as_deref(),
        Some("10.1.0.4")
    );
    let all = [&others[..], &["10.1.0.4"]].concat();
    assert_eq!(next_text(&set, Some("10.1.0.4"), &all), None);
}

#[test]
fn the_end_of_the_address_space_is_an_end() {
    let set = set(r#"{"subnet":"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124"}"#);
    let last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    assert_eq!(
        next_text(&set, Some(last), &[]).as_deref(),
        Some("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff2")
    );
}

/// host-local's own way: one address after the other, in the order of the ranges.
fn walk(set: &Ranges, last: Option<IpAddr>, taken: &Occupancy) -> Option<IpAddr> {
    let all: Vec<_> = set
        .spans()
        .iter()
        .flat_map(|span| {
            let count = span.addresses.count().to_u128().unwrap();
            (0..count).map(|at| (span.addresses.nth(at).unwrap(), span.gateway))
        })
        .collect();
    let start = last.and_then(|last| all.iter().position(|(address, _)| *address == last));
    let start = start.map_or(0, |start| start + 1);
    let round = (0..all.len()).map(|step| all[(start + step) % all.len()]);
    let free = round.filter(|(address, gateway)| *gateway != Some(*address));
    free.map(|(address, _)| address)
        .find(|address| !taken.is_taken(to_bits(*address)))
}

proptest! {
    #[test]
    fn the_choice_is_that_of_a_walk_through_every_address(
        held in proptest::collection::vec((0..3_usize, 0..24_u32), 0..70),
        last in proptest::option::of((0..4_usize, 0..24_u32)),
        swapped in any::<bool>(),
    ) {
        let mut ranges = [
            r#"{"subnet":"10.1.0.0/24","rangeStart":"10.1.0.3","rangeEnd":"10.1.0.20","gateway":"10.1.0.9"}"#,
            r#"{"subnet":"10.2.0.0/28"}"#,
            r#"{"subnet":"10.3.0.4/31"}"#,
        ];
        if swapped { ranges.reverse(); }
        let set = set(&ranges.join(","));
        let address = |(net, host): (usize, u32)| -> IpAddr {
            std::net::Ipv4Addr::from_bits((10 << 24 | (u32::try_from(net).unwrap() + 1) << 16) + host).into()
        };
        let mut taken = taken(Family::V4, &[]);
        for held in held { taken.take(to_bits(address(held))); }
        let last = last.map(address);
        prop_assert_eq!(next(&set, last, &taken), walk(&set, last, &taken));
    }
}

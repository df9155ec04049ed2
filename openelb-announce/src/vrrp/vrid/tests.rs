use super::{BAND, Family, UNFIT, Vrid, VridRange, spread, vrid_of};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn zero_is_no_identifier_and_the_virtual_mac_ends_in_it() {
    assert_eq!(Vrid::new(0), None);
    let vrid = vrid(255);
    assert_eq!(vrid.mac(Family::Ipv4).to_string(), "00:00:5e:00:01:ff");
    assert_eq!(vrid.mac(Family::Ipv6).to_string(), "00:00:5e:00:02:ff");
}

#[test]
fn the_groups_are_those_of_the_standard() {
    assert_eq!(Family::Ipv4.group().to_string(), "224.0.0.18");
    assert_eq!(Family::Ipv6.group().to_string(), "ff02::12");
}

#[test]
fn a_range_holds_its_ends_and_knows_when_it_meets_another() {
    let range = range(100, 150);
    assert_eq!(range.len(), 51);
    assert_eq!(range.to_string(), "100-150");
    assert_eq!(VridRange::single(vrid(7)).to_string(), "7");
    assert_eq!(VridRange::new(vrid(9), vrid(8)), None);
    assert!(range.overlaps(self::range(150, 160)));
    assert!(!range.overlaps(self::range(151, 160)));
    assert_eq!(self::range(1, 255).len(), 255);
}

/// The numbers are an agreement between nodes, whatever release they run: these never change.
#[test]
fn the_virtual_router_of_a_unit_is_the_same_on_every_host_for_ever() {
    let whole = range(1, 255);
    let found = ["192.0.2.10", "192.0.2.11", "2001:db8::10", ""].map(|it| vrid_of(it, whole).get());
    assert_eq!(found, [150, 164, 199, 245]);
    let drawn = ["node-a", "node-b", "node-c"].map(|node| spread(node, vrid(51), BAND));
    assert_eq!(drawn, [173, 116, 112]);
}

#[test]
fn neither_order_nor_company_changes_the_virtual_router_of_a_unit() {
    let range = range(100, 150);
    let units: Vec<_> = (0..400).map(|it| format!("192.0.2.{it}")).collect();
    let forwards: BTreeMap<_, _> = units.iter().map(|it| (it, vrid_of(it, range))).collect();
    let backwards = units
        .iter()
        .rev()
        .step_by(3)
        .map(|it| (it, vrid_of(it, range)));
    for (unit, vrid) in backwards {
        assert_eq!(forwards[unit], vrid);
        assert!((100..=150).contains(&vrid.get()));
    }
    let used: BTreeSet<_> = forwards.values().collect();
    assert_eq!(used.len(), 51, "400 units reach all of 51 virtual routers");
}

#[test]
fn every_priority_stays_in_its_band_and_an_unfit_node_is_below_them_all() {
    for number in 1..=255 {
        let priority = spread("node-a", vrid(number), BAND);
        assert!(BAND.contains(&priority));
        assert!((1..*BAND.start()).contains(&(priority - UNFIT)));
    }
}

#[test]
fn openelb_51_ten_addresses_over_three_nodes_are_spread() {
    let nodes = ["node-a", "node-b", "node-c"];
    let mut active: BTreeMap<&str, usize> = BTreeMap::new();
    for number in 10..20 {
        let vrid = vrid_of(&format!("192.0.2.{number}"), range(1, 255));
        let first = nodes
            .into_iter()
            .max_by_key(|node| spread(node, vrid, BAND))
            .unwrap();
        *active.entry(first).or_default() += 1;
    }
    assert_eq!(active.len(), 3, "every node is Active for some: {active:?}");
    assert!(active.values().all(|count| *count <= 6), "{active:?}");
}

#[test]
fn openelb_51_over_many_virtual_routers_every_node_gets_its_share() {
    let nodes = ["node-a", "node-b", "node-c"];
    let first = |number: u8| {
        nodes
            .into_iter()
            .max_by_key(|node| spread(node, vrid(number), BAND))
    };
    let mut active: BTreeMap<&str, usize> = BTreeMap::new();
    for number in 1..=255 {
        *active.entry(first(number).unwrap()).or_default() += 1;
    }
    assert!(
        active.values().all(|count| (60..=110).contains(count)),
        "{active:?}"
    );
}

fn vrid(number: u8) -> Vrid {
    Vrid::new(number).unwrap()
}

fn range(first: u8, last: u8) -> VridRange {
    VridRange::new(vrid(first), vrid(last)).unwrap()
}

//! Tests of the picture of the host's network.

use super::*;

/// An Ethernet link that is up, for tests here and of the modules that ask a topology.
pub(crate) fn ethernet(index: u32, name: &str) -> Link {
    let octet = u8::try_from(index).unwrap();
    Link {
        index,
        name: name.to_owned(),
        alternative_names: Vec::new(),
        mac: Some(Mac::new([2, 0, 0, 0, 0, octet])),
        is_up: true,
        media: Media::Ethernet,
        master: None,
    }
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

#[test]
fn a_repeated_message_changes_nothing() {
    let mut topology = Topology::default();
    assert!(topology.put_link(ethernet(2, "eth0")));
    assert!(!topology.put_link(ethernet(2, "eth0")));
    assert!(topology.put_address(2, net("192.0.2.1/24")));
    assert!(!topology.put_address(2, net("192.0.2.1/24")));
}

#[test]
fn a_renamed_link_is_found_by_both_names_until_another_takes_the_old_one() {
    let mut topology = Topology::default();
    topology.put_link(ethernet(2, "eth0"));
    topology.put_link(ethernet(2, "lan0"));
    assert_eq!(topology.link_named("eth0").unwrap().index, 2);
    assert_eq!(topology.link_named("lan0").unwrap().index, 2);
    topology.put_link(ethernet(3, "eth0"));
    assert_eq!(topology.link_named("eth0").unwrap().index, 3);
}

#[test]
fn an_alternative_name_finds_the_link() {
    let mut topology = Topology::default();
    let mut link = ethernet(2, "eth0");
    link.alternative_names.push("enp0s3".to_owned());
    topology.put_link(link);
    assert_eq!(topology.link_named("enp0s3").unwrap().index, 2);
}

#[test]
fn a_deleted_link_takes_its_addresses_and_former_names_along() {
    let mut topology = Topology::default();
    topology.put_link(ethernet(2, "eth0"));
    topology.put_link(ethernet(2, "lan0"));
    topology.put_address(2, net("192.0.2.1/24"));
    assert!(topology.remove_link(2));
    assert!(!topology.remove_link(2));
    assert_eq!(topology, Topology::default());
}

#[test]
fn addresses_of_unknown_links_are_not_kept() {
    let mut topology = Topology::default();
    assert!(!topology.put_address(9, net("192.0.2.1/24")));
    assert!(!topology.remove_address(9, net("192.0.2.1/24")));
    assert_eq!(topology, Topology::default());
}

#[test]
fn own_addresses_are_listed_with_their_link() {
    let mut topology = Topology::default();
    topology.put_link(ethernet(2, "eth0"));
    topology.put_address(2, net("192.0.2.1/24"));
    let owned: Vec<_> = topology.own_addresses().collect();
    assert_eq!(owned, [("192.0.2.1".parse().unwrap(), 2)]);
    assert!(topology.remove_address(2, net("192.0.2.1/24")));
    assert_eq!(topology.own_addresses().count(), 0);
}

#[test]
fn a_fresh_dump_inherits_the_former_names_of_links_that_still_exist() {
    let mut before = Topology::default();
    before.put_link(ethernet(2, "eth0"));
    before.put_link(ethernet(2, "lan0"));
    let mut after = Topology::default();
    after.put_link(ethernet(2, "lan0"));
    after.inherit_names(&before);
    assert_eq!(after.link_named("eth0").unwrap().index, 2);
    let mut replaced = Topology::default();
    replaced.put_link(ethernet(3, "eth0"));
    replaced.inherit_names(&before);
    assert_eq!(replaced.link_named("eth0").unwrap().index, 3);
}

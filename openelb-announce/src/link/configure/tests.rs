//! Tests of what can be told without a kernel: names and what is recognised as ours.

use super::*;

fn macvlan(family: u8, vrid: u8, parent: u32) -> Macvlan {
    let mac = Mac::new([0x00, 0x00, 0x5e, 0x00, family, vrid]);
    Macvlan { parent, mac }
}

fn link(name: &str, mac: [u8; 6], kind: InfoKind) -> LinkMessage {
    let mut link = LinkMessage::default();
    link.attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::Address(mac.to_vec()),
        LinkAttribute::LinkInfo(vec![LinkInfo::Kind(kind)]),
    ];
    link
}

#[test]
fn names_fit_into_an_interface_name_and_tell_routers_apart() {
    let longest = macvlan(2, 255, 0xf_ffff).name();
    assert_eq!((longest.as_str(), longest.len()), ("oelb6-255-fffff", 15));
    let names = [macvlan(1, 1, 0x12), macvlan(1, 11, 2), macvlan(2, 1, 0x12)];
    let mut names = names.map(Macvlan::name).to_vec();
    names.dedup();
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn only_a_macvlan_with_our_name_and_a_virtual_mac_is_swept() {
    let mac = [0x00, 0x00, 0x5e, 0x00, 0x01, 51];
    let ours = link("oelb4-51-2", mac, InfoKind::MacVlan);
    assert_eq!(our_macvlan(&ours).as_deref(), Some("oelb4-51-2"));
    for other in [
        link("vrrp.51", mac, InfoKind::MacVlan),
        link("oelb4-51-2", [2, 0, 0, 0, 0, 1], InfoKind::MacVlan),
        link("oelb4-51-2", mac, InfoKind::Veth),
    ] {
        assert_eq!(our_macvlan(&other), None);
    }
}

#[test]
fn only_an_address_with_our_origin_is_swept() {
    let address: IpAddr = "192.0.2.7".parse().unwrap();
    let mut message = address_message(2, address);
    assert_eq!(our_address(&message), None);
    let origin = |number| AddressAttribute::Protocol(AddressProtocol::Other(number));
    message.attributes.push(origin(OURS + 1));
    assert_eq!(our_address(&message), None);
    message.attributes.push(origin(OURS));
    assert_eq!(our_address(&message), Some(address));
}

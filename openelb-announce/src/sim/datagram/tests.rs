use super::*;

#[test]
fn a_datagram_survives_the_wire_in_both_families() {
    for (source, destination) in [
        ("10.254.0.1", "224.0.0.18"),
        ("fe80::1", "ff02::12"),
        ("fe80::1", "fe80::2"),
    ] {
        let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
        let datagram = Datagram {
            protocol: Protocol::Vrrp,
            source,
            destination,
            hop_limit: 255,
            octets: b"advertisement",
        };
        let frame = datagram.frame(Mac::new([2, 0, 0, 0, 0, 1]));
        assert_eq!(Datagram::of(&frame), Some(datagram));
        assert!(!is_beat(&frame));
    }
}

#[test]
fn frames_of_other_kinds_hold_no_datagram() {
    assert_eq!(Datagram::of(&[0; 64]), None);
    assert_eq!(Datagram::of(&[]), None);
}

#[test]
fn datagrams_to_groups_go_to_the_hardware_addresses_of_the_groups() {
    assert_eq!(
        group("224.0.0.18".parse().unwrap()).to_string(),
        "01:00:5e:00:00:12"
    );
    assert_eq!(
        group("ff02::12".parse().unwrap()).to_string(),
        "33:33:00:00:00:12"
    );
}

//! Tests of hardware addresses.

use super::Mac;

const MAC: Mac = Mac::new([0x02, 0x00, 0x5e, 0x10, 0x00, 0xff]);

#[test]
fn text_and_address_round_trip() {
    assert_eq!(MAC.to_string(), "02:00:5e:10:00:ff");
    assert_eq!("02:00:5e:10:00:ff".parse(), Ok(MAC));
    assert_eq!("02-00-5E-10-00-FF".parse(), Ok(MAC));
}

#[test]
fn text_that_is_not_six_pairs_is_refused_and_named() {
    for text in [
        "",
        "02:00:5e:10:00",
        "02:00:5e:10:00:ff:00",
        "2:0:5e:10:0:ff",
        "+2:00:5e:10:00:ff",
        "zz:00:5e:10:00:ff",
    ] {
        let error = text.parse::<Mac>().unwrap_err();
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
    }
}

#[test]
fn an_ipv6_group_maps_to_its_last_four_octets_behind_3333() {
    let group = "ff02::1:ff00:1234".parse().unwrap();
    assert_eq!(Mac::of_group(group).to_string(), "33:33:ff:00:12:34");
}

#[test]
fn stations_groups_and_nobody_are_told_apart() {
    assert!(MAC.is_station());
    assert!(!Mac::ZERO.is_station());
    assert!(!Mac::BROADCAST.is_station());
    assert!(Mac::BROADCAST.is_group());
}

#[test]
fn an_ipv4_group_maps_to_its_low_23_bits_behind_01005e() {
    for (group, mac) in [
        ("224.0.0.18", "01:00:5e:00:00:12"),
        ("239.255.1.2", "01:00:5e:7f:01:02"),
    ] {
        assert_eq!(Mac::of_multicast(group.parse().unwrap()).to_string(), mac);
    }
    let v6 = "ff02::12".parse().unwrap();
    assert_eq!(Mac::of_multicast(v6).to_string(), "33:33:00:00:00:12");
}

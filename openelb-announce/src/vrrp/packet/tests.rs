use super::{Advert, ChecksumForm, DecodeError, Head, Octets, Path, Version};
use crate::vrrp::capture::{
    FRR_V3, FRR_V6, KEEPALIVED_V2, KEEPALIVED_V2_PASSWORD, KEEPALIVED_V3, KEEPALIVED_V3_LEAVES,
    KEEPALIVED_V6,
};
use crate::vrrp::{Interval, Vrid};
use crate::wire::capture::octets;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[test]
fn what_keepalived_sends_over_ipv4_is_read_and_written_alike() {
    let (path, message) = captured(KEEPALIVED_V3);
    let advert = Advert::decode(&message, path).unwrap();
    assert_eq!(advert.head, head(Version::V3, 51, 150, 25));
    assert_eq!(listed(&advert), ["192.0.2.10", "192.0.2.11"]);
    assert_eq!(advert.form, Some(ChecksumForm::PseudoHeader));
    assert_eq!(
        rewritten(&advert, path, ChecksumForm::PseudoHeader),
        message
    );

    let (path, message) = captured(KEEPALIVED_V3_LEAVES);
    let advert = Advert::decode(&message, path).unwrap();
    assert_eq!(advert.head, head(Version::V3, 51, 0, 25));
    assert_eq!(
        rewritten(&advert, path, ChecksumForm::PseudoHeader),
        message
    );
}

#[test]
fn what_keepalived_and_frr_send_over_ipv6_is_read_and_written_alike() {
    let (path, message) = captured(KEEPALIVED_V6);
    let advert = Advert::decode(&message, path).unwrap();
    assert_eq!(advert.head, head(Version::V3, 55, 146, 25));
    assert_eq!(listed(&advert), ["fe80::10", "2001:db8::10"]);
    assert_eq!(advert.form, None, "over IPv6 there is one form alone");
    assert_eq!(rewritten(&advert, path, ChecksumForm::Plain), message);

    let (path, message) = captured(FRR_V6);
    let advert = Advert::decode(&message, path).unwrap();
    assert_eq!(listed(&advert), ["2001:db8::20"]);
    assert_eq!(
        rewritten(&advert, path, ChecksumForm::PseudoHeader),
        message
    );
}

#[test]
fn what_frr_sends_over_ipv4_is_read_and_written_alike() {
    let (path, message) = captured(FRR_V3);
    let advert = Advert::decode(&message, path).unwrap();
    assert_eq!(advert.head, head(Version::V3, 5, 200, 50));
    assert_eq!(advert.form, Some(ChecksumForm::PseudoHeader));
    assert_eq!(
        rewritten(&advert, path, ChecksumForm::PseudoHeader),
        message
    );
}

#[test]
fn what_keepalived_sends_in_version_2_is_read_and_written_alike() {
    let (path, message) = captured(KEEPALIVED_V2);
    let advert = Advert::decode(&message, path).unwrap();
    assert_eq!(advert.head, head(Version::V2, 53, 148, 100));
    assert_eq!(listed(&advert), ["192.0.2.13"]);
    assert_eq!(advert.form, None, "version 2 has one form alone");
    assert_eq!(
        rewritten(&advert, path, ChecksumForm::PseudoHeader),
        message
    );
}

#[test]
fn authentication_of_version_2_is_refused_with_a_reason() {
    let (path, message) = captured(KEEPALIVED_V2_PASSWORD);
    let error = Advert::decode(&message, path).unwrap_err();
    assert_eq!(error, DecodeError::Authentication(1));
    assert!(error.to_string().contains("RFC 3768 removed it"));
}

/// The same message in the form of RFC 9568 section 5.2.8. Its sum by hand: 3133 + 9602 + 0019 +
/// c000 + 020a + c000 + 020b = 24b63, folded 4b65, and the complement of that is b49a.
#[test]
fn an_ipv4_checksum_without_the_pseudo_header_is_accepted_too() {
    let (path, mut message) = captured(KEEPALIVED_V3);
    message[6..8].copy_from_slice(&[0xb4, 0x9a]);
    let advert = Advert::decode(&message, path).unwrap();
    assert_eq!(advert.form, Some(ChecksumForm::Plain));
    assert_eq!(rewritten(&advert, path, ChecksumForm::Plain), message);
}

/// With the pseudo-header c000 + 0201 + e000 + 0012 + 0070 + 0010 the sum above comes to 3edf6,
/// folded edf9: the complement 1206 is what keepalived sent.
#[test]
fn the_pseudo_header_is_source_destination_protocol_and_length() {
    let (path, message) = captured(KEEPALIVED_V3);
    assert_eq!(message[6..8], [0x12, 0x06]);
    let elsewhere = Path {
        source: IpAddr::from([192, 0, 2, 2]),
        ..path
    };
    let error = Advert::decode(&message, elsewhere).unwrap_err();
    assert_eq!(error, DecodeError::Checksum { found: 0x1206 });
}

#[test]
fn over_ipv6_the_checksum_covers_source_and_destination() {
    let (path, message) = captured(KEEPALIVED_V6);
    let source = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let error = Advert::decode(&message, Path { source, ..path });
    assert!(matches!(error, Err(DecodeError::Checksum { .. })));
}

#[test]
fn every_damaged_bit_is_noticed() {
    for capture in [KEEPALIVED_V3, KEEPALIVED_V2, KEEPALIVED_V6] {
        let (path, message) = captured(capture);
        for bit in 0..message.len() * 8 {
            let mut damaged = message.clone();
            damaged[bit / 8] ^= 0x80 >> (bit % 8);
            assert!(Advert::decode(&damaged, path).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn a_message_that_ends_early_is_refused_at_any_length() {
    for capture in [KEEPALIVED_V3, KEEPALIVED_V2, KEEPALIVED_V6, FRR_V6] {
        let (path, message) = captured(capture);
        for length in 0..message.len() {
            let error = Advert::decode(&message[..length], path);
            assert!(matches!(error, Err(DecodeError::Truncated(_))), "{length}");
        }
        let mut padded = message.clone();
        padded.extend([0xa5; 20]);
        assert!(Advert::decode(&padded, path).is_ok(), "padding is no harm");
    }
}

#[test]
fn other_versions_and_types_are_refused() {
    let (path, message) = captured(KEEPALIVED_V3);
    for first in (0..=255).filter(|first| *first != 0x31) {
        let mut other = message.clone();
        other[0] = first;
        let error = Advert::decode(&other, path).unwrap_err();
        match first >> 4 {
            // Without the eight octets of authentication it is too short for version 2.
            2 => assert!(!matches!(error, DecodeError::Version { .. }), "{first:#x}"),
            3 => assert_eq!(error, DecodeError::Type(first & 0x0f)),
            _ => assert!(matches!(error, DecodeError::Version { .. }), "{first:#x}"),
        }
    }
    let (path, mut message) = captured(KEEPALIVED_V6);
    message[0] = 0x21;
    let error = Advert::decode(&message, path).unwrap_err();
    assert_eq!(error.to_string(), "VRRP version 2 does not exist for IPv6");
}

#[test]
fn an_advertisement_without_addresses_interval_or_vrid_is_refused() {
    let path = v4_path();
    let sealed = |octets: [u8; 8]| {
        let mut octets = octets.to_vec();
        let sum = super::sum(Version::V3, &octets, path, ChecksumForm::Plain);
        octets[6..8].copy_from_slice(&sum.to_be_bytes());
        Advert::decode(&octets, path).map(|_| ())
    };
    assert_eq!(
        sealed([0x31, 51, 100, 0, 0, 100, 0, 0]),
        Err(DecodeError::NoAddress)
    );
    assert_eq!(
        sealed([0x31, 0, 100, 0, 0, 100, 0, 0]),
        Err(DecodeError::NoVrid)
    );
    let mut octets = encoded(Version::V3, 100);
    octets[4..6].copy_from_slice(&[0xf0, 0]);
    octets[6..8].copy_from_slice(&[0, 0]);
    let sum = super::sum(Version::V3, &octets, path, ChecksumForm::Plain);
    octets[6..8].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(Advert::decode(&octets, path), Err(DecodeError::NoInterval));
}

#[test]
fn reserved_bits_are_zero_when_sent_and_ignored_when_received() {
    let path = v4_path();
    let mut octets = encoded(Version::V3, 4095);
    assert_eq!(octets[4..6], [0x0f, 0xff]);
    octets[4] |= 0xf0;
    octets[6..8].copy_from_slice(&[0, 0]);
    let sum = super::sum(Version::V3, &octets, path, ChecksumForm::Plain);
    octets[6..8].copy_from_slice(&sum.to_be_bytes());
    let advert = Advert::decode(&octets, path).unwrap();
    assert_eq!(advert.head.interval.centiseconds(), 4095);
}

#[test]
fn the_virtual_router_is_found_without_reading_the_rest() {
    assert_eq!(Advert::vrid(&[0x31, 51]), Vrid::new(51));
    assert_eq!(Advert::vrid(&[0x31, 0, 1]), None);
    assert_eq!(Advert::vrid(&[0x31]), None);
}

#[test]
fn nothing_is_written_that_does_not_fit_in_a_frame() {
    let v6 = |count: u16| -> Vec<IpAddr> {
        let address = |it| Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, it).into();
        (0..count).map(address).collect()
    };
    let path = captured(KEEPALIVED_V6).0;
    let octets = head(Version::V3, 1, 1, 1).encode(&v6(200), path, ChecksumForm::Plain);
    assert_eq!(octets.len(), 8 + 90 * 16);
    assert_eq!(Advert::decode(&octets, path).unwrap().addresses.len(), 90);
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        vrid in 1u8..,
        priority: u8,
        centiseconds in 1u16..=4095,
        addresses in prop::collection::vec(any::<Ipv4Addr>(), 1..=255),
        source: Ipv4Addr,
        is_plain: bool,
        is_v2: bool,
    ) {
        let path = Path { source: source.into(), ..v4_path() };
        let (version, unit) = if is_v2 { (Version::V2, 100) } else { (Version::V3, 1) };
        let centiseconds = (centiseconds % 255 + 1) * unit;
        let form = if is_plain { ChecksumForm::Plain } else { ChecksumForm::PseudoHeader };
        let head = head(version, vrid, priority, centiseconds);
        let addresses: Vec<IpAddr> = addresses.into_iter().map(IpAddr::from).collect();
        let octets = head.encode(&addresses, path, form);
        let advert = Advert::decode(&octets, path).unwrap();
        prop_assert_eq!(advert.head, head);
        prop_assert!(advert.addresses.iter().eq(addresses));
        prop_assert!(advert.form.is_none_or(|it| it == form && version == Version::V3));
    }

    #[test]
    fn ipv6_is_written_and_read_again(
        addresses in prop::collection::vec(any::<Ipv6Addr>(), 1..=90),
        source: Ipv6Addr,
        destination: Ipv6Addr,
    ) {
        let path = Path { source: source.into(), destination: destination.into() };
        let head = head(Version::V3, 7, 100, 100);
        let addresses: Vec<IpAddr> = addresses.into_iter().map(IpAddr::from).collect();
        let octets = head.encode(&addresses, path, ChecksumForm::Plain);
        let advert = Advert::decode(&octets, path).unwrap();
        prop_assert!(advert.addresses.iter().eq(addresses));
        prop_assert_eq!(advert.form, None);
    }

    #[test]
    fn any_octets_are_read_without_panic(octets: Vec<u8>, is_v6: bool) {
        let path = if is_v6 { captured(KEEPALIVED_V6).0 } else { v4_path() };
        if let Ok(advert) = Advert::decode(&octets, path) {
            prop_assert_eq!(advert.addresses.iter().count(), usize::from(octets[3]));
        }
    }
}

/// The addresses of the IP header of a capture, and the message behind it.
fn captured(hex: &str) -> (Path, Vec<u8>) {
    let packet = octets(hex);
    let v4 = |at: usize| -> IpAddr { <[u8; 4]>::try_from(&packet[at..at + 4]).unwrap().into() };
    let v6 = |at: usize| -> IpAddr { <[u8; 16]>::try_from(&packet[at..at + 16]).unwrap().into() };
    let (source, destination, header) = match packet[0] >> 4 {
        4 => (v4(12), v4(16), 20),
        _ => (v6(8), v6(24), 40),
    };
    (
        Path {
            source,
            destination,
        },
        packet[header..].to_vec(),
    )
}

fn v4_path() -> Path {
    captured(KEEPALIVED_V3).0
}

fn encoded(version: Version, centiseconds: u16) -> Octets {
    let addresses = ["192.0.2.10".parse().unwrap()];
    head(version, 51, 100, centiseconds).encode(&addresses, v4_path(), ChecksumForm::Plain)
}

fn head(version: Version, vrid: u8, priority: u8, centiseconds: u16) -> Head {
    Head {
        version,
        vrid: Vrid::new(vrid).unwrap(),
        priority,
        interval: Interval::from_centiseconds(centiseconds).unwrap(),
    }
}

fn listed(advert: &Advert<'_>) -> Vec<String> {
    advert.addresses.iter().map(|it| it.to_string()).collect()
}

fn rewritten(advert: &Advert<'_>, path: Path, form: ChecksumForm) -> Vec<u8> {
    let addresses: Vec<_> = advert.addresses.iter().collect();
    advert.head.encode(&addresses, path, form).to_vec()
}

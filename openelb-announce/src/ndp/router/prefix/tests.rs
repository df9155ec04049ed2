//! Tests of Prefix Information options.

use proptest::prelude::*;

use super::*;

/// What radvd 2.19 sent for `prefix 2001:db8:ffff::/64 { AdvValidLifetime 7200;
/// AdvPreferredLifetime 3600; }`.
const OF_RADVD: &str = "0304 40c0 00001c20 00000e10 00000000 20010db8ffff00000000000000000000";

#[test]
fn an_option_of_radvd_is_read() {
    let octets = hex(OF_RADVD);
    let option = Options::new(&octets).next().unwrap().unwrap();
    let read = PrefixInformation::parse(&option).unwrap();
    assert_eq!(read.prefix, "2001:db8:ffff::/64".parse().unwrap());
    assert_eq!(read.valid, Some(Duration::from_hours(2)));
    assert_eq!(read.preferred, Some(Duration::from_hours(1)));
    let expected = Flags {
        on_link: true,
        autonomous: true,
        ..Flags::default()
    };
    assert_eq!(read.flags, expected);
    assert_eq!(written(read), octets);
}

#[test]
fn all_ones_are_for_ever_and_zero_is_over() {
    let mut octets = hex(OF_RADVD);
    octets[4..8].fill(0xff);
    octets[8..12].fill(0);
    let option = Options::new(&octets).next().unwrap().unwrap();
    let read = PrefixInformation::parse(&option).unwrap();
    assert_eq!((read.valid, read.preferred), (None, Some(Duration::ZERO)));
}

#[test]
fn bits_behind_the_length_mean_nothing() {
    let mut octets = hex(OF_RADVD);
    octets[31] = 1;
    let option = Options::new(&octets).next().unwrap().unwrap();
    let read = PrefixInformation::parse(&option).unwrap();
    assert_eq!(read.prefix, "2001:db8:ffff::/64".parse().unwrap());
}

#[test]
fn an_option_of_another_length_or_with_a_length_beyond_128_is_passed_over() {
    let mut too_far = hex(OF_RADVD);
    too_far[2] = 129;
    let mut short = hex(OF_RADVD)[..24].to_vec();
    short[1] = 3;
    let mut long = hex(OF_RADVD);
    long.extend([0; 8]);
    long[1] = 5;
    for octets in [too_far, short, long] {
        let option = Options::new(&octets).next().unwrap().unwrap();
        assert_eq!(PrefixInformation::parse(&option), None, "{octets:x?}");
    }
}

#[test]
fn the_prefixes_of_an_advertisement_come_in_order_and_other_messages_have_none() {
    let mut body = vec![0; 12];
    body.extend(hex("0101 02005e10000a"));
    body.extend(hex(OF_RADVD));
    let mut second = hex(OF_RADVD);
    second[21] = 0x0b;
    body.extend(second);
    let message = |kind| Message {
        kind,
        code: 0,
        body: &body,
    };
    let found: Vec<_> = PrefixInformation::all(&message(Type::RouterAdvertisement))
        .map(|information| information.prefix.to_string())
        .collect();
    assert_eq!(found, ["2001:db8:ffff::/64", "2001:db8:ff0b::/64"]);
    assert_eq!(
        PrefixInformation::all(&message(Type::RouterSolicitation)).count(),
        0
    );
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        address: u128, length in 0_u8..=128, flags: u8, valid: u32, preferred: u32,
    ) {
        let information = PrefixInformation {
            prefix: Ipv6Net::new(address.into(), length).unwrap().trunc(),
            flags: Flags::from(flags),
            valid: lifetime(valid),
            preferred: lifetime(preferred),
        };
        let octets = written(information);
        let option = Options::new(&octets).next().unwrap().unwrap();
        prop_assert_eq!(PrefixInformation::parse(&option), Some(information));
    }

    #[test]
    fn any_octets_are_an_option_or_none(octets: Vec<u8>) {
        let message = Message { kind: Type::RouterAdvertisement, code: 0, body: &octets };
        prop_assert!(PrefixInformation::all(&message).count() <= octets.len() / 32);
    }
}

fn written(information: PrefixInformation) -> Vec<u8> {
    let mut octets = vec![0; PrefixInformation::LENGTH];
    information.emit(&mut Writer::new(&mut octets)).unwrap();
    octets
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

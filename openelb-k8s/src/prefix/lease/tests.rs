//! Tests of lease files: of Kea 2.2, dnsmasq 2.90 and dhcpcd 9.4.1 as those programs wrote them, of
//! systemd-networkd and odhcp6c by what is documented of their form.

use proptest::prelude::*;

use super::*;

const KEA: &str = include_str!("../../../tests/data/lease/kea-leases6.csv");
const DNSMASQ: &[u8] = include_bytes!("../../../tests/data/lease/dnsmasq.leases");
const DHCPCD: &[u8] = include_bytes!("../../../tests/data/lease/dhcpcd.lease6");
const DHCPCD_DUMP: &[u8] = include_bytes!("../../../tests/data/lease/dhcpcd-dump.txt");
const DHCPCD_HOOK: &[u8] = include_bytes!("../../../tests/data/lease/dhcpcd-hook.env");

const CLOCKS: Clocks = Clocks {
    written: Time(1_000_000),
    boot: Time(500_000),
};

const CLIENT: &str = "00:01:00:01:32:94:d6:0f:0a:4f:c9:ed:b8:b3";

/// Prefix, preferred until and valid until, in seconds.
fn told(leases: &[Lease]) -> Vec<(String, Option<u64>, Option<u64>)> {
    let seconds = |time: Option<Time>| time.map(|time| time.0 / 1_000);
    leases
        .iter()
        .map(|lease| {
            let (preferred, valid) = (lease.preferred_until, lease.valid_until);
            (lease.prefix.to_string(), seconds(preferred), seconds(valid))
        })
        .collect()
}

fn read_all(format: LeaseFormat, octets: &[u8]) -> Vec<(String, Option<u64>, Option<u64>)> {
    told(&read(format, octets, None, CLOCKS).unwrap())
}

/// As all samples of dhcpcd have it: 1,800 and 3,600 seconds from when they were written.
fn delegated() -> Vec<(String, Option<u64>, Option<u64>)> {
    vec![("2001:db8:a000::/56".to_owned(), Some(2_800), Some(4_600))]
}

#[test]
fn what_kea_delegated_is_read_with_the_times_in_its_journal() {
    let expected = (
        "2001:db8:a000::/56".to_owned(),
        Some(1_795_301_562),
        Some(1_795_303_362),
    );
    assert_eq!(read_all(LeaseFormat::Kea, KEA.as_bytes()), [expected]);
}

#[test]
fn in_the_journal_of_kea_the_last_row_about_a_prefix_counts() {
    let row = KEA.lines().last().unwrap();
    let renewed = row.replace("1795303362", "1795304000");
    let text = format!("{KEA}{renewed}\n");
    let valid = read_all(LeaseFormat::Kea, text.as_bytes())[0].2;
    assert_eq!(valid, Some(1_795_304_000));
    for deleted in [
        row.replace(",3600,", ",0,"),
        row.replace(",0,,1,2", ",2,,1,2"),
    ] {
        assert_ne!(deleted, row);
        let text = format!("{KEA}{deleted}\n");
        assert_eq!(read_all(LeaseFormat::Kea, text.as_bytes()), []);
    }
}

#[test]
fn a_lease_of_kea_for_ever_has_no_end() {
    let text = KEA
        .replace(",3600,", ",4294967295,")
        .replace(",1800,", ",4294967295,");
    let expected = ("2001:db8:a000::/56".to_owned(), None, None);
    assert_eq!(read_all(LeaseFormat::Kea, text.as_bytes()), [expected]);
}

#[test]
fn of_several_clients_one_must_be_named() {
    let row = KEA.lines().last().unwrap();
    let other = row
        .replace("a000::", "a100::")
        .replace("00:01:00:01", "00:03:00:01");
    let text = format!("{KEA}{other}\n");
    let error = read(LeaseFormat::Kea, text.as_bytes(), None, CLOCKS).unwrap_err();
    assert!(
        error.to_string().contains("leases of 2 clients; name one"),
        "{error}"
    );
    let client = CLIENT.to_uppercase();
    let leases = read(LeaseFormat::Kea, text.as_bytes(), Some(&client), CLOCKS).unwrap();
    assert_eq!(told(&leases)[0].0, "2001:db8:a000::/56");
    assert_eq!(leases.len(), 1);
}

#[test]
fn the_addresses_that_dnsmasq_leases_tell_their_64() {
    let until = Some(1_795_303_401);
    let expected = ("2001:db8:ffff::/64".to_owned(), until, until);
    assert_eq!(read_all(LeaseFormat::Dnsmasq, DNSMASQ), [expected]);
}

#[test]
fn of_several_leases_of_dnsmasq_in_one_prefix_the_last_to_end_counts() {
    let text = format!(
        "1795300000 02:00:00:00:00:01 192.0.2.7 host *\nduid 00:01\n\
         1795303401 1 2001:db8::1 * {CLIENT}\n1795309999 T2 2001:db8::2 * {CLIENT}\n\
         0 3 2001:db8:1::2 * {CLIENT}\n"
    );
    let expected = [
        (
            "2001:db8::/64".to_owned(),
            Some(1_795_309_999),
            Some(1_795_309_999),
        ),
        ("2001:db8:1::/64".to_owned(), None, None),
    ];
    assert_eq!(read_all(LeaseFormat::Dnsmasq, text.as_bytes()), expected);
}

#[test]
fn the_reply_that_dhcpcd_keeps_and_both_its_texts_tell_the_same() {
    for octets in [DHCPCD, DHCPCD_DUMP, DHCPCD_HOOK] {
        assert_eq!(read_all(LeaseFormat::Dhcpcd, octets), delegated());
    }
}

#[test]
fn a_reply_that_is_cut_short_anywhere_is_no_reply_without_prefixes() {
    for length in 1..DHCPCD.len() {
        let cut = &DHCPCD[..length];
        match read(LeaseFormat::Dhcpcd, cut, None, CLOCKS) {
            Err(LeaseError::Truncated { at }) => assert!(at <= length),
            // Between two options nothing shows that one is missing.
            Ok(leases) => assert!(leases.is_empty(), "{length}"),
            Err(other) => panic!("{length}: {other}"),
        }
    }
}

#[test]
fn a_prefix_with_a_valid_lifetime_of_zero_was_taken_back() {
    let mut octets = DHCPCD.to_vec();
    let at = octets
        .windows(4)
        .rposition(|window| window == [0, 0, 0x0e, 0x10])
        .unwrap();
    octets[at..at + 4].fill(0);
    octets[at - 4..at].fill(0);
    assert_eq!(read_all(LeaseFormat::Dhcpcd, &octets), []);
    let text = String::from_utf8(DHCPCD_DUMP.to_vec()).unwrap();
    let text = text.replace("prefix1_vltime=3600", "prefix1_vltime=0");
    assert_eq!(read_all(LeaseFormat::Dhcpcd, text.as_bytes()), []);
}

#[test]
fn a_hook_that_is_told_of_an_expired_lease_tells_of_no_prefix() {
    let text = String::from_utf8(DHCPCD_HOOK.to_vec()).unwrap();
    let text = text.replace("new_", "old_").replace("BOUND6", "EXPIRE6");
    assert_eq!(read_all(LeaseFormat::Dhcpcd, text.as_bytes()), []);
}

#[test]
fn the_environment_of_odhcp6c_is_read_as_documented() {
    let text = "SERVER=fe80::1\nPREFIXES='2001:db8::/56,1800,3600,class=1,excluded=2001:db8:0:ff::/64 \
                fd00:1::/48,4294967295,4294967295'\n";
    let expected = [
        ("2001:db8::/56".to_owned(), Some(2_800), Some(4_600)),
        ("fd00:1::/48".to_owned(), None, None),
    ];
    assert_eq!(read_all(LeaseFormat::Odhcp6c, text.as_bytes()), expected);
    assert_eq!(read_all(LeaseFormat::Odhcp6c, b"SERVER=fe80::1\n"), []);
}

#[test]
fn the_description_of_networkd_is_read_as_documented() {
    let text = r#"{"Index":2,"Name":"wan0","DHCPv6Client":{"Lease":{"Timeout1USec":9},"Prefixes":[
        {"Prefix":[32,1,13,184,160,0,0,0,0,0,0,0,0,0,0,0],"PrefixLength":56,
         "PreferredLifetimeUSec":1800000000,"ValidLifetimeUSec":3600000000},
        {"Prefix":[253,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"PrefixLength":48}]}}"#;
    let expected = [
        ("2001:db8:a000::/56".to_owned(), Some(2_300), Some(4_100)),
        ("fd00::/48".to_owned(), None, None),
    ];
    assert_eq!(read_all(LeaseFormat::Networkd, text.as_bytes()), expected);
    assert_eq!(read_all(LeaseFormat::Networkd, br#"{"Name":"wan0"}"#), []);
}

#[test]
fn a_file_of_another_format_is_an_error_and_not_an_empty_answer() {
    for (format, octets) in [
        (LeaseFormat::Kea, DNSMASQ),
        (LeaseFormat::Dhcpcd, KEA.as_bytes()),
        (LeaseFormat::Odhcp6c, DHCPCD),
        (LeaseFormat::Networkd, DHCPCD_DUMP),
        (LeaseFormat::Networkd, b"{}"),
        (LeaseFormat::Kea, b""),
        (LeaseFormat::Dhcpcd, b""),
        (LeaseFormat::Odhcp6c, b""),
    ] {
        let error = read(format, octets, None, CLOCKS).unwrap_err().to_string();
        assert!(error.contains("; "), "what to do next: {error}");
    }
}

proptest! {
    #[test]
    fn any_octets_of_any_format_are_read_or_refused(octets: Vec<u8>, written: u64, boot: u64) {
        let clocks = Clocks { written: Time(written), boot: Time(boot) };
        for format in [
            LeaseFormat::Kea, LeaseFormat::Dnsmasq, LeaseFormat::Dhcpcd, LeaseFormat::Odhcp6c,
            LeaseFormat::Networkd,
        ] {
            let _ = read(format, &octets, None, clocks);
            let mut reply = vec![reply::REPLY];
            reply.extend(&octets);
            let _ = read(format, &reply, Some(CLIENT), clocks);
        }
    }

    /// A sample with some octets changed: nearer to what a program could write.
    #[test]
    fn samples_with_other_octets_are_read_or_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
    ) {
        for (format, sample) in [
            (LeaseFormat::Kea, KEA.as_bytes()), (LeaseFormat::Dnsmasq, DNSMASQ),
            (LeaseFormat::Dhcpcd, DHCPCD), (LeaseFormat::Dhcpcd, DHCPCD_DUMP),
        ] {
            let mut octets = sample.to_vec();
            for (place, octet) in &changes {
                let place = place.index(octets.len());
                octets[place] = *octet;
            }
            let _ = read(format, &octets, None, CLOCKS);
        }
    }
}

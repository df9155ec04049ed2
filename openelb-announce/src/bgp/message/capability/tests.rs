//! Tests of capabilities.

use super::{
    AddPathMode, Capability, GracefulRestart, LongLived, NextHopEncoding, decode_all,
    extended_next_hop, write,
};
use crate::bgp::message::tests::hex;
use crate::bgp::{Asn, Family};

fn decoded(octets: &[u8]) -> Vec<Capability> {
    let mut capabilities = Vec::new();
    decode_all(octets, &mut capabilities).unwrap();
    capabilities
}

#[test]
fn every_capability_is_written_as_its_rfc_draws_it_and_read_back() {
    let restart = GracefulRestart {
        restarting: true,
        notification: true,
        time: 120,
        families: vec![(Family::Ipv4Unicast, true), (Family::Ipv6Unicast, false)],
    };
    let stale = LongLived {
        family: Family::Ipv6Unicast,
        forwarding: true,
        time: 86_400,
    };
    let paths = vec![
        (Family::Ipv4Unicast, AddPathMode::Send),
        (Family::Ipv6Unicast, AddPathMode::Both),
    ];
    let name = Capability::HostName {
        host: "node-1".into(),
        domain: String::new(),
    };
    for (capability, octets) in [
        (
            Capability::multi_protocol(Family::Ipv6Unicast),
            "01 04 0002 00 01",
        ),
        (Capability::RouteRefresh, "02 00"),
        (Capability::v6_next_hops_for_v4(), "05 06 0001 0001 0002"),
        (Capability::ExtendedMessage, "06 00"),
        (Capability::Role(3), "09 01 03"),
        (
            Capability::GracefulRestart(restart),
            "40 0a c078 0001 01 80 0002 01 00",
        ),
        (Capability::FourOctetAs(Asn(65_546)), "41 04 0001000a"),
        (Capability::AddPath(paths), "45 08 0001 01 02 0002 01 03"),
        (Capability::EnhancedRouteRefresh, "46 00"),
        (
            Capability::LongLived(vec![stale]),
            "47 07 0002 01 80 015180",
        ),
        (name, "49 08 06 6e6f64652d31 00"),
        (
            Capability::Unknown {
                code: 128,
                data: vec![1],
            },
            "80 01 01",
        ),
    ] {
        let mut written = Vec::new();
        write(&capability, &mut written);
        assert_eq!(written, hex(octets), "{capability:?}");
        assert_eq!(decoded(&written), [capability]);
    }
}

#[test]
fn a_capability_whose_value_is_not_what_its_rfc_says_counts_as_unknown() {
    for octets in [
        "01 03 000200",
        "02 01 00",
        "05 05 0001000100",
        "06 01 00",
        "09 00",
        "40 01 80",
        "40 03 807800",
        "41 02 0001",
        "45 03 000101",
        "46 01 00",
        "47 06 000201800151",
        "49 02 0561",
    ] {
        let octets = hex(octets);
        let expected = Capability::Unknown {
            code: octets[0],
            data: octets[2..].to_vec(),
        };
        assert_eq!(decoded(&octets), [expected]);
    }
}

#[test]
fn foreign_families_and_modes_in_a_list_are_left_out() {
    assert_eq!(
        decoded(&hex("45 08 0019 46 03 0001 01 04")),
        [Capability::AddPath(vec![])]
    );
    let restart = GracefulRestart {
        time: 90,
        ..GracefulRestart::default()
    };
    assert_eq!(
        decoded(&hex("40 06 005a 0019 46 80")),
        [Capability::GracefulRestart(restart)]
    );
    assert_eq!(
        decoded(&hex("47 07 0019 46 80 000001")),
        [Capability::LongLived(vec![])]
    );
}

#[test]
fn a_capability_that_is_cut_short_makes_the_list_malformed() {
    for octets in ["02", "01 04 0001", "02 00 41"] {
        assert!(decode_all(&hex(octets), &mut Vec::new()).is_err());
    }
}

#[test]
fn extended_next_hops_need_both_sides_and_the_right_families() {
    let able = &[Capability::v6_next_hops_for_v4()];
    let and_more = &[Capability::RouteRefresh, Capability::v6_next_hops_for_v4()];
    let other = &[Capability::ExtendedNextHop(vec![NextHopEncoding {
        afi: 1,
        safi: 128,
        next_hop_afi: 2,
    }])];
    assert!(extended_next_hop(able, and_more).is_some());
    assert!(extended_next_hop(able, other).is_none());
    assert!(extended_next_hop(other, able).is_none());
    assert!(extended_next_hop(&[], able).is_none());
}

#[test]
fn a_value_too_long_for_its_length_is_cut_between_entries() {
    let many = vec![NextHopEncoding::V6_FOR_V4; 100];
    let mut written = Vec::new();
    write(&Capability::ExtendedNextHop(many), &mut written);
    assert_eq!(written.len(), 2 + 252);
    assert_eq!(decoded(&written).len(), 1);
    let times = GracefulRestart {
        time: u16::MAX,
        ..GracefulRestart::default()
    };
    let mut written = Vec::new();
    write(&Capability::GracefulRestart(times), &mut written);
    assert_eq!(written, hex("40 02 0fff"));
}

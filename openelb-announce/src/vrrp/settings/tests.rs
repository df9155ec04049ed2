use super::{Checksum, Settings, SettingsError};
use crate::vrrp::{Interval, Version, Vrid};
use std::net::IpAddr;
use std::time::Duration;

#[test]
fn the_defaults_are_those_of_the_standard() {
    let settings = v4();
    assert_eq!(settings.validate(), Ok(()));
    assert_eq!(
        (settings.priority, settings.interval),
        (100, Interval::SECOND)
    );
    assert!(settings.preempt && !settings.accept);
    assert_eq!(v6().validate(), Ok(()));
}

#[test]
fn priority_255_and_the_ownership_of_the_addresses_come_together() {
    let with = |priority, owner| {
        Settings {
            priority,
            owner,
            ..v4()
        }
        .validate()
    };
    assert_eq!(with(254, false), Ok(()));
    assert_eq!(with(255, true), Ok(()));
    assert_eq!(with(255, false), Err(SettingsError::OwnersPriority));
    assert_eq!(with(100, true), Err(SettingsError::OwnerWithPriority(100)));
    assert_eq!(with(0, false), Err(SettingsError::NoPriority));
}

#[test]
fn each_version_has_its_own_bounds_of_the_interval() {
    let with = |version, centiseconds| {
        let interval = Interval::from_centiseconds(centiseconds).unwrap();
        Settings {
            version,
            interval,
            ..v4()
        }
        .validate()
        .is_ok()
    };
    assert!(with(Version::V3, 1) && with(Version::V3, 4095) && !with(Version::V3, 4096));
    assert!(with(Version::V2, 100) && with(Version::V2, 25_500));
    assert!(!with(Version::V2, 50) && !with(Version::V2, 150));
}

#[test]
fn version_2_has_neither_ipv6_nor_a_pseudo_header() {
    let v6 = Settings {
        version: Version::V2,
        ..v6()
    };
    assert_eq!(v6.validate(), Err(SettingsError::Version));
    let checksum = Checksum::PseudoHeader;
    let v4 = Settings {
        version: Version::V2,
        checksum,
        ..v4()
    };
    assert!(matches!(v4.validate(), Err(SettingsError::Checksum { .. })));
    let plain = Settings {
        checksum: Checksum::Plain,
        ..self::v6()
    };
    assert!(matches!(
        plain.validate(),
        Err(SettingsError::Checksum { .. })
    ));
}

#[test]
fn the_first_ipv6_address_is_link_local() {
    let reversed = settings(&["2001:db8::10", "fe80::10"]);
    let error = reversed.validate().unwrap_err();
    assert_eq!(
        error,
        SettingsError::NotLinkLocal("2001:db8::10".parse().unwrap())
    );
    assert!(
        error
            .to_string()
            .ends_with("put one of fe80::/10 before it")
    );
}

#[test]
fn an_advertisement_must_fit_in_a_frame() {
    let many = |count: u16| {
        let addresses = (0..count).map(|it| format!("fe80::{it:x}").parse().unwrap());
        Settings::new(Vrid::new(1).unwrap(), addresses.collect())
    };
    assert_eq!(many(90).validate(), Ok(()));
    let error = many(91).validate().unwrap_err();
    assert!(matches!(
        error,
        SettingsError::TooMany {
            count: 91,
            most: 90,
            ..
        }
    ));
    assert!(
        error.to_string().ends_with("widen the range of VRIDs"),
        "{error}"
    );
}

#[test]
fn addresses_are_of_one_family_usable_and_listed_once() {
    assert_eq!(settings(&[]).validate(), Err(SettingsError::NoAddress));
    for wrong in [
        "::1",
        "fe80::1",
        "0.0.0.0",
        "127.0.0.1",
        "224.0.0.18",
        "255.255.255.255",
    ] {
        let error = settings(&["192.0.2.10", wrong]).validate();
        assert!(
            matches!(error, Err(SettingsError::Address { .. })),
            "{wrong}"
        );
    }
    let twice = settings(&["192.0.2.10", "192.0.2.11", "192.0.2.10"]);
    assert!(matches!(twice.validate(), Err(SettingsError::Twice(_))));
}

#[test]
fn unicast_peers_are_routers_of_the_family_and_few() {
    let with = |peers: Vec<IpAddr>| Settings { peers, ..v4() }.validate();
    assert_eq!(with(vec!["192.0.2.2".parse().unwrap()]), Ok(()));
    for wrong in ["2001:db8::2", "224.0.0.18"] {
        let error = with(vec![wrong.parse().unwrap()]);
        assert!(matches!(error, Err(SettingsError::Peer { .. })), "{wrong}");
    }
    let many = (1..=33).map(|it| IpAddr::from([192, 0, 2, it]));
    assert_eq!(with(many.collect()), Err(SettingsError::TooManyPeers(33)));
}

#[test]
fn nobody_waits_longer_than_an_hour_to_preempt() {
    let with = |secs| {
        let preempt_delay = Duration::from_secs(secs);
        Settings {
            preempt_delay,
            ..v4()
        }
        .validate()
        .is_ok()
    };
    assert!(with(3600) && !with(3601));
}

fn v4() -> Settings {
    settings(&["192.0.2.10", "192.0.2.11"])
}

fn v6() -> Settings {
    settings(&["fe80::10", "2001:db8::10"])
}

fn settings(addresses: &[&str]) -> Settings {
    let addresses = addresses.iter().map(|it| it.parse().unwrap()).collect();
    Settings::new(Vrid::new(51).unwrap(), addresses)
}

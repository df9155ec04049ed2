//! Tests of standard and large communities.

use super::{Community, LargeCommunity, NAMES};

#[test]
fn well_known_communities_are_read_and_written_by_name() {
    for (name, community) in NAMES {
        assert_eq!(name.parse(), Ok(community));
        assert_eq!(community.to_string(), name);
    }
    assert_eq!("65535:0".parse(), Ok(Community::GRACEFUL_SHUTDOWN));
    assert_eq!("65535:65281".parse(), Ok(Community::NO_EXPORT));
}

#[test]
fn other_communities_are_two_halves_or_one_number() {
    assert_eq!("64512:1".parse(), Ok(Community::of(64_512, 1)));
    assert_eq!("4227858433".parse(), Ok(Community::of(64_512, 1)));
    assert_eq!(Community::of(64_512, 1).to_string(), "64512:1");
}

#[test]
fn what_is_no_community_is_refused_by_name() {
    for text in [
        "",
        ":",
        "1:65536",
        "65536:1",
        "+1:1",
        "1:2:3",
        "4294967296",
        "no_export",
    ] {
        let refused = text.parse::<Community>().unwrap_err().to_string();
        assert!(refused.starts_with(&format!("`{text}` is no community")));
    }
}

#[test]
fn a_large_community_is_three_numbers_with_or_without_its_name() {
    let expected = LargeCommunity {
        global: 64_500,
        local_1: 1,
        local_2: u32::MAX,
    };
    assert_eq!("large:64500:1:4294967295".parse(), Ok(expected));
    assert_eq!("64500:1:4294967295".parse(), Ok(expected));
    assert_eq!(expected.to_string(), "64500:1:4294967295");
    for text in [
        "",
        "1:2",
        "1:2:3:4",
        "large:1:2",
        "1:2:4294967296",
        "1:+2:3",
    ] {
        assert!(text.parse::<LargeCommunity>().is_err(), "{text}");
    }
}

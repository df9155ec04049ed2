//! Tests of the table of routers and their prefixes.

use proptest::prelude::*;

use super::*;
use crate::ndp::router::Flags;
use crate::wire::Writer;
use crate::wire::ip::ALL_NODES;

const US: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 9);
const ONE: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
const OTHER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2);
const A: &str = "2001:db8:a::/64";
const B: &str = "2001:db8:b::/64";

#[test]
fn a_prefix_is_told_with_its_lifetimes_and_ends_with_the_valid_one() {
    let mut routers = Routers::default();
    advertise(&mut routers, ONE, &[usual(A, 60, 120)], 0);
    assert_eq!(
        told(&mut routers),
        [(ONE, A.to_owned(), Some(60), Some(120))]
    );
    assert_eq!(routers.poll_timeout(), Some(seconds(120)));
    routers.handle_timeout(seconds(119));
    assert_eq!(routers.poll_output(), None);
    routers.handle_timeout(seconds(120));
    assert_eq!(ended(&mut routers), [(ONE, A.to_owned())]);
    assert_eq!(routers.poll_timeout(), None);
}

#[test]
fn every_advertisement_starts_the_lifetimes_anew() {
    let mut routers = Routers::default();
    advertise(&mut routers, ONE, &[usual(A, 60, 120)], 0);
    advertise(&mut routers, ONE, &[usual(A, 60, 120)], 100);
    assert_eq!(told(&mut routers).len(), 2);
    routers.handle_timeout(seconds(120));
    assert_eq!(routers.poll_output(), None);
    assert_eq!(routers.poll_timeout(), Some(seconds(220)));
}

#[test]
fn of_two_routers_one_gives_its_prefix_up_and_the_other_keeps_the_same() {
    let mut routers = Routers::default();
    advertise(&mut routers, ONE, &[usual(A, 60, 120)], 0);
    advertise(&mut routers, OTHER, &[usual(A, 60, 120)], 0);
    told(&mut routers);
    advertise(
        &mut routers,
        ONE,
        &[usual(A, 0, 120), usual(B, 60, 120)],
        10,
    );
    let expected = [
        (ONE, A.to_owned(), Some(0), Some(120)),
        (ONE, B.to_owned(), Some(60), Some(120)),
    ];
    assert_eq!(told(&mut routers), expected);
    let still: Vec<_> = routers.advertised(seconds(20)).collect();
    assert_eq!(still.len(), 3);
    assert_eq!(still[0].preferred, Some(Duration::ZERO));
    assert_eq!(still[2].router, OTHER);
    assert_eq!(still[2].preferred, Some(Duration::from_secs(40)));
}

#[test]
fn a_valid_lifetime_of_zero_ends_a_prefix_at_once_and_says_nothing_of_an_unknown_one() {
    let mut routers = Routers::default();
    advertise(&mut routers, ONE, &[usual(A, 60, 7200)], 0);
    told(&mut routers);
    advertise(&mut routers, OTHER, &[usual(A, 0, 0)], 1);
    assert_eq!(routers.poll_output(), None);
    // Far less than two hours are left, and yet it ends: this is no address of a host.
    advertise(&mut routers, ONE, &[usual(A, 0, 0)], 2);
    assert_eq!(ended(&mut routers), [(ONE, A.to_owned())]);
}

#[test]
fn lifetimes_get_shorter_at_once() {
    let mut routers = Routers::default();
    advertise(&mut routers, ONE, &[usual(A, 86_400, 86_400)], 0);
    advertise(&mut routers, ONE, &[usual(A, 0, 30)], 1);
    told(&mut routers);
    assert_eq!(routers.poll_timeout(), Some(seconds(31)));
}

#[test]
fn a_prefix_of_a_router_that_falls_silent_lives_as_long_as_it_said() {
    let mut routers = Routers::default();
    advertise(&mut routers, ONE, &[usual(A, 60, 120)], 0);
    advertise(&mut routers, OTHER, &[usual(B, 60, 120)], 0);
    advertise(&mut routers, OTHER, &[usual(B, 60, 120)], 100);
    told(&mut routers);
    routers.handle_timeout(seconds(150));
    assert_eq!(ended(&mut routers), [(ONE, A.to_owned())]);
}

#[test]
fn what_an_advertisement_leaves_out_stays() {
    let mut routers = Routers::default();
    advertise(&mut routers, ONE, &[usual(A, 60, 120)], 0);
    advertise(&mut routers, ONE, &[usual(B, 60, 120)], 1);
    advertise(&mut routers, ONE, &[], 2);
    assert_eq!(told(&mut routers).len(), 2);
    assert_eq!(routers.advertised(seconds(3)).count(), 2);
}

#[test]
fn for_ever_has_no_deadline() {
    let mut routers = Routers::default();
    let mut information = usual(A, 0, 0);
    (information.preferred, information.valid) = (None, None);
    advertise(&mut routers, ONE, &[information], 0);
    assert_eq!(told(&mut routers), [(ONE, A.to_owned(), None, None)]);
    assert_eq!(routers.poll_timeout(), None);
}

#[test]
fn what_hosts_can_do_nothing_with_is_not_told() {
    let mut useless = usual(A, 60, 120);
    useless.flags = Flags {
        delegation_preferred: true,
        ..Flags::default()
    };
    let contradiction = usual(A, 121, 120);
    let mut endless = usual(A, 0, 120);
    endless.preferred = None;
    let link_local = usual("fe80::/64", 60, 120);
    let everything = usual("::/0", 60, 120);
    let multicast = usual("ff0e::/64", 60, 120);
    for information in [
        useless,
        contradiction,
        endless,
        link_local,
        everything,
        multicast,
    ] {
        let mut routers = Routers::default();
        advertise(&mut routers, ONE, &[information], 0);
        assert_eq!(routers.poll_output(), None, "{information:?}");
    }
}

#[test]
fn a_message_from_another_than_a_link_local_address_is_not_heeded() {
    let mut routers = Routers::default();
    let global = "2001:db8::1".parse().unwrap();
    advertise(&mut routers, global, &[usual(A, 60, 120)], 0);
    assert_eq!(routers.poll_output(), None);
}

#[test]
fn only_the_named_routers_are_listened_to() {
    let mut routers = Routers::new([OTHER]);
    advertise(&mut routers, ONE, &[usual(A, 60, 120)], 0);
    assert_eq!(routers.poll_output(), None);
    advertise(&mut routers, OTHER, &[usual(B, 60, 120)], 0);
    assert_eq!(told(&mut routers).len(), 1);
}

#[test]
fn a_flood_of_routers_and_prefixes_displaces_nothing_that_is_known() {
    let mut routers = Routers::default();
    advertise(&mut routers, ONE, &[usual(A, 60, 120)], 0);
    for number in 0..1000_u16 {
        let forged = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 1, number);
        let prefix = format!("2001:db8:{number:x}::/64");
        advertise(&mut routers, forged, &[usual(&prefix, 60, 120)], 1);
        let prefix = format!("2001:db8:1:{number:x}::/64");
        advertise(&mut routers, ONE, &[usual(&prefix, 60, 120)], 1);
    }
    let known: Vec<_> = routers.advertised(seconds(2)).collect();
    assert_eq!(known.len(), MOST_ROUTERS - 1 + MOST_PREFIXES);
    let first = |it: &Advertised| it.router == ONE && it.prefix.to_string() == A;
    assert!(known.iter().any(first));
    let kept = known.len() - 1;
    assert_eq!(routers.left_out(), 2000 - u64::try_from(kept).unwrap());
    // When the first ones are over there is room again.
    advertise(&mut routers, OTHER, &[usual(B, 60, 120)], 200);
    assert_eq!(routers.advertised(seconds(200)).count(), 1);
}

#[test]
fn it_asks_three_times_and_stops_when_a_router_answers() {
    let mut routers = Routers::default();
    let up = Input::Up {
        address: US,
        mac: None,
    };
    routers.handle_input(up, Time::ZERO);
    assert_eq!(questions(&mut routers), 1);
    routers.handle_input(up, seconds(1));
    assert_eq!(questions(&mut routers), 0, "nothing has changed");
    assert_eq!(routers.poll_timeout(), Some(seconds(4)));
    routers.handle_timeout(seconds(4));
    routers.handle_timeout(seconds(8));
    assert_eq!(questions(&mut routers), 2);
    assert_eq!(routers.poll_timeout(), None);

    let mut routers = Routers::default();
    routers.handle_input(up, Time::ZERO);
    advertise(&mut routers, ONE, &[], 1);
    assert_eq!(questions(&mut routers), 1);
    assert_eq!(routers.poll_timeout(), None);
}

#[test]
fn a_link_that_goes_down_takes_nothing_away_and_asks_again_when_it_is_back() {
    let mut routers = Routers::default();
    let up = Input::Up {
        address: US,
        mac: None,
    };
    routers.handle_input(up, Time::ZERO);
    advertise(&mut routers, ONE, &[usual(A, 60, 120)], 1);
    while routers.poll_output().is_some() {}
    routers.handle_input(Input::Down, seconds(2));
    assert_eq!(routers.poll_output(), None);
    assert_eq!(routers.advertised(seconds(3)).count(), 1);
    routers.handle_input(up, seconds(4));
    assert_eq!(questions(&mut routers), 1);
}

proptest! {
    /// What was told as advertised and not as ended is exactly what the table holds, at any time.
    #[test]
    fn what_was_told_is_what_is_known(
        steps in prop::collection::vec((0_u16..20, 0_u16..4, 0_u32..40, 0_u32..80, 0_u64..30), 0..60),
    ) {
        let (mut routers, mut known) = (Routers::default(), std::collections::BTreeSet::new());
        let mut now = 0;
        for (router, prefix, preferred, valid, pause) in steps {
            now += pause;
            let router = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, router + 1);
            let prefix = format!("2001:db8:{prefix:x}::/64");
            advertise(&mut routers, router, &[usual(&prefix, preferred, valid)], now);
            while let Some(output) = routers.poll_output() {
                match output {
                    Output::Advertised(told) => {
                        prop_assert_ne!(told.valid, Some(Duration::ZERO));
                        known.insert((told.router, told.prefix));
                    }
                    Output::Ended { router, prefix } => {
                        prop_assert!(known.remove(&(router, prefix)));
                    }
                    Output::Transmit { .. } => {}
                }
            }
            // Nothing ends without a word, also when only time passes.
            let mut later = routers.clone();
            later.handle_timeout(seconds(now));
            let mut still = known.clone();
            while let Some(Output::Ended { router, prefix }) = later.poll_output() {
                still.remove(&(router, prefix));
            }
            let held: std::collections::BTreeSet<_> =
                later.advertised(seconds(now)).map(|it| (it.router, it.prefix)).collect();
            prop_assert_eq!(held, still);
        }
    }
}

fn usual(prefix: &str, preferred: u32, valid: u32) -> PrefixInformation {
    PrefixInformation {
        prefix: prefix.parse().unwrap(),
        flags: Flags {
            on_link: true,
            autonomous: true,
            ..Flags::default()
        },
        valid: Some(Duration::from_secs(valid.into())),
        preferred: Some(Duration::from_secs(preferred.into())),
    }
}

/// The message of a router with these options, at that second.
fn advertise(routers: &mut Routers, router: Ipv6Addr, prefixes: &[PrefixInformation], second: u64) {
    let advertisement = Repr::Advertisement {
        lifetime: 1800,
        source_mac: None,
    };
    let mut octets = vec![0; advertisement.length() + prefixes.len() * PrefixInformation::LENGTH];
    let mut writer = Writer::new(&mut octets);
    advertisement.emit(&mut writer, router, ALL_NODES).unwrap();
    for prefix in prefixes {
        prefix.emit(&mut writer).unwrap();
    }
    let input = Input::Received {
        source: router,
        octets: &octets,
    };
    routers.handle_input(input, seconds(second));
}

type Told = (Ipv6Addr, String, Option<u64>, Option<u64>);

fn told(routers: &mut Routers) -> Vec<Told> {
    let outputs = std::iter::from_fn(|| routers.poll_output());
    let in_seconds = |span: Option<Duration>| span.map(|span| span.as_secs());
    outputs
        .filter_map(|output| match output {
            Output::Advertised(told) => Some((
                told.router,
                told.prefix.to_string(),
                in_seconds(told.preferred),
                in_seconds(told.valid),
            )),
            _ => None,
        })
        .collect()
}

fn ended(routers: &mut Routers) -> Vec<(Ipv6Addr, String)> {
    let outputs = std::iter::from_fn(|| routers.poll_output());
    let end = |output| match output {
        Output::Ended { router, prefix } => (router, prefix.to_string()),
        other => panic!("{other:?}"),
    };
    outputs.map(end).collect()
}

fn questions(routers: &mut Routers) -> usize {
    let outputs = std::iter::from_fn(|| routers.poll_output());
    let is_question = |output: &Output| matches!(output, Output::Transmit { .. });
    outputs.filter(is_question).count()
}

fn seconds(second: u64) -> Time {
    Time::ZERO + Duration::from_secs(second)
}

//! Derivation by the rule of its predecessor, and the life of a prefix told as stories.

use ipnet::Ipv6Net;

use super::{
    Derivation, DeriveError, Event, Input, Machine, Part, Scope, Settings, Sighting, State,
};
use crate::Time;

const A: &str = "2001:db8:a::/64";
const B: &str = "2001:db8:b::/64";
const C: &str = "2001:db8:c::/64";
const DAY: u64 = 86_400;

fn net(text: &str) -> Ipv6Net {
    text.parse().unwrap()
}

fn over(keep: u8, bits: &str) -> Result<String, DeriveError> {
    let bits = bits.parse().unwrap();
    let part = Part::Override { keep, bits };
    let derived = Derivation { length: 64, part }.derive(net("2001:db8:aaaa:bb11::/64"));
    derived.map(|prefix| prefix.to_string())
}

#[test]
fn metallb_71_masked_override_replaces_the_subnet() {
    let expected = Ok("2001:db8:aaaa:bbcd::/64".to_owned());
    assert_eq!(over(56, "0:0:0:cd::"), expected);
    assert_eq!(over(56, "0:0:0:00cd::"), expected);
}

#[test]
fn metallb_72_masked_override_at_other_lengths() {
    for (keep, bits, expected) in [
        (60, "0:0:0:d::", "2001:db8:aaaa:bb1d::/64"),
        (48, "0:0:0:beef::", "2001:db8:aaaa:beef::/64"),
        (40, "0:0:ff:beef::", "2001:db8:aaff:beef::/64"),
        (52, "0:0:0:abc::", "2001:db8:aaaa:babc::/64"),
        (44, "0:0:5:1::", "2001:db8:aaa5:1::/64"),
        (63, "::", "2001:db8:aaaa:bb10::/64"),
    ] {
        assert_eq!(
            over(keep, bits).as_deref(),
            Ok(expected),
            "keep {keep}, {bits}"
        );
    }
}

#[test]
fn metallb_73_override_outside_its_field_is_refused() {
    for (keep, bits) in [
        (56, "0:0:0:cd00::"),
        (56, "0:0:0:1cd::"),
        (60, "0:0:0:1d::"),
        (56, "0:0:0:cd::1"),
    ] {
        let refused = over(keep, bits);
        assert!(
            matches!(refused, Err(DeriveError::OutsideMask { .. })),
            "{bits}: {refused:?}"
        );
    }
    for keep in [0, 64, 65, 128, 255] {
        assert!(
            matches!(over(keep, "::"), Err(DeriveError::Keep { .. })),
            "keep {keep}"
        );
    }
}

#[test]
fn metallb_78_subnet_number_of_a_delegation_gives_the_same() {
    let by_number = |number| Derivation {
        length: 64,
        part: Part::Number(number),
    };
    let delegated = net("2001:db8:aaaa:bb00::/56");
    let derived = by_number(0xcd).derive(delegated).unwrap();
    assert_eq!(derived.to_string(), over(56, "0:0:0:cd::").unwrap());
    let refused = by_number(0x100).derive(delegated).unwrap_err();
    assert!(
        matches!(refused, DeriveError::Number { room: 8, .. }),
        "{refused}"
    );
}

#[test]
fn lengths_that_pools_cannot_have_are_refused_and_the_extremes_work() {
    let part = Part::Whole;
    for length in [0, 47, 129] {
        let refused = Derivation { length, part }.derive(net("2001:db8::/32"));
        assert_eq!(refused, Err(DeriveError::Length { length }));
    }
    let shorter = Derivation { length: 60, part }.derive(net(A));
    assert!(matches!(
        shorter,
        Err(DeriveError::TooLong { length: 60, .. })
    ));
    let host = Derivation {
        length: 128,
        part: Part::Number(u128::MAX),
    };
    assert_eq!(
        host.derive(net("::/0")).unwrap().addr().to_bits(),
        u128::MAX
    );
    let first = Derivation {
        length: 128,
        part: Part::Number(1),
    }
    .derive(net("2001:db8::/127"));
    assert_eq!(first.unwrap(), net("2001:db8::1/128"));
}

/// A machine, and what it said, with a clock in seconds.
struct Story {
    machine: Machine,
    now: u64,
    said: Vec<String>,
}

impl Story {
    fn new(settings: Settings) -> Self {
        Self {
            machine: Machine::new(settings),
            now: 0,
            said: Vec::new(),
        }
    }

    /// One with A in use and confirmed.
    fn with_a() -> Self {
        let mut story = Self::new(Settings::default());
        story.seen(0, A, DAY).wait(100);
        story.said.clear();
        story
    }

    fn input(&mut self, input: Input) -> &mut Self {
        self.machine.handle_input(input, time(self.now));
        self.wait(0)
    }

    fn seen(&mut self, source: usize, prefix: &str, lasts: u64) -> &mut Self {
        let until = Some(time(self.now + lasts));
        self.input(Input::Seen(Sighting {
            source,
            origin: "wan0".into(),
            prefix: net(prefix),
            preferred_until: until,
            valid_until: until,
        }))
    }

    fn gone(&mut self, prefix: &str) -> &mut Self {
        self.input(Input::Gone {
            source: 0,
            origin: "wan0".into(),
            prefix: net(prefix),
        })
    }

    /// Lets time pass, waking the machine exactly when it asks.
    fn wait(&mut self, seconds: u64) -> &mut Self {
        let end = time(self.now + seconds);
        while let Some(due) = self.machine.poll_timeout().filter(|&due| due <= end) {
            self.machine.handle_timeout(due);
        }
        self.now += seconds;
        while let Some(event) = self.machine.poll_event() {
            self.said.push(event.to_string());
        }
        self
    }

    fn shown(&self) -> Vec<String> {
        let generations = self.machine.generations().iter();
        generations
            .map(|generation| generation.prefix.to_string())
            .collect()
    }

    fn said(&mut self) -> Vec<String> {
        core::mem::take(&mut self.said)
    }
}

fn time(seconds: u64) -> Time {
    Time(seconds * 1_000)
}

#[test]
fn the_first_prefix_is_used_after_the_hold_down_and_not_before() {
    let mut story = Story::new(Settings::default());
    story.seen(0, A, DAY).wait(14);
    assert_eq!(story.shown(), [""; 0]);
    assert_eq!(story.machine.tentative(time(14)).unwrap().due, time(15));
    story.wait(1);
    assert_eq!(story.shown(), [A]);
    assert_eq!(story.said(), [format!("{A} is in use")]);
}

#[test]
fn metallb_76_a_renumbering_shows_both_the_new_one_first_then_the_new_one_alone() {
    let mut story = Story::with_a();
    story.gone(A).seen(0, B, DAY).wait(14);
    assert_eq!(story.shown(), [A], "make before break");
    story.wait(1);
    assert_eq!(story.shown(), [B, A]);
    assert_eq!(
        story.machine.generations().deprecated[0].until,
        None,
        "B is not announced yet"
    );
    story.input(Input::Announced { prefix: net(B) });
    let until = story.machine.generations().deprecated[0].until;
    assert_eq!(until, Some(time(story.now + 3_600)));
    story.wait(3_599);
    assert_eq!(story.shown(), [B, A]);
    story.wait(1);
    assert_eq!(story.shown(), [B]);
    let expected = [
        format!("{B} replaces {A}"),
        format!("{A} leaves at {}", until.unwrap()),
        format!("{A} is not used any more"),
    ];
    assert_eq!(story.said(), expected);
    assert_eq!(story.machine.state().renumbered, 1);
}

#[test]
fn grace_begins_after_a_minute_if_nobody_says_that_the_new_one_is_announced() {
    let mut story = Story::with_a();
    story.gone(A).seen(0, B, DAY).wait(15 + 60);
    assert_eq!(
        story.machine.generations().deprecated[0].until,
        Some(time(story.now + 3_600))
    );
}

#[test]
fn grace_ends_with_the_valid_lifetime() {
    let mut story = Story::new(Settings::default());
    story.seen(0, A, 1_000).wait(100);
    story.gone(A).seen(0, B, DAY).wait(899);
    assert_eq!(story.shown(), [B, A]);
    story.wait(1);
    assert_eq!(
        story.shown(),
        [B],
        "nobody carries A after its valid lifetime"
    );
}

#[test]
fn metallb_77_losing_the_source_keeps_the_prefix_for_its_valid_lifetime() {
    let failed = || Input::Failed {
        source: 0,
        why: "https://a.example: timed out".to_owned(),
    };
    let mut story = Story::with_a();
    story.input(failed()).wait(15);
    assert_eq!(story.shown(), [A]);
    let said = story.said().join("\n");
    assert!(
        said.contains("is kept until") && said.contains("timed out"),
        "{said}"
    );
    story.input(Input::Worked { source: 0 });
    assert_eq!(story.said(), ["the preferred prefix is vouched for again"]);
    assert_eq!(story.machine.state().degraded, None);

    let (mut failing, mut losing) = (Story::with_a(), Story::with_a());
    for story in [failing.input(failed()), losing.gone(A)] {
        story.wait(DAY - 200);
        assert_eq!(story.shown(), [A], "whatever its source says");
        story.wait(200);
        assert_eq!(story.shown(), [""; 0]);
    }
}

#[test]
fn a_flap_within_the_hold_down_changes_nothing() {
    let mut story = Story::with_a();
    let before = story.machine.generations().clone();
    story.gone(A).seen(0, B, DAY).wait(10);
    story.gone(B).seen(0, A, DAY - 110).wait(600);
    assert_eq!(story.machine.generations(), &before);
    assert_eq!(
        story.said(),
        [format!("{A} came back before anything was changed")]
    );
    assert_eq!(story.machine.state().renumbered, 0);
}

#[test]
fn metallb_75_renewals_change_nothing_until_half_of_the_lifetime_is_gone() {
    let mut story = Story::with_a();
    let mut changes = 0;
    let mut before = story.machine.generations().clone();
    for _ in 0..(7 * DAY / 600) {
        story.seen(0, A, DAY).wait(600);
        changes += usize::from(story.machine.generations() != &before);
        before = story.machine.generations().clone();
    }
    assert!(
        changes <= 14,
        "{changes} changes in a week of 1,008 renewals"
    );
    assert_eq!(story.said(), [""; 0]);
}

#[test]
fn a_prefix_that_comes_back_from_its_grace_is_preferred_again() {
    let mut story = Story::with_a();
    story.gone(A).seen(0, B, DAY).wait(300);
    story.gone(B).seen(0, A, DAY).wait(15);
    assert_eq!(story.shown(), [A, B]);
    let generations = story.machine.generations();
    assert!(
        generations.deprecated[0].until.is_some(),
        "A was announced all the time"
    );
}

#[test]
fn a_router_that_silently_tells_of_another_prefix_is_believed() {
    let mut story = Story::with_a();
    // RFC 8978: after a crash the router knows nothing of A and cannot deprecate it.
    story.seen(0, B, DAY).wait(10).seen(0, B, DAY).wait(10);
    assert_eq!(story.shown(), [B, A]);
}

#[test]
fn two_prefixes_of_one_router_and_two_routers_in_turn_never_alternate() {
    let mut story = Story::with_a();
    for round in 0..300 {
        // One router tells of A and B together, another of C half a period later.
        story.seen(0, A, 1_800).seen(0, B, 1_800).wait(300);
        let until = Some(time(story.now + 1_800));
        story.input(Input::Seen(Sighting {
            source: 0,
            origin: "router fe80::2 on wan0".into(),
            prefix: net(C),
            preferred_until: until,
            valid_until: until,
        }));
        story.wait(300);
        assert_eq!(story.shown(), [A], "round {round}");
    }
}

#[test]
fn a_better_source_wins_and_only_after_the_hold_down() {
    let mut story = Story::new(Settings::default());
    story.seen(1, A, DAY).wait(100);
    story.seen(0, B, DAY).wait(14);
    assert_eq!(story.shown(), [A]);
    story.wait(1);
    assert_eq!(story.shown(), [B, A]);
    story.seen(2, C, 9 * DAY).wait(1_000);
    assert_eq!(
        story.shown(),
        [B, A],
        "a longer lifetime is no better source"
    );
}

#[test]
fn a_prefix_in_use_dwells_before_a_better_one_replaces_it() {
    let mut story = Story::new(Settings::default());
    story.seen(1, A, DAY).wait(20).seen(0, B, DAY).wait(54);
    assert_eq!(story.shown(), [A], "A is in use since 15 s");
    story.wait(1);
    assert_eq!(story.shown(), [B, A]);
}

#[test]
fn unique_local_prefixes_serve_while_there_is_no_global_one() {
    let mut story = Story::new(Settings::default());
    story.seen(0, "fd00:1::/64", 9 * DAY).wait(100);
    story.seen(0, A, DAY).wait(100);
    assert_eq!(story.shown(), [A, "fd00:1::/64"]);

    let only = Settings {
        scope: Scope::Global,
        ..Settings::default()
    };
    let mut story = Story::new(only);
    story
        .seen(0, "fd00:1::/64", DAY)
        .seen(0, "fe80::/64", DAY)
        .wait(100);
    assert_eq!(story.shown(), [""; 0]);
    let said = story.said();
    assert_eq!(said.len(), 2, "each refusal is said once: {said:?}");
    assert!(
        said[0].contains("is no global unicast prefix"),
        "{}",
        said[0]
    );
}

#[test]
fn old_generations_leave_when_there_are_too_many() {
    let mut story = Story::new(Settings {
        generations: 2,
        ..Settings::default()
    });
    let mut former = None;
    for number in 0..6 {
        let prefix = format!("2001:db8:{number}::/64");
        former.replace(prefix.clone()).iter().for_each(|former| {
            story.gone(former);
        });
        story.seen(0, &prefix, DAY).wait(120);
    }
    assert_eq!(
        story.shown(),
        ["2001:db8:5::/64", "2001:db8:4::/64", "2001:db8:3::/64"]
    );
}

#[test]
fn when_the_preferred_one_ends_the_latest_valid_one_stays() {
    let mut story = Story::with_a();
    story.gone(A).seen(0, B, 500).wait(400).gone(B).wait(99);
    assert_eq!(story.shown(), [B, A]);
    story.wait(1);
    assert_eq!(
        story.shown(),
        [A],
        "A is still valid, so that something is shown"
    );
    story.wait(DAY);
    assert_eq!(story.shown(), [""; 0]);
}

#[test]
fn a_new_rule_renumbers_at_once_and_keeps_the_old_one_for_its_grace() {
    let mut story = Story::new(Settings::default());
    story.seen(0, "2001:db8:a::/56", DAY).wait(100);
    assert_eq!(story.shown(), [A]);
    let derivation = Derivation {
        length: 64,
        part: Part::Number(0xcd),
    };
    story.input(Input::Configure(Settings {
        derivation,
        ..Settings::default()
    }));
    assert_eq!(story.shown(), ["2001:db8:a:cd::/64", A]);
}

#[test]
fn generations_alone_are_enough_to_renumber_nobody() {
    let mut story = Story::with_a();
    story.gone(A).seen(0, B, DAY).wait(100);
    let shown = story.machine.generations().clone();
    let state = State::from(shown.clone());
    story.machine = Machine::restore(Settings::default(), state, time(story.now));
    story.said.clear();
    story.wait(5);
    assert_eq!(story.machine.generations(), &shown);
    // Another prefix that happens to be told of first wins nothing.
    story.seen(0, C, DAY).wait(1).seen(0, B, DAY).wait(13);
    assert_eq!(story.machine.generations(), &shown);
    story.wait(2_000);
    assert_eq!(story.shown(), [B, A]);
    assert!(story.said().iter().all(|said| said.contains("came back")));
}

#[test]
fn a_clock_that_jumps_back_delays_and_breaks_nothing() {
    let mut story = Story::with_a();
    story.gone(A).seen(0, B, DAY).wait(20);
    assert_eq!(story.shown(), [B, A]);
    story.now = 10;
    for _ in 0..5 {
        story.machine.handle_timeout(time(story.now));
        story.wait(5);
        assert_eq!(story.shown(), [B, A]);
    }
    story.seen(0, B, DAY).wait(3_900);
    assert_eq!(story.shown(), [B]);
}

#[test]
fn a_flood_of_prefixes_neither_grows_the_machine_nor_moves_the_one_in_use() {
    let mut story = Story::with_a();
    for number in 0..1_000 {
        story.seen(3, &format!("2001:db8:f{number:03}::/64"), 9 * DAY);
    }
    story.wait(100);
    assert_eq!(story.machine.state().sightings.len(), 64);
    assert_eq!(story.shown(), [A]);
    for number in 0..1_000 {
        let origin = "x".repeat(5_000);
        let prefix = net(&format!("fe80:{number:x}::/64"));
        story.machine.handle_input(
            Input::Seen(Sighting {
                source: 0,
                origin,
                prefix,
                preferred_until: None,
                valid_until: None,
            }),
            time(story.now),
        );
    }
    assert_eq!(story.machine.state().sightings.len(), 64);
    assert!(
        story
            .machine
            .state()
            .sightings
            .iter()
            .any(|known| known.sighting.prefix == net(A))
    );
    let longest = story
        .machine
        .state()
        .sightings
        .iter()
        .map(|known| known.sighting.origin.len());
    assert!(longest.max().unwrap() <= 500);
}

#[test]
fn events_that_nobody_asks_for_are_dropped_oldest_first() {
    let mut machine = Machine::new(Settings {
        hold_down: core::time::Duration::ZERO,
        ..Settings::default()
    });
    for number in 0..200_u64 {
        let prefix = net(&format!("2001:db8:{number:x}::/64"));
        let at = time(number * 100);
        let ends = Some(time(number * 100 + 50));
        machine.handle_input(
            Input::Seen(Sighting {
                source: 0,
                origin: String::new(),
                prefix,
                preferred_until: ends,
                valid_until: ends,
            }),
            at,
        );
        machine.handle_timeout(at);
    }
    let said: Vec<Event> = core::iter::from_fn(|| machine.poll_event()).collect();
    assert_eq!(said.len(), 64);
    assert_eq!(
        said.last(),
        Some(&Event::Withdrawn {
            prefix: net("2001:db8:c6::/64")
        })
    );
}

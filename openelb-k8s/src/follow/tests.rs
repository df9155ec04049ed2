//! What a machine decided comes back from the status it was written to.

use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::{Input, Machine, Settings, Sighting};

use super::{generations, is_same, projection, state, status};
use crate::api::{DynamicPrefix, PrefixObservation};

const NOW: u64 = 1_800_000_000_123;

fn seen(prefix: &str) -> Sighting {
    Sighting {
        source: 1,
        origin: "wan0".into(),
        prefix: prefix.parse().unwrap(),
        preferred_until: None,
        valid_until: Some(Time(NOW + 86_400_000)),
    }
}

/// One that was renumbered from A to B, at the time given.
fn renumbered() -> (Machine, Time) {
    let mut machine = Machine::new(Settings::default());
    machine.handle_input(Input::Seen(seen("2001:db8:a::/64")), Time(NOW));
    machine.handle_timeout(Time(NOW));
    machine.handle_timeout(Time(NOW + 15_000));
    let Sighting {
        source,
        origin,
        prefix,
        ..
    } = seen("2001:db8:a::/64");
    machine.handle_input(
        Input::Gone {
            source,
            origin,
            prefix,
        },
        Time(NOW + 20_000),
    );
    machine.handle_input(Input::Seen(seen("2001:db8:b::/64")), Time(NOW + 20_000));
    machine.handle_timeout(Time(NOW + 20_000));
    let later = Time(NOW + 35_000);
    machine.handle_timeout(later);
    let prefix = "2001:db8:b::/64".parse().unwrap();
    machine.handle_input(Input::Announced { prefix }, later);
    machine.handle_timeout(later);
    (machine, later)
}

#[test]
fn what_was_decided_is_read_back_from_the_status_to_the_millisecond() {
    let (machine, now) = renumbered();
    let mut object = DynamicPrefix::new("home", Vec::new());
    object.status = status(&object, &machine.explain(now), Vec::new(), now);
    assert_eq!(&generations(&object.status), machine.generations());
    assert_eq!(state(&object.status).renumbered, 1);

    let taken_over = Machine::restore(Settings::default(), state(&object.status), now);
    assert_eq!(taken_over.generations(), machine.generations());
    let conditions: Vec<_> = object
        .status
        .conditions
        .iter()
        .map(|it| (&*it.kind, &*it.status))
        .collect();
    assert_eq!(conditions, [("Ready", "True"), ("Degraded", "False")]);
}

#[test]
fn metallb_76_both_addresses_are_shown_by_the_status_the_new_one_first() {
    let (machine, now) = renumbered();
    let mut object = DynamicPrefix::new("home", Vec::new());
    object.status = status(&object, &machine.explain(now), Vec::new(), now);
    let view = projection([&object]);
    let shown: Vec<_> = view
        .show(view.read("home/::1000").unwrap())
        .addresses()
        .collect();
    let texts: Vec<_> = shown.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["2001:db8:b::1000", "2001:db8:a::1000"]);
}

#[test]
fn metallb_75_a_renewed_lifetime_of_an_observation_is_no_reason_to_write() {
    let (machine, now) = renumbered();
    let object = DynamicPrefix::new("home", Vec::new());
    let observed = |until: &str| PrefixObservation {
        prefix: "2001:db8:b::/64".into(),
        valid_until: Some(until.to_owned()),
        ..PrefixObservation::default()
    };
    let with = |until| status(&object, &machine.explain(now), vec![observed(until)], now);
    assert!(is_same(
        &with("2030-01-01T00:00:00Z"),
        &with("2031-01-01T00:00:00Z")
    ));
    assert!(!is_same(&with("2030-01-01T00:00:00Z"), &object.status));
}

#[test]
fn a_status_that_makes_no_sense_shows_nothing() {
    let mut object = DynamicPrefix::new("home", Vec::new());
    object.status.preferred = Some(crate::api::PrefixGeneration {
        prefix: "home".into(),
        ..Default::default()
    });
    assert!(generations(&object.status).is_empty());
    object.metadata.name = "not.a.label".into();
    assert!(projection([&object]).is_empty());
}

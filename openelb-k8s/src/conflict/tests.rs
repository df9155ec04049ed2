//! Who is believed, and when.

use std::time::Duration;

use openelb_ipam::Time;

use super::{CLEAR, Conflicts, HOLD, View};
use crate::api::{AnnouncedAddress, AnnouncementState, NodeAnnouncement};
use crate::speaker::record::MOST_SHOWN;

use AnnouncementState::{Announced, Conflict, Standby, Waiting};

const NOW: Time = Time(1_800_000_000_000);
const MOMENT: Duration = Duration::from_secs(1);
const ADDRESS: &str = "192.0.2.1";

fn entry(address: &str, state: AnnouncementState) -> AnnouncedAddress {
    let station = if state == Conflict {
        "02:00:00:00:00:66"
    } else {
        ""
    };
    AnnouncedAddress {
        address: address.to_owned(),
        interface: "eth0".to_owned(),
        station: station.to_owned(),
        state,
        ..AnnouncedAddress::default()
    }
}

fn node(name: &str, states: &[AnnouncementState]) -> NodeAnnouncement {
    let mut node = NodeAnnouncement::new(name);
    node.status.addresses = states.iter().map(|it| entry(ADDRESS, *it)).collect();
    node
}

fn addresses(view: Option<View>) -> Option<Vec<String>> {
    view.map(|view| view.keys().map(ToString::to_string).collect())
}

/// One node in conflict since `NOW`, told of.
fn told() -> Conflicts {
    let mut conflicts = Conflicts::default();
    conflicts.hear(&node("n1", &[Conflict]));
    assert_eq!(conflicts.step(NOW), None);
    assert_eq!(conflicts.poll_timeout(), Some(NOW + HOLD));
    let view = conflicts.step(NOW + HOLD).unwrap();
    let cause = &view[&ADDRESS.parse().unwrap()];
    assert_eq!(cause, "node n1 sees 02:00:00:00:00:66 on eth0");
    conflicts
}

#[test]
fn a_conflict_is_told_once_it_lasted() {
    let mut conflicts = told();
    assert_eq!(conflicts.poll_timeout(), None);
    conflicts.hear(&node("n1", &[Conflict]));
    assert_eq!(conflicts.step(NOW + HOLD), None, "nothing new");
}

#[test]
fn one_of_a_moment_is_a_handover() {
    let mut conflicts = Conflicts::default();
    conflicts.hear(&node("n1", &[Conflict]));
    assert_eq!(conflicts.step(NOW), None);
    conflicts.hear(&node("n1", &[Announced]));
    assert_eq!(conflicts.step(NOW + MOMENT), None);
    assert_eq!(conflicts.poll_timeout(), None);
}

#[test]
fn what_another_node_announces_is_in_use_by_no_stranger() {
    let mut conflicts = Conflicts::default();
    conflicts.hear(&node("n1", &[Conflict]));
    conflicts.hear(&node("n2", &[Announced]));
    conflicts.hear(&node("n3", &[Standby]));
    assert_eq!(conflicts.step(NOW), None);
    assert_eq!(conflicts.poll_timeout(), None);
    conflicts.lose("n2");
    assert_eq!(conflicts.step(NOW), None);
    assert!(conflicts.step(NOW + HOLD).is_some());
}

/// It shows the conflict no more while it probes again.
#[test]
fn another_attempt_ends_no_conflict_and_success_does() {
    let mut conflicts = told();
    let later = NOW + HOLD + MOMENT;
    conflicts.hear(&node("n1", &[Waiting]));
    assert_eq!(conflicts.step(later), None);
    conflicts.hear(&node("n1", &[Conflict]));
    assert_eq!(conflicts.step(later + MOMENT), None);
    conflicts.hear(&node("n1", &[Announced]));
    let view = addresses(conflicts.step(later + MOMENT));
    assert_eq!(view, Some(Vec::new()));
}

#[test]
fn what_no_node_has_any_more_is_over_after_a_while() {
    let mut conflicts = told();
    let later = NOW + HOLD + MOMENT;
    conflicts.hear(&node("n1", &[]));
    assert_eq!(conflicts.step(later), None);
    assert_eq!(conflicts.poll_timeout(), Some(later + CLEAR));
    assert_eq!(addresses(conflicts.step(later + CLEAR)), Some(Vec::new()));
    assert_eq!(conflicts.poll_timeout(), None);
}

#[test]
fn a_node_that_shows_not_all_that_it_announces_may_announce_it() {
    let mut full = NodeAnnouncement::new("n2");
    full.status.addresses = vec![entry("198.51.100.1", Announced); MOST_SHOWN];
    let mut conflicts = Conflicts::default();
    conflicts.hear(&node("n1", &[Conflict]));
    conflicts.hear(&full);
    assert_eq!(conflicts.step(NOW), None);
    assert_eq!(conflicts.poll_timeout(), None);
    conflicts.keep(&["n1".to_owned()].into());
    conflicts.step(NOW);
    assert!(conflicts.step(NOW + HOLD).is_some());
}

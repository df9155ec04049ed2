//! Tests of the memory for conflicts.

use super::Conflicts;
use crate::time::Time;
use std::time::Duration;

const RETRY: Duration = Duration::from_secs(5);
const INTERVAL: Duration = Duration::from_secs(10);

fn at(seconds: u64) -> Time {
    Time::ZERO + Duration::from_secs(seconds)
}

#[test]
fn from_the_tenth_conflict_on_retries_are_a_minute_apart() {
    let mut conflicts = Conflicts::default();
    let waits: Vec<_> = (0..11)
        .map(|n| conflicts.backoff(0, RETRY, at(n)).as_secs())
        .collect();
    assert_eq!(waits, [5, 5, 5, 5, 5, 5, 5, 5, 5, 60, 60]);
}

#[test]
fn each_address_has_its_own_count_and_it_ends_with_the_claim() {
    let mut conflicts = Conflicts::default();
    for _ in 0..10 {
        conflicts.backoff(0, RETRY, at(0));
    }
    assert_eq!(conflicts.backoff(1, RETRY, at(0)), RETRY);
    conflicts.forget(0);
    assert_eq!(conflicts.backoff(0, RETRY, at(0)), RETRY);
}

#[test]
fn ten_quiet_minutes_are_forgiven() {
    let mut conflicts = Conflicts::default();
    for _ in 0..10 {
        conflicts.backoff(0, RETRY, at(0));
    }
    assert_eq!(conflicts.backoff(0, RETRY, at(601)), RETRY);
}

#[test]
fn conflicts_that_keep_coming_are_not_forgiven() {
    let mut conflicts = Conflicts::default();
    let waits: Vec<_> = (0..10)
        .map(|n| conflicts.backoff(0, RETRY, at(n * 300)))
        .collect();
    assert_eq!(waits[9], Duration::from_mins(1));
}

#[test]
fn an_address_is_defended_once_per_interval() {
    let mut conflicts = Conflicts::default();
    assert!(conflicts.may_defend(0, INTERVAL, at(0)));
    assert!(!conflicts.may_defend(0, INTERVAL, at(9)));
    assert!(conflicts.may_defend(1, INTERVAL, at(9)));
    assert!(conflicts.may_defend(0, INTERVAL, at(10)));
}

//! Tests of the timer table.

use super::{TimerKey, TimerTable};
use crate::time::Time;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Timer {
    First,
    Second,
    Third,
}

impl TimerKey for Timer {
    const ALL: &'static [Self] = &[Self::First, Self::Second, Self::Third];
}

type Table = TimerTable<Timer, 3>;

fn at(nanos: u64) -> Time {
    Time::from_nanos(nanos)
}

#[test]
fn a_new_table_has_no_deadline() {
    assert_eq!(Table::default().next_deadline(), None);
}

#[test]
fn the_next_deadline_is_the_earliest() {
    let mut table = Table::default();
    table.set(Timer::First, at(30));
    table.set(Timer::Third, at(10));
    assert_eq!(table.next_deadline(), Some(at(10)));
}

#[test]
fn setting_a_timer_again_moves_it() {
    let mut table = Table::default();
    table.set(Timer::Second, at(10));
    table.set(Timer::Second, at(20));
    assert_eq!(table.deadline(Timer::Second), Some(at(20)));
    assert_eq!(table.next_deadline(), Some(at(20)));
}

#[test]
fn due_timers_fire_once_each_in_order_of_their_deadlines() {
    let mut table = Table::default();
    table.set(Timer::First, at(20));
    table.set(Timer::Second, at(10));
    table.set(Timer::Third, at(31));
    let fired: Vec<_> = std::iter::from_fn(|| table.pop_due(at(30))).collect();
    assert_eq!(fired, [Timer::Second, Timer::First]);
    assert_eq!(table.next_deadline(), Some(at(31)));
}

#[test]
fn timers_due_at_the_same_instant_fire_in_the_order_of_their_keys() {
    let mut table = Table::default();
    table.set(Timer::Third, at(10));
    table.set(Timer::First, at(10));
    assert_eq!(table.pop_due(at(10)), Some(Timer::First));
}

#[test]
fn a_cleared_timer_does_not_fire() {
    let mut table = Table::default();
    table.set(Timer::First, at(10));
    table.clear(Timer::First);
    assert_eq!(table.pop_due(Time::MAX), None);
}

//! Tests of instants.

use super::Time;
use std::time::Duration;

#[test]
fn adding_a_span_moves_an_instant_by_exactly_that_span() {
    let start = Time::from_nanos(7);
    assert_eq!(
        start + Duration::from_millis(3),
        Time::from_nanos(3_000_007)
    );
}

#[test]
fn a_deadline_beyond_the_end_of_the_clock_saturates() {
    assert_eq!(Time::from_nanos(1) + Duration::MAX, Time::MAX);
    assert_eq!(Time::MAX + Duration::from_nanos(1), Time::MAX);
}

#[test]
fn the_span_to_an_earlier_instant_is_zero() {
    assert_eq!(Time::ZERO - Time::MAX, Duration::ZERO);
}

#[test]
fn instants_print_as_seconds_with_nine_decimals() {
    assert_eq!(Time::from_nanos(1_000_000_042).to_string(), "1.000000042s");
}

#[test]
fn an_instant_before_the_start_of_the_clock_is_the_start() {
    assert_eq!(
        Time::from_nanos(9) - Duration::from_nanos(2),
        Time::from_nanos(7)
    );
    assert_eq!(Time::from_nanos(9) - Duration::from_secs(1), Time::ZERO);
}

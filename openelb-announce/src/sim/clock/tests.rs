//! Tests of skewed clocks.

use super::Clock;
use crate::time::Time;
use proptest::prelude::*;
use std::time::Duration;

#[test]
fn a_fast_clock_shows_more_and_a_slow_one_less() {
    let at = Time::from_nanos(1_000_000);
    let clock = |skew_ppm| Clock {
        offset: Duration::from_nanos(7),
        skew_ppm,
    };
    assert_eq!(clock(0).local(at), Time::from_nanos(1_000_007));
    assert_eq!(clock(50_000).local(at), Time::from_nanos(1_050_007));
    assert_eq!(clock(-50_000).local(at), Time::from_nanos(950_007));
}

proptest! {
    #[test]
    fn the_instant_of_a_local_time_is_the_first_that_shows_it(
        offset in 0..1_000_000_u64,
        skew_ppm in -50_000..50_000,
        wanted in 0..1_000_000_000_000_u64,
    ) {
        let clock = Clock { offset: Duration::from_nanos(offset), skew_ppm };
        let (wanted, nanosecond) = (Time::from_nanos(wanted), Duration::from_nanos(1));
        let at = clock.global(wanted);
        prop_assert!(clock.local(at) >= wanted);
        prop_assert!(at == Time::ZERO || clock.local(at - nanosecond) < wanted);
    }
}

//! Tests of the token bucket.

use super::Pace;
use crate::claim::RateLimit;
use crate::time::Time;
use proptest::prelude::*;
use std::time::Duration;

fn passed_at_once(pace: &mut Pace, now: Time) -> usize {
    std::iter::repeat_with(|| pace.take(now))
        .take(10_000)
        .take_while(|passed| *passed)
        .count()
}

#[test]
fn a_full_bucket_passes_exactly_its_burst_and_then_one_frame_per_interval() {
    let mut pace = Pace::new(RateLimit {
        per_second: 1000,
        burst: 5,
    });
    assert_eq!(passed_at_once(&mut pace, Time::ZERO), 5);
    assert_eq!(pace.ready_at(), Time::ZERO + Duration::from_millis(1));
    let ready_at = pace.ready_at();
    assert_eq!(passed_at_once(&mut pace, ready_at), 1);
    assert_eq!(
        passed_at_once(&mut pace, Time::ZERO + Duration::from_secs(9)),
        5
    );
}

#[test]
fn a_huge_burst_leaves_in_portions_between_which_other_work_is_done() {
    let mut pace = Pace::new(RateLimit {
        per_second: 1_000_000,
        burst: 1_000_000,
    });
    let mut now = Time::ZERO;
    for _ in 0..3 {
        assert_eq!(passed_at_once(&mut pace, now), 512);
        assert!(pace.ready_at() > now);
        now = pace.ready_at();
    }
    assert_eq!(now, Time::from_nanos(3));
}

#[test]
fn a_rate_and_a_burst_of_zero_are_taken_as_one() {
    let mut pace = Pace::new(RateLimit {
        per_second: 0,
        burst: 0,
    });
    assert_eq!(passed_at_once(&mut pace, Time::ZERO), 1);
    assert_eq!(pace.ready_at(), Time::ZERO + Duration::from_secs(1));
}

proptest! {
    #[test]
    fn no_span_passes_more_than_the_burst_and_its_share_of_the_rate(
        per_second in 1..5_000_u32,
        burst in 1..50_u32,
        gaps in prop::collection::vec(0..3_000_000_u64, 1..300),
    ) {
        let mut pace = Pace::new(RateLimit { per_second, burst });
        let (mut now, mut passed) = (Time::ZERO, Vec::new());
        for gap in gaps {
            now += Duration::from_nanos(gap);
            if pace.take(now) {
                passed.push(now);
            }
        }
        for (first, start) in passed.iter().enumerate() {
            for (last, end) in passed.iter().enumerate().skip(first) {
                let share = (*end - *start).as_secs_f64() * f64::from(per_second);
                let count = u32::try_from(last - first + 1).unwrap();
                prop_assert!(f64::from(count) <= f64::from(burst) + share + 1e-6);
            }
        }
    }
}

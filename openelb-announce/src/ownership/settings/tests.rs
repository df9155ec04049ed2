//! Only timings that can work are taken.

use super::*;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn every_profile_is_a_timing_that_would_be_taken() {
    for profile in [Profile::Calm, Profile::Normal, Profile::Fast] {
        let timing = profile.timing();
        assert_eq!(
            Timing::new(timing.interval(), timing.dead_after()),
            Ok(timing)
        );
        assert_eq!(profile.to_string().to_lowercase().parse(), Ok(profile));
    }
    assert!(
        "swift"
            .parse::<Profile>()
            .unwrap_err()
            .to_string()
            .contains("Calm, Normal or Fast")
    );
}

#[test]
fn a_node_falls_silent_before_it_counts_as_dead_though_clocks_differ_by_five_percent() {
    for profile in [Profile::Calm, Profile::Normal, Profile::Fast] {
        let timing = profile.timing();
        let slow = timing.valid_for().as_secs_f64() / 0.95;
        let fast = timing.dead_after().as_secs_f64() / 1.05;
        assert!(slow < fast, "{profile}");
    }
}

#[test]
fn timings_that_cannot_work_are_refused() {
    assert!(matches!(
        Timing::new(millis(10), millis(1000)),
        Err(TimingError::Interval(_))
    ));
    assert!(matches!(
        Timing::new(millis(11_000), millis(60_000)),
        Err(TimingError::Interval(_))
    ));
    assert!(matches!(
        Timing::new(millis(100), millis(299)),
        Err(TimingError::DeadAfter(_))
    ));
    assert!(matches!(
        Timing::new(millis(100), millis(60_001)),
        Err(TimingError::DeadAfter(_))
    ));
    let fraction = Timing::new(Duration::from_micros(33_333), millis(100));
    assert!(matches!(fraction, Err(TimingError::Fraction(_))));
}

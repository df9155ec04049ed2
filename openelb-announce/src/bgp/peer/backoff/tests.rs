use super::*;

fn timers() -> Timers {
    Timers {
        idle_hold: Duration::from_secs(1),
        connect_retry: Duration::from_mins(2),
        ..Timers::default()
    }
}

#[test]
fn the_wait_doubles_with_each_failure_up_to_the_connect_retry_time() {
    let (mut backoff, mut random) = (Backoff::default(), Random::new(1));
    for limit in [1, 2, 4, 8, 16, 32, 64, 120, 120, 120] {
        let limit = Duration::from_secs(limit);
        let wait = backoff.fail(&timers(), &mut random);
        assert!(
            wait <= limit && wait >= limit * 3 / 4,
            "{wait:?} of {limit:?}"
        );
    }
}

#[test]
fn a_success_starts_the_waits_anew() {
    let (mut backoff, mut random) = (Backoff::default(), Random::new(2));
    for _ in 0..5 {
        backoff.fail(&timers(), &mut random);
    }
    backoff.reset();
    assert!(backoff.fail(&timers(), &mut random) <= Duration::from_secs(1));
    assert_eq!(backoff.failures(), 1);
}

#[test]
fn two_speakers_with_different_seeds_do_not_wait_equally_long() {
    let wait = |seed| Backoff::default().fail(&timers(), &mut Random::new(seed));
    assert_ne!(wait(1), wait(2));
}

#[test]
fn a_lasting_failure_waits_the_whole_connect_retry_time_at_once() {
    let wait = Backoff::default().fail_lastingly(&timers(), &mut Random::new(3));
    assert!(wait >= Duration::from_secs(90) && wait <= Duration::from_mins(2));
}

#[test]
fn any_number_of_failures_and_any_times_are_borne() {
    let mut backoff = Backoff { failures: u32::MAX };
    let endless = Timers {
        idle_hold: Duration::MAX / 4,
        connect_retry: Duration::MAX / 4,
        ..Timers::default()
    };
    backoff.fail(&endless, &mut Random::new(4));
    assert_eq!(backoff.failures(), u32::MAX);
}

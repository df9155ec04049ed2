use super::Interval;
use std::time::Duration;

#[test]
fn an_interval_is_never_zero_and_never_rounded() {
    assert_eq!(Interval::from_centiseconds(0), None);
    assert_eq!(Interval::from_seconds(0), None);
    for millis in [0, 5, 9, 15, 255_010, u64::MAX] {
        let span = Duration::from_millis(millis);
        assert!(Interval::from_duration(span).is_err(), "{span:?}");
    }
    let span = Duration::from_nanos(10_000_001);
    let error = Interval::from_duration(span).unwrap_err();
    assert!(error.to_string().contains("multiple of 10 ms"));
}

#[test]
fn centiseconds_seconds_and_spans_say_the_same() {
    let interval = Interval::from_duration(Duration::from_millis(250)).unwrap();
    assert_eq!(interval.centiseconds(), 25);
    assert_eq!(interval.seconds(), None);
    assert_eq!(interval.duration(), Duration::from_millis(250));
    assert_eq!(interval.to_string(), "250ms");

    let longest = Interval::from_seconds(255).unwrap();
    assert_eq!(longest.seconds(), Some(255));
    assert_eq!(longest.duration(), Duration::from_secs(255));
    assert_eq!(Interval::from_duration(longest.duration()), Ok(longest));
    assert_eq!(Interval::from_centiseconds(25_600).unwrap().seconds(), None);
}

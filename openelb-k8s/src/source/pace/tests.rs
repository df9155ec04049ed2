//! Tests of the pauses between questions.

use super::*;

#[test]
fn failures_are_tried_again_soon_and_then_ever_later_up_to_the_interval() {
    let mut pace = Pace::new(Duration::from_mins(5), 7);
    for expected in [300, 10, 20, 40, 80, 160, 300, 300] {
        let pause = pace.next(expected == 300 && pace.failures == 0);
        let expected = Duration::from_secs(expected);
        assert!(
            (expected * 9 / 10..=expected * 11 / 10).contains(&pause),
            "{pause:?}"
        );
    }
    for _ in 0..100 {
        assert!(pace.next(false) <= Duration::from_secs(330));
    }
    assert!(pace.next(true) >= Duration::from_secs(270));
}

#[test]
fn two_that_start_together_do_not_ask_together() {
    let pause = |seed| Pace::new(Duration::from_mins(5), seed).next(true);
    assert_ne!(pause(1), pause(2));
}

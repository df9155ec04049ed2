//! How many losses become three numbers.

use super::Spread;

#[test]
fn a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() {
    let spread = Spread::of(1..=100);
    assert_eq!((spread.p50, spread.p99, spread.max), (50, 99, 100));
    let spread = Spread::of([30, 10, 20].into_iter());
    assert_eq!((spread.p50, spread.p99, spread.max), (20, 30, 30));
}

#[test]
fn nothing_measured_is_all_zero() {
    let spread = Spread::of(std::iter::empty::<u64>());
    assert_eq!((spread.p50, spread.p99, spread.max), (0, 0, 0));
}

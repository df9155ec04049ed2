//! Tests of the generator.

use super::Random;
use std::time::Duration;

#[test]
fn the_first_numbers_are_those_of_the_published_generator() {
    // Reference values of SplitMix64 for the seed 1234567 (Vigna's splitmix64.c).
    let mut random = Random::new(1_234_567);
    assert_eq!(random.bits(), 6_457_827_717_110_365_317);
    assert_eq!(random.bits(), 3_203_168_211_198_807_973);
}

#[test]
fn numbers_stay_below_their_bound_and_reach_every_value() {
    let mut random = Random::new(1);
    let mut seen = [false; 5];
    for _ in 0..200 {
        seen[usize::try_from(random.below(5)).unwrap()] = true;
    }
    assert_eq!(seen, [true; 5]);
    assert_eq!(random.below(0), 0);
}

#[test]
fn spans_stay_between_their_bounds() {
    let (min, max) = (Duration::from_nanos(3), Duration::from_nanos(5));
    let mut random = Random::new(2);
    assert!((0..100).all(|_| (min..=max).contains(&random.between(min, max))));
    assert_eq!(random.between(max, min), max);
    assert!(random.between(Duration::ZERO, Duration::MAX) >= Duration::ZERO);
}

#[test]
fn chances_of_nothing_and_of_everything_are_exact() {
    let mut random = Random::new(3);
    assert!((0..100).all(|_| !random.chance(0) && random.chance(1000)));
}

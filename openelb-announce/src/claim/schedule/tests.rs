//! Tests of the lazy heap.

use super::{LazyHeap, SWEEP_FLOOR, Stage, Turn};

#[test]
fn the_least_entry_that_holds_comes_first_and_stale_ones_vanish() {
    let mut heap = LazyHeap::default();
    for number in [5, 1, 4, 2, 3] {
        heap.push(number, 5, |_| true);
    }
    assert_eq!(heap.first(|number| number % 2 == 0), Some(2));
    heap.pop();
    assert_eq!(heap.first(|_| true), Some(3));
}

#[test]
fn stale_entries_never_outnumber_the_live_ones_by_much() {
    let mut heap = LazyHeap::default();
    for number in 0..10_000 {
        heap.push(number, 1, |entry| *entry == number);
        assert!(heap.heap.len() <= 3 + SWEEP_FLOOR);
    }
}

#[test]
fn defences_precede_first_frames_and_those_precede_second_ones() {
    let turn = |stage, coldness, order| Turn {
        stage,
        coldness,
        order,
        slot: 0,
    };
    let sorted = [
        turn(Stage::Defend, 9, 9),
        turn(Stage::First, 1, 8),
        turn(Stage::First, 2, 3),
        turn(Stage::First, 2, 4),
        turn(Stage::Second, 0, 0),
    ];
    assert!(sorted.is_sorted());
    assert_eq!(size_of::<Turn>(), 16);
}

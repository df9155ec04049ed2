//! Tests of cables.

use super::Impairment;
use crate::random::Random;
use std::time::Duration;

fn copies(cable: Impairment) -> usize {
    let mut random = Random::new(1);
    (0..1000)
        .map(|_| cable.arrivals(&mut random).iter().flatten().count())
        .sum()
}

#[test]
fn a_good_cable_delivers_every_frame_once_after_its_delay() {
    let cable = Impairment::default();
    assert_eq!(copies(cable), 1000);
    assert_eq!(
        cable.arrivals(&mut Random::new(1)),
        [Some(cable.delay), None]
    );
}

#[test]
fn loss_and_duplication_come_as_often_as_asked_for() {
    let lossy = copies(Impairment {
        loss_per_mille: 300,
        ..Impairment::default()
    });
    assert!((650..750).contains(&lossy), "{lossy}");
    let doubling = copies(Impairment {
        duplicate_per_mille: 300,
        ..Impairment::default()
    });
    assert!((1250..1350).contains(&doubling), "{doubling}");
}

#[test]
fn a_cut_cable_delivers_nothing() {
    assert_eq!(
        copies(Impairment {
            is_cut: true,
            ..Impairment::default()
        }),
        0
    );
}

#[test]
fn jitter_delays_by_up_to_its_span() {
    let span = Duration::from_millis(5);
    let cable = Impairment {
        jitter: span,
        ..Impairment::default()
    };
    let mut random = Random::new(2);
    let mut late = false;
    for _ in 0..100 {
        let [arrival, _] = cable.arrivals(&mut random);
        let extra = arrival.unwrap().checked_sub(cable.delay).unwrap();
        assert!(extra <= span);
        late |= extra > span / 2;
    }
    assert!(late);
}

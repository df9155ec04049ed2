//! Times to the nanosecond (RFC 9568 section 6.1, RFC 3768 section 6.1).

use super::bench::{Bench, every, in_256ths, ms, v2, v3};
use crate::machine::Machine as _;
use crate::vrrp::Settings;
use crate::vrrp::machine::{Input, State};
use std::time::Duration;

#[test]
fn the_skew_is_a_part_of_the_interval_in_version_3_and_of_a_second_in_version_2() {
    for priority in [1, 100, 254] {
        let rest = 256 - u32::from(priority);
        let with = |settings| {
            Bench::backup(Settings {
                priority,
                ..settings
            })
            .machine
        };
        let quick = with(every(v3(), 10));
        assert_eq!(quick.skew_time(), in_256ths(ms(100), rest));
        assert_eq!(
            quick.active_down_interval(),
            ms(300) + in_256ths(ms(100), rest)
        );
        let old = with(every(v2(), 1000));
        assert_eq!(old.skew_time(), in_256ths(ms(1000), rest));
        assert_eq!(
            old.active_down_interval(),
            ms(30_000) + in_256ths(ms(1000), rest)
        );
    }
}

#[test]
fn at_the_shortest_interval_a_higher_priority_is_still_the_first() {
    let wait = |priority| {
        Bench::backup(Settings {
            priority,
            ..every(v3(), 1)
        })
        .wake()
    };
    assert!((1..254).all(|priority| wait(priority + 1) < wait(priority)));
}

#[test]
fn a_backup_waits_in_the_interval_that_it_learned() {
    let mut bench = Bench::backup(every(v3(), 100));
    bench.hear_of(1, 200, &every(v3(), 20));
    assert_eq!(bench.wake(), ms(600) + in_256ths(ms(200), 156));
    assert_eq!(bench.state(), State::Active);
    bench.drain();
    assert_eq!(bench.wake(), ms(1000), "and advertises in its own");
}

#[test]
fn the_skew_after_a_farewell_is_in_the_learned_interval() {
    let mut bench = Bench::backup(every(v3(), 100));
    bench.hear_of(1, 200, &every(v3(), 20));
    bench.hear_of(1, 0, &every(v3(), 20));
    assert_eq!(bench.wake(), in_256ths(ms(200), 156));
}

#[test]
fn the_down_timer_counts_from_when_a_packet_arrived_not_from_when_it_was_read() {
    let mut bench = Bench::backup(v3());
    bench.sleep(ms(1000));
    let arrived = bench.now;
    bench.sleep(ms(400));
    bench.hear_late(1, 200, &v3(), arrived);
    assert_eq!(bench.wake(), ms(2600) + in_256ths(ms(1000), 156));
}

#[test]
fn a_reception_in_the_future_counts_as_now() {
    let mut bench = Bench::backup(v3());
    let later = bench.now + Duration::from_hours(1);
    bench.hear_late(1, 200, &v3(), later);
    assert_eq!(bench.wake(), ms(3000) + in_256ths(ms(1000), 156));
}

#[test]
fn advertisements_keep_their_phase_when_a_timer_is_served_a_little_late() {
    let mut bench = Bench::active(every(v3(), 10));
    let start = bench.now;
    for count in 1..=50 {
        bench.sleep(bench.machine.poll_timeout().unwrap() - bench.now + ms(3));
        bench.machine.handle_timeout(bench.now);
        assert_eq!(bench.sent(), [100]);
        assert_eq!(bench.now - start, ms(100) * count + ms(3));
    }
}

#[test]
fn a_flood_of_lower_advertisements_is_not_answered_with_a_flood() {
    let mut bench = Bench::active(every(v3(), 100));
    let mut sent = 0;
    for _ in 0..10_000 {
        bench.run(Duration::from_micros(100));
        bench.hear(9, 1);
        sent += bench.sent().len();
    }
    assert!(
        (50..=101).contains(&sent),
        "{sent} in a second: one in 10 ms at most"
    );
}

#[test]
fn an_answer_that_would_come_too_close_to_the_last_advertisement_is_only_put_off() {
    let mut bench = Bench::active(v3());
    bench.sleep(ms(4));
    bench.hear(9, 0);
    assert_eq!(bench.sent(), [] as [u8; 0]);
    assert_eq!(bench.wake(), ms(6));
    assert_eq!(bench.sent(), [100]);
    assert_eq!(bench.wake(), ms(1000));
}

#[test]
fn what_is_active_is_valid_for_less_than_others_wait() {
    for settings in [every(v3(), 1), v3(), every(v3(), 4095), every(v2(), 25_500)] {
        let mut bench = Bench::active(Settings {
            priority: 254,
            ..settings.clone()
        });
        let until = bench.machine.valid_until().unwrap();
        let quickest = Bench::backup(Settings {
            priority: 254,
            ..settings
        });
        let others = quickest.machine.active_down_interval();
        // Clocks that differ by five percent each way.
        assert!(
            (until - bench.now).mul_f64(1.05) < others.mul_f64(0.95),
            "{others:?}"
        );
        bench.wake();
        assert!(bench.machine.valid_until().unwrap() > until, "it moves on");
    }
    assert_eq!(Bench::backup(v3()).machine.valid_until(), None);
}

#[test]
fn an_advertisement_that_could_not_be_sent_does_not_extend_it() {
    let mut bench = Bench::active(v3());
    let until = bench.machine.valid_until();
    for _ in 0..2 {
        bench.wake();
        bench.drain();
        bench.input(Input::Unsent);
        assert_eq!(bench.machine.valid_until(), until);
        assert_eq!(bench.state(), State::Active);
    }
    assert_eq!(bench.wake(), ms(700));
    assert_eq!(
        bench.state(),
        State::Backup,
        "nobody can have heard of it any more"
    );
}

#[test]
fn who_cannot_send_at_all_is_not_active() {
    let mut bench = Bench::backup(v3());
    for _ in 0..3 {
        bench.wake();
        assert_eq!(bench.state(), State::Active);
        bench.input(Input::Unsent);
        assert_eq!(bench.state(), State::Backup);
        bench.input(Input::Unsent);
        assert_eq!(bench.state(), State::Backup);
        bench.drain();
    }
}

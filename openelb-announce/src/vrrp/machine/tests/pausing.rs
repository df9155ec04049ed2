//! A host that stands still, and what it may believe afterwards.

use super::bench::{Bench, Said, every, in_256ths, ms, v3};
use crate::machine::Machine as _;
use crate::vrrp::Settings;
use crate::vrrp::machine::{Event, Input, State, Why};

#[test]
fn an_active_router_that_was_frozen_for_long_listens_first() {
    let mut bench = Bench::active(v3());
    bench.sleep(ms(2700));
    bench.machine.handle_timeout(bench.now);
    let why = Why::Fenced;
    assert_eq!(bench.drain(), [Said::Event(Event::Backup { why })]);
    assert_eq!(bench.machine.valid_until(), None);
    assert_eq!(bench.wake(), ms(3000) + in_256ths(ms(1000), 156));
    assert_eq!(bench.state(), State::Active, "nobody else is there");
}

/// The queue is read before the timers are judged; what stands in it must not be taken for a lower
/// priority that speaks beside an Active router, but for the one that took over.
#[test]
fn a_frozen_router_does_not_shout_down_the_one_that_took_over() {
    let mut bench = Bench::active(v3());
    bench.sleep(ms(5000));
    bench.hear(9, 50);
    assert_eq!(bench.state(), State::Backup);
    assert_eq!(bench.sent(), [] as [u8; 0], "nor hasten others by leaving");
    bench.machine.handle_timeout(bench.now);
    assert_eq!(bench.state(), State::Backup);
    assert!(
        bench.wake() > ms(3000),
        "then it preempts as any other would"
    );
}

#[test]
fn a_short_stall_of_an_active_router_is_followed_by_another_announcement() {
    let mut bench = Bench::active(v3());
    bench.sleep(ms(1400));
    bench.machine.handle_timeout(bench.now);
    assert_eq!(
        bench.drain(),
        [Said::to_all(100)],
        "a little late is nothing"
    );
    bench.sleep(ms(1600));
    bench.machine.handle_timeout(bench.now);
    assert_eq!(
        bench.drain(),
        [Said::to_all(100), Said::Event(Event::Reannounce)]
    );
    assert_eq!(bench.state(), State::Active);
    assert_eq!(bench.wake(), ms(1000));
}

#[test]
fn a_backup_that_slept_gives_the_active_router_one_more_interval() {
    let mut bench = Bench::backup(v3());
    bench.hear(1, 200);
    bench.drain();
    let down = ms(3000) + in_256ths(ms(1000), 156);
    bench.sleep(down + ms(501));
    bench.machine.handle_timeout(bench.now);
    assert_eq!(
        bench.state(),
        State::Backup,
        "it cannot say that anyone was silent"
    );
    bench.sleep(ms(900));
    bench.hear(1, 200);
    bench.machine.handle_timeout(bench.now);
    assert_eq!((bench.state(), bench.drain()), (State::Backup, vec![]));

    bench.sleep(down + ms(501));
    bench.machine.handle_timeout(bench.now);
    assert_eq!(bench.wake(), ms(1000) + in_256ths(ms(1000), 156));
    assert_eq!(
        bench.state(),
        State::Active,
        "nothing came while it was awake"
    );
}

#[test]
fn a_backup_that_is_woken_a_little_late_takes_over() {
    let mut bench = Bench::backup(v3());
    bench.sleep(ms(3000) + in_256ths(ms(1000), 156) + ms(500));
    bench.machine.handle_timeout(bench.now);
    assert_eq!(bench.state(), State::Active);
}

#[test]
fn a_fence_leaves_active_at_once_and_tells_the_others() {
    let mut bench = Bench::active(v3());
    bench.input(Input::Fence);
    let why = Why::Fenced;
    assert_eq!(
        bench.drain(),
        [Said::to_all(0), Said::Event(Event::Backup { why })]
    );
    assert_eq!(bench.wake(), ms(3000) + in_256ths(ms(1000), 156));
}

#[test]
fn a_fence_lets_a_backup_listen_anew() {
    let mut bench = Bench::backup(v3());
    bench.sleep(ms(3000));
    bench.input(Input::Fence);
    assert_eq!(bench.drain(), []);
    assert_eq!(bench.wake(), ms(3000) + in_256ths(ms(1000), 156));
}

#[test]
fn a_lower_advertisement_makes_an_active_router_announce_again_now_and_after_an_interval() {
    for settings in [v3(), super::bench::v2()] {
        let mut bench = Bench::active(settings);
        bench.run(ms(10_000));
        bench.drain();
        bench.sleep(ms(300));
        bench.hear(9, 99);
        assert_eq!(bench.events(), [Event::Reannounce]);
        bench.wake();
        assert_eq!(
            bench.events(),
            [Event::Reannounce],
            "the other has heard us by now"
        );
        bench.run(ms(10_000));
        assert_eq!(bench.events(), []);
    }
}

/// A router that cannot hear us goes on advertising; answering it with announcements for ever helps
/// nobody and costs everybody.
#[test]
fn announcements_against_a_deaf_router_are_bounded() {
    let mut bench = Bench::active(every(v3(), 10));
    bench.run(ms(10_000));
    bench.drain();
    let mut announced = 0;
    for _ in 0..1000 {
        bench.run(ms(10));
        bench.hear(9, 99);
        let events = bench.events();
        announced += events.iter().filter(|it| **it == Event::Reannounce).count();
    }
    assert!(
        announced <= 2 * 10_000 / 300 + 2,
        "{announced} in ten seconds"
    );
}

#[test]
fn whoever_has_just_become_active_and_is_contested_announces_again_with_its_next_advertisement() {
    let mut bench = Bench::active(Settings {
        priority: 200,
        ..v3()
    });
    bench.hear(9, 99);
    assert_eq!(bench.events(), [], "everything was announced a moment ago");
    bench.wake();
    assert_eq!(bench.events(), [Event::Reannounce]);
}

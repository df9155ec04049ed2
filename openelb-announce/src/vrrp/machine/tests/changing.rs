//! Settings and health that change on the way.

use super::bench::{Bench, OURS, Said, address, every, in_256ths, ms, v3};
use crate::machine::Machine as _;
use crate::vrrp::machine::{Cause, Event, Input, State, Why};
use crate::vrrp::{Family, Settings, Version, Vrid};

#[test]
fn a_lower_priority_takes_time_until_others_preempt_but_is_said_with_the_next_advertisement() {
    let mut bench = Bench::active(v3());
    bench.input(Input::Priority(30));
    assert_eq!(bench.drain(), []);
    bench.wake();
    assert_eq!(bench.sent(), [30]);
    bench.hear(1, 31);
    assert_eq!(bench.state(), State::Backup);
}

#[test]
fn a_backup_whose_priority_rises_waits_less() {
    let mut bench = Bench::backup(v3());
    bench.hear(1, 150);
    bench.drain();
    bench.sleep(ms(500));
    bench.input(Input::Priority(200));
    assert_eq!(bench.machine.priority(), 200);
    bench.sleep(ms(500));
    bench.hear(1, 150);
    assert_eq!(
        bench.wake(),
        ms(2000) + in_256ths(ms(1000), 56),
        "from the last one it heeded"
    );
    assert_eq!(
        bench.events(),
        [Event::Active {
            cause: Cause::Preempts
        }]
    );
}

#[test]
fn priority_zero_stands_aside_and_stays_there() {
    let mut bench = Bench::active(v3());
    bench.input(Input::Priority(0));
    let why = Why::StoodAside;
    assert_eq!(
        bench.drain(),
        [Said::to_all(0), Said::Event(Event::Backup { why })]
    );
    assert_eq!(bench.machine.poll_timeout(), None);
    bench.hear(1, 200);
    bench.hear(1, 0);
    bench.input(Input::Fence);
    assert_eq!(bench.machine.poll_timeout(), None, "whatever happens");
    bench.drain();
    bench.input(Input::Priority(100));
    assert_eq!(bench.wake(), ms(3000) + in_256ths(ms(1000), 156));
    assert_eq!(bench.state(), State::Active);
}

#[test]
fn priority_255_is_for_owners_whatever_health_says() {
    let mut bench = Bench::backup(v3());
    bench.input(Input::Priority(255));
    assert_eq!(bench.machine.priority(), 254);
    let mut owner = Bench::active(Settings {
        owner: true,
        priority: 255,
        ..v3()
    });
    owner.input(Input::Priority(155));
    assert_eq!(owner.machine.priority(), 155);
    owner.input(Input::Priority(255));
    assert_eq!(owner.machine.priority(), 255);
}

#[test]
fn health_outlasts_other_settings_but_not_another_priority() {
    let mut bench = Bench::backup(v3());
    bench.input(Input::Priority(30));
    bench.input(Input::Configure(Settings {
        accept: true,
        ..v3()
    }));
    assert_eq!(bench.machine.priority(), 30);
    bench.input(Input::Configure(Settings {
        priority: 120,
        ..v3()
    }));
    assert_eq!(bench.machine.priority(), 120);
}

#[test]
fn a_lower_priority_is_tolerated_for_the_preempt_delay() {
    let preempt_delay = ms(5000);
    let mut bench = Bench::backup(Settings {
        preempt_delay,
        ..v3()
    });
    let start = bench.now;
    while bench.state() == State::Backup {
        bench.run(ms(1000));
        bench.hear(1, 50);
    }
    let waited = bench.now - start;
    // From the first advertisement five seconds, and from the last that was heeded three and a skew.
    assert!(
        waited > ms(5000) + ms(3000) && waited <= ms(1000 + 5000 + 4000 + 1000),
        "{waited:?}"
    );
}

#[test]
fn the_preempt_delay_begins_anew_when_a_higher_priority_was_heard() {
    let preempt_delay = ms(5000);
    let mut bench = Bench::backup(Settings {
        preempt_delay,
        ..v3()
    });
    for _ in 0..10 {
        for priority in [50, 50, 50, 200] {
            bench.run(ms(1000));
            bench.hear(1, priority);
        }
    }
    assert_eq!(bench.state(), State::Backup);
}

#[test]
fn the_same_settings_again_are_harmless() {
    let mut bench = Bench::active(v3());
    let timeout = bench.machine.poll_timeout();
    bench.sleep(ms(100));
    bench.input(Input::Configure(v3()));
    assert_eq!(
        (bench.drain(), bench.machine.poll_timeout()),
        (vec![], timeout)
    );
}

#[test]
fn an_active_router_stays_active_while_addresses_and_interval_change() {
    let mut bench = Bench::active(v3());
    bench.sleep(ms(100));
    let addresses = vec![address(Family::Ipv4, 101)];
    bench.input(Input::Configure(every(Settings { addresses, ..v3() }, 10)));
    assert_eq!(
        bench.drain(),
        [Said::to_all(100)],
        "others learn of it at once"
    );
    assert_eq!(bench.wake(), ms(100));
    assert_eq!(bench.state(), State::Active);
}

#[test]
fn a_backup_that_heard_nobody_waits_in_the_new_interval() {
    let mut bench = Bench::backup(v3());
    bench.input(Input::Configure(every(v3(), 10)));
    assert_eq!(bench.wake(), ms(300) + in_256ths(ms(100), 156));
}

#[test]
fn another_vrid_or_version_is_another_virtual_router() {
    let vrid = Vrid::new(52).unwrap();
    for other in [
        Settings { vrid, ..v3() },
        Settings {
            version: Version::V2,
            ..v3()
        },
    ] {
        let mut bench = Bench::active(v3());
        bench.input(Input::Configure(other));
        assert_eq!(bench.state(), State::Backup);
        let said = bench.drain();
        let why = Why::Started;
        let expected = [
            Said::to_all(0),
            Said::Event(Event::Initialized),
            Said::Event(Event::Backup { why }),
        ];
        assert_eq!(said, expected, "the old one is left with a word");
    }
}

#[test]
fn another_primary_address_is_used_at_once() {
    let mut bench = Bench::active(v3());
    let primary = Some(address(Family::Ipv4, OURS + 1));
    bench.input(Input::Link { up: true, primary });
    assert_eq!(bench.state(), State::Active);
    bench.wake();
    assert_eq!(bench.sent(), [100], "the bench checks the source");
}

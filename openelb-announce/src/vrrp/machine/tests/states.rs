//! Every transition of the state machine (RFC 9568 section 6.4, RFC 3768 section 6.4).

use super::bench::{Bench, OURS, Said, address, in_256ths, ms, v2, v3, v6};
use crate::machine::Machine as _;
use crate::time::Time;
use crate::vrrp::machine::receive::{Heard, Verdict, verdict};
use crate::vrrp::machine::{Advertiser, Cause, Event, Input, Machine, State, Why};
use crate::vrrp::packet::Version;
use crate::vrrp::{Family, Settings};
use std::net::IpAddr;

/// One row a state and what is heard there; columns: preempt and not, in version 3 and version 2.
#[test]
fn the_table_is_that_of_the_standards_cell_for_cell() {
    use Heard::{Equal, Leaving, Lower, Superior};
    use State::{Active, Backup, Initialize};
    use Verdict::{Assert, Follow, Hasten, Ignore, Outlast, Preempt, Yield};
    let rows = [
        (Initialize, Leaving, [Ignore, Ignore, Ignore, Ignore]),
        (Initialize, Lower, [Ignore, Ignore, Ignore, Ignore]),
        (Initialize, Equal, [Ignore, Ignore, Ignore, Ignore]),
        (Initialize, Superior, [Ignore, Ignore, Ignore, Ignore]),
        (Backup, Leaving, [Hasten, Hasten, Hasten, Hasten]),
        (Backup, Lower, [Preempt, Follow, Preempt, Follow]),
        (Backup, Equal, [Follow, Follow, Follow, Follow]),
        (Backup, Superior, [Follow, Follow, Follow, Follow]),
        (Active, Leaving, [Assert, Assert, Assert, Assert]),
        (Active, Lower, [Assert, Assert, Outlast, Outlast]),
        (Active, Equal, [Assert, Assert, Outlast, Outlast]),
        (Active, Superior, [Yield, Yield, Yield, Yield]),
    ];
    let columns = [
        (true, Version::V3),
        (false, Version::V3),
        (true, Version::V2),
        (false, Version::V2),
    ];
    for (state, heard, row) in rows {
        for ((preempts, version), expected) in columns.into_iter().zip(row) {
            let found = verdict(state, heard, preempts, version);
            assert_eq!(
                found, expected,
                "{state:?} {heard:?} {preempts} {version:?}"
            );
        }
    }
}

#[test]
fn startup_waits_for_settings_for_the_link_and_for_an_address_of_the_family() {
    let mut machine = Machine::new();
    let (v4, v6) = (address(Family::Ipv4, OURS), address(Family::Ipv6, OURS));
    let global: IpAddr = "2001:db8::5".parse().unwrap();
    let link = |up, primary| Input::Link { up, primary };
    machine.handle_input(link(true, Some(v4)), Time::ZERO);
    assert_eq!(machine.state(), State::Initialize);
    machine.handle_input(Input::Configure(super::bench::v6()), Time::ZERO);
    assert_eq!(
        machine.state(),
        State::Initialize,
        "the address is of the other family"
    );
    machine.handle_input(link(true, Some(global)), Time::ZERO);
    assert_eq!(
        machine.state(),
        State::Initialize,
        "IPv6 is sent from a link-local address"
    );
    machine.handle_input(link(false, Some(v6)), Time::ZERO);
    assert_eq!(machine.state(), State::Initialize);
    assert_eq!(
        (machine.poll_timeout(), machine.poll_output()),
        (None, None)
    );
    machine.handle_input(link(true, Some(v6)), Time::ZERO);
    assert_eq!(machine.state(), State::Backup);
}

#[test]
fn the_owner_is_active_as_soon_as_it_is_up() {
    let mut bench = Bench::new(owner(v3()));
    assert_eq!(bench.state(), State::Active);
    let cause = Cause::Owner;
    assert_eq!(
        bench.drain(),
        [Said::to_all(255), Said::Event(Event::Active { cause })]
    );
    assert_eq!(bench.wake(), ms(1000), "Adver_Timer is set");
}

#[test]
fn everybody_else_begins_as_backup_and_listens() {
    let mut bench = Bench::new(v3());
    assert_eq!(bench.state(), State::Backup);
    let why = Why::Started;
    assert_eq!(bench.drain(), [Said::Event(Event::Backup { why })]);
    assert_eq!(bench.machine.active(), None);
}

#[test]
fn silence_makes_a_backup_active() {
    let mut bench = Bench::backup(v3());
    assert_eq!(bench.wake(), ms(3000) + in_256ths(ms(1000), 156));
    assert_eq!(bench.state(), State::Active);
    let cause = Cause::Silence;
    assert_eq!(
        bench.drain(),
        [Said::to_all(100), Said::Event(Event::Active { cause })]
    );
    assert_eq!(bench.wake(), ms(1000));
    assert_eq!(bench.sent(), [100]);
}

#[test]
fn over_ipv6_it_is_the_same_machine() {
    let mut bench = Bench::backup(v6());
    assert_eq!(bench.wake(), ms(3000) + in_256ths(ms(1000), 156));
    let group = Family::Ipv6.group();
    let cause = Cause::Silence;
    assert_eq!(
        bench.drain(),
        [
            Said::Advert(group, 100),
            Said::Event(Event::Active { cause })
        ]
    );
    bench.hear(OURS + 1, 100);
    assert_eq!(bench.state(), State::Backup, "the greater address decides");
}

#[test]
fn a_backup_follows_whoever_has_at_least_its_priority() {
    for priority in [100, 101, 255] {
        let mut bench = Bench::backup(v3());
        for _ in 0..10 {
            bench.sleep(ms(1000));
            bench.hear(1, priority);
            bench.machine.handle_timeout(bench.now);
            assert_eq!(bench.state(), State::Backup);
        }
        let active = sender(1, priority);
        assert_eq!(bench.machine.active(), Some(active));
        assert_eq!(
            bench.drain(),
            [Said::Event(Event::Follows(active))],
            "told once"
        );
    }
}

#[test]
fn a_backup_that_preempts_does_not_heed_a_lower_priority() {
    let mut bench = Bench::backup(v3());
    let mut waited = ms(0);
    for _ in 0..3 {
        bench.sleep(ms(1000));
        waited += ms(1000);
        bench.hear(9, 99);
    }
    waited += bench.wake();
    assert_eq!(
        waited,
        ms(3000) + in_256ths(ms(1000), 156),
        "the timer ran on"
    );
    assert_eq!(bench.state(), State::Active);
    let cause = Cause::Preempts;
    assert_eq!(
        bench.events(),
        [Event::Follows(sender(9, 99)), Event::Active { cause }]
    );
}

#[test]
fn a_backup_that_does_not_preempt_follows_a_lower_priority_too() {
    let mut bench = Bench::backup(Settings {
        preempt: false,
        ..v3()
    });
    for _ in 0..10 {
        bench.sleep(ms(1000));
        bench.hear(9, 1);
        bench.machine.handle_timeout(bench.now);
    }
    assert_eq!(bench.state(), State::Backup);
    assert_eq!(bench.wake(), ms(3000) + in_256ths(ms(1000), 156));
}

#[test]
fn the_owner_preempts_although_preempt_is_off() {
    let settings = Settings {
        preempt: false,
        ..owner(v3())
    };
    let mut bench = Bench::active(settings);
    bench.input(Input::Fence);
    bench.drain();
    bench.sleep(ms(1000));
    bench.hear(9, 254);
    bench.wake();
    assert_eq!(bench.state(), State::Active);
}

#[test]
fn an_active_router_that_leaves_is_followed_after_the_skew_alone() {
    for settings in [
        v3(),
        Settings {
            preempt: false,
            ..v3()
        },
    ] {
        let mut bench = Bench::backup(settings);
        bench.hear(1, 200);
        bench.drain();
        bench.sleep(ms(500));
        bench.hear(1, 0);
        assert_eq!(bench.wake(), in_256ths(ms(1000), 156));
        let cause = Cause::Left;
        assert_eq!(
            bench.drain(),
            [Said::to_all(100), Said::Event(Event::Active { cause })]
        );
    }
}

#[test]
fn an_active_router_yields_to_a_higher_priority_and_learns_its_interval() {
    let mut bench = Bench::active(v3());
    bench.hear_of(1, 101, &super::bench::every(v3(), 50));
    assert_eq!(bench.state(), State::Backup);
    let said = bench.drain();
    assert!(
        said.contains(&Said::to_all(100)),
        "so that the winner announces again"
    );
    let why = Why::Yielded(sender(1, 101));
    assert_eq!(said.last(), Some(&Said::Event(Event::Backup { why })));
    assert_eq!(
        bench.wake(),
        ms(1500) + in_256ths(ms(500), 156),
        "in the other's interval"
    );
}

#[test]
fn between_equal_priorities_the_greater_address_decides() {
    let mut bench = Bench::active(v3());
    bench.hear(OURS - 1, 100);
    assert_eq!(bench.state(), State::Active);
    bench.hear(OURS + 1, 100);
    assert_eq!(bench.state(), State::Backup);
}

#[test]
fn addresses_compare_as_numbers_in_network_order() {
    let mut bench = Bench::active(v3());
    let primary = Some(IpAddr::from([9, 255, 255, 255]));
    bench.input(Input::Link { up: true, primary });
    bench.drain();
    bench.hear(1, 100);
    assert_eq!(
        bench.state(),
        State::Backup,
        "192.0.2.1 is greater than 9.255.255.255"
    );
}

#[test]
fn in_version_3_a_lower_advertisement_is_answered_at_once() {
    let mut bench = Bench::active(v3());
    bench.sleep(ms(300));
    bench.hear(9, 99);
    assert_eq!(bench.drain()[0], Said::to_all(100));
    assert_eq!(bench.state(), State::Active);
    assert_eq!(bench.wake(), ms(1000), "Adver_Timer begins anew");
}

#[test]
fn in_version_2_a_lower_advertisement_is_not_answered() {
    let mut bench = Bench::active(v2());
    bench.sleep(ms(300));
    bench.hear(9, 99);
    assert_eq!(bench.sent(), [] as [u8; 0]);
    assert_eq!(bench.state(), State::Active);
    assert_eq!(bench.wake(), ms(700));
}

#[test]
fn an_active_router_answers_at_once_when_another_leaves() {
    for settings in [v3(), v2()] {
        let mut bench = Bench::active(settings);
        bench.sleep(ms(300));
        bench.hear(9, 0);
        assert_eq!(
            bench.drain(),
            [Said::to_all(100)],
            "and announces nothing anew"
        );
        assert_eq!(bench.wake(), ms(1000), "Adver_Timer begins anew");
    }
}

#[test]
fn shutdown_of_an_active_router_says_priority_zero() {
    let mut bench = Bench::active(v3());
    bench.input(Input::Shutdown);
    assert_eq!(
        bench.drain(),
        [Said::to_all(0), Said::Event(Event::Initialized)]
    );
    assert_eq!(bench.state(), State::Initialize);
    assert_eq!(bench.machine.poll_timeout(), None);
}

#[test]
fn shutdown_of_a_backup_is_silent() {
    let mut bench = Bench::backup(v3());
    bench.input(Input::Shutdown);
    assert_eq!(bench.drain(), [Said::Event(Event::Initialized)]);
    assert_eq!(bench.machine.poll_timeout(), None);
    bench.input(Input::Shutdown);
    assert_eq!(bench.drain(), []);
    bench.input(Input::Configure(v3()));
    assert_eq!(bench.state(), State::Backup, "and it can begin anew");
}

#[test]
fn a_link_that_goes_down_ends_it_without_a_word() {
    for settings in [v3(), owner(v3())] {
        let mut bench = Bench::new(settings);
        bench.drain();
        bench.input(Input::Link {
            up: false,
            primary: None,
        });
        assert_eq!(bench.drain(), [Said::Event(Event::Initialized)]);
        assert_eq!(bench.machine.poll_timeout(), None);
        let primary = Some(address(Family::Ipv4, OURS));
        bench.input(Input::Link { up: true, primary });
        assert_ne!(bench.state(), State::Initialize);
    }
}

#[test]
fn nothing_is_heard_in_initialize() {
    let mut bench = Bench::backup(v3());
    bench.input(Input::Link {
        up: false,
        primary: None,
    });
    bench.drain();
    bench.hear(1, 200);
    bench.hear(1, 0);
    assert_eq!(bench.drain(), []);
    assert_eq!(bench.machine.counters().received, 0);
}

#[test]
fn packets_to_the_addresses_are_accepted_while_active_by_owners_and_where_it_is_asked_for() {
    let accepts = |settings| Bench::active(settings).machine.accepts();
    for settings in [v3(), v2(), v6()] {
        assert!(!accepts(settings.clone()));
        assert!(accepts(Settings {
            accept: true,
            ..settings
        }));
    }
    let mut owner = Bench::active(owner(v3()));
    assert!(owner.machine.accepts());
    owner.input(Input::Fence);
    assert!(!owner.machine.accepts(), "a Backup accepts nothing");
}

fn owner(settings: Settings) -> Settings {
    Settings {
        owner: true,
        priority: 255,
        ..settings
    }
}

fn sender(host: u8, priority: u8) -> Advertiser {
    Advertiser {
        address: address(Family::Ipv4, host),
        priority,
    }
}

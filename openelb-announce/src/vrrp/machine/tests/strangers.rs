//! Somebody else uses the VRID, for addresses that are not ours.

use super::bench::{Bench, Said, address, in_256ths, ms, v3, v6};
use crate::vrrp::machine::{Cause, Event, State};
use crate::vrrp::{Family, Settings};

#[test]
fn a_vrid_that_a_stranger_uses_is_reported_and_not_used() {
    for (ours, theirs) in [(v3(), stranger()), (v6(), stranger_v6())] {
        let mut bench = Bench::backup(ours);
        for _ in 0..20 {
            bench.run(ms(1000));
            bench.hear_of(9, 1, &theirs);
        }
        assert_eq!(bench.state(), State::Backup);
        let source = address(theirs.family, 9);
        assert_eq!(
            bench.drain(),
            [Said::Event(Event::DuplicateVrid { source })]
        );
        assert_eq!(bench.machine.counters().strangers, 20);

        bench.run(ms(5000));
        assert_eq!(bench.state(), State::Active, "once the stranger is gone");
    }
}

#[test]
fn a_stranger_never_decides_who_is_active() {
    let mut bench = Bench::active(v3());
    bench.hear_of(9, 254, &stranger());
    bench.hear_of(9, 0, &stranger());
    bench.hear_of(9, 1, &stranger());
    let source = address(Family::Ipv4, 9);
    assert_eq!(
        bench.drain(),
        [Said::Event(Event::DuplicateVrid { source })]
    );
    assert_eq!(bench.state(), State::Active);
}

#[test]
fn where_a_router_of_the_same_addresses_was_heard_a_stranger_delays_nothing() {
    let mut bench = Bench::backup(v3());
    bench.hear(1, 200);
    for _ in 0..3 {
        bench.run(ms(1000));
        bench.hear_of(9, 254, &stranger());
    }
    assert_eq!(bench.wake(), in_256ths(ms(1000), 156));
    assert_eq!(bench.state(), State::Active);
    assert!(bench.events().contains(&Event::Active {
        cause: Cause::Silence
    }));
}

#[test]
fn a_common_link_local_address_makes_nobody_an_acquaintance() {
    let mut theirs = stranger_v6();
    theirs.addresses[0] = v6().addresses[0];
    let mut bench = Bench::active(v6());
    bench.hear_of(9, 254, &theirs);
    assert_eq!(bench.state(), State::Active);
    theirs.addresses.truncate(1);
    bench.hear_of(9, 254, &theirs);
    assert_eq!(
        bench.state(),
        State::Backup,
        "unless there is nothing else to compare"
    );
}

#[test]
fn the_owner_uses_its_addresses_whoever_has_the_vrid() {
    let mut bench = Bench::new(Settings {
        owner: true,
        priority: 255,
        ..v3()
    });
    bench.hear_of(9, 254, &stranger());
    assert_eq!(bench.state(), State::Active);
}

fn stranger() -> Settings {
    Settings::new(v3().vrid, vec![address(Family::Ipv4, 250)])
}

fn stranger_v6() -> Settings {
    let addresses = ["fe80::250", "2001:db8::250"];
    Settings::new(v6().vrid, addresses.map(|it| it.parse().unwrap()).to_vec())
}

//! Which packets are heeded (RFC 9568 section 7.1 with its errata, RFC 3768 section 7.1).

use super::bench::{Bench, OURS, address, advert, every, ms, v2, v3, v6};
use crate::machine::Machine as _;
use crate::vrrp::machine::Output;
use crate::vrrp::machine::{Event, Input, Mismatch, Refusal, State};
use crate::vrrp::packet::{Advert, ChecksumForm, DecodeError, HOP_LIMIT, Path};
use crate::vrrp::{Checksum, Family, Settings, Vrid};

#[test]
fn a_ttl_or_hop_limit_below_255_is_refused() {
    for settings in [v3(), v2(), v6()] {
        let mut bench = Bench::backup(settings.clone());
        let path = path(settings.family, 1);
        let octets = advert(&settings, 200, path, ChecksumForm::PseudoHeader);
        for hop_limit in [0, 1, 64, 254] {
            bench.packet(&octets, path, hop_limit, bench.now);
        }
        let reason = Refusal::HopLimit(0);
        let source = path.source;
        assert_eq!(
            bench.events(),
            [Event::Refused { source, reason }],
            "reported once"
        );
        assert_eq!(bench.machine.counters().refused, 4);
        bench.packet(&octets, path, HOP_LIMIT, bench.now);
        assert_eq!(bench.machine.counters().received, 1);
    }
}

#[test]
fn each_source_and_reason_is_reported_once_and_no_flood_gets_more_than_32_reports() {
    let mut bench = Bench::backup(v3());
    let mut reports = 0;
    for host in 10..=250 {
        for octets in [&[0x31, 51][..], &[0x51; 20][..], &[]] {
            bench.packet(octets, path(Family::Ipv4, host), HOP_LIMIT, bench.now);
            bench.packet(octets, path(Family::Ipv4, host), 1, bench.now);
        }
        reports += bench.events().len();
    }
    assert_eq!(reports, 32);
    // 0x51 as VRID belongs to another virtual router.
    assert_eq!(bench.machine.counters().refused, 241 * 4);
}

#[test]
fn a_damaged_advertisement_changes_nothing() {
    let mut bench = Bench::active(v3());
    let path = path(Family::Ipv4, 1);
    let mut octets = advert(&v3(), 200, path, ChecksumForm::PseudoHeader);
    octets[7] ^= 1;
    bench.packet(&octets, path, HOP_LIMIT, bench.now);
    assert_eq!(bench.state(), State::Active);
    let [
        Event::Refused {
            reason: Refusal::Decode(DecodeError::Checksum { .. }),
            ..
        },
    ] = bench.events()[..]
    else {
        panic!("it says so");
    };
}

#[test]
fn another_virtual_router_and_our_own_echo_are_passed_over_in_silence() {
    let mut bench = Bench::active(v3());
    let other = Settings {
        vrid: Vrid::new(52).unwrap(),
        ..v3()
    };
    bench.hear_of(1, 200, &other);
    bench.hear_of(1, 200, &v6());
    bench.hear(OURS, 100);
    bench.hear(OURS, 200);
    assert_eq!(bench.state(), State::Active);
    assert_eq!(bench.drain(), []);
    assert_eq!(bench.machine.counters().refused, 0);
}

#[test]
fn both_versions_refuse_each_other() {
    for (ours, theirs) in [(v2(), v3()), (v3(), v2())] {
        let mut bench = Bench::active(ours);
        bench.hear_of(1, 200, &theirs);
        assert_eq!(bench.state(), State::Active);
        let reason = Refusal::Version(theirs.version);
        let source = address(Family::Ipv4, 1);
        assert_eq!(bench.events(), [Event::Refused { source, reason }]);
    }
}

#[test]
fn another_interval_is_refused_in_version_2() {
    let mut bench = Bench::active(v2());
    bench.hear_of(1, 200, &every(v2(), 200));
    assert_eq!(bench.state(), State::Active);
    assert!(matches!(
        bench.events()[..],
        [Event::Refused {
            reason: Refusal::Interval { .. },
            ..
        }]
    ));
}

#[test]
fn another_interval_is_reported_and_learned_in_version_3() {
    let mut bench = Bench::active(v3());
    bench.hear_of(1, 200, &every(v3(), 200));
    assert_eq!(bench.state(), State::Backup);
    assert_eq!(bench.machine.active_adver_interval().centiseconds(), 200);
    let (theirs, ours) = (every(v3(), 200).interval, v3().interval);
    let mismatch = Mismatch::Interval { theirs, ours };
    assert_eq!(mismatches(&mut bench), [mismatch]);
    bench.hear_of(1, 200, &every(v3(), 200));
    assert_eq!(mismatches(&mut bench), [], "reported once");
}

#[test]
fn other_addresses_are_reported_and_heeded() {
    let listen_before_use = false;
    let more = |settings: Settings| {
        let mut addresses = settings.addresses.clone();
        addresses.push(address(settings.family, 77));
        Settings {
            addresses,
            ..settings
        }
    };
    for settings in [v3(), v2(), v6()] {
        let mut bench = Bench::active(settings.clone());
        bench.hear_of(1, 200, &more(settings.clone()));
        assert_eq!(bench.state(), State::Backup);
        let theirs = settings.addresses.len();
        let mismatch = Mismatch::Addresses {
            theirs,
            count: theirs + 1,
        };
        assert_eq!(mismatches(&mut bench), [mismatch]);
    }
    let mut bench = Bench::active(Settings {
        listen_before_use,
        ..v3()
    });
    let addresses = vec![address(Family::Ipv4, 77)];
    bench.hear_of(1, 200, &Settings { addresses, ..v3() });
    assert_eq!(
        bench.state(),
        State::Backup,
        "even when they are all others, as in the standard"
    );
}

#[test]
fn the_order_of_the_addresses_is_no_difference() {
    let of = |list: [u8; 2]| {
        let addresses = list.map(|it| address(Family::Ipv4, it)).to_vec();
        Settings { addresses, ..v3() }
    };
    let mut bench = Bench::active(of([100, 101]));
    bench.hear_of(1, 200, &of([101, 100]));
    assert_eq!(mismatches(&mut bench), []);
}

#[test]
fn an_ipv6_list_that_begins_with_a_global_address_is_reported_and_heeded() {
    let mut bench = Bench::active(v6());
    let first = v6().addresses[1];
    let frr = Settings {
        addresses: vec![first],
        ..v6()
    };
    bench.hear_of(1, 200, &frr);
    assert_eq!(bench.state(), State::Backup, "else both would be Active");
    assert!(mismatches(&mut bench).contains(&Mismatch::NotLinkLocal(first)));
}

#[test]
fn two_owners_are_reported_and_the_greater_address_serves() {
    let owner = Settings {
        owner: true,
        priority: 255,
        ..v3()
    };
    let mut bench = Bench::active(owner);
    bench.hear(1, 255);
    assert_eq!(bench.state(), State::Active);
    assert_eq!(mismatches(&mut bench), [Mismatch::Owner]);
    bench.hear(200, 255);
    assert_eq!(bench.state(), State::Backup);
}

#[test]
fn the_owner_of_version_2_does_not_listen() {
    let mut bench = Bench::active(Settings {
        owner: true,
        priority: 255,
        ..v2()
    });
    bench.hear(200, 255);
    assert_eq!(bench.state(), State::Active);
    assert!(matches!(
        bench.events()[..],
        [Event::Refused {
            reason: Refusal::Owned,
            ..
        }]
    ));
}

#[test]
fn only_configured_unicast_peers_are_heard_and_every_one_is_spoken_to() {
    let peers = [1, 2, OURS].map(|it| address(Family::Ipv4, it)).to_vec();
    let mut bench = Bench::backup(Settings { peers, ..v3() });
    bench.wake();
    let mut said = bench.drain().into_iter();
    for host in [1, 2] {
        let peer = address(Family::Ipv4, host);
        assert_eq!(
            said.next(),
            Some(super::bench::Said::Advert(peer, 100)),
            "but not to itself"
        );
    }
    bench.hear(3, 200);
    assert_eq!(bench.state(), State::Active);
    let (source, reason) = (address(Family::Ipv4, 3), Refusal::NotAPeer);
    assert!(bench.events().contains(&Event::Refused { source, reason }));
    let path = Path {
        source: address(Family::Ipv4, 2),
        destination: address(Family::Ipv4, OURS),
    };
    let octets = advert(&v3(), 200, path, ChecksumForm::PseudoHeader);
    bench.packet(&octets, path, HOP_LIMIT, bench.now);
    assert_eq!(bench.state(), State::Backup);
}

#[test]
fn without_unicast_peers_only_what_was_sent_to_the_group_is_heard() {
    let mut bench = Bench::active(v3());
    let destination = address(Family::Ipv4, OURS);
    let path = Path {
        source: address(Family::Ipv4, 1),
        destination,
    };
    let octets = advert(&v3(), 200, path, ChecksumForm::PseudoHeader);
    bench.packet(&octets, path, HOP_LIMIT, bench.now);
    assert_eq!(bench.state(), State::Active);
    let (source, reason) = (path.source, Refusal::Destination(destination));
    assert_eq!(bench.events(), [Event::Refused { source, reason }]);
}

#[test]
fn either_form_of_checksum_is_heeded_whatever_form_is_sent() {
    for checksum in [Checksum::Auto, Checksum::PseudoHeader, Checksum::Plain] {
        for form in [ChecksumForm::PseudoHeader, ChecksumForm::Plain] {
            let mut bench = Bench::active(Settings { checksum, ..v3() });
            say(&mut bench, 200, form);
            assert_eq!(bench.state(), State::Backup, "{checksum:?} {form:?}");
        }
    }
}

#[test]
fn the_sent_form_begins_with_the_pseudo_header_and_mirrors_the_peer() {
    let mut bench = Bench::active(v3());
    bench.wake();
    assert_eq!(sent_form(&mut bench), ChecksumForm::PseudoHeader);
    bench.sleep(ms(100));
    say(&mut bench, 50, ChecksumForm::Plain);
    assert_eq!(
        sent_form(&mut bench),
        ChecksumForm::Plain,
        "in the answer already"
    );
    bench.sleep(ms(100));
    say(&mut bench, 50, ChecksumForm::PseudoHeader);
    assert_eq!(sent_form(&mut bench), ChecksumForm::PseudoHeader);
}

#[test]
fn a_chosen_form_stays_and_a_peer_with_the_other_one_is_reported() {
    let mut bench = Bench::active(Settings {
        checksum: Checksum::Plain,
        ..v3()
    });
    bench.sleep(ms(100));
    say(&mut bench, 50, ChecksumForm::PseudoHeader);
    let output = std::iter::from_fn(|| bench.machine.poll_output());
    let outputs: Vec<_> = output.collect();
    let theirs = ChecksumForm::PseudoHeader;
    let mismatch = Mismatch::Checksum { theirs };
    let source = address(Family::Ipv4, 1);
    assert!(outputs.contains(&Output::Event(Event::Mismatch { source, mismatch })));
    bench.wake();
    assert_eq!(sent_form(&mut bench), ChecksumForm::Plain);
}

#[test]
fn version_2_with_a_password_is_refused_by_name() {
    let mut bench = Bench::backup(v2());
    let path = path(Family::Ipv4, 1);
    let mut octets = advert(&v2(), 200, path, ChecksumForm::Plain);
    // One more there, one less in the sum.
    octets[4] = 1;
    let sum = u16::from_be_bytes([octets[6], octets[7]]).wrapping_sub(0x0100);
    octets[6..8].copy_from_slice(&sum.to_be_bytes());
    bench.packet(&octets, path, HOP_LIMIT, bench.now);
    let events = bench.events();
    let [Event::Refused { reason, .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert!(
        reason
            .to_string()
            .contains("authentication type 1; RFC 3768 removed it"),
        "{reason}"
    );
}

#[test]
fn settings_that_are_not_valid_are_reported_and_change_nothing() {
    let mut bench = Bench::active(v3());
    bench.input(Input::Configure(Settings {
        priority: 0,
        ..v3()
    }));
    assert!(matches!(bench.events()[..], [Event::Unusable(_)]));
    assert_eq!(
        (bench.state(), bench.machine.priority()),
        (State::Active, 100)
    );
}

fn path(family: Family, host: u8) -> Path {
    Path {
        source: address(family, host),
        destination: family.group(),
    }
}

fn say(bench: &mut Bench, priority: u8, form: ChecksumForm) {
    let path = path(Family::Ipv4, 1);
    let octets = advert(&v3(), priority, path, form);
    bench.packet(&octets, path, HOP_LIMIT, bench.now);
}

/// The form of the advertisement that the machine sends now.
fn sent_form(bench: &mut Bench) -> ChecksumForm {
    let mut form = None;
    while let Some(output) = bench.machine.poll_output() {
        if let Output::Transmit {
            source,
            destination,
            octets,
        } = output
        {
            let path = Path {
                source,
                destination,
            };
            form = Advert::decode(&octets, path).unwrap().form;
        }
    }
    form.expect("it sends, and the two forms differ here")
}

fn mismatches(bench: &mut Bench) -> Vec<Mismatch> {
    let events = bench.events().into_iter();
    events
        .filter_map(|event| match event {
            Event::Mismatch { mismatch, .. } => Some(mismatch),
            _ => None,
        })
        .collect()
}

#[test]
fn farewells_are_counted_and_nobody_is_active_after_one() {
    let mut bench = Bench::backup(v3());
    bench.hear(1, 200);
    let active = bench.machine.active().map(|it| it.address);
    assert_eq!(active, Some(address(Family::Ipv4, 1)));
    bench.hear(1, 0);
    assert_eq!(bench.machine.active(), None);
    let counters = *bench.machine.counters();
    assert_eq!((counters.received, counters.left), (2, 1));
}

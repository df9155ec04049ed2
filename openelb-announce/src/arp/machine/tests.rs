//! Tests of the ARP machine: the checklist of RFC 826 and RFC 5227, and the life of an address.

use super::{Arp, frame};
use crate::arp::packet::{Operation, Repr};
use crate::claim::driven::{Driven, OTHER, OWN, quiet, seconds};
use crate::claim::{
    AnnouncePlan, Claim, Config, ConflictPhase, Defence, Event, Frame, Input, Output, Probe,
    RateLimit, State, Validity,
};
use crate::machine::Machine;
use crate::time::Time;
use crate::wire::ethernet::Header;
use crate::wire::{Mac, capture};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

const VIP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);

fn driven(config: Config) -> Driven<Arp> {
    Driven::new(config)
}

/// A machine that owns `VIP`.
fn owner(config: Config) -> Driven<Arp> {
    Driven::owner(config, VIP)
}

fn request(sender: Ipv4Addr, target: Ipv4Addr) -> Frame {
    frame(
        &packet(Operation::Request, OTHER, sender, target),
        Mac::BROADCAST,
    )
}

fn packet(operation: Operation, sender_mac: Mac, sender: Ipv4Addr, target: Ipv4Addr) -> Repr {
    Repr {
        operation,
        sender_mac,
        sender,
        target_mac: Mac::ZERO,
        target,
    }
}

fn read(frame: &Frame) -> (Header, Repr) {
    let (header, payload) = Header::split(frame).unwrap();
    (header, Repr::decode(payload).unwrap())
}

/// The packets sent since the last look, with their instants in seconds.
fn packets(driven: &mut Driven<Arp>) -> Vec<(f64, Repr)> {
    driven
        .frames()
        .iter()
        .map(|(at, frame)| (seconds(*at), read(frame).1))
        .collect()
}

fn conflict(phase: ConflictPhase) -> Event {
    Event::Conflict {
        address: VIP.into(),
        mac: OTHER,
        phase,
    }
}

#[test]
fn a_request_for_an_owned_address_is_answered() {
    let mut owner = owner(quiet());
    owner.hear(&request(CLIENT, VIP));
    let frames = owner.frames();
    assert_eq!(frames.len(), 1);
    let (_, reply) = read(&frames[0].1);
    assert_eq!(reply.operation, Operation::Reply);
    assert_eq!((reply.sender, reply.target), (VIP, CLIENT));
}

#[test]
fn a_probe_for_an_owned_address_is_answered() {
    let mut owner = owner(quiet());
    owner.hear(&request(Ipv4Addr::UNSPECIFIED, VIP));
    let (_, reply) = packets(&mut owner)[0];
    assert_eq!((reply.sender, reply.target), (VIP, Ipv4Addr::UNSPECIFIED));
}

#[test]
fn a_request_that_linux_sent_is_answered() {
    let mut owner = owner(quiet());
    owner.hear(&capture::octets(capture::ARP_REQUEST));
    assert_eq!(packets(&mut owner)[0].1.target, Ipv4Addr::new(192, 0, 2, 1));
}

#[test]
fn metallb_54_replies_foreign_targets_and_own_frames_are_ignored() {
    let mut owner = owner(quiet());
    let unowned = Ipv4Addr::new(192, 0, 2, 3);
    owner.hear(&request(CLIENT, unowned));
    let reply = packet(Operation::Reply, OTHER, CLIENT, VIP);
    owner.hear(&frame(&reply, Mac::BROADCAST));
    let own = packet(Operation::Request, OWN, CLIENT, VIP);
    owner.hear(&frame(&own, Mac::BROADCAST));
    assert_eq!(owner.outputs(), []);
}

#[test]
fn frames_for_other_stations_other_protocols_and_senders_that_are_no_station_are_ignored() {
    let mut owner = owner(quiet());
    let good = packet(Operation::Request, OTHER, CLIENT, VIP);
    owner.hear(&frame(&good, Mac::new([2, 0, 0, 0, 0, 9])));
    let mut other_protocol = frame(&good, Mac::BROADCAST);
    other_protocol[12..14].copy_from_slice(&[0x86, 0xdd]);
    owner.hear(&other_protocol);
    for mac in [Mac::ZERO, Mac::BROADCAST] {
        owner.hear(&frame(
            &Repr {
                sender_mac: mac,
                ..good
            },
            Mac::BROADCAST,
        ));
    }
    assert_eq!(owner.outputs(), []);
}

#[test]
fn only_ipv4_over_ethernet_is_heeded_and_padding_is_tolerated() {
    let mut owner = owner(quiet());
    let good = request(CLIENT, VIP);
    for at in [15, 17, 18, 19] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        owner.hear(&bad);
    }
    owner.hear(&good[..good.len() - 1]);
    assert_eq!(owner.outputs(), []);
    let mut padded = good;
    padded.extend([0; 18]);
    owner.hear(&padded);
    assert_eq!(owner.frames().len(), 1);
}

#[test]
fn an_answer_goes_to_the_asker_alone_and_carries_our_hardware_address_twice() {
    let mut owner = owner(quiet());
    owner.hear(&request(CLIENT, VIP));
    let (header, reply) = read(&owner.frames()[0].1);
    assert_eq!((header.source, header.destination), (OWN, OTHER));
    assert_eq!((reply.sender_mac, reply.target_mac), (OWN, OTHER));
}

#[test]
fn no_answer_is_ever_broadcast() {
    let mut owner = owner(quiet());
    for sender in [CLIENT, Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST] {
        owner.hear(&request(sender, VIP));
    }
    let frames = owner.frames();
    assert_eq!(frames.len(), 3);
    assert!(
        frames
            .iter()
            .all(|(_, frame)| read(frame).0.destination == OTHER)
    );
}

#[test]
fn a_unicast_request_is_answered() {
    let mut owner = owner(quiet());
    owner.hear(&frame(&packet(Operation::Request, OTHER, CLIENT, VIP), OWN));
    assert_eq!(owner.frames().len(), 1);
}

#[test]
fn standard_probing_keeps_the_times_of_rfc_5227() {
    for seed in 0..50 {
        let mut driven = driven(Config { seed, ..quiet() });
        driven.claim(VIP, Probe::Standard);
        driven.run_seconds(10);
        let sent = packets(&mut driven);
        let (probes, announcements) = sent.split_at(3);
        for (_, probe) in probes {
            assert_eq!(
                *probe,
                Repr {
                    target_mac: Mac::ZERO,
                    ..packet(Operation::Request, OWN, Ipv4Addr::UNSPECIFIED, VIP)
                }
            );
        }
        assert!(
            (0.0..=1.0).contains(&probes[0].0),
            "PROBE_WAIT: {}",
            probes[0].0
        );
        for pair in probes.windows(2) {
            assert!(
                (1.0..=2.0).contains(&(pair[1].0 - pair[0].0)),
                "PROBE_MIN and PROBE_MAX"
            );
        }
        let wait = announcements[0].0 - probes[2].0;
        assert!((wait - 2.0).abs() < 1e-9, "ANNOUNCE_WAIT: {wait}");
    }
}

#[test]
fn fast_probing_is_over_within_a_seventh_of_a_second() {
    for seed in 0..50 {
        let mut driven = driven(Config { seed, ..quiet() });
        driven.claim(VIP, Probe::Fast);
        driven.run_seconds(1);
        let sent = packets(&mut driven);
        assert_eq!(
            sent.iter()
                .filter(|(_, packet)| packet.sender.is_unspecified())
                .count(),
            3
        );
        assert!(sent[3].0 <= 0.14, "announced after {} s", sent[3].0);
    }
}

#[test]
fn an_address_taken_over_from_a_dead_owner_is_announced_at_once_without_probing() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Skip);
    let sent = packets(&mut driven);
    assert_eq!(sent.len(), 2, "both forms of the first announcement");
    assert!(
        sent.iter()
            .all(|(at, packet)| *at == 0.0 && packet.sender == VIP)
    );
}

#[test]
fn any_packet_from_the_address_while_probing_is_a_conflict_and_nothing_is_announced() {
    for operation in [Operation::Request, Operation::Reply, Operation::Unknown(9)] {
        let mut driven = driven(quiet());
        driven.claim(VIP, Probe::Standard);
        driven.run_seconds(4);
        driven.outputs();
        driven.hear(&frame(
            &packet(operation, OTHER, VIP, CLIENT),
            Mac::BROADCAST,
        ));
        assert_eq!(driven.events(), [conflict(ConflictPhase::Probing)]);
        driven.run_seconds(4);
        assert_eq!(driven.outputs(), []);
        assert_eq!(driven.machine.state(VIP.into()), Some(State::Conflicted));
    }
}

#[test]
fn a_probe_of_another_host_for_the_same_address_while_probing_is_a_conflict() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Standard);
    driven.hear(&request(Ipv4Addr::UNSPECIFIED, VIP));
    assert_eq!(driven.events(), [conflict(ConflictPhase::Probing)]);
}

#[test]
fn an_ordinary_question_while_probing_is_neither_answered_nor_a_conflict() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Standard);
    driven.hear(&request(CLIENT, VIP));
    assert_eq!(driven.outputs(), []);
    assert_eq!(driven.machine.state(VIP.into()), Some(State::Waiting));
}

#[test]
fn our_own_probe_sent_back_by_the_network_is_no_conflict() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Standard);
    driven.run_seconds(1);
    let (_, probe) = driven.frames().remove(0);
    driven.hear(&probe);
    assert_eq!(driven.machine.state(VIP.into()), Some(State::Probing));
}

// MetalLB sends five rounds 1.1 s apart; here the times are those of RFC 5227 section 2.3.
#[test]
fn metallb_55_announcements_leave_at_once_after_one_second_and_two_seconds_later() {
    let mut driven = driven(Config {
        announce: AnnouncePlan {
            refresh: None,
            ..AnnouncePlan::default()
        },
        ..Config::default()
    });
    driven.claim(VIP, Probe::Skip);
    driven.run_seconds(100);
    let times: Vec<_> = packets(&mut driven).iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [0.0, 0.0, 1.0, 1.0, 3.0, 3.0]);
}

#[test]
fn every_announcement_is_sent_in_the_request_form_and_in_the_reply_form() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Skip);
    let sent = packets(&mut driven);
    let request = packet(Operation::Request, OWN, VIP, VIP);
    let reply = Repr {
        operation: Operation::Reply,
        target_mac: Mac::BROADCAST,
        ..request
    };
    assert_eq!(sent, [(0.0, request), (0.0, reply)]);
}

#[test]
fn an_interval_shorter_than_a_second_is_taken_as_a_second() {
    let interval = Duration::from_millis(1);
    let mut driven = driven(Config {
        announce: AnnouncePlan {
            count: 2,
            interval,
            refresh: None,
        },
        ..Config::default()
    });
    driven.claim(VIP, Probe::Skip);
    driven.run_seconds(100);
    let times: Vec<_> = packets(&mut driven).iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn of_many_addresses_no_more_than_twenty_a_second_are_refreshed_and_those_together() {
    let announce = AnnouncePlan {
        refresh: Some(Duration::from_secs(1)),
        ..AnnouncePlan::default()
    };
    let mut driven = driven(Config {
        announce,
        ..Config::default()
    });
    for number in 0..2000_u32 {
        driven.claim(Ipv4Addr::from_bits(0x0a00_0000 + number), Probe::Skip);
    }
    driven.run_seconds(1000);
    driven.outputs();
    driven.run_seconds(500);
    let sent = driven.frames();
    // Two frames each, 2,000 every 100 s.
    assert!((18_000..=22_000).contains(&sent.len()), "{}", sent.len());
    let seconds = sent.iter().map(|(at, _)| at.as_nanos() / 1_000_000_000);
    let seconds: std::collections::BTreeSet<u64> = seconds.collect();
    assert!(seconds.len() <= 101, "{}", seconds.len());
}

#[test]
fn an_announced_address_is_refreshed_for_ever_with_jitter_and_never_probed_again() {
    let mut driven = driven(Config::default());
    driven.claim(VIP, Probe::Skip);
    driven.run_seconds(3);
    driven.outputs();
    driven.run_seconds(600);
    let sent = packets(&mut driven);
    // RFC 5227 section 2.1: an address is not probed periodically.
    assert!(sent.iter().all(|(_, packet)| packet.sender == VIP));
    let times: Vec<_> = sent.iter().step_by(2).map(|(at, _)| *at).collect();
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.len() >= 7, "{gaps:?}");
    assert!(
        gaps.iter().all(|gap| (45.0..=75.0).contains(gap)),
        "{gaps:?}"
    );
    assert!(
        gaps.windows(2).any(|pair| (pair[0] - pair[1]).abs() > 0.1),
        "{gaps:?}"
    );
}

#[test]
fn a_conflict_while_announced_is_defended_once_in_ten_seconds_and_reported_as_often() {
    let mut owner = owner(quiet());
    let intruder = frame(&packet(Operation::Request, OTHER, VIP, VIP), Mac::BROADCAST);
    for _ in 0..19 {
        owner.hear(&intruder);
        owner.run_seconds(1);
    }
    let outputs = owner.outputs();
    let defences: Vec<_> = outputs
        .iter()
        .filter_map(|(at, output)| match output {
            Output::Transmit(frame) => Some((seconds(*at), read(frame).1)),
            _ => None,
        })
        .collect();
    let announcement = packet(Operation::Request, OWN, VIP, VIP);
    assert_eq!(defences, [(1.0, announcement), (11.0, announcement)]);
    let reports = outputs
        .iter()
        .filter(|(_, output)| *output == Output::Event(conflict(ConflictPhase::Defended)));
    assert_eq!(reports.count(), 2);
}

#[test]
fn a_defended_address_is_still_answered_for() {
    let mut owner = owner(quiet());
    owner.hear(&frame(&packet(Operation::Reply, OTHER, VIP, CLIENT), OWN));
    owner.outputs();
    owner.hear(&request(CLIENT, VIP));
    assert_eq!(owner.frames().len(), 1);
}

#[test]
fn a_yielding_machine_is_silent_after_a_conflict_and_probes_again_later() {
    let mut owner = owner(Config {
        defence: Defence::Yield,
        ..quiet()
    });
    owner.hear(&frame(&packet(Operation::Reply, OTHER, VIP, CLIENT), OWN));
    assert_eq!(owner.events(), [conflict(ConflictPhase::Yielded)]);
    owner.hear(&request(CLIENT, VIP));
    assert_eq!(owner.outputs(), []);
    owner.run_seconds(6);
    let sent = packets(&mut owner);
    assert!(sent[0].1.sender.is_unspecified(), "a probe comes first");
    assert_eq!(owner.machine.state(VIP.into()), Some(State::Announced));
}

#[test]
fn after_ten_conflicts_there_is_at_most_one_attempt_a_minute() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Fast);
    let mut attempts = Vec::new();
    while attempts.len() < 14 {
        driven.run(Duration::from_millis(11));
        if !driven.frames().is_empty() {
            attempts.push(seconds(driven.now));
            driven.hear(&frame(&packet(Operation::Reply, OTHER, VIP, CLIENT), OWN));
            driven.outputs();
        }
    }
    let gaps: Vec<_> = attempts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        gaps[..9].iter().all(|gap| (5.0..5.1).contains(gap)),
        "{gaps:?}"
    );
    assert!(gaps[9..].iter().all(|gap| *gap >= 60.0), "{gaps:?}");
}

#[test]
fn of_addresses_released_one_after_another_none_is_announced_in_between() {
    let mut owner = owner(Config::default());
    let other = Ipv4Addr::new(192, 0, 2, 3);
    owner.claim(other, Probe::Skip);
    owner.outputs();
    // The process did not run while both had a round to send, and learns then that it lost them.
    owner.now += Duration::from_secs(2);
    owner.input(Input::Release(VIP.into()));
    owner.input(Input::Release(other.into()));
    owner.run_seconds(10);
    assert_eq!(owner.frames(), []);
}

#[test]
fn a_released_address_is_silent_at_once() {
    let mut owner = owner(quiet());
    owner.input(Input::Release(VIP.into()));
    assert_eq!(owner.events(), [Event::Released(VIP.into())]);
    owner.hear(&request(CLIENT, VIP));
    owner.run_seconds(100);
    assert_eq!(owner.outputs(), []);
    assert_eq!(owner.machine.poll_timeout(), None);
}

#[test]
fn releasing_what_was_never_claimed_does_nothing() {
    let mut driven = driven(quiet());
    driven.input(Input::Release(VIP.into()));
    assert_eq!(driven.outputs(), []);
}

#[test]
fn claiming_again_on_the_same_terms_does_nothing() {
    let mut owner = owner(Config::default());
    owner.claim(VIP, Probe::Standard);
    assert_eq!(owner.outputs(), []);
    assert_eq!(owner.machine.state(VIP.into()), Some(State::Announced));
}

#[test]
fn addresses_that_no_station_can_own_are_refused() {
    let mut driven = driven(quiet());
    for text in [
        "0.0.0.0",
        "127.0.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "2001:db8::1",
    ] {
        let address: IpAddr = text.parse().unwrap();
        driven.claim(address, Probe::Skip);
        assert_eq!(driven.events(), [Event::Unsuitable(address)]);
    }
    assert_eq!(driven.machine.claims(), 0);
}

#[test]
fn nothing_is_sent_from_the_end_of_the_validity_on() {
    let end = Time::ZERO + Duration::from_secs(2);
    let mut driven = driven(Config::default());
    driven.claim_until(VIP, Probe::Skip, Validity::Until(end));
    driven.run(Duration::from_nanos(1_999_999_999));
    driven.outputs();
    driven.hear(&request(CLIENT, VIP));
    assert_eq!(driven.frames().len(), 1);
    // The machine is not woken for its deadline, as when the process was frozen.
    driven.now = end;
    driven.hear(&request(CLIENT, VIP));
    assert_eq!(
        driven.outputs(),
        [(end, Output::Event(Event::Expired(VIP.into())))]
    );
    driven.run_seconds(100);
    assert_eq!(driven.outputs(), []);
}

#[test]
fn extending_the_validity_in_time_changes_nothing_else() {
    let mut driven = driven(quiet());
    let at = |seconds| Validity::Until(Time::ZERO + Duration::from_secs(seconds));
    driven.claim_until(VIP, Probe::Skip, at(2));
    driven.run_seconds(1);
    driven.outputs();
    driven.claim_until(VIP, Probe::Skip, at(4));
    driven.run_seconds(2);
    assert_eq!(driven.outputs(), []);
    assert_eq!(driven.machine.state(VIP.into()), Some(State::Announced));
    driven.run_seconds(2);
    assert_eq!(driven.events(), [Event::Expired(VIP.into())]);
}

#[test]
fn an_expired_address_that_is_claimed_again_starts_anew() {
    let mut driven = driven(quiet());
    let at = |seconds| Validity::Until(Time::ZERO + Duration::from_secs(seconds));
    driven.claim_until(VIP, Probe::Skip, at(2));
    driven.run_seconds(3);
    driven.outputs();
    driven.claim_until(VIP, Probe::Skip, at(9));
    assert_eq!(packets(&mut driven).len(), 2);
}

#[test]
fn renewed_claims_are_silent_until_the_first_renewal() {
    let mut driven = driven(quiet());
    driven.claim_until(VIP, Probe::Skip, Validity::Renewed);
    driven.run_seconds(1);
    assert_eq!(driven.outputs(), []);
    driven.input(Input::Renew(driven.now + Duration::from_secs(1)));
    assert_eq!(packets(&mut driven).len(), 2);
}

#[test]
fn renewals_in_time_keep_an_address_answered_without_announcing_it_again() {
    let mut driven = driven(quiet());
    driven.claim_until(VIP, Probe::Skip, Validity::Renewed);
    for _ in 0..5 {
        driven.input(Input::Renew(driven.now + Duration::from_secs(1)));
        driven.run(Duration::from_millis(900));
    }
    assert_eq!(packets(&mut driven).len(), 2);
    driven.hear(&request(CLIENT, VIP));
    assert_eq!(driven.frames().len(), 1);
}

#[test]
fn a_missed_renewal_silences_the_address_and_the_next_one_probes_first() {
    let mut driven = driven(quiet());
    driven.input(Input::Renew(driven.now + Duration::from_secs(1)));
    driven.claim_until(VIP, Probe::Skip, Validity::Renewed);
    driven.outputs();
    driven.run_seconds(2);
    assert_eq!(driven.events(), [Event::Lapsed]);
    driven.hear(&request(CLIENT, VIP));
    assert_eq!(driven.outputs(), []);
    driven.input(Input::Renew(driven.now + Duration::from_secs(1)));
    driven.run(Duration::from_millis(500));
    let sent = packets(&mut driven);
    assert!(sent[0].1.sender.is_unspecified(), "a probe comes first");
    assert_eq!(sent[3].1.sender, VIP);
}

#[test]
fn frames_received_before_the_claim_are_not_answered() {
    let mut driven = driven(quiet());
    driven.run_seconds(5);
    driven.claim(VIP, Probe::Skip);
    driven.outputs();
    let early = driven.now - Duration::from_nanos(1);
    driven.input(Input::Frame {
        bytes: &request(CLIENT, VIP),
        received: early,
    });
    assert_eq!(driven.outputs(), []);
}

#[test]
fn frames_queued_across_a_fence_are_not_answered() {
    let mut owner = owner(quiet());
    let before = owner.now;
    owner.now += Duration::from_secs(5);
    owner.input(Input::Fence);
    owner.run_seconds(1);
    assert_eq!(owner.machine.state(VIP.into()), Some(State::Announced));
    owner.outputs();
    owner.input(Input::Frame {
        bytes: &request(CLIENT, VIP),
        received: before,
    });
    assert_eq!(owner.outputs(), []);
}

#[test]
fn a_fence_silences_probes_and_announces_again_even_what_was_never_probed() {
    let mut owner = owner(quiet());
    owner.input(Input::Fence);
    owner.hear(&request(CLIENT, VIP));
    assert_eq!(owner.outputs(), []);
    owner.run_seconds(1);
    let sent = packets(&mut owner);
    assert_eq!(sent.len(), 5);
    assert!(
        sent[..3]
            .iter()
            .all(|(_, packet)| packet.sender.is_unspecified())
    );
    assert!(sent[3..].iter().all(|(_, packet)| packet.sender == VIP));
}

#[test]
fn who_finds_a_new_owner_after_a_fence_stays_silent() {
    let mut owner = owner(quiet());
    owner.input(Input::Fence);
    owner.run(Duration::from_millis(30));
    owner.outputs();
    owner.hear(&frame(
        &packet(Operation::Reply, OTHER, VIP, Ipv4Addr::UNSPECIFIED),
        OWN,
    ));
    assert_eq!(owner.events(), [conflict(ConflictPhase::Probing)]);
    owner.run_seconds(4);
    assert_eq!(owner.outputs(), []);
}

#[test]
fn a_new_hardware_address_is_announced_and_answered_with() {
    let mut owner = owner(quiet());
    let new = Mac::new([0x02, 0, 0, 0, 0, 0x99]);
    owner.input(Input::Link { mac: new, up: true });
    let sent = packets(&mut owner);
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|(_, packet)| packet.sender_mac == new));
    owner.hear(&request(CLIENT, VIP));
    assert_eq!(packets(&mut owner)[0].1.sender_mac, new);
}

#[test]
fn a_new_hardware_address_is_announced_as_often_as_a_new_claim() {
    let announce = AnnouncePlan {
        refresh: None,
        ..AnnouncePlan::default()
    };
    let mut driven = driven(Config {
        announce,
        ..Config::default()
    });
    driven.claim(VIP, Probe::Skip);
    driven.run_seconds(100);
    driven.outputs();
    driven.input(Input::Link {
        mac: Mac::new([0x02, 0, 0, 0, 0, 0x99]),
        up: true,
    });
    driven.run_seconds(100);
    let times: Vec<_> = packets(&mut driven).iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [100.0, 100.0, 101.0, 101.0, 103.0, 103.0]);
}

#[test]
fn our_own_announcement_sent_back_by_the_network_is_no_conflict() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Skip);
    let (_, own) = driven.frames().remove(0);
    driven.hear(&own);
    assert_eq!(driven.outputs(), []);
}

#[test]
fn repeating_the_state_of_the_link_does_nothing() {
    let mut owner = owner(quiet());
    owner.input(Input::Link { mac: OWN, up: true });
    assert_eq!(owner.outputs(), []);
}

#[test]
fn nothing_is_sent_while_the_link_is_down() {
    let mut owner = owner(Config::default());
    owner.input(Input::Link {
        mac: OWN,
        up: false,
    });
    owner.hear(&request(CLIENT, VIP));
    owner.claim(CLIENT, Probe::Skip);
    owner.run_seconds(200);
    assert_eq!(owner.outputs(), []);
}

#[test]
fn after_a_short_loss_of_the_link_addresses_are_announced_without_probing() {
    let mut owner = owner(quiet());
    owner.input(Input::Link {
        mac: OWN,
        up: false,
    });
    owner.run(Duration::from_millis(50));
    owner.input(Input::Link { mac: OWN, up: true });
    let sent = packets(&mut owner);
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|(_, packet)| packet.sender == VIP));
}

#[test]
fn after_a_long_loss_of_the_link_addresses_are_probed_first() {
    let mut owner = owner(quiet());
    owner.input(Input::Link {
        mac: OWN,
        up: false,
    });
    owner.run_seconds(5);
    owner.input(Input::Link { mac: OWN, up: true });
    owner.run_seconds(1);
    let sent = packets(&mut owner);
    assert_eq!(sent.len(), 5);
    assert!(
        sent[..3]
            .iter()
            .all(|(_, packet)| packet.sender.is_unspecified())
    );
}

#[test]
fn frames_that_nobody_fetched_are_dropped_when_they_no_longer_hold() {
    let lapse = |driven: &mut Driven<Arp>| driven.machine.handle_timeout(Time::MAX);
    let fence = |driven: &mut Driven<Arp>| driven.machine.handle_input(Input::Fence, driven.now);
    let link_down = |driven: &mut Driven<Arp>| {
        driven.machine.handle_input(
            Input::Link {
                mac: OWN,
                up: false,
            },
            driven.now,
        );
    };
    for end in [lapse, fence, link_down] {
        let mut driven = driven(quiet());
        driven.input(Input::Renew(driven.now + Duration::from_secs(1)));
        let valid_until = Validity::Renewed;
        let claim = Claim {
            address: VIP.into(),
            probe: Probe::Skip,
            valid_until,
        };
        driven.machine.handle_input(Input::Claim(claim), driven.now);
        end(&mut driven);
        while let Some(output) = driven.machine.poll_output() {
            assert!(!matches!(output, Output::Transmit(_)), "{output:?}");
        }
    }
}

#[test]
fn a_burst_of_claims_keeps_to_the_rate_and_sends_the_first_form_of_all_before_the_second_of_any() {
    let rate = RateLimit {
        per_second: 100,
        burst: 10,
    };
    let mut driven = driven(Config { rate, ..quiet() });
    driven.input(Input::Link {
        mac: OWN,
        up: false,
    });
    for last in 1..=50 {
        driven.claim(Ipv4Addr::new(198, 51, 100, last), Probe::Skip);
    }
    driven.input(Input::Link { mac: OWN, up: true });
    driven.run_seconds(2);
    let sent = packets(&mut driven);
    assert_eq!(sent.len(), 100);
    assert!(
        sent[10..]
            .windows(2)
            .all(|pair| pair[1].0 - pair[0].0 >= 0.01 - 1e-9)
    );
    let second = |packet: &Repr| packet.operation == Operation::Reply;
    assert!(sent[..50].iter().all(|(_, packet)| !second(packet)));
    assert!(sent[50..].iter().all(|(_, packet)| second(packet)));
}

#[test]
fn an_address_that_is_asked_for_while_many_wait_is_announced_next_and_answered() {
    let rate = RateLimit {
        per_second: 10,
        burst: 1,
    };
    let mut driven = driven(Config { rate, ..quiet() });
    for last in 1..=50 {
        driven.claim(Ipv4Addr::new(198, 51, 100, last), Probe::Skip);
    }
    let hot = Ipv4Addr::new(198, 51, 100, 49);
    driven.run(Duration::from_millis(50));
    driven.outputs();
    driven.hear(&request(CLIENT, hot));
    assert_eq!(driven.outputs(), [], "not before its first announcement");
    driven.run(Duration::from_millis(50));
    assert_eq!(packets(&mut driven)[0].1.sender, hot);
    driven.hear(&request(CLIENT, hot));
    assert_eq!(driven.frames().len(), 1);
}

#[test]
fn a_hundred_thousand_addresses_take_less_than_ten_megabytes_and_one_step_each() {
    let rate = RateLimit {
        per_second: 1_000_000,
        burst: 1000,
    };
    let mut driven = driven(Config {
        rate,
        ..Config::default()
    });
    for number in 0..100_000 {
        driven.claim(Ipv4Addr::from(0x0a00_0001 + number), Probe::Skip);
    }
    driven.run_seconds(70);
    driven.outputs();
    assert_eq!(driven.machine.claims(), 100_000);
    let footprint = driven.machine.footprint();
    assert!(footprint < 10_000_000, "{footprint} octets");
}

/// A machine with one token a second, none of them left, whose `VIP` waits for the next.
fn waiting_for_a_token() -> Driven<Arp> {
    let rate = RateLimit {
        per_second: 1,
        burst: 1,
    };
    let mut driven = driven(Config { rate, ..quiet() });
    driven.claim(Ipv4Addr::new(198, 51, 100, 1), Probe::Skip);
    driven.claim(VIP, Probe::Skip);
    driven.outputs();
    assert_eq!(driven.machine.state(VIP.into()), Some(State::Clear));
    driven
}

#[test]
fn the_last_words_of_the_former_owner_do_not_stop_a_takeover() {
    let mut driven = waiting_for_a_token();
    driven.hear(&frame(&packet(Operation::Reply, OTHER, VIP, CLIENT), OWN));
    assert_eq!(driven.outputs(), []);
    driven.run_seconds(1);
    assert_eq!(driven.machine.state(VIP.into()), Some(State::Announced));
}

#[test]
fn an_announcement_that_waits_is_defence_enough_and_is_not_cut_short() {
    let mut driven = waiting_for_a_token();
    driven.run_seconds(10);
    driven.outputs();
    let new = Mac::new([0x02, 0, 0, 0, 0, 0x99]);
    driven.input(Input::Link { mac: new, up: true });
    driven.hear(&frame(&packet(Operation::Reply, OTHER, VIP, CLIENT), new));
    driven.run_seconds(10);
    let of_vip = |(_, packet): &(f64, Repr)| packet.sender == VIP;
    let operations: Vec<_> = packets(&mut driven)
        .iter()
        .filter(|p| of_vip(p))
        .map(|(_, p)| p.operation)
        .collect();
    assert_eq!(operations, [Operation::Request, Operation::Reply]);
}

#[test]
fn a_fence_while_the_link_is_down_makes_even_a_short_loss_a_reason_to_probe() {
    let mut owner = owner(quiet());
    owner.input(Input::Link {
        mac: OWN,
        up: false,
    });
    owner.input(Input::Fence);
    owner.run(Duration::from_millis(50));
    owner.input(Input::Link { mac: OWN, up: true });
    owner.run_seconds(1);
    assert!(
        packets(&mut owner)[0].1.sender.is_unspecified(),
        "a probe comes first"
    );
}

#[test]
fn frames_received_before_the_link_came_back_are_not_answered() {
    let mut owner = owner(quiet());
    owner.input(Input::Link {
        mac: OWN,
        up: false,
    });
    let before = owner.now;
    owner.run(Duration::from_millis(50));
    owner.input(Input::Link { mac: OWN, up: true });
    owner.outputs();
    owner.input(Input::Frame {
        bytes: &request(CLIENT, VIP),
        received: before,
    });
    assert_eq!(owner.outputs(), []);
}

#[test]
fn frames_received_while_the_validity_had_lapsed_are_not_answered_after_its_renewal() {
    let mut driven = driven(quiet());
    driven.input(Input::Renew(driven.now + Duration::from_secs(1)));
    driven.claim_until(VIP, Probe::Skip, Validity::Renewed);
    driven.run_seconds(2);
    let during = driven.now;
    driven.run_seconds(1);
    driven.input(Input::Renew(driven.now + Duration::from_secs(5)));
    driven.run_seconds(1);
    assert_eq!(driven.machine.state(VIP.into()), Some(State::Announced));
    driven.outputs();
    driven.input(Input::Frame {
        bytes: &request(CLIENT, VIP),
        received: during,
    });
    assert_eq!(driven.outputs(), []);
}

#[test]
fn a_renewal_that_comes_before_anybody_noticed_the_lapse_still_probes_first() {
    let mut driven = driven(quiet());
    driven.input(Input::Renew(driven.now + Duration::from_secs(1)));
    driven.claim_until(VIP, Probe::Skip, Validity::Renewed);
    driven.outputs();
    driven.now += Duration::from_secs(5);
    driven.input(Input::Renew(driven.now + Duration::from_secs(5)));
    assert_eq!(driven.events(), [Event::Lapsed]);
    driven.run_seconds(1);
    assert!(
        packets(&mut driven)[0].1.sender.is_unspecified(),
        "a probe comes first"
    );
}

#[test]
fn probing_starts_over_when_the_hardware_address_changes() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Standard);
    driven.run(Duration::from_millis(2500));
    driven.outputs();
    let new = Mac::new([0x02, 0, 0, 0, 0, 0x99]);
    driven.input(Input::Link { mac: new, up: true });
    driven.run_seconds(10);
    let sent = packets(&mut driven);
    assert_eq!(
        sent.iter()
            .filter(|(_, packet)| packet.sender.is_unspecified())
            .count(),
        3
    );
    assert!(sent.iter().all(|(_, packet)| packet.sender_mac == new));
}

#[test]
fn a_new_claim_is_defended_at_once_whatever_the_one_before_it_went_through() {
    let mut owner = owner(quiet());
    owner.hear(&frame(&packet(Operation::Reply, OTHER, VIP, CLIENT), OWN));
    owner.input(Input::Release(VIP.into()));
    let next = Ipv4Addr::new(192, 0, 2, 3);
    owner.claim(next, Probe::Skip);
    owner.outputs();
    owner.hear(&frame(&packet(Operation::Reply, OTHER, next, CLIENT), OWN));
    assert_eq!(packets(&mut owner).len(), 1);
}

#[test]
fn an_expired_address_meets_no_conflicts() {
    let end = Time::ZERO + Duration::from_secs(2);
    let mut driven = driven(quiet());
    driven.claim_until(VIP, Probe::Skip, Validity::Until(end));
    driven.run_seconds(1);
    driven.outputs();
    // The machine is not woken for its deadline, as when the process was frozen.
    driven.now = end;
    driven.hear(&frame(&packet(Operation::Reply, OTHER, VIP, CLIENT), OWN));
    assert_eq!(driven.events(), [Event::Expired(VIP.into())]);
}

#[test]
fn an_address_that_expired_while_waiting_for_a_token_is_not_announced_when_asked_for() {
    let mut driven = waiting_for_a_token();
    let end = Time::ZERO + Duration::from_millis(500);
    driven.claim_until(VIP, Probe::Skip, Validity::Until(end));
    driven.now += Duration::from_secs(2);
    driven.hear(&request(CLIENT, VIP));
    assert!(
        packets(&mut driven)
            .iter()
            .all(|(_, packet)| packet.sender != VIP)
    );
}

#[test]
fn calling_the_machine_too_often_changes_nothing() {
    let (mut once, mut often) = (driven(Config::default()), driven(Config::default()));
    for driven in [&mut once, &mut often] {
        driven.claim(VIP, Probe::Standard);
    }
    once.run_seconds(100);
    for _ in 0..10_000 {
        often.machine.handle_timeout(often.now);
        often.run(Duration::from_millis(10));
    }
    assert_eq!(once.outputs(), often.outputs());
}

proptest! {
    #[test]
    fn no_frame_makes_the_machine_panic_or_speak_for_what_it_does_not_own(
        octets in prop::collection::vec(any::<u8>(), 0..80),
        tampered in prop::collection::vec((0..42_usize, any::<u8>()), 0..6),
    ) {
        let mut owner = owner(quiet());
        owner.hear(&octets);
        let mut frame = request(CLIENT, VIP);
        for (at, value) in tampered {
            frame[at] = value;
        }
        owner.hear(&frame);
        for (_, packet) in packets(&mut owner) {
            prop_assert_eq!(packet.sender, VIP);
        }
    }
}

#[test]
fn an_address_that_is_announced_once_more_begins_its_announcements_again() {
    let mut owner = owner(Config::default());
    owner.run_seconds(100);
    owner.outputs();
    let start = seconds(owner.now);
    owner.input(Input::Announce(VIP.into()));
    owner.run_seconds(4);
    let sent: Vec<_> = packets(&mut owner)
        .iter()
        .map(|(at, packet)| (at - start, packet.operation))
        .collect();
    let round = |at| [(at, Operation::Request), (at, Operation::Reply)];
    assert_eq!(sent, [round(0.0), round(1.0), round(3.0)].concat());
}

#[test]
fn an_address_that_is_not_claimed_is_not_announced_once_more() {
    let mut driven = driven(quiet());
    driven.input(Input::Announce(VIP.into()));
    assert_eq!(driven.frames(), []);
}

#[test]
fn an_address_still_being_probed_is_announced_at_once_when_it_should_be_announced_once_more() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Standard);
    assert_eq!(driven.frames(), []);
    driven.input(Input::Announce(VIP.into()));
    let sent = packets(&mut driven);
    let [(_, first), ..] = sent[..] else {
        panic!("nothing was announced")
    };
    assert_eq!(
        (first.operation, first.sender, first.target),
        (Operation::Request, VIP, VIP)
    );
}

#[test]
fn an_address_of_doubtful_ownership_is_announced_once_and_then_only_refreshed() {
    let mut driven = driven(Config::default());
    driven.claim(VIP, Probe::Skip);
    driven.input(Input::AnnounceOnce(VIP.into()));
    driven.run_seconds(120);
    let times: Vec<_> = packets(&mut driven)
        .iter()
        .filter(|(_, packet)| packet.operation == Operation::Request)
        .map(|(at, _)| *at)
        .collect();
    assert!((times[0] - 0.0).abs() < 0.001, "{times:?}");
    assert!(times[1] >= 45.0, "{times:?}");
}

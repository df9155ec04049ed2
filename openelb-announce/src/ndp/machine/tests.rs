//! Tests of the NDP machine: the checklist of RFC 4861, 4862, 7527 and 9131, and the groups.

use super::{Ndp, frame};
use crate::claim::driven::{Driven, OTHER, OWN, quiet, seconds};
use crate::claim::{
    AnnouncePlan, Claim, Config, ConflictPhase, Defence, Event, Frame, Input, NeighborProtocol,
    Output, Probe, Question, State, Validity,
};
use crate::ndp::packet::{Datagram, Repr};
use crate::time::Time;
use crate::wire::ethernet::Header;
use crate::wire::ip::{ALL_NODES, ALL_ROUTERS, solicited_node};
use crate::wire::{Mac, capture};
use proptest::prelude::*;
use std::net::Ipv6Addr;
use std::time::Duration;

const VIP: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
const CLIENT: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x100);

fn driven(config: Config) -> Driven<Ndp> {
    Driven::new(config)
}

/// A machine that owns `VIP`.
fn owner(config: Config) -> Driven<Ndp> {
    Driven::owner(config, VIP)
}

fn solicit(source: Ipv6Addr, destination: Ipv6Addr, source_mac: Option<Mac>) -> Datagram {
    let message = Repr::Solicitation {
        target: VIP,
        source_mac,
        nonce: None,
    };
    Datagram {
        source,
        destination,
        message,
    }
}

fn solicitation() -> Frame {
    let group = solicited_node(VIP);
    frame(
        &solicit(CLIENT, group, Some(OTHER)),
        OTHER,
        Mac::of_group(group),
    )
}

/// Duplicate address detection of another host for `VIP`.
fn foreign_probe(nonce: Option<[u8; 6]>) -> Frame {
    let group = solicited_node(VIP);
    let message = Repr::Solicitation {
        target: VIP,
        source_mac: None,
        nonce,
    };
    let datagram = Datagram {
        source: Ipv6Addr::UNSPECIFIED,
        destination: group,
        message,
    };
    frame(&datagram, OTHER, Mac::of_group(group))
}

fn foreign_advertisement() -> Frame {
    let message = Repr::Advertisement {
        target: VIP,
        target_mac: Some(OTHER),
        router: false,
        solicited: false,
        overriding: true,
    };
    let datagram = Datagram {
        source: VIP,
        destination: ALL_NODES,
        message,
    };
    frame(&datagram, OTHER, Mac::of_group(ALL_NODES))
}

fn advertisement(solicited: bool, overriding: bool) -> Repr {
    Repr::Advertisement {
        target: VIP,
        target_mac: Some(OWN),
        router: false,
        solicited,
        overriding,
    }
}

fn read(frame: &Frame) -> (Header, Datagram) {
    let (header, packet) = Header::split(frame).unwrap();
    (header, Datagram::decode(packet).unwrap())
}

fn datagrams(driven: &mut Driven<Ndp>) -> Vec<(f64, Datagram)> {
    driven
        .frames()
        .iter()
        .map(|(at, frame)| (seconds(*at), read(frame).1))
        .collect()
}

/// The groups joined and left since the last look.
fn memberships(driven: &mut Driven<Ndp>) -> Vec<Output> {
    let is_membership =
        |output: &Output| matches!(output, Output::JoinGroup(_) | Output::LeaveGroup(_));
    driven
        .outputs()
        .into_iter()
        .map(|(_, output)| output)
        .filter(is_membership)
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
fn a_solicitation_for_an_owned_address_is_answered() {
    let mut owner = owner(quiet());
    owner.hear(&solicitation());
    let (header, answer) = read(&owner.frames()[0].1);
    assert_eq!((header.source, header.destination), (OWN, OTHER));
    assert_eq!(answer.destination, CLIENT);
    assert_eq!(answer.message, advertisement(true, true));
}

#[test]
fn a_solicitation_that_linux_sent_is_answered() {
    let mut owner = owner(quiet());
    owner.hear(&capture::octets(capture::SOLICITATION));
    assert_eq!(
        datagrams(&mut owner)[0].1.destination,
        "2001:db8::1".parse::<Ipv6Addr>().unwrap()
    );
}

#[test]
fn a_unicast_solicitation_is_answered_with_and_without_a_source_hardware_address() {
    for source_mac in [Some(OTHER), None] {
        let mut owner = owner(quiet());
        owner.hear(&frame(&solicit(CLIENT, VIP, source_mac), OTHER, OWN));
        let (header, answer) = read(&owner.frames()[0].1);
        assert_eq!((header.destination, answer.destination), (OTHER, CLIENT));
    }
}

#[test]
fn a_multicast_solicitation_without_a_source_hardware_address_is_answered() {
    let mut owner = owner(quiet());
    let group = solicited_node(VIP);
    owner.hear(&frame(
        &solicit(CLIENT, group, None),
        OTHER,
        Mac::of_group(group),
    ));
    assert_eq!(owner.frames().len(), 1);
}

#[test]
fn every_answer_names_our_hardware_address_and_overrides() {
    let mut owner = owner(quiet());
    owner.hear(&solicitation());
    owner.hear(&foreign_probe(None));
    let answers = datagrams(&mut owner);
    assert_eq!(answers.len(), 2);
    for (_, answer) in answers {
        let Repr::Advertisement {
            target_mac,
            overriding,
            ..
        } = answer.message
        else {
            panic!()
        };
        assert_eq!((target_mac, overriding), (Some(OWN), true));
    }
}

#[test]
fn every_advertisement_is_sourced_from_the_address_itself() {
    let mut driven = driven(Config::default());
    driven.claim(VIP, Probe::Skip);
    driven.hear(&solicitation());
    driven.hear(&foreign_probe(None));
    driven.run_seconds(100);
    let sent = datagrams(&mut driven);
    assert!(sent.len() > 8, "announcements, two answers, refreshes");
    assert!(sent.iter().all(|(_, datagram)| datagram.source == VIP));
}

#[test]
fn the_router_flag_is_set_exactly_if_configured_asked_or_not() {
    for router in [false, true] {
        let mut driven = driven(Config {
            router,
            ..Config::default()
        });
        driven.claim(VIP, Probe::Skip);
        driven.hear(&solicitation());
        driven.hear(&foreign_probe(None));
        driven.run_seconds(100);
        let all = datagrams(&mut driven);
        assert!(all.len() > 8, "announcements, two answers, refreshes");
        for (_, datagram) in all {
            let message = datagram.message;
            assert!(matches!(message, Repr::Advertisement { router: set, .. } if set == router));
        }
    }
}

#[test]
fn what_nobody_asked_for_is_never_called_solicited() {
    let mut driven = driven(Config::default());
    driven.claim(VIP, Probe::Skip);
    driven.run_seconds(300);
    let sent = datagrams(&mut driven);
    assert!(sent.len() > 8, "announcements and refreshes");
    for (_, datagram) in sent {
        let message = datagram.message;
        let is_solicited = matches!(
            message,
            Repr::Advertisement {
                solicited: true,
                ..
            }
        );
        assert!(!is_solicited && datagram.destination.is_multicast());
    }
}

#[test]
fn duplicate_address_detection_for_an_owned_address_is_answered_to_all_nodes_unsolicited() {
    for nonce in [None, Some([7; 6])] {
        let mut owner = owner(quiet());
        owner.hear(&foreign_probe(nonce));
        let (header, answer) = read(&owner.frames()[0].1);
        assert_eq!(header.destination, Mac::of_group(ALL_NODES));
        assert_eq!(answer.destination, ALL_NODES);
        assert_eq!(answer.message, advertisement(false, true));
    }
}

#[test]
fn duplicate_address_detection_of_linux_is_answered() {
    let mut owner = owner(quiet());
    owner.hear(&capture::octets(capture::DAD_SOLICITATION));
    assert_eq!(datagrams(&mut owner)[0].1.destination, ALL_NODES);
}

#[test]
fn solicitations_that_break_a_rule_are_not_answered() {
    let mut owner = owner(quiet());
    let good = solicitation();
    let mut forwarded = good.clone();
    forwarded[21] = 254;
    let mut bad_checksum = good.clone();
    bad_checksum[56] ^= 1;
    for bad in [&forwarded, &bad_checksum, &good[..77].into()] {
        owner.hear(bad);
    }
    let elsewhere = frame(
        &solicit(CLIENT, VIP, None),
        OTHER,
        Mac::new([2, 0, 0, 0, 0, 9]),
    );
    owner.hear(&elsewhere);
    assert_eq!(owner.outputs(), []);
}

#[test]
fn questions_for_others_and_from_the_address_itself_are_ignored() {
    let mut owner = owner(quiet());
    let message = Repr::Solicitation {
        target: CLIENT,
        source_mac: None,
        nonce: None,
    };
    let datagram = Datagram {
        source: CLIENT,
        destination: VIP,
        message,
    };
    owner.hear(&frame(&datagram, OTHER, OWN));
    owner.hear(&frame(&solicit(VIP, VIP, None), OTHER, OWN));
    owner.hear(&frame(&solicit(CLIENT, VIP, Some(OWN)), OWN, OWN));
    assert_eq!(owner.outputs(), []);
}

#[test]
fn standard_probing_is_one_solicitation_from_nobody_with_a_nonce_and_a_second_of_listening() {
    for seed in 0..50 {
        let mut driven = driven(Config { seed, ..quiet() });
        driven.claim(VIP, Probe::Standard);
        driven.run_seconds(5);
        let sent = datagrams(&mut driven);
        let (at, probe) = sent[0];
        assert!(
            (0.0..=1.0).contains(&at),
            "MAX_RTR_SOLICITATION_DELAY: {at}"
        );
        assert_eq!(
            (probe.source, probe.destination),
            (Ipv6Addr::UNSPECIFIED, solicited_node(VIP))
        );
        assert!(matches!(
            probe.message,
            Repr::Solicitation {
                source_mac: None,
                nonce: Some(_),
                ..
            }
        ));
        assert!((sent[1].0 - at - 1.0).abs() < 1e-9, "RetransTimer");
        assert!(matches!(sent[1].1.message, Repr::Advertisement { .. }));
    }
}

#[test]
fn fast_probing_is_over_within_a_seventh_of_a_second() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Fast);
    driven.run_seconds(1);
    let sent = datagrams(&mut driven);
    assert_eq!(
        sent.iter()
            .filter(|(_, datagram)| datagram.source.is_unspecified())
            .count(),
        3
    );
    assert!(sent[3].0 <= 0.14, "announced after {} s", sent[3].0);
}

#[test]
fn an_advertisement_for_the_address_while_probing_is_a_conflict_and_nothing_is_announced() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Standard);
    driven.run_seconds(1);
    driven.outputs();
    driven.hear(&foreign_advertisement());
    assert_eq!(driven.events(), [conflict(ConflictPhase::Probing)]);
    driven.run_seconds(4);
    assert_eq!(driven.outputs(), []);
}

#[test]
fn duplicate_address_detection_of_another_host_while_probing_is_a_conflict() {
    for nonce in [None, Some([7; 6])] {
        let mut driven = driven(quiet());
        driven.claim(VIP, Probe::Standard);
        driven.hear(&foreign_probe(nonce));
        assert_eq!(driven.events(), [conflict(ConflictPhase::Probing)]);
    }
}

#[test]
fn an_ordinary_solicitation_while_probing_is_neither_answered_nor_a_conflict() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Standard);
    driven.outputs();
    driven.hear(&solicitation());
    assert_eq!(driven.outputs(), []);
    assert_eq!(driven.machine.state(VIP.into()), Some(State::Waiting));
}

#[test]
fn our_own_probe_sent_back_by_the_network_is_no_conflict() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Standard);
    driven.run_seconds(1);
    let (_, mut probe) = driven.frames().remove(0);
    driven.hear(&probe);
    // Also when something on the way put its own hardware address on the frame.
    probe[6..12].copy_from_slice(&OTHER.octets());
    driven.hear(&probe);
    assert_eq!(driven.outputs(), []);
    assert_eq!(driven.machine.state(VIP.into()), Some(State::Probing));
}

#[test]
fn a_probe_with_our_hardware_address_but_another_nonce_is_a_conflict() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Standard);
    let mut probe = foreign_probe(Some([7; 6]));
    probe[6..12].copy_from_slice(&OWN.octets());
    driven.hear(&probe);
    assert_eq!(driven.machine.state(VIP.into()), Some(State::Conflicted));
}

#[test]
fn nonces_differ_from_host_to_host_address_to_address_and_claim_to_claim() {
    let mut nonces = std::collections::BTreeSet::new();
    for seed in 0..3 {
        let mut driven = driven(Config { seed, ..quiet() });
        for address in [VIP, CLIENT] {
            for _ in 0..2 {
                driven.claim(address, Probe::Standard);
                driven.run_seconds(2);
                for (_, datagram) in datagrams(&mut driven) {
                    if let Repr::Solicitation { nonce, .. } = datagram.message {
                        nonces.insert(nonce.unwrap());
                    }
                }
                driven.input(Input::Release(address.into()));
            }
        }
    }
    assert_eq!(nonces.len(), 12);
}

#[test]
fn a_new_address_is_announced_to_all_nodes_overriding_and_to_all_routers_not() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Skip);
    let sent: Vec<_> = datagrams(&mut driven)
        .into_iter()
        .map(|(_, datagram)| datagram)
        .collect();
    let to_nodes = Datagram {
        source: VIP,
        destination: ALL_NODES,
        message: advertisement(false, true),
    };
    let to_routers = Datagram {
        source: VIP,
        destination: ALL_ROUTERS,
        message: advertisement(false, false),
    };
    assert_eq!(sent, [to_nodes, to_routers]);
}

#[test]
fn three_announcements_at_least_a_second_apart_follow_a_claim() {
    let mut driven = driven(Config {
        announce: AnnouncePlan {
            refresh: None,
            ..AnnouncePlan::default()
        },
        ..Config::default()
    });
    driven.claim(VIP, Probe::Skip);
    driven.run_seconds(100);
    let sent = datagrams(&mut driven);
    let to_nodes = sent
        .iter()
        .filter(|(_, datagram)| datagram.destination == ALL_NODES);
    assert_eq!(
        to_nodes.map(|(at, _)| *at).collect::<Vec<_>>(),
        [0.0, 1.0, 3.0]
    );
}

#[test]
fn refreshes_go_to_all_nodes_only() {
    let mut driven = driven(Config::default());
    driven.claim(VIP, Probe::Skip);
    driven.run_seconds(4);
    driven.outputs();
    driven.run_seconds(300);
    let sent = datagrams(&mut driven);
    assert!(sent.len() >= 4);
    assert!(
        sent.iter()
            .all(|(_, datagram)| datagram.destination == ALL_NODES)
    );
}

#[test]
fn a_foreign_advertisement_is_defended_against_once_in_ten_seconds() {
    let mut owner = owner(quiet());
    for _ in 0..19 {
        owner.hear(&foreign_advertisement());
        owner.run_seconds(1);
    }
    let sent = datagrams(&mut owner);
    assert_eq!(
        sent.iter().map(|(at, _)| *at).collect::<Vec<_>>(),
        [1.0, 11.0]
    );
    assert!(
        sent.iter()
            .all(|(_, datagram)| datagram.message == advertisement(false, true))
    );
}

#[test]
fn a_yielding_machine_is_silent_after_a_foreign_advertisement() {
    let mut owner = owner(Config {
        defence: Defence::Yield,
        ..quiet()
    });
    owner.hear(&foreign_advertisement());
    assert_eq!(owner.events(), [conflict(ConflictPhase::Yielded)]);
    owner.hear(&solicitation());
    assert_eq!(owner.outputs(), []);
}

#[test]
fn our_own_advertisement_sent_back_by_the_network_is_no_conflict() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Skip);
    let (_, own) = driven.frames().remove(0);
    driven.hear(&own);
    assert_eq!(driven.outputs(), []);
}

#[test]
fn the_groups_are_joined_before_anything_is_sent_and_left_with_the_last_address() {
    let mut driven = driven(quiet());
    driven.claim(VIP, Probe::Skip);
    let outputs: Vec<_> = driven
        .outputs()
        .into_iter()
        .map(|(_, output)| output)
        .collect();
    let group = solicited_node(VIP);
    assert_eq!(
        outputs[..2],
        [Output::JoinGroup(ALL_NODES), Output::JoinGroup(group)]
    );
    assert!(matches!(outputs[2], Output::Transmit(_)));
    driven.input(Input::Release(VIP.into()));
    let left = [Output::LeaveGroup(group), Output::LeaveGroup(ALL_NODES)];
    assert_eq!(memberships(&mut driven), left);
}

#[test]
fn two_addresses_with_equal_low_24_bits_share_a_group_and_the_other_is_answered_after_one_went() {
    let twin = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 2);
    let mut owner = owner(quiet());
    owner.claim(twin, Probe::Skip);
    owner.input(Input::Release(twin.into()));
    assert_eq!(memberships(&mut owner), []);
    owner.hear(&solicitation());
    assert_eq!(owner.frames().len(), 1);
}

#[test]
fn an_address_whose_group_is_one_too_many_is_reported_and_waits_for_room() {
    let mut owner = owner(Config {
        max_groups: 1,
        ..quiet()
    });
    owner.claim(CLIENT, Probe::Skip);
    let group = solicited_node(CLIENT);
    let event = Event::GroupsExhausted {
        address: CLIENT.into(),
        group,
        limit: 1,
    };
    assert_eq!(owner.events(), [event]);
    assert_eq!(
        owner.machine.state(CLIENT.into()),
        Some(State::WithoutGroup)
    );
    owner.input(Input::Release(VIP.into()));
    owner.run_seconds(1);
    assert_eq!(owner.machine.state(CLIENT.into()), Some(State::Announced));
}

#[test]
fn an_address_without_a_group_stays_silent_although_it_is_claimed_anew_after_its_validity() {
    let mut owner = owner(Config {
        max_groups: 1,
        ..quiet()
    });
    let until = |seconds| Validity::Until(Time::ZERO + Duration::from_secs(seconds));
    owner.claim_until(CLIENT, Probe::Skip, until(2));
    owner.run_seconds(5);
    owner.outputs();
    owner.claim_until(CLIENT, Probe::Skip, until(20));
    owner.run_seconds(1);
    assert_eq!(owner.outputs(), []);
    owner.input(Input::Release(VIP.into()));
    owner.run(Duration::ZERO);
    assert_eq!(owner.machine.state(CLIENT.into()), Some(State::Announced));
}

#[test]
fn an_address_without_a_group_stays_silent_although_its_validity_is_renewed_after_a_lapse() {
    let mut owner = owner(Config {
        max_groups: 1,
        ..quiet()
    });
    owner.input(Input::Renew(owner.now + Duration::from_secs(1)));
    owner.claim_until(CLIENT, Probe::Skip, Validity::Renewed);
    owner.run_seconds(5);
    owner.outputs();
    owner.input(Input::Renew(owner.now + Duration::from_secs(9)));
    owner.run_seconds(1);
    assert_eq!(owner.outputs(), []);
}

#[test]
fn the_group_of_all_nodes_is_joined_with_the_first_and_left_with_the_last_of_several_groups() {
    let mut owner = owner(quiet());
    let group = solicited_node(CLIENT);
    owner.claim(CLIENT, Probe::Skip);
    owner.input(Input::Release(CLIENT.into()));
    assert_eq!(
        memberships(&mut owner),
        [Output::JoinGroup(group), Output::LeaveGroup(group)]
    );
}

#[test]
fn addresses_that_no_station_can_own_are_refused() {
    let mut driven = driven(quiet());
    for text in ["::", "::1", "ff02::1", "::ffff:192.0.2.1", "192.0.2.1"] {
        let address = text.parse().unwrap();
        driven.input(Input::Claim(Claim {
            address,
            probe: Probe::Skip,
            valid_until: Validity::Unlimited,
        }));
        assert_eq!(driven.events(), [Event::Unsuitable(address)]);
    }
}

#[test]
fn packed_addresses_do_not_exhaust_the_groups() {
    let mut driven = driven(Config {
        max_groups: 1,
        ..quiet()
    });
    for subnet in 0..3000 {
        driven.claim(
            Ipv6Addr::new(0x2001, 0xdb8, 0, subnet, 0, 0, 0, 2),
            Probe::Skip,
        );
    }
    driven.run_seconds(1);
    let is_exhausted = |event: &Event| matches!(event, Event::GroupsExhausted { .. });
    assert!(!driven.events().iter().any(is_exhausted));
}

#[test]
fn after_a_fence_an_address_is_probed_and_announced_again_without_leaving_its_group() {
    let mut owner = owner(quiet());
    owner.input(Input::Fence);
    owner.run_seconds(1);
    let outputs = owner.outputs();
    assert!(
        outputs
            .iter()
            .all(|(_, output)| !matches!(output, Output::LeaveGroup(_)))
    );
    assert_eq!(owner.machine.state(VIP.into()), Some(State::Announced));
}

#[test]
fn a_hundred_thousand_packed_addresses_take_less_than_ten_megabytes() {
    let rate = crate::claim::RateLimit {
        per_second: 1_000_000,
        burst: 1000,
    };
    let mut driven = driven(Config {
        rate,
        ..Config::default()
    });
    let base = u128::from(VIP);
    for number in 0..100_000_u128 {
        driven.claim(Ipv6Addr::from(base + (number << 32)), Probe::Skip);
    }
    driven.run_seconds(2);
    driven.outputs();
    let footprint = driven.machine.footprint();
    assert!(footprint < 10_000_000, "{footprint} octets");
}

#[test]
fn the_reply_path_does_not_allocate() {
    let ndp = Ndp::new(&Config::default());
    let question = Question {
        target: VIP,
        sender: Some(CLIENT),
        mac: OTHER,
        nonce: None,
    };
    assert!(!ndp.answer(&question, OWN).spilled());
    assert!(!ndp.announcement(VIP, OWN, 1).spilled());
    assert!(!ndp.probe(VIP, OWN, [0; 6]).spilled());
}

proptest! {
    #[test]
    fn no_frame_makes_the_machine_panic_or_speak_for_what_it_does_not_own(
        octets in prop::collection::vec(any::<u8>(), 0..120),
        tampered in prop::collection::vec((0..86_usize, any::<u8>()), 0..6),
        wait in 0..3_000_000_000_u64,
    ) {
        let mut owner = owner(Config::default());
        owner.hear(&octets);
        let mut frame = solicitation();
        for (at, value) in tampered {
            frame[at] = value;
        }
        owner.hear(&frame);
        owner.run(Time::from_nanos(wait) - Time::ZERO);
        for (_, datagram) in datagrams(&mut owner) {
            prop_assert_eq!(datagram.message.target(), VIP);
        }
    }
}

#[test]
fn frames_received_before_the_claim_are_not_answered() {
    let mut driven = driven(quiet());
    driven.run_seconds(5);
    driven.claim(VIP, Probe::Skip);
    driven.outputs();
    let early = driven.now - Duration::from_nanos(1);
    driven.input(Input::Frame {
        bytes: &solicitation(),
        received: early,
    });
    assert_eq!(driven.outputs(), []);
}

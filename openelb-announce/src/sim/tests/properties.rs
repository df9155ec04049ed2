//! Properties that hold for every seed, whatever the network does.

use super::{asserted, both, claim, setup, speaks_for};
use crate::claim::{AnnouncePlan, Claim, Config, Defence, Probe, RateLimit, Validity};
use crate::sim::{Clock, HostId, Impairment, Network, Setup};
use crate::time::Time;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

fn any_cable() -> impl Strategy<Value = Impairment> {
    (0..200_u16, 0..100_u16, 0..3_000_u64, 0..10_000_u64).prop_map(
        |(loss, duplicate, delay, jitter)| Impairment {
            loss_per_mille: loss,
            duplicate_per_mille: duplicate,
            delay: Duration::from_micros(delay),
            jitter: Duration::from_micros(jitter),
            is_cut: false,
        },
    )
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    prop::sample::select(both().to_vec())
}

fn any_clock() -> impl Strategy<Value = Clock> {
    (0..1_000_000_000_u64, -50_000..50_000_i32).prop_map(|(offset, skew_ppm)| Clock {
        offset: Duration::from_nanos(offset),
        skew_ppm,
    })
}

/// Something that happens to one of two speakers.
#[derive(Clone, Copy, Debug)]
enum Step {
    Pause,
    Resume,
    LinkDown,
    LinkUp,
    Fence,
    Renew(u64),
    Claim(bool),
    Release,
    Run(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Pause),
        3 => Just(Step::Resume),
        1 => Just(Step::LinkDown),
        3 => Just(Step::LinkUp),
        1 => Just(Step::Fence),
        4 => (1..5_000_u64).prop_map(Step::Renew),
        2 => any::<bool>().prop_map(Step::Claim),
        1 => Just(Step::Release),
        8 => (1..8_000_u64).prop_map(Step::Run),
    ]
}

fn apply(network: &mut Network, host: HostId, address: IpAddr, valid_until: Validity, step: Step) {
    match step {
        Step::Pause => network.pause(host),
        Step::Resume => network.resume(host),
        Step::LinkDown => network.set_link(host, false),
        Step::LinkUp => network.set_link(host, true),
        Step::Fence => network.fence(host),
        Step::Renew(millis) => network.renew(host, Duration::from_millis(millis)),
        Step::Claim(skip) => {
            let probe = if skip { Probe::Skip } else { Probe::Fast };
            network.claim(
                host,
                Claim {
                    address,
                    probe,
                    valid_until,
                },
            );
        }
        Step::Release => network.release(host, address),
        Step::Run(millis) => network.run(Duration::from_millis(millis)),
    }
}

proptest! {
    #[test]
    fn at_most_one_owner_answers_after_a_planned_move_and_the_client_finds_it(
        seed: u64,
        address in any_address(),
        cables in prop::array::uniform3(any_cable()),
        pause_between in 0..2_000_u64,
    ) {
        let mut network = Network::new(setup(seed, Config::default()));
        let hosts = [network.add_speaker(), network.add_speaker(), network.add_client()];
        let [a, b, client] = hosts;
        for (host, cable) in hosts.into_iter().zip(cables) {
            network.impair(host, cable);
        }
        network.claim(a, claim(address, Probe::Skip));
        network.stream(client, address, Duration::from_millis(500));
        network.run(Duration::from_secs(5));
        network.release(a, address);
        let released = network.now();
        network.run(Duration::from_millis(pause_between));
        network.claim(b, claim(address, Probe::Skip));
        let mut believed = Vec::new();
        for _ in 0..40 {
            network.run(Duration::from_secs(3));
            prop_assert!(network.owners(address).iter().all(|owner| *owner == b));
            believed.push(network.neighbor(client, address).unwrap().mac);
        }
        let late = network.trace().iter().any(|r| r.at > released && speaks_for(r, a, address));
        prop_assert!(!late, "the former owner spoke");
        // Half of all questions and answers may get lost, so there are times without any belief.
        let settled = &believed[20..];
        prop_assert!(settled.contains(&network.mac(b)) && !settled.contains(&network.mac(a)));
    }

    #[test]
    fn no_frame_leaves_after_the_validity_has_passed(
        seed: u64,
        address in any_address(),
        clock in any_clock(),
        fence_after in prop::option::of(0..2_000_u64),
        steps in prop::collection::vec(any_step(), 1..40),
    ) {
        let fence_after = fence_after.map(Duration::from_millis);
        let mut network = Network::new(Setup { seed, fence_after, ..Setup::default() });
        let (speaker, client) = (network.add_speaker_with_clock(clock), network.add_client());
        network.stream(client, address, Duration::from_millis(50));
        network.claim(speaker, claim_renewed(address));
        // The deadline in force from each instant on; a renewal during a pause counts from its end.
        let (mut deadlines, mut renewals) = (vec![(Time::ZERO, Time::ZERO)], Vec::new());
        let mut is_paused = false;
        for step in steps {
            is_paused = match step {
                Step::Pause => true,
                Step::Resume => false,
                _ => is_paused,
            };
            if let Step::Renew(millis) = step {
                let now = network.local_time(speaker, network.now());
                renewals.push(now + Duration::from_millis(millis));
            }
            if !is_paused {
                deadlines.extend(renewals.drain(..).map(|deadline| (network.now(), deadline)));
            }
            apply(&mut network, speaker, address, Validity::Renewed, step);
        }
        for record in network.trace().iter().filter(|record| speaks_for(record, speaker, address)) {
            let at = network.local_time(speaker, record.at);
            let since = deadlines.iter().filter(|(since, _)| *since <= record.at);
            let (_, deadline) = since.max_by_key(|(_, deadline)| *deadline).unwrap();
            prop_assert!(at < *deadline, "{record} at local {at}, valid until {deadline}");
        }
    }

    #[test]
    fn unasked_frames_never_exceed_the_rate_whatever_happens(
        seed: u64,
        per_second in 10..500_u32,
        burst in 1..40_u32,
        addresses in 1..60_u32,
        steps in prop::collection::vec(any_step(), 1..25),
    ) {
        let rate = RateLimit { per_second, burst };
        let refresh = Some(Duration::from_secs(2));
        let announce = AnnouncePlan { refresh, ..AnnouncePlan::default() };
        let mut network = Network::new(setup(seed, Config { announce, rate, ..Config::default() }));
        let speaker = network.add_speaker();
        for number in 0..addresses {
            let address = Ipv4Addr::from(0xc000_0200 + number).into();
            network.claim(speaker, claim(address, Probe::Fast));
        }
        for step in steps {
            apply(&mut network, speaker, both()[0], Validity::Unlimited, step);
        }
        let sent: Vec<_> =
            network.trace().iter().filter(|record| record.sent().is_some()).map(|r| r.at).collect();
        for (first, start) in sent.iter().enumerate() {
            // The most frames that may follow within any span that starts here.
            let worst = sent.iter().enumerate().skip(first).map(|(last, end)| {
                let share = (*end - *start).as_secs_f64() * f64::from(per_second);
                f64::from(u32::try_from(last - first + 1).unwrap()) - share
            });
            prop_assert!(worst.fold(0.0, f64::max) <= f64::from(burst) + 1e-6);
        }
    }

    #[test]
    fn once_the_network_is_whole_again_exactly_one_of_two_rivals_owns_the_address(
        seed: u64,
        address in any_address(),
        cables in prop::array::uniform3(any_cable()),
        steps in prop::collection::vec((any::<bool>(), any_step()), 1..30),
        blocked in prop::collection::vec((0..3_usize, 0..3_usize), 0..4),
    ) {
        let fence_after = Some(Duration::from_millis(500));
        let config = Config { defence: Defence::Yield, ..Config::default() };
        let mut network = Network::new(Setup { fence_after, ..setup(seed, config) });
        let hosts = [network.add_speaker(), network.add_speaker(), network.add_client()];
        for (host, cable) in hosts.into_iter().zip(cables) {
            network.impair(host, cable);
        }
        for (from, to) in blocked {
            network.block(hosts[from], hosts[to]);
        }
        network.stream(hosts[2], address, Duration::from_secs(1));
        for (second, step) in steps {
            apply(&mut network, hosts[usize::from(second)], address, Validity::Unlimited, step);
        }
        network.heal();
        for host in hosts {
            network.impair(host, Impairment::default());
        }
        for rival in &hosts[..2] {
            network.resume(*rival);
            network.set_link(*rival, true);
            network.claim(*rival, claim(address, Probe::Fast));
        }
        // A refresh of either, which settles who yields, and a minute of back-off at most.
        network.run(Duration::from_mins(4));
        let owners = network.owners(address);
        prop_assert_eq!(owners.len(), 1);
        let believed = network.neighbor(hosts[2], address).map(|neighbor| neighbor.mac);
        prop_assert_eq!(believed, Some(network.mac(owners[0])));
    }

    #[test]
    fn whatever_two_speakers_go_through_they_only_speak_for_what_they_claimed(
        seed: u64,
        address in any_address(),
        cables in prop::array::uniform3(any_cable()),
        steps in prop::collection::vec((any::<bool>(), any_step()), 1..40),
    ) {
        let fence_after = Some(Duration::from_millis(500));
        let mut network = Network::new(Setup { seed, fence_after, ..Setup::default() });
        let hosts = [network.add_speaker(), network.add_speaker(), network.add_client()];
        for (host, cable) in hosts.into_iter().zip(cables) {
            network.impair(host, cable);
        }
        network.stream(hosts[2], address, Duration::from_millis(200));
        for (second, step) in steps {
            let host = if second { hosts[1] } else { hosts[0] };
            apply(&mut network, host, address, Validity::Unlimited, step);
        }
        for record in network.trace().iter().filter(|record| record.host != hosts[2]) {
            let spoken_for = record.sent().and_then(|frame| asserted(frame));
            prop_assert!(spoken_for.is_none_or(|spoken_for| spoken_for == address), "{record}");
        }
    }
}

fn claim_renewed(address: IpAddr) -> Claim {
    Claim {
        address,
        probe: Probe::Skip,
        valid_until: Validity::Renewed,
    }
}

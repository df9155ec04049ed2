//! Stories of failure and repair, each told for IPv4 and for IPv6.

use super::{both, claim, owned, setup, speaks_for};
use crate::claim::{Config, ConflictPhase, Defence, Event, Probe, State};
use crate::sim::{Action, HostId, Impairment, Network, Reachability, Record, Setup, SwitchOptions};
use crate::time::Time;
use std::net::IpAddr;
use std::time::Duration;

fn is_conflict(record: &Record, host: HostId, wanted: ConflictPhase) -> bool {
    let Action::Reported(Event::Conflict { phase, .. }) = record.action else {
        return false;
    };
    record.host == host && phase == wanted
}

fn delivered_at(network: &Network, since: Time) -> impl Iterator<Item = HostId> + '_ {
    let is_delivery = |record: &&Record| matches!(record.action, Action::Delivered(_));
    let records = network
        .trace()
        .iter()
        .filter(move |record| record.at >= since);
    records.filter(is_delivery).map(|record| record.host)
}

fn believes(network: &Network, client: HostId, address: IpAddr, owner: HostId) -> bool {
    network
        .neighbor(client, address)
        .is_some_and(|n| n.mac == network.mac(owner))
}

#[test]
fn a_client_resolves_and_reaches_an_announced_address() {
    for address in both() {
        let (network, a, _, client) = owned(address, Setup::default());
        let neighbor = network.neighbor(client, address).unwrap();
        assert_eq!(
            (neighbor.mac, neighbor.reachability),
            (network.mac(a), Reachability::Reachable)
        );
        assert!(delivered_at(&network, Time::ZERO).count() >= 100);
    }
}

#[test]
fn metallb_55_an_address_that_is_given_up_between_its_announcements_is_announced_no_more() {
    for address in both() {
        let mut network = Network::new(Setup::default());
        let a = network.add_speaker();
        network.claim(a, claim(address, Probe::Skip));
        network.run(Duration::from_millis(500));
        let speaks = |network: &Network, since: Time| {
            let mut records = network.trace().iter().filter(|it| it.at >= since);
            records.any(|record| speaks_for(record, a, address))
        };
        assert!(speaks(&network, Time::ZERO));
        network.release(a, address);
        let released = network.now();
        network.run(Duration::from_mins(5));
        assert!(!speaks(&network, released));
    }
}

#[test]
fn a_client_that_uses_an_address_for_hours_never_loses_it() {
    for address in both() {
        let mut network = Network::new(Setup::default());
        let (a, client) = (network.add_speaker(), network.add_client());
        network.claim(a, claim(address, Probe::Skip));
        network.stream(client, address, Duration::from_secs(3));
        for _ in 0..60 {
            network.run(Duration::from_mins(2));
            let neighbor = network.neighbor(client, address).unwrap();
            assert_ne!(neighbor.reachability, Reachability::Failed);
            assert_eq!(neighbor.mac, network.mac(a));
        }
    }
}

#[test]
fn a_planned_move_turns_the_client_to_the_new_owner_within_a_millisecond_and_loses_nothing() {
    for address in both() {
        let (mut network, a, b, client) = owned(address, Setup::default());
        let moved = network.now();
        network.release(a, address);
        network.claim(b, claim(address, Probe::Skip));
        network.run(Duration::from_millis(1));
        assert!(believes(&network, client, address, b));
        network.run(Duration::from_secs(5));
        let after: Vec<_> = delivered_at(&network, moved + Duration::from_millis(1)).collect();
        assert!(after.len() >= 500 && after.iter().all(|host| *host == b));
        assert!(
            !network
                .trace()
                .iter()
                .any(|r| r.at > moved && speaks_for(r, a, address))
        );
    }
}

#[test]
fn a_silent_death_followed_by_a_takeover_costs_no_more_than_the_takeover() {
    for address in both() {
        let (mut network, a, b, client) = owned(address, Setup::default());
        network.impair(
            a,
            Impairment {
                is_cut: true,
                ..Impairment::default()
            },
        );
        network.run(Duration::from_secs(1));
        network.claim(b, claim(address, Probe::Fast));
        network.run(Duration::from_millis(150));
        assert!(believes(&network, client, address, b));
    }
}

#[test]
fn a_conflict_is_found_before_anything_is_announced() {
    for (address, probe) in both()
        .into_iter()
        .flat_map(|a| [(a, Probe::Fast), (a, Probe::Standard)])
    {
        let (mut network, a, b, client) = owned(address, Setup::default());
        network.claim(b, claim(address, probe));
        network.run(Duration::from_mins(1));
        let trace = network.trace();
        assert!(
            trace
                .iter()
                .any(|record| is_conflict(record, b, ConflictPhase::Probing))
        );
        assert!(!trace.iter().any(|record| speaks_for(record, b, address)));
        assert!(believes(&network, client, address, a));
    }
}

#[test]
fn two_hosts_that_probe_for_one_address_at_once_never_both_announce_it() {
    for (address, seed) in both()
        .into_iter()
        .flat_map(|a| (0..5).map(move |seed| (a, seed)))
    {
        let mut network = Network::new(setup(seed, Config::default()));
        let hosts = [network.add_speaker(), network.add_speaker()];
        for host in hosts {
            network.claim(host, claim(address, Probe::Fast));
        }
        for _ in 0..60 {
            network.run(Duration::from_secs(1));
            assert!(network.owners(address).len() <= 1, "seed {seed}");
        }
    }
}

#[test]
fn a_paused_owner_answers_nothing_stale() {
    for address in both() {
        let fence_after = Some(Duration::from_millis(500));
        let (mut network, a, b, client) = owned(
            address,
            Setup {
                fence_after,
                ..Setup::default()
            },
        );
        network.pause(a);
        network.run(Duration::from_secs(2));
        network.claim(b, claim(address, Probe::Skip));
        // Long enough for the client to ask for the address again and again.
        network.run(Duration::from_mins(1));
        let resumed = network.now();
        network.resume(a);
        network.run(Duration::from_mins(1));
        assert!(
            !network
                .trace()
                .iter()
                .any(|r| r.at >= resumed && speaks_for(r, a, address))
        );
        assert_eq!(network.state(a, address), Some(State::Conflicted));
        assert!(believes(&network, client, address, b));
    }
}

#[test]
fn a_paused_owner_that_nobody_replaced_takes_its_address_up_again() {
    for address in both() {
        let fence_after = Some(Duration::from_millis(500));
        let (mut network, a, _, client) = owned(
            address,
            Setup {
                fence_after,
                ..Setup::default()
            },
        );
        network.pause(a);
        network.run(Duration::from_mins(1));
        network.resume(a);
        network.run(Duration::from_secs(2));
        assert_eq!(network.owners(address), [a]);
        assert!(believes(&network, client, address, a));
    }
}

#[test]
fn a_link_that_fell_while_a_process_was_frozen_is_down_for_the_next_process_too() {
    for address in both() {
        let (mut network, a, b, client) = owned(address, Setup::default());
        network.pause(a);
        network.set_link(a, false);
        network.restart(a, 2);
        network.claim(a, claim(address, Probe::Skip));
        network.claim(b, claim(address, Probe::Skip));
        network.run(Duration::from_mins(2));
        assert!(!network.answers(a, address));
        assert!(believes(&network, client, address, b));
    }
}

#[test]
fn after_a_partition_heals_exactly_one_owner_is_left_and_the_client_finds_it() {
    for (address, seed) in both()
        .into_iter()
        .flat_map(|a| (0..5).map(move |seed| (a, seed)))
    {
        let config = Config {
            defence: Defence::Yield,
            ..Config::default()
        };
        let (mut network, a, b, client) = owned(address, setup(seed, config));
        network.partition(&[a], &[b, client]);
        network.run(Duration::from_secs(10));
        network.claim(b, claim(address, Probe::Standard));
        network.run(Duration::from_secs(30));
        assert_eq!(network.owners(address), [a, b], "each side has an owner");
        network.heal();
        // The next refresh of either tells the other.
        network.run(Duration::from_secs(90));
        let owners = network.owners(address);
        assert_eq!(owners.len(), 1, "seed {seed}");
        assert!(
            believes(&network, client, address, owners[0]),
            "seed {seed}"
        );
    }
}

#[test]
fn an_owner_that_only_cannot_hear_goes_on_announcing_and_is_reported_as_a_conflict() {
    for address in both() {
        let (mut network, a, b, _) = owned(address, Setup::default());
        network.block(b, a);
        network.claim(b, claim(address, Probe::Skip));
        network.run(Duration::from_mins(2));
        let trace = network.trace();
        assert!(
            trace
                .iter()
                .any(|record| is_conflict(record, b, ConflictPhase::Defended))
        );
        assert!(
            !trace
                .iter()
                .any(|record| is_conflict(record, a, ConflictPhase::Defended))
        );
    }
}

#[test]
fn announcing_through_a_cable_that_loses_a_third_still_reaches_the_client() {
    for (address, seed) in both()
        .into_iter()
        .flat_map(|a| (0..5).map(move |seed| (a, seed)))
    {
        let (mut network, a, b, client) = owned(address, setup(seed, Config::default()));
        let lossy = Impairment {
            loss_per_mille: 333,
            ..Impairment::default()
        };
        for host in [a, b, client] {
            network.impair(host, lossy);
        }
        network.release(a, address);
        network.claim(b, claim(address, Probe::Skip));
        network.run(Duration::from_mins(3));
        let neighbor = network.neighbor(client, address).unwrap();
        assert_ne!(neighbor.mac, network.mac(a), "seed {seed}");
    }
}

#[test]
fn a_switch_that_snoops_still_lets_solicitations_through_to_the_owner() {
    for snooping in [false, true] {
        let switch = SwitchOptions {
            snooping,
            ..SwitchOptions::default()
        };
        let (network, a, _, client) = owned(
            both()[1],
            Setup {
                switch,
                ..Setup::default()
            },
        );
        assert!(believes(&network, client, both()[1], a));
    }
}

#[test]
fn a_link_that_comes_back_is_announced_again() {
    for address in both() {
        let (mut network, a, _, client) = owned(address, Setup::default());
        network.set_link(a, false);
        network.run(Duration::from_secs(30));
        network.set_link(a, true);
        network.run(Duration::from_secs(2));
        assert!(believes(&network, client, address, a));
        assert_eq!(network.owners(address), [a]);
    }
}

#[test]
fn an_expired_lease_silences_its_owner_before_the_next_one_speaks() {
    for address in both() {
        let mut network = Network::new(Setup::default());
        let (a, client) = (network.add_speaker(), network.add_client());
        let valid_until = crate::claim::Validity::Renewed;
        network.claim(
            a,
            crate::claim::Claim {
                address,
                probe: Probe::Skip,
                valid_until,
            },
        );
        network.renew(a, Duration::from_secs(3));
        network.stream(client, address, Duration::from_millis(10));
        network.run(Duration::from_secs(100));
        let end = Time::ZERO + Duration::from_secs(3);
        assert!(
            network
                .trace()
                .iter()
                .any(|r| r.at < end && speaks_for(r, a, address))
        );
        assert!(
            !network
                .trace()
                .iter()
                .any(|r| r.at >= end && speaks_for(r, a, address))
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_seed_another() {
    let run = |seed| {
        let (mut network, a, b, client) = owned(both()[0], setup(seed, Config::default()));
        let bad = Impairment {
            loss_per_mille: 200,
            jitter: Duration::from_millis(3),
            ..Impairment::default()
        };
        network.impair(client, bad);
        network.release(a, both()[0]);
        network.claim(b, claim(both()[0], Probe::Fast));
        network.run(Duration::from_secs(10));
        network.trace().clone()
    };
    assert!(run(1) == run(1));
    assert!(run(1) != run(2));
}

#[test]
fn a_trace_reads_as_a_story() {
    let mut network = Network::new(Setup::default());
    let (a, client) = (network.add_speaker(), network.add_client());
    network.claim(a, claim(both()[0], Probe::Skip));
    network.run(Duration::from_millis(1));
    network.send(client, both()[0]);
    network.run(Duration::from_millis(1));
    let lines: Vec<_> = network.trace().iter().map(Record::to_string).collect();
    assert_eq!(
        lines,
        [
            "0.000000000s host0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff: arp announcement: 192.0.2.10 is at 02:00:00:00:00:01",
            "0.000000000s host0 reports Announced(192.0.2.10)",
            "0.000000000s host0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff: arp reply: 192.0.2.10 is at 02:00:00:00:00:01",
            "0.001000000s host1 02:00:00:00:00:02 > ff:ff:ff:ff:ff:ff: arp who has 192.0.2.10? tell 10.255.0.1",
            "0.001020000s host0 02:00:00:00:00:01 > 02:00:00:00:00:02: arp reply: 192.0.2.10 is at 02:00:00:00:00:01",
            "0.001040000s host1 02:00:00:00:00:02 > 02:00:00:00:00:01: traffic for 192.0.2.10",
            "0.001060000s host0 traffic for 192.0.2.10 arrived",
        ]
    );
}

//! Virtual routers in a network of a switch and clients, each story told for IPv4 and for IPv6.

use super::speaks_for;
use crate::sim::{Action, Clock, HostId, Impairment, Network, Setup};
use crate::time::Time;
use crate::vrrp::{Event, Family, Interval, Settings, State, Vrid};
use proptest::prelude::*;
use std::net::IpAddr;
use std::time::Duration;

/// What a virtual router serves, and the address that clients use.
fn routers() -> [(Family, Vec<IpAddr>); 2] {
    let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    [
        (Family::Ipv4, parse(&["192.0.2.10"])),
        (Family::Ipv6, parse(&["fe80::5e:10", "2001:db8::10"])),
    ]
}

fn settings(addresses: &[IpAddr], priority: u8, centiseconds: u16) -> Settings {
    let vrid = Vrid::new(51).unwrap();
    let interval = Interval::from_centiseconds(centiseconds).unwrap();
    Settings {
        priority,
        interval,
        ..Settings::new(vrid, addresses.to_vec())
    }
}

/// `Active_Down_Interval` of a router with this priority (RFC 9568 section 6.1).
fn down_interval(priority: u8, interval: Duration) -> Duration {
    3 * interval + interval * (256 - u32::from(priority)) / 256
}

/// Three routers with priorities 200, 150 and 100, and a client that streams to the last address.
struct Lan {
    network: Network,
    family: Family,
    address: IpAddr,
    routers: [HostId; 3],
    client: HostId,
}

impl Lan {
    fn new(family: Family, addresses: &[IpAddr], setup: Setup) -> Self {
        let mut network = Network::new(setup);
        let routers = [(); 3].map(|()| network.add_speaker());
        for (router, priority) in routers.into_iter().zip(PRIORITIES) {
            network.route(router, settings(addresses, priority, 100));
        }
        let client = network.add_client();
        let address = *addresses.last().unwrap();
        network.run(Duration::from_secs(5));
        network.stream(client, address, Duration::from_millis(10));
        network.run(Duration::from_secs(2));
        let lan = Self {
            network,
            family,
            address,
            routers,
            client,
        };
        assert_eq!(lan.active(), [routers[0]]);
        lan
    }

    fn active(&self) -> Vec<HostId> {
        let is_active =
            |host: &&HostId| self.network.router(**host, self.family) == Some(State::Active);
        self.routers.iter().filter(is_active).copied().collect()
    }

    fn believes(&self, owner: HostId) -> bool {
        self.network
            .neighbor(self.client, self.address)
            .is_some_and(|n| n.mac == self.network.mac(owner))
    }

    /// When `host` became Active after `since`.
    fn became_active(&self, host: HostId, since: Time) -> Time {
        let is = |r: &&crate::sim::Record| {
            r.at >= since
                && r.host == host
                && matches!(r.action, Action::Routed(Event::Active { .. }))
        };
        self.network.trace().iter().find(is).unwrap().at
    }

    /// The stream's frames that reached nobody between two instants.
    fn lost(&self, since: Time, until: Time) -> usize {
        let during = |at: Time| at >= since && at < until;
        let records = || {
            self.network
                .trace()
                .iter()
                .filter(|record| during(record.at))
        };
        let is_traffic = |frame: &[u8]| crate::sim::data::address(frame) == Some(self.address);
        let sent =
            records().filter(|r| r.host == self.client && r.sent().is_some_and(|f| is_traffic(f)));
        let arrived = records().filter(|r| r.action == Action::Delivered(self.address));
        sent.count() - arrived.count()
    }
}

#[test]
fn when_the_active_router_dies_the_next_takes_over_within_its_active_down_interval() {
    for (family, addresses) in routers() {
        let mut lan = Lan::new(family, &addresses, Setup::default());
        let died = lan.network.now();
        lan.network.stop(lan.routers[0]);
        lan.network.set_link(lan.routers[0], false);
        lan.network.run(Duration::from_secs(8));
        let took = lan.became_active(lan.routers[1], died) - died;
        assert!(took <= down_interval(150, SECOND) + FRAME, "{took:?}");
        assert_eq!(lan.active(), [lan.routers[1]]);
        assert!(lan.believes(lan.routers[1]));
        // 10 ms from frame to frame: what is lost is what the stream sent while nobody was Active.
        let lost = lan.lost(died, lan.network.now());
        assert!(
            u128::try_from(lost).unwrap() <= took.as_millis() / 10 + 2,
            "{lost} lost in {took:?}"
        );
    }
}

#[test]
fn when_the_active_router_leaves_the_next_takes_over_within_its_skew_and_nothing_is_lost() {
    for (family, addresses) in routers() {
        let mut lan = Lan::new(family, &addresses, Setup::default());
        let left = lan.network.now();
        lan.network.shut_down(lan.routers[0]);
        lan.network.run(Duration::from_secs(8));
        let took = lan.became_active(lan.routers[1], left) - left;
        assert!(took <= SECOND * (256 - 150) / 256 + FRAME, "{took:?}");
        assert!(lan.believes(lan.routers[1]));
        // The host that left goes on forwarding what clients still send to it.
        assert_eq!(
            lan.lost(left, lan.network.now() - Duration::from_millis(20)),
            0
        );
        let spoke =
            |r: &crate::sim::Record| r.at > left && speaks_for(r, lan.routers[0], lan.address);
        assert!(!lan.network.trace().iter().any(spoke));
    }
}

#[test]
fn each_side_of_a_split_has_one_active_router_and_the_winner_announces_again_when_it_heals() {
    for (family, addresses) in routers() {
        let mut lan = Lan::new(family, &addresses, Setup::default());
        let [a, b, c] = lan.routers;
        lan.network.partition(&[a], &[b, c, lan.client]);
        lan.network.run(Duration::from_secs(10));
        assert_eq!(lan.active(), [a, b]);
        assert!(lan.believes(b));
        lan.network.heal();
        let healed = lan.network.now();
        lan.network.run(2 * SECOND);
        assert_eq!(lan.active(), [a]);
        let announced = |r: &&crate::sim::Record| r.at > healed && speaks_for(r, a, lan.address);
        let announced = lan.network.trace().iter().find(announced).unwrap().at - healed;
        // The first advertisement of either side tells the other.
        assert!(announced <= SECOND + FRAME, "{announced:?}");
        assert!(lan.believes(a));
    }
}

#[test]
fn a_frozen_active_router_that_runs_on_says_nothing_before_it_has_listened() {
    for (family, addresses) in routers() {
        let mut lan = Lan::new(family, &addresses, Setup::default());
        let [a, b, _] = lan.routers;
        lan.network.pause(a);
        lan.network.run(Duration::from_secs(20));
        assert_eq!(lan.network.router(b, family), Some(State::Active));
        let resumed = lan.network.now();
        lan.network.resume(a);
        lan.network.run(Duration::from_millis(200));
        let spoke = |r: &crate::sim::Record| r.at >= resumed && speaks_for(r, a, lan.address);
        assert!(!lan.network.trace().iter().any(spoke));
        lan.network.run(Duration::from_secs(10));
        assert_eq!(lan.active(), [a]);
        assert!(lan.believes(a));
    }
}

#[test]
fn a_router_whose_health_fails_hands_over_and_takes_back() {
    for (family, addresses) in routers() {
        let mut lan = Lan::new(family, &addresses, Setup::default());
        let [a, b, _] = lan.routers;
        lan.network.set_priority(a, 100);
        let failed = lan.network.now();
        lan.network.run(Duration::from_secs(8));
        assert_eq!(lan.active(), [b]);
        assert_eq!(
            lan.lost(failed, lan.network.now() - Duration::from_millis(20)),
            0
        );
        lan.network.set_priority(a, 200);
        lan.network.run(Duration::from_secs(8));
        assert_eq!(lan.active(), [a]);
        assert!(lan.believes(a));
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Pause(usize),
    Resume(usize),
    Stop(usize),
    Restart(usize),
    Link(usize, bool),
    Split(u8),
    Heal,
    Fit(usize, u8),
    Run(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    let node = || 0..3_usize;
    prop_oneof![
        2 => node().prop_map(Step::Pause),
        3 => node().prop_map(Step::Resume),
        1 => node().prop_map(Step::Stop),
        2 => node().prop_map(Step::Restart),
        2 => (node(), any::<bool>()).prop_map(|(node, up)| Step::Link(node, up)),
        2 => (0..16_u8).prop_map(Step::Split),
        2 => Just(Step::Heal),
        1 => (node(), 1..255_u8).prop_map(|(node, priority)| Step::Fit(node, priority)),
        8 => (1..6_000_u64).prop_map(Step::Run),
    ]
}

fn apply(network: &mut Network, hosts: &[HostId], step: Step) {
    match step {
        Step::Pause(node) => network.pause(hosts[node]),
        Step::Resume(node) => network.resume(hosts[node]),
        Step::Stop(node) => network.stop(hosts[node]),
        Step::Restart(node) => network.restart(hosts[node], 0),
        Step::Link(node, up) => network.set_link(hosts[node], up),
        Step::Split(side) => {
            let (one, other): (Vec<_>, Vec<_>) = hosts
                .iter()
                .enumerate()
                .partition(|(number, _)| side & (1 << number) != 0);
            let hosts = |side: Vec<(usize, &HostId)>| {
                side.into_iter().map(|(_, host)| *host).collect::<Vec<_>>()
            };
            network.partition(&hosts(one), &hosts(other));
        }
        Step::Heal => network.heal(),
        Step::Fit(node, priority) => network.set_priority(hosts[node], priority),
        Step::Run(millis) => network.run(Duration::from_millis(millis)),
    }
}

proptest! {
    #[test]
    fn whatever_routers_go_through_one_is_active_in_the_end_and_none_spoke_after_its_time(
        seed: u64,
        family in 0..2_usize,
        preempt: bool,
        fence_after in prop::option::of(1..3_000_u64),
        skews in prop::array::uniform3(-50_000..50_000_i32),
        jitter in 0..3_000_u64,
        steps in prop::collection::vec(any_step(), 1..30),
    ) {
        let (family, addresses) = routers()[family].clone();
        let fence_after = fence_after.map(Duration::from_millis);
        let mut network = Network::new(Setup { seed, fence_after, ..Setup::default() });
        let clock = |skew_ppm| Clock { offset: Duration::from_secs(5), skew_ppm };
        let routers = skews.map(|skew| network.add_speaker_with_clock(clock(skew)));
        for (router, priority) in routers.into_iter().zip(PRIORITIES) {
            network.route(router, Settings { preempt, ..settings(&addresses, priority, 100) });
        }
        let client = network.add_client();
        let hosts = [routers[0], routers[1], routers[2], client];
        for host in hosts {
            let jitter = Duration::from_micros(jitter);
            network.impair(host, Impairment { jitter, ..Impairment::default() });
        }
        let address = *addresses.last().unwrap();
        network.stream(client, address, Duration::from_millis(200));
        for step in steps {
            apply(&mut network, &hosts, step);
        }
        network.heal();
        for router in routers {
            network.restart(router, 0);
            network.set_link(router, true);
        }
        // Down intervals, the client's questions once in a second, and the round of announcements.
        network.run(Duration::from_secs(12));
        let active: Vec<_> =
            routers.into_iter().filter(|r| network.router(*r, family) == Some(State::Active)).collect();
        prop_assert_eq!(active.len(), 1);
        let believed = network.neighbor(client, address).map(|neighbor| neighbor.mac);
        prop_assert_eq!(believed, Some(network.mac(active[0])));
        for router in routers {
            let mut advertised = None;
            for record in network.trace().iter().filter(|record| record.host == router) {
                let local = network.local_time(router, record.at);
                if record.sent().is_some_and(|frame| crate::sim::datagram::Datagram::of(frame).is_some()) {
                    advertised = Some(local);
                } else if speaks_for(record, router, address) {
                    let until = advertised.map(|at| at + down_interval(255, SECOND));
                    prop_assert!(until.is_some_and(|until| local < until), "{record}");
                }
            }
        }
    }
}

const PRIORITIES: [u8; 3] = [200, 150, 100];
const SECOND: Duration = Duration::from_secs(1);
/// Two cables of 10 us each, there and back.
const FRAME: Duration = Duration::from_micros(40);

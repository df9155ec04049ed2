//! What one answer costs the ARP and NDP machines, without sockets, and one run of the simulator.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use openelb_announce::claim::{
    Claim, Config, Input, Lifecycle, NeighborProtocol, Probe, RateLimit, Validity,
};
use openelb_announce::sim::{Impairment, Network, Setup};
use openelb_announce::wire::{Frame, Mac};
use openelb_announce::{Machine, Time, arp, ndp};
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

fn answers(criterion: &mut Criterion) {
    answer::<arp::Arp>(criterion, "arp", |number| {
        Ipv4Addr::from(0x0a00_0001 + number).into()
    });
    // Addresses that share their low 24 bits, so that one solicited-node group serves them all.
    answer::<ndp::Ndp>(criterion, "ndp", |number| {
        Ipv6Addr::from(FIRST_IPV6 + (u128::from(number) << 32)).into()
    });
}

/// Every claimed address is probed by another host in turn; each probe gets its answer.
fn answer<P: NeighborProtocol>(
    criterion: &mut Criterion,
    protocol: &str,
    address: fn(u32) -> IpAddr,
) {
    let mut group = criterion.benchmark_group(format!("answer/{protocol}"));
    for claims in [1, 10_000, 100_000] {
        let addresses: Vec<_> = (0..claims).map(address).collect();
        let (mut machine, now) = owner::<P>(&addresses);
        let prober = P::new(&Config::default());
        let probe = |address: &IpAddr| {
            let address = P::address(*address).expect("the addresses are unicast");
            prober.probe(address, OTHER, [7; 6])
        };
        let questions: Vec<Frame> = addresses.iter().map(probe).collect();
        let mut next = questions.iter().cycle();
        group.bench_function(BenchmarkId::from_parameter(claims), |bencher| {
            bencher.iter(|| {
                let question = next.next().expect("a cycle of at least one never ends");
                machine.handle_input(
                    Input::Frame {
                        bytes: question,
                        received: now,
                    },
                    now,
                );
                let answer = machine.poll_output();
                assert!(answer.is_some());
                black_box(answer)
            });
        });
    }
    group.finish();
}

/// A machine that has announced all addresses, and the instant at which it had.
fn owner<P: NeighborProtocol>(addresses: &[IpAddr]) -> (Lifecycle<P>, Time) {
    let rate = RateLimit {
        per_second: 1_000_000,
        burst: 200,
    };
    let mut machine = Lifecycle::<P>::new(Config {
        rate,
        ..Config::default()
    });
    let mut now = Time::ZERO;
    machine.handle_input(Input::Link { mac: OWN, up: true }, now);
    for address in addresses {
        let (probe, valid_until) = (Probe::Skip, Validity::Unlimited);
        machine.handle_input(
            Input::Claim(Claim {
                address: *address,
                probe,
                valid_until,
            }),
            now,
        );
        while machine.poll_output().is_some() {}
    }
    let end = now + Duration::from_secs(5);
    while let Some(wake) = machine.poll_timeout().filter(|wake| *wake < end) {
        now = now.max(wake);
        machine.handle_timeout(now);
        while machine.poll_output().is_some() {}
    }
    (machine, end)
}

/// Ten seconds in which an address is claimed, used, and moved over cables that lose frames.
fn simulator(criterion: &mut Criterion) {
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10));
    let claim = |probe| Claim {
        address,
        probe,
        valid_until: Validity::Unlimited,
    };
    let mut seed = 0;
    criterion.bench_function("simulator/planned-move-10s", |bencher| {
        bencher.iter(|| {
            seed += 1;
            let mut network = Network::new(Setup {
                seed,
                ..Setup::default()
            });
            let hosts = [
                network.add_speaker(),
                network.add_speaker(),
                network.add_client(),
            ];
            let cable = Impairment {
                loss_per_mille: 50,
                ..Impairment::default()
            };
            for host in hosts {
                network.impair(host, cable);
            }
            network.claim(hosts[0], claim(Probe::Fast));
            network.stream(hosts[2], address, Duration::from_millis(100));
            network.run(Duration::from_secs(2));
            network.release(hosts[0], address);
            network.claim(hosts[1], claim(Probe::Skip));
            network.run(Duration::from_secs(8));
            black_box(network.trace().len())
        });
    });
}

const OWN: Mac = Mac::new([2, 0, 0, 0, 0, 1]);
const OTHER: Mac = Mac::new([2, 0, 0, 0, 0, 2]);
const FIRST_IPV6: u128 = 0x2001_0db8_0000_0000_0000_0000_0000_0002;

criterion_group!(benches, answers, simulator);
criterion_main!(benches);

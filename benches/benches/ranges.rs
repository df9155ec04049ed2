//! Merging and searching a thousand prefixes: our range set beside the `iprange` crate.

use criterion::{Criterion, criterion_group, criterion_main};
use ipnet::Ipv4Net;
use iprange::IpRange;
use openelb_ipam::{AddressRange, RangeSet};
use std::hint::black_box;
use std::net::Ipv4Addr;

fn build(criterion: &mut Criterion) {
    let (prefixes, ranges) = inputs();
    let mut group = criterion.benchmark_group("a thousand prefixes, merged");
    group.bench_function("RangeSet", |bencher| {
        bencher.iter(|| {
            let mut set = RangeSet::new();
            for &range in &ranges {
                set.insert(range);
            }
            set
        });
    });
    group.bench_function("iprange", |bencher| {
        bencher.iter(|| {
            let mut set = IpRange::new();
            for &prefix in &prefixes {
                set.add(prefix);
            }
            set.simplify();
            set
        });
    });
    group.finish();
}

fn search(criterion: &mut Criterion) {
    let (prefixes, ranges) = inputs();
    let mut ours = RangeSet::new();
    for range in ranges {
        ours.insert(range);
    }
    let theirs: IpRange<Ipv4Net> = prefixes.into_iter().collect();
    let addresses: Vec<_> = (0..4096)
        .map(|at: u32| address(at.wrapping_mul(77_777)))
        .collect();
    let mut group = criterion.benchmark_group("is an address in one of them");
    let mut next = addresses.iter().cycle();
    group.bench_function("RangeSet", |bencher| {
        bencher.iter(|| {
            let address = next.next().copied().expect("a cycle never ends");
            black_box(ours.contains(address.into()))
        });
    });
    let mut next = addresses.iter().cycle();
    group.bench_function("iprange", |bencher| {
        bencher.iter(|| {
            let address = next.next().copied().expect("a cycle never ends");
            black_box(theirs.contains(&address))
        });
    });
    group.finish();
}

/// Every second /28 of a /16 and its neighbours, in an order that is not sorted.
fn inputs() -> (Vec<Ipv4Net>, Vec<AddressRange>) {
    let prefix = |at: u32| {
        let first = address((at * 389 % 1_000) * 32);
        Ipv4Net::new(first, 28).expect("28 is a prefix length")
    };
    let prefixes: Vec<_> = (0..1_000).map(prefix).collect();
    let range = |prefix: &Ipv4Net| {
        AddressRange::new(prefix.network().into(), prefix.broadcast().into())
            .expect("a prefix is in order")
    };
    let ranges = prefixes.iter().map(range).collect();
    (prefixes, ranges)
}

fn address(offset: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x0a00_0000 | (offset & 0xffff))
}

criterion_group!(benches, build, search);
criterion_main!(benches);

//! Criterion's view of the index and the ways it is measured against.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, criterion_group, criterion_main};
use openelb_benches::contender::{
    BitVector, Contender, HashScan, Index, OrderedSet, RangeSetBlazeUsed, RoaringFree, RoaringUsed,
    TextScan,
};
use openelb_benches::fill::{Fill, Pool, SLASH_8, SLASH_12, SLASH_16, SLASH_24, SplitMix};
use openelb_ipam::{Family, Occupancy, RangeSet};

criterion_group!(benches, next_free, release_and_take, contains, slash_64);
criterion_main!(benches);

fn next_free(criterion: &mut Criterion) {
    for pool in POOLS {
        for fill in Fill::ALL {
            let name = format!("next-free {} {}", pool.name, fill.name());
            let mut group = short(criterion, &name);
            all(&mut group, pool, fill, Operation::NextFree);
        }
    }
}

fn release_and_take(criterion: &mut Criterion) {
    for pool in POOLS {
        let mut group = short(
            criterion,
            &format!("free and take again {} 50 % random", pool.name),
        );
        all(
            &mut group,
            pool,
            Fill::HalfRandom,
            Operation::ReleaseAndTake,
        );
    }
}

fn contains(criterion: &mut Criterion) {
    for pool in POOLS {
        let mut group = short(criterion, &format!("contains {} 50 % random", pool.name));
        all(&mut group, pool, Fill::HalfRandom, Operation::Contains);
    }
}

fn slash_64(criterion: &mut Criterion) {
    let pool: RangeSet = "2001:db8::/64".parse().expect("a valid prefix");
    let mut index = Occupancy::new(Family::V6, &pool);
    for _ in 0..1_000_000 {
        let next = index.first_free().expect("2^64 addresses");
        index.take(next);
    }
    let mut group = short(criterion, "next in /64 with a million live");
    group.bench_function("openelb-ipam", |bencher| {
        bencher.iter_batched(
            || index.clone(),
            |mut index| {
                for _ in 0..64 {
                    if let Some(next) = index.first_free() {
                        index.take(next);
                    }
                }
                index
            },
            BatchSize::LargeInput,
        );
    });
}

#[derive(Clone, Copy)]
enum Operation {
    NextFree,
    ReleaseAndTake,
    Contains,
}

fn all(group: &mut BenchmarkGroup<'_, WallTime>, pool: Pool, fill: Fill, operation: Operation) {
    one::<Index>(group, pool, fill, operation);
    one::<HashScan>(group, pool, fill, operation);
    one::<TextScan>(group, pool, fill, operation);
    one::<OrderedSet>(group, pool, fill, operation);
    one::<BitVector>(group, pool, fill, operation);
    one::<RoaringUsed>(group, pool, fill, operation);
    one::<RoaringFree>(group, pool, fill, operation);
    one::<RangeSetBlazeUsed>(group, pool, fill, operation);
}

fn one<C: Contender>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    pool: Pool,
    fill: Fill,
    operation: Operation,
) {
    if pool.size > C::LARGEST {
        return;
    }
    let mut contender = C::new(pool, fill);
    let taken: Vec<u32> = fill.taken(pool).collect();
    let mut generator = SplitMix::new(1);
    let mut any_taken = move || {
        let bound = u32::try_from(taken.len()).unwrap_or(u32::MAX).max(1);
        taken
            .get(generator.below(bound) as usize)
            .copied()
            .unwrap_or(0)
    };
    group.bench_function(C::NAME, |bencher| match operation {
        Operation::NextFree => bencher.iter(|| black_box(&contender).next_free()),
        Operation::ReleaseAndTake => bencher.iter(|| {
            let address = any_taken();
            contender.release(address);
            contender.take(address);
        }),
        Operation::Contains => bencher.iter(|| contender.contains(black_box(any_taken()))),
    });
}

fn short<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300));
    group
}

const POOLS: [Pool; 4] = [SLASH_24, SLASH_16, SLASH_12, SLASH_8];

//! Goals of the index: next-free, exhaustion, free, specific, contains, random, memory.

use std::hint::black_box;

use super::{BUDGET, Bound, Row, Unit};
use crate::contender::{
    BitVector, Contender, HashScan, Index, OrderedSet, RangeSetBlazeUsed, RoaringFree, RoaringUsed,
    TextScan,
};
use crate::fill::{Fill, Pool, SLASH_8, SLASH_12, SLASH_16, SLASH_24, SplitMix};
use crate::memory;
use crate::meter::{batched, repeated};

use openelb_ipam::{Family, Occupancy, RangeSet};

/// Measures all of them.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let flat = [SLASH_24, SLASH_16, SLASH_12].map(|pool| (pool, 12.0, Bound::L1));
    for (pool, goal, bound) in flat.into_iter().chain([(SLASH_8, 30.0, Bound::Mebibyte)]) {
        for fill in FILLS {
            rows.push(row("next free", pool, fill, goal, bound, NEXT_FREE));
        }
    }
    for (pool, bound) in [(SLASH_16, Bound::L1), (SLASH_8, Bound::Mebibyte)] {
        for fill in FILLS {
            rows.push(row("find and take", pool, fill, None, bound, FIND_AND_TAKE));
        }
    }
    for pool in [SLASH_16, SLASH_8] {
        rows.push(row(
            "exhausted",
            pool,
            Fill::Full,
            5.0,
            Bound::L1,
            NEXT_FREE,
        ));
    }
    for (what, goal, operation) in [
        ("contains", 2.0, CONTAINS),
        ("free", 10.0, RELEASE),
        ("take specific", 10.0, TAKE),
    ] {
        rows.push(row(
            what,
            SLASH_16,
            Fill::HalfRandom,
            goal,
            Bound::L1,
            operation,
        ));
    }
    rows.push(random());
    rows.extend(slash_64());
    rows.push(full_slash_8());
    rows
}

/// What is done to a contender; returns nanoseconds.
#[derive(Clone, Copy)]
enum Operation {
    NextFree,
    /// What an allocation does; shown because some ways find quickly and take slowly.
    FindAndTake,
    Contains,
    Release,
    Take,
}

const NEXT_FREE: Operation = Operation::NextFree;
const FIND_AND_TAKE: Operation = Operation::FindAndTake;
const CONTAINS: Operation = Operation::Contains;
const RELEASE: Operation = Operation::Release;
const TAKE: Operation = Operation::Take;

fn row(
    what: &str,
    pool: Pool,
    fill: Fill,
    goal: impl Into<Option<f64>>,
    bound: Bound,
    operation: Operation,
) -> Row {
    let name = format!("{what}, {} {}", pool.name, fill.name());
    let measured = measure::<Index>(pool, fill, operation).unwrap_or(f64::NAN);
    let mut row = Row::new(name, measured, goal, Unit::Nanoseconds, bound);
    let mut add = |name, measured: Option<f64>| {
        row.baselines
            .extend(measured.map(|measured| (name, measured)));
    };
    add(HashScan::NAME, measure::<HashScan>(pool, fill, operation));
    add(TextScan::NAME, measure::<TextScan>(pool, fill, operation));
    add(
        OrderedSet::NAME,
        measure::<OrderedSet>(pool, fill, operation),
    );
    add(BitVector::NAME, measure::<BitVector>(pool, fill, operation));
    add(
        RoaringUsed::NAME,
        measure::<RoaringUsed>(pool, fill, operation),
    );
    add(
        RoaringFree::NAME,
        measure::<RoaringFree>(pool, fill, operation),
    );
    add(
        RangeSetBlazeUsed::NAME,
        measure::<RangeSetBlazeUsed>(pool, fill, operation),
    );
    row
}

fn measure<C: Contender>(pool: Pool, fill: Fill, operation: Operation) -> Option<f64> {
    if pool.size > C::LARGEST {
        return None;
    }
    let mut contender = C::new(pool, fill);
    let some = match operation {
        Operation::NextFree | Operation::FindAndTake => Vec::new(),
        _ => sample(pool, fill),
    };
    Some(match operation {
        Operation::NextFree => repeated(BUDGET, || black_box(&contender).next_free()),
        Operation::FindAndTake => batched(
            BUDGET,
            BATCH,
            &mut (contender, Vec::with_capacity(BATCH)),
            |(contender, taken)| {
                for _ in 0..BATCH {
                    let Some(next) = contender.next_free() else {
                        return;
                    };
                    contender.take(next);
                    taken.push(next);
                }
            },
            |(contender, taken)| {
                release_all(contender, taken);
                taken.clear();
            },
        ),
        Operation::Contains => {
            let all = repeated(BUDGET, || {
                some.iter()
                    .filter(|address| black_box(&contender).contains(**address))
                    .count()
            });
            all / f64::from(SAMPLE)
        }
        Operation::Release => batched(
            BUDGET,
            some.len(),
            &mut contender,
            |contender| release_all(contender, &some),
            |contender| take_all(contender, &some),
        ),
        Operation::Take => {
            release_all(&mut contender, &some);
            batched(
                BUDGET,
                some.len(),
                &mut contender,
                |contender| take_all(contender, &some),
                |contender| release_all(contender, &some),
            )
        }
    })
}

fn take_all<C: Contender>(contender: &mut C, addresses: &[u32]) {
    for address in addresses {
        contender.take(*address);
    }
}

fn release_all<C: Contender>(contender: &mut C, addresses: &[u32]) {
    for address in addresses {
        contender.release(*address);
    }
}

/// A sample of taken addresses from all over the pool, in random order.
fn sample(pool: Pool, fill: Fill) -> Vec<u32> {
    let mut taken: Vec<u32> = fill.taken(pool).collect();
    SplitMix::new(1).shuffle(&mut taken);
    taken.truncate(SAMPLE as usize);
    taken
}

fn random() -> Row {
    let index = Index::new(SLASH_8, Fill::NearlyFull);
    let mut generator = SplitMix::new(1);
    let measured = repeated(BUDGET, || index.0.random_free(|| generator.next()));
    let name = "random, exact, /8 99.9 %".to_owned();
    Row::new(name, measured, 200.0, Unit::Nanoseconds, Bound::Mebibyte)
}

/// The next address of a /64 with a million sequential ones live: found, and found and taken.
fn slash_64() -> [Row; 2] {
    let pool: RangeSet = "2001:db8::/64".parse().expect("a valid prefix");
    let mut index = Occupancy::new(Family::V6, &pool);
    for _ in 0..1_000_000 {
        take_next(&mut index);
    }
    let live = index.taken().to_u128_saturating();
    let first = index.first_free().expect("2^64 addresses") - live;
    let found = repeated(BUDGET, || black_box(&index).first_free());
    let taken = batched(
        BUDGET,
        1_000,
        &mut index,
        |index| (0..1_000).for_each(|_| take_next(index)),
        |index| {
            for at in live..live + 1_000 {
                index.release(first + at);
            }
        },
    );
    let row = |what: &str, measured, goal| {
        let name = format!("{what}, /64 a million live");
        Row::new(name, measured, goal, Unit::Nanoseconds, Bound::L1)
    };
    [
        row("next free", found, Some(20.0)),
        row("find and take", taken, None),
    ]
}

fn take_next(index: &mut Occupancy) {
    if let Some(next) = index.first_free() {
        index.take(next);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few kilobytes")]
fn full_slash_8() -> Row {
    let before = memory::live();
    let index = Index::new(SLASH_8, Fill::Full);
    let measured = (memory::live() - before + size_of_val(&index)) as f64;
    let mut row = Row::new(
        "memory of the index, /8 full".to_owned(),
        measured,
        1_024.0,
        Unit::Bytes,
        Bound::None,
    );
    drop(index);
    let before = memory::live();
    let used = RoaringUsed::new(SLASH_8, Fill::Full);
    row.baselines
        .push((RoaringUsed::NAME, (memory::live() - before) as f64));
    drop(used);
    let before = memory::live();
    let bits = BitVector::new(SLASH_8, Fill::Full);
    row.baselines
        .push((BitVector::NAME, (memory::live() - before) as f64));
    drop(bits);
    row
}

const FILLS: [Fill; 3] = [Fill::HalfContiguous, Fill::HalfRandom, Fill::NearlyFull];
/// How many addresses an allocating batch takes; the fullest pool measured has about 60 free.
const BATCH: usize = 48;
/// How many addresses a batch of single operations touches.
const SAMPLE: u32 = 256;

//! scratch
use openelb_benches::contender::*;
use openelb_benches::fill::*;
use openelb_benches::floor::Floor;
use openelb_benches::meter::*;
use std::time::Duration;
fn main() {
    println!(
        "{:?}",
        Floor::measure(std::path::Path::new("/work/wt/index/target"))
    );
    for pool in [SLASH_24, SLASH_16, SLASH_12, SLASH_8] {
        for fill in Fill::ALL {
            let mut c = Index::new(pool, fill);
            let next = repeated(Duration::from_millis(30), || c.next_free());
            let free = if fill == Fill::Full {
                0
            } else {
                64.min(c.0.free().to_u128_saturating() as usize)
            };
            let take = if free > 0 {
                batched(
                    Duration::from_millis(50),
                    free,
                    &mut (c, Vec::new()),
                    |(c, v)| {
                        for _ in 0..free {
                            let a = c.next_free().unwrap();
                            c.take(a);
                            v.push(a);
                        }
                    },
                    |(c, v)| {
                        for a in v.drain(..) {
                            c.release(a);
                        }
                    },
                )
            } else {
                0.0
            };
            c = Index::new(pool, fill);
            let taken: Vec<u32> = fill.taken(pool).collect();
            let mut g = SplitMix::new(1);
            let (mut rel, mut spec, mut cont) = (0.0, 0.0, 0.0);
            if !taken.is_empty() {
                let mut some: Vec<u32> = (0..64)
                    .map(|_| taken[g.below(taken.len() as u32) as usize])
                    .collect();
                some.sort();
                some.dedup();
                let mut h = g.clone();
                for i in (1..some.len()).rev() {
                    some.swap(i, h.below(i as u32 + 1) as usize);
                }
                let n = some.len();
                let s2 = some.clone();
                let s3 = some.clone();
                rel = batched(
                    Duration::from_millis(50),
                    n,
                    &mut c,
                    |c| {
                        for a in &some {
                            c.release(*a)
                        }
                    },
                    |c| {
                        for a in &s2 {
                            c.take(*a)
                        }
                    },
                );
                for a in &s3 {
                    c.release(*a);
                }
                spec = batched(
                    Duration::from_millis(50),
                    n,
                    &mut c,
                    |c| {
                        for a in &some {
                            c.take(*a)
                        }
                    },
                    |c| {
                        for a in &s2 {
                            c.release(*a)
                        }
                    },
                );
                cont = repeated(Duration::from_millis(30), || {
                    let mut x = 0;
                    for a in &s3 {
                        x += c.contains(*a) as u32;
                    }
                    x
                }) / n as f64;
            }
            let rnd = repeated(Duration::from_millis(30), || c.0.random_free(|| g.next()));
            println!(
                "{} {:16} next {:.1} next+take {:.1} release {:.1} specific {:.1} contains {:.1} random {:.0}",
                pool.name,
                fill.name(),
                next,
                take,
                rel,
                spec,
                cont,
                rnd
            );
        }
    }
}

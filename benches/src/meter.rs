//! Reading the clock: the one place of this repository's measurements that does.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Nanoseconds for one call of `operation`, repeated for about `budget`.
///
/// Batches are sized so that the clock's own cost vanishes; the median of the batches is taken,
/// because a shared machine only ever adds time.
pub fn repeated<T>(budget: Duration, mut operation: impl FnMut() -> T) -> f64 {
    let once = timed(|| drop(black_box(operation())));
    let per_batch = (BATCH.as_nanos() / once.as_nanos().max(1)).clamp(1, 100_000);
    let mut samples = Vec::new();
    let end = clock() + budget;
    while samples.len() < FEWEST_SAMPLES || clock() < end {
        let took = timed(|| {
            for _ in 0..per_batch {
                black_box(operation());
            }
        });
        samples.push(nanoseconds(took) / to_f64(per_batch));
        if clock() >= end && took > BATCH * 4 {
            break;
        }
    }
    median(&mut samples)
}

/// Nanoseconds for one of the `count` operations that `timed_part` does, with `reset` between.
///
/// For operations that change what they measure: only the batch is timed, not its undoing.
pub fn batched<S>(
    budget: Duration,
    count: usize,
    state: &mut S,
    mut timed_part: impl FnMut(&mut S),
    mut reset: impl FnMut(&mut S),
) -> f64 {
    let mut samples = Vec::new();
    let end = clock() + budget;
    loop {
        let took = timed(|| timed_part(state));
        reset(state);
        samples.push(nanoseconds(took) / to_f64(count as u128));
        if clock() >= end && (samples.len() >= FEWEST_SAMPLES || took > BATCH) {
            return median(&mut samples);
        }
    }
}

/// How long `work` takes once.
pub fn timed(work: impl FnOnce()) -> Duration {
    let start = clock();
    work();
    clock() - start
}

/// The middle of the samples.
pub fn median(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

fn nanoseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a benchmark are far below 2^52"
)]
fn to_f64(count: u128) -> f64 {
    count as f64
}

/// What time it is.
#[expect(
    clippy::disallowed_methods,
    reason = "measuring is what this crate is for"
)]
pub fn clock() -> Instant {
    Instant::now()
}

/// Long against the clock's 20 to 50 ns, short against a time slice.
const BATCH: Duration = Duration::from_micros(200);
const FEWEST_SAMPLES: usize = 9;

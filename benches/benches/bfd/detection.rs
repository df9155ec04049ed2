//! How long it takes to notice that a neighbour has fallen silent.

use std::time::Duration;

use super::daemon::{Daemon, Kind, every};
use super::neighbor::{Neighbor, get_ahead};
use super::table::Table;
use super::world::{World, neighbor};

/// Adds the median and the 99th percentile for three times `millis`, as multiples of that.
pub(crate) fn measure(world: &World, millis: u64, table: &mut Table) {
    let samples = Kind::ALL.map(|kind| kind.is_installed().then(|| samples(world, kind, millis)));
    for (percent, goal) in [(50, 1.1), (99, 1.1)] {
        let values = samples
            .each_ref()
            .map(|samples| samples.as_ref().and_then(|sorted| part(sorted, percent)));
        let what = format!(
            "detection, 3 x {millis} ms, percentile {percent} (of {})",
            3 * millis
        );
        let in_units = values.map(|value| value.map(|value| value.as_secs_f64() * 1e3));
        table.add(
            &format!("{what}, ms"),
            in_units,
            Some(goal * 3.0 * whole(millis)),
        );
    }
    let counts = samples.map(|samples| samples.map(|it| whole(it.len() as u64)));
    let what = format!(
        "  measured failures, of {}",
        usize::from(NEIGHBORS) * ROUNDS
    );
    table.add(&what, counts, None);
}

/// Failures of many neighbours, each several times, at different moments; sorted.
fn samples(world: &World, kind: Kind, millis: u64) -> Vec<Duration> {
    let _daemon = Daemon::start(kind, &world.measured, NEIGHBORS, millis);
    let interval = Duration::from_millis(millis);
    let mut samples: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..NEIGHBORS)
            .map(|number| {
                scope.spawn(move || {
                    world.neighbors.enter();
                    get_ahead();
                    let mut neighbor = Neighbor::new(number, neighbor(number), every(millis));
                    let rounds = (0..ROUNDS).map(|_| neighbor.detection(interval));
                    rounds.flatten().collect::<Vec<_>>()
                })
            })
            .collect();
        let finished = threads.into_iter().map(|thread| thread.join().unwrap());
        finished.flatten().collect()
    });
    samples.sort_unstable();
    samples
}

fn part(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let place = sorted.len() * percent / 100;
    sorted.get(place.min(sorted.len().checked_sub(1)?)).copied()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a benchmark are far below 2^52"
)]
fn whole(count: u64) -> f64 {
    count as f64
}

const NEIGHBORS: u16 = 50;
const ROUNDS: usize = 6;

//! What the other announcers do, one after another on the same wire.

use std::time::Duration;

use super::contender::{Contender, Kind};
use super::endpoint::{Seen, Sink};
use super::frr::{self, Frr};
use super::table::Table;
use super::world::World;

/// Adds their values to the rows.
pub(crate) fn measure(world: &World, table: &mut Table) {
    for kind in Kind::ALL {
        if !kind.is_installed() {
            eprintln!(
                "MISSING {}: its column stays empty; install it",
                kind.name()
            );
            continue;
        }
        // Four peers for the memory, of which one is timed.
        let mut contender = Contender::start(kind, world, ROUTES, frr::NUMBER);
        let sinks = first_sync(&contender, table, kind);
        one_more(&mut contender, &sinks[0], table);
        if Frr::is_installed() {
            last_in_frr(world, &contender, table);
        }
    }
}

fn first_sync(contender: &Contender<'_>, table: &mut Table, kind: Kind) -> [Sink; 3] {
    let first = contender.sink(1);
    match first.wait(u64::from(ROUTES), PATIENCE) {
        Ok(seen) => add_sync(table, kind, &seen),
        Err(seen) => eprintln!("{}: {seen:?} after {PATIENCE:?}", kind.name()),
    }
    let sinks = [first, contender.sink(2), contender.sink(3)];
    for sink in &sinks {
        let _ = sink.wait(u64::from(ROUTES), PATIENCE);
    }
    sinks
}

fn add_sync(table: &mut Table, kind: Kind, seen: &Seen) {
    let [span, octets, packing] = sync_values(seen);
    table.beside(kind, SYNC, "ms", span);
    table.beside(kind, OCTETS, "MB", octets);
    table.beside(kind, PACKING, "routes", packing);
}

/// Milliseconds from the session to the last route, megabytes of UPDATEs, routes for each.
pub(crate) fn sync_values(seen: &Seen) -> [f64; 3] {
    let span = seen.last.zip(seen.established);
    let span = span.map_or(f64::NAN, |(last, up)| {
        last.saturating_duration_since(up).as_secs_f64()
    });
    let packing = seen.announced as f64 / seen.updates as f64;
    [span * 1e3, seen.octets as f64 / 1e6, packing]
}

fn last_in_frr(world: &World, contender: &Contender<'_>, table: &mut Table) {
    let kind = contender.kind;
    let frr = Frr::start(world);
    match frr.wait(u64::from(ROUTES), PATIENCE) {
        Some(received) => {
            let span = received.complete - received.established;
            table.beside(kind, IN_FRR, "ms", span.as_secs_f64() * 1e3);
            // FRR is the fourth peer.
            table.beside(kind, MEMORY, "MiB", contender.process.resident());
        }
        None => eprintln!("{}: FRR has not all routes after {PATIENCE:?}", kind.name()),
    }
}

/// One more route, many times; from the request to the sink's read.
fn one_more(contender: &mut Contender<'_>, sink: &Sink, table: &mut Table) {
    let kind = contender.kind;
    let mut samples = Vec::new();
    for number in ROUTES..ROUTES + ADDITIONS {
        let before = openelb_benches::meter::clock();
        contender.add(number);
        let Ok(seen) = sink.wait(u64::from(number) + 1, Duration::from_secs(10)) else {
            eprintln!("{}: a further route did not come", kind.name());
            return;
        };
        let span = seen.last.map(|last| last.saturating_duration_since(before));
        samples.extend(span.map(|span| span.as_secs_f64() * 1e3));
        std::thread::sleep(Duration::from_millis(5));
    }
    let [median, slow] = percentiles(&mut samples);
    table.beside(kind, ONE_MEDIAN, "ms", median);
    table.beside(kind, ONE_SLOW, "ms", slow);
}

/// The median and the 99th percentile.
pub(crate) fn percentiles(samples: &mut [f64]) -> [f64; 2] {
    samples.sort_by(f64::total_cmp);
    [50, 99].map(|percent| {
        let position = (samples.len() * percent / 100).min(samples.len().saturating_sub(1));
        samples.get(position).copied().unwrap_or(f64::NAN)
    })
}

/// How many routes are up.
pub(crate) const ROUTES: u32 = 100_000;
const ADDITIONS: u32 = 50;
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) const SYNC: &str = "100,000 /128 to a sink, from session to last route";
pub(crate) const OCTETS: &str = "100,000 /128 on the wire";
pub(crate) const PACKING: &str = "routes for each UPDATE";
pub(crate) const ONE_MEDIAN: &str = "one more address at the sink, 100,000 up, median";
pub(crate) const ONE_SLOW: &str = "one more address at the sink, 100,000 up, p99";
pub(crate) const MEMORY: &str = "resident memory, 100,000 routes, 4 peers";
pub(crate) const IN_FRR: &str = "last of 100,000 /128 in FRR, from session";

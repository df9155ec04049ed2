//! What many sessions cost.

use std::time::Duration;

use openelb_announce::announcer::liveness::{Liveness, Options, Target};
use openelb_announce::bfd::State;

use super::daemon::{Daemon, Kind, every};
use super::table::Table;
use super::world::{MEASURED, MOST, World, neighbor};

/// Adds the processor time of a thousand sessions that are up.
pub(crate) fn measure(world: &World, millis: u64, table: &mut Table) {
    let results = Kind::ALL.map(|kind| kind.is_installed().then(|| run(world, kind, millis)));
    let goal = Some(1.0);
    let costs = results.map(|result| result.map(|(cost, _)| cost));
    let what = format!("{MOST} sessions, 3 x {millis} ms: processors used");
    table.add(&what, costs, goal);
    let flaps = results.map(|result| result.map(|(_, lost)| lost));
    let what = format!("  sessions that were not up all the time, of {MOST}");
    table.add(&what, flaps, None);
}

/// Processors used, and how many sessions were not up from beginning to end.
fn run(world: &World, kind: Kind, millis: u64) -> (f64, f64) {
    let daemon = Daemon::start(kind, &world.measured, MOST, millis);
    let other_end = world
        .neighbors
        .run(|| Liveness::start(Options::default(), |_| {}).unwrap());
    let targets = (0..MOST).map(|number| Target {
        peer: MEASURED.into(),
        local: Some(neighbor(number).into()),
        interface: None,
        settings: every(millis),
        is_admin_down: false,
    });
    other_end.set(targets.collect()).unwrap();
    for _ in 0..MOST_WAITS {
        std::thread::sleep(WAIT);
        if count_up(&other_end) == usize::from(MOST) {
            break;
        }
    }
    std::thread::sleep(SETTLE);
    let flaps = |liveness: &Liveness| -> Vec<u64> {
        let statuses = liveness.status();
        statuses.iter().map(|status| status.flaps).collect()
    };
    let (before, flaps_before) = (daemon.processor_time(), flaps(&other_end));
    std::thread::sleep(SPAN);
    let used = daemon.processor_time().saturating_sub(before);
    let flaps_after = flaps(&other_end);
    let pairs = flaps_before.iter().zip(&flaps_after);
    let flapped = pairs.filter(|(before, after)| before != after).count();
    let down = usize::from(MOST) - count_up(&other_end);
    let lost = u32::try_from(flapped.max(down)).unwrap();
    (used.as_secs_f64() / SPAN.as_secs_f64(), f64::from(lost))
}

fn count_up(liveness: &Liveness) -> usize {
    let statuses = liveness.status();
    let up = statuses.iter().filter(|status| status.state == State::Up);
    up.count()
}

const MOST_WAITS: u32 = 60;
const WAIT: Duration = Duration::from_millis(500);
const SETTLE: Duration = Duration::from_secs(3);
const SPAN: Duration = Duration::from_secs(8);

//! Writes reports in a task of its own, so that an API server that is away or slow holds up nothing.

use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep};
use tracing::{debug, warn};

use super::report::{Report, Step, Written, creation};
use crate::api::{NodeAnnouncement, NodeAnnouncementStatus};
use crate::client::{Backoff, Failure, Key, Writer};

/// Who writes: a node for itself, and one of them for all.
#[derive(Debug)]
pub(super) struct Writers {
    pub(super) own: Writer,
    pub(super) for_all: Writer,
}

/// Writes the newest report, at most once a second, until nobody reports any more. What a former life
/// of the speaker wrote is told at `earlier` first.
pub(super) async fn write(
    writers: Writers,
    node: String,
    earlier: oneshot::Sender<NodeAnnouncementStatus>,
    mut reports: watch::Receiver<Option<Report>>,
) {
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
    let mut written = Written::default();
    written.record = found(&writers.own, &node, &mut backoff).await;
    // Nobody waits for it when the process is ending.
    drop(earlier.send(written.record.clone().unwrap_or_default()));
    let mut counted = Instant::now();
    // A report that came meanwhile ends the wait at once: only the newest counts.
    while reports.changed().await.is_ok() {
        let report = reports.borrow_and_update().clone();
        let Some(report) = report else {
            continue;
        };
        let counts = counted.elapsed() >= COUNTS;
        if counts {
            counted = Instant::now();
        }
        let steps = written.steps(&report, &node, counts);
        let mut has_failed = false;
        for step in steps {
            has_failed |= !carry_out(&writers, &node, &report, step, &mut written).await;
        }
        if has_failed {
            sleep(backoff.pause()).await;
            // The same report again, unless there is a newer one.
            reports.mark_changed();
        } else {
            backoff.reset();
            // Larger records rest longer: ten entries are about two kilobytes.
            let entries = u32::try_from(report.record.addresses.len()).unwrap_or(u32::MAX);
            sleep(PAUSE + PER_ENTRY * entries).await;
        }
    }
}

/// What a former life of the speaker wrote; `None` when there is no record.
async fn found(
    writer: &Writer,
    node: &str,
    backoff: &mut Backoff,
) -> Option<NodeAnnouncementStatus> {
    let key = Key {
        namespace: String::new(),
        name: node.to_owned(),
    };
    loop {
        match writer.read::<NodeAnnouncement>(&key).await {
            Ok(record) => return Some(record.status),
            Err(Failure::NotFound) => return None,
            Err(failure) => debug!(%failure, "the record of this node was not read"),
        }
        sleep(backoff.pause()).await;
    }
}

async fn carry_out(
    writers: &Writers,
    node: &str,
    report: &Report,
    step: Step,
    written: &mut Written,
) -> bool {
    let writer = match step {
        Step::Condition(..) => &writers.for_all,
        _ => &writers.own,
    };
    let mut outcome = writer.send(step.request().clone()).await;
    if outcome == Err(Failure::NotFound) && matches!(step, Step::Record(..)) {
        outcome = match writer.send(creation(node, &report.uid)).await {
            Ok(_) | Err(Failure::Exists) => writer.send(step.request().clone()).await,
            Err(failure) => Err(failure),
        };
    }
    match outcome {
        Ok(_) => {
            written.note(step);
            true
        }
        Err(Failure::NotFound) => {
            // The object went; the watch will say so.
            written.forget(&step);
            true
        }
        Err(failure) => {
            let request = step.request();
            let (kind, name) = (request.resource.kind, &request.key.name);
            if matches!(failure, Failure::Unknown(_)) {
                debug!(kind, name, %failure, "a status was not written");
            } else {
                warn!(kind, name, %failure, "a status was not written");
            }
            false
        }
    }
}

const PAUSE: Duration = Duration::from_secs(1);

const PER_ENTRY: Duration = Duration::from_millis(1);

/// How often what only counts up is written.
const COUNTS: Duration = Duration::from_mins(5);

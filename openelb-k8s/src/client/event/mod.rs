//! Events for the users of objects: few, late rather than in the way, and never lost in silence.
//!
//! kube's own recorder keeps every Event of the last minutes, whole, and goes through all of them for
//! each new one; a cluster that is filled makes ten thousand in a minute. Here a hash is kept of each.

mod book;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::{Client, Failure, Key, Resource, Watched, Writer};
use crate::api::{AddressBlock, Eip};
use crate::cluster::{Namespace, Service};
use crate::controller::{Kind, Occurrence};
use book::Book;

/// Something that happened to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// The kind of the object.
    pub resource: Resource,
    /// Which object.
    pub key: Key,
    /// Its uid; empty when it has none.
    pub uid: String,
    /// Whether somebody has to act.
    pub is_warning: bool,
    /// One word of a fixed set.
    pub reason: &'static str,
    /// What was being done, one word.
    pub action: &'static str,
    /// A sentence, at most 1,024 bytes.
    pub note: String,
}

impl From<Occurrence> for Happening {
    fn from(occurrence: Occurrence) -> Self {
        let about = occurrence.about;
        Self {
            resource: match about.kind {
                Kind::Eip => Eip::RESOURCE,
                Kind::Block => AddressBlock::RESOURCE,
                Kind::Service => Service::RESOURCE,
                Kind::Namespace => Namespace::RESOURCE,
            },
            key: Key {
                namespace: about.namespace,
                name: about.name,
            },
            uid: about.uid,
            is_warning: occurrence.is_warning,
            reason: occurrence.reason,
            action: occurrence.action,
            note: occurrence.note,
        }
    }
}

/// Takes what happened and makes Events of it, one at a time, when the writes are quiet.
#[derive(Debug, Clone)]
pub struct Recorder {
    queue: mpsc::Sender<Happening>,
    dropped: Arc<AtomicU64>,
}

impl Recorder {
    /// A recorder and the task that sends, which ends when the last recorder is gone and its queue is
    /// empty. `writes` are the writes that come first; `controller` and `instance` are who reports.
    pub fn new(
        client: Client,
        writes: Writer,
        controller: &str,
        instance: &str,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let book = Book::new(controller, instance);
        // One connection of its own: an Event never takes the place of a write.
        let sender = Writer::new(client, controller, 1);
        let recorder = Self {
            queue,
            dropped: Arc::default(),
        };
        (recorder, run(waiting, book, sender, writes))
    }

    /// Tells of something. Returns at once; when too much waits already, it is dropped and counted.
    pub fn record(&self, happening: Happening) {
        if self.queue.try_send(happening).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many were dropped because too many waited.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

async fn run(mut queue: mpsc::Receiver<Happening>, mut book: Book, sender: Writer, writes: Writer) {
    let mut made = None;
    while let Some(happening) = queue.recv().await {
        until_quiet(&writes, &mut made).await;
        let Some(line) = book.enter(&happening, Timestamp::now()) else {
            continue;
        };
        if let Err(failure) = sender.send(line.request).await {
            give_up(&mut book, line.id, &happening, &failure);
        }
        sleep(PACE).await;
    }
}

/// Waits until no write was made for a moment. Who creates Services one after another has the API server
/// for that; without end the Events do not wait.
async fn until_quiet(writes: &Writer, made: &mut Option<u64>) {
    for _ in 0..MOST_PAUSES {
        let before = made.replace(writes.made());
        if before == *made && writes.waiting() == 0 {
            return;
        }
        sleep(COURTESY).await;
    }
}

/// An Event that could not be sent is not sent again: the log has it, too.
fn give_up(book: &mut Book, id: u64, happening: &Happening, failure: &Failure) {
    // Also what expired at the API server: the next time it is a new one.
    book.forget(id);
    tracing::debug!(object = %happening.key, reason = happening.reason, %failure, "no Event");
}

/// More than the decisions of a cluster that is filled at once; about 4 MB at most.
const QUEUE: usize = 16_384;

/// At most 100 Events a second: an Event costs the API server as much as the write it tells of.
const PACE: Duration = Duration::from_millis(10);

/// How long there is no write before an Event is.
const COURTESY: Duration = Duration::from_millis(100);

/// After five seconds an Event goes between the writes.
const MOST_PAUSES: u32 = 50;

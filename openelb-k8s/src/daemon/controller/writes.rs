//! The writes of the controller: those of the ledger first, so many at once, answered one by one.

use std::collections::VecDeque;

use tokio::task::JoinSet;

use crate::client::{Key, Writer, carry_out, outcome};
use crate::controller::{Change, Kind, Outcome, Write, WriteId};

/// Writes that wait and writes under way.
#[derive(Debug)]
pub(super) struct Writes {
    writer: Writer,
    width: usize,
    /// Services wait for the ledger's writes: these go first.
    urgent: VecDeque<Write>,
    /// Everything else, in the machine's order. A write waits here as it is, not as a task: ten
    /// thousand tasks would be tens of megabytes.
    others: VecDeque<Write>,
    begun: JoinSet<Done>,
}

/// A write that ended.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) id: WriteId,
    /// The word for the kind of object.
    pub(super) kind: &'static str,
    /// The Service that was written.
    pub(super) service: Option<Key>,
    pub(super) outcome: Outcome,
}

impl Done {
    pub(super) fn outcome_word(&self) -> &'static str {
        match &self.outcome {
            Outcome::Done { .. } | Outcome::Found(_) => "done",
            Outcome::Conflict => "conflict",
            Outcome::NotFound => "not_found",
            Outcome::Exists => "exists",
            Outcome::Owned { .. } => "owned",
            Outcome::Rejected { .. } => "rejected",
            Outcome::Unknown => "unknown",
        }
    }
}

impl Writes {
    pub(super) fn new(writer: Writer, width: usize) -> Self {
        Self {
            writer,
            width,
            urgent: VecDeque::new(),
            others: VecDeque::new(),
            begun: JoinSet::new(),
        }
    }

    /// Takes a write.
    pub(super) fn push(&mut self, write: Write) {
        match write.what {
            Change::EipStatus { .. } | Change::Block { .. } => self.urgent.push_back(write),
            _ => self.others.push_back(write),
        }
    }

    /// Begins as many as may be under way.
    pub(super) fn start(&mut self) {
        while self.begun.len() < self.width {
            let next = self.urgent.pop_front();
            let Some(write) = next.or_else(|| self.others.pop_front()) else {
                return;
            };
            self.begun.spawn(one(self.writer.clone(), write));
        }
    }

    /// The next one that ended; for ever when none is under way. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Done {
        match self.next_begun().await {
            Some(done) => done,
            None => std::future::pending().await,
        }
    }

    /// The next one that ended, `None` when none is under way.
    pub(super) async fn next_begun(&mut self) -> Option<Done> {
        loop {
            match self.begun.join_next().await? {
                Ok(done) => return Some(done),
                // A write that panicked is never answered: its object waits for the next leader.
                Err(error) => tracing::error!(%error, "a write ended without an answer"),
            }
        }
    }
}

async fn one(writer: Writer, write: Write) -> Done {
    let Write { id, what } = write;
    let (kind, key) = about(&what);
    let service = matches!(what, Change::Service { .. }).then(|| key.clone());
    let outcome = match carry_out(&writer, what).await {
        Ok(outcome) => outcome,
        Err(failure) => {
            tracing::debug!(kind, object = %key, %failure, "a write did not happen");
            outcome(&failure)
        }
    };
    if let Outcome::Rejected { status, reason } = &outcome {
        tracing::warn!(kind, object = %key, status, reason, "the API server refuses a write");
    }
    Done {
        id,
        kind,
        service,
        outcome,
    }
}

/// The word for the kind that a change is about, and the object.
fn about(change: &Change) -> (&'static str, Key) {
    let of_cluster = |name: &String| Key {
        namespace: String::new(),
        name: name.clone(),
    };
    let of = |namespace: &String, name: &String| Key {
        namespace: namespace.clone(),
        name: name.clone(),
    };
    match change {
        Change::EipStatus { name, .. } | Change::EipFinalizer { name, .. } => {
            (EIP, of_cluster(name))
        }
        Change::Block { block, .. } => (BLOCK, of_cluster(&block.metadata.name)),
        Change::BlockDelete { name, .. } => (BLOCK, of_cluster(name)),
        Change::Service {
            namespace, name, ..
        } => (SERVICE, of(namespace, name)),
        Change::Read {
            kind,
            namespace,
            name,
        } => {
            let word = match kind {
                Kind::Eip => "EipRead",
                Kind::Block => "AddressBlockRead",
                Kind::Service | Kind::Namespace => "ServiceRead",
            };
            (word, of(namespace, name))
        }
    }
}

const EIP: &str = "Eip";
const BLOCK: &str = "AddressBlock";
const SERVICE: &str = "Service";

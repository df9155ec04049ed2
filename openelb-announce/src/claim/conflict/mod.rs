//! What is remembered about addresses that another station uses too.

use crate::time::Time;
use std::collections::BTreeMap;
use std::time::Duration;

/// One record for each address that ever met a conflict, so that all others cost nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Conflicts {
    records: BTreeMap<u32, Record>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    count: u8,
    last: Time,
    quiet_until: Time,
}

impl Conflicts {
    /// Counts a conflict that silenced the address in `slot`, and says for how long.
    ///
    /// From the tenth on that is at least a minute (RFC 5227 section 2.1.1). There the count is that
    /// of an interface, because a host draws another address each time; here addresses are given, so
    /// each has its own. Ten quiet minutes are forgiven.
    pub(super) fn backoff(&mut self, slot: u32, retry: Duration, now: Time) -> Duration {
        let record = self.records.entry(slot).or_insert_with(|| Record::new(now));
        if now - record.last > FORGIVEN_AFTER {
            record.count = 0;
        }
        record.count = record.count.saturating_add(1);
        record.last = now;
        if record.count >= MAX_CONFLICTS {
            retry.max(RATE_LIMIT_INTERVAL)
        } else {
            retry
        }
    }

    /// May the address in `slot` be defended, and the conflict reported, at `now`? If so, it may not
    /// again for `interval`.
    pub(super) fn may_defend(&mut self, slot: u32, interval: Duration, now: Time) -> bool {
        let record = self.records.entry(slot).or_insert_with(|| Record::new(now));
        let may = now >= record.quiet_until;
        if may {
            record.quiet_until = now + interval;
        }
        may
    }

    /// The address in `slot` is no longer claimed.
    pub(super) fn forget(&mut self, slot: u32) {
        self.records.remove(&slot);
    }
}

impl Record {
    const fn new(now: Time) -> Self {
        Self {
            count: 0,
            last: now,
            quiet_until: Time::ZERO,
        }
    }
}

/// RFC 5227 section 1.1.
const MAX_CONFLICTS: u8 = 10;
/// RFC 5227 section 1.1.
const RATE_LIMIT_INTERVAL: Duration = Duration::from_mins(1);
/// Ten times as long as the slowest retry: whoever caused the conflicts is gone.
const FORGIVEN_AFTER: Duration = Duration::from_mins(10);

#[cfg(test)]
mod tests;

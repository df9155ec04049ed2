//! What one peer has been told, and what it must still be told (RFC 4271 section 3.2).

mod announce;
mod page;
mod show;
mod withdraw;

use super::bits::Bits;
use super::export::{Export, Verdict};
use super::table::{Change, Changes, FREE, Rib};
use super::terms::Terms;
use crate::bgp::family::{Family, PerFamily};
use crate::bgp::message::{RefreshKind, RouteRefresh, write_end_of_rib};
use crate::bgp::prefix::Prefix;
use page::Page;
use std::sync::Arc;

pub use show::{Sent, SentState};

/// The routes of one session: which the peer has, and which of them it must hear about.
///
/// It costs two bits a route. Make one when a session comes up, drop it when the session ends.
#[derive(Debug)]
pub struct AdjRibOut {
    export: Export,
    advertised: Bits,
    // Invariant: a dirty slot is advertised or is to be announced.
    dirty: Bits,
    counts: PerFamily<RouteCounts>,
    marks: PerFamily<Marks>,
    may_end: bool,
    // Where the search for announcements goes on.
    cursor: u32,
    // Every slot to be withdrawn is between these two, both included.
    withdrawals: Option<(u32, u32)>,
    serial: u64,
    // Counted by the table, which gives no slot away behind the back of a session.
    _registered: Arc<()>,
}

/// How many routes of a family a session has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteCounts {
    /// The peer has them, perhaps with attributes that are out of date.
    pub advertised: usize,
    /// They are still to be announced, announced again or withdrawn.
    pub pending: usize,
}

/// What one call of [`fill`](AdjRibOut::fill) wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// How many messages.
    pub messages: usize,
    /// How many routes they announce.
    pub announced: usize,
    /// How many routes they withdraw.
    pub withdrawn: usize,
    /// Whether there is more to write.
    pub more: bool,
}

/// The marks around routes that a family still needs.
#[derive(Clone, Copy, Debug, Default)]
struct Marks {
    end_of_rib_sent: bool,
    begin_refresh: bool,
    end_refresh: bool,
}

impl AdjRibOut {
    /// A session whose peer has no route yet, and must hear of all that `terms` let pass.
    pub fn new(terms: Terms, rib: &Rib) -> Self {
        let mut session = Self {
            export: Export::new(terms),
            advertised: Bits::default(),
            dirty: Bits::default(),
            counts: PerFamily::default(),
            marks: PerFamily::default(),
            may_end: false,
            cursor: 0,
            withdrawals: None,
            serial: rib.serial(),
            _registered: rib.register(),
        };
        session.advertised.reserve(rib.slot_count() as usize);
        session.dirty.reserve(rib.slot_count() as usize);
        session.mark_all(rib, &Family::ALL);
        session
    }

    /// Marks what changed. All sessions must do so before the table changes again; one that missed
    /// an operation finds out here, and sends everything again.
    pub fn note(&mut self, rib: &Rib, changes: &Changes) {
        self.export.tidy(rib);
        if changes.serial() <= self.serial {
            return;
        }
        let missed = changes.serial() > self.serial + 1;
        self.serial = changes.serial();
        if missed {
            self.mark_all(rib, &Family::ALL);
            return;
        }
        for change in changes.iter() {
            self.note_one(rib, change);
        }
    }

    /// Sends all routes of `family` again (RFC 2918), between marks if that was negotiated
    /// (RFC 7313) and End-of-RIB was sent before, which its section 4 demands.
    pub fn refresh(&mut self, rib: &Rib, family: Family) {
        if !self.export.terms().families.contains(family) {
            return;
        }
        let marks = &mut self.marks[family];
        if self.export.terms().enhanced_refresh && marks.end_of_rib_sent {
            (marks.begin_refresh, marks.end_refresh) = (true, true);
        }
        self.mark_all(rib, &[family]);
    }

    /// Applies other terms to the session as it is; only routes that look different by them are
    /// sent again. What was negotiated must be the same.
    pub fn set_terms(&mut self, terms: Terms, rib: &Rib) {
        if terms == *self.export.terms() {
            return;
        }
        let mut before = std::mem::replace(&mut self.export, Export::new(terms));
        for slot in 0..rib.slot_count() {
            let group = rib.group_id(slot);
            let Some((prefix, _)) = rib.destination(slot).filter(|_| group < FREE) else {
                continue;
            };
            let old = before.verdict(rib, group, &prefix);
            let new = self.export.verdict(rib, group, &prefix);
            if self.dirty.contains(slot) || !before.is_same(&old, &self.export, &new) {
                self.mark(slot, prefix, &new);
            }
        }
    }

    /// The terms that apply.
    pub const fn terms(&self) -> &Terms {
        self.export.terms()
    }

    /// Lets End-of-RIB go out once all routes have (RFC 4724 section 2): the front end has said
    /// that its routes are complete.
    pub const fn allow_end_of_rib(&mut self) {
        self.may_end = true;
    }

    /// Whether End-of-RIB was sent for every negotiated family.
    pub fn has_ended(&self) -> bool {
        let mut families = self.terms().families.iter();
        families.all(|family| self.marks[family].end_of_rib_sent)
    }

    /// How many routes the peer has and must hear of.
    pub const fn counts(&self) -> PerFamily<RouteCounts> {
        self.counts
    }

    /// Whether [`fill`](Self::fill) has something to write.
    pub fn is_pending(&self) -> bool {
        let mut families = self.terms().families.iter();
        families.any(|family| {
            let marks = self.marks[family];
            let is_drained = self.counts[family].pending == 0;
            let ends = marks.end_refresh || (self.may_end && !marks.end_of_rib_sent);
            !is_drained || marks.begin_refresh || ends
        })
    }

    /// Appends at most `room` octets of messages: withdrawals first, then announcements by
    /// attributes, then the marks of what is complete.
    ///
    /// What is written counts as sent. Room for at least the message limit lets it go on always;
    /// when less than that is left, it stops instead of writing short messages.
    pub fn fill(&mut self, rib: &Rib, out: &mut Vec<u8>, room: usize) -> Filled {
        self.export.tidy(rib);
        let mut page = Page::new(out, room, self.terms().message_limit);
        let done = self.begin_refresh(&mut page)
            && self.withdraw(rib, &mut page)
            && self.announce(rib, &mut page);
        if done {
            self.end(&mut page);
        }
        Filled {
            more: self.is_pending(),
            ..page.filled()
        }
    }

    /// How many octets the session's bitmaps occupy.
    pub fn octets(&self) -> usize {
        self.advertised.octets() + self.dirty.octets()
    }

    /// Whether the peer still has the route of a slot.
    pub(super) fn holds(&self, slot: u32) -> bool {
        self.advertised.contains(slot)
    }

    fn note_one(&mut self, rib: &Rib, change: Change) {
        let Some((prefix, _)) = rib.destination(change.slot) else {
            return;
        };
        let new = self.verdict(rib, change.new, &prefix);
        let is_clean = matches!(new, Verdict::Announce(_))
            && self.advertised.contains(change.slot)
            && !self.dirty.contains(change.slot);
        if !is_clean || self.verdict(rib, change.old, &prefix) != new {
            self.mark(change.slot, prefix, &new);
        }
    }

    fn mark_all(&mut self, rib: &Rib, families: &[Family]) {
        for slot in 0..rib.slot_count() {
            let Some((prefix, _)) = rib.destination(slot) else {
                continue;
            };
            if families.contains(&prefix.family()) {
                let verdict = self.verdict(rib, rib.group_id(slot), &prefix);
                self.mark(slot, prefix, &verdict);
            }
        }
    }

    /// Puts a slot into the queue for what it is now, or takes it out if there is nothing to say.
    fn mark(&mut self, slot: u32, prefix: Prefix, verdict: &Verdict) {
        let pending = &mut self.counts[prefix.family()].pending;
        let announces = matches!(verdict, Verdict::Announce(_));
        if !announces && !self.advertised.contains(slot) {
            *pending -= usize::from(self.dirty.remove(slot));
            return;
        }
        *pending += usize::from(self.dirty.insert(slot));
        if !announces {
            let (first, last) = self.withdrawals.unwrap_or((slot, slot));
            self.withdrawals = Some((first.min(slot), last.max(slot)));
        }
    }

    fn verdict(&mut self, rib: &Rib, group: u32, prefix: &Prefix) -> Verdict {
        if group >= FREE {
            return Verdict::Silent;
        }
        self.export.verdict(rib, group, prefix)
    }

    fn begin_refresh(&mut self, page: &mut Page<'_>) -> bool {
        for (family, marks) in self
            .marks
            .iter_mut()
            .filter(|(_, marks)| marks.begin_refresh)
        {
            let mark = RouteRefresh::new(family, RefreshKind::Begin);
            if !page.mark(|out| mark.write(out)) {
                return false;
            }
            marks.begin_refresh = false;
        }
        true
    }

    fn end(&mut self, page: &mut Page<'_>) {
        for family in self.terms().families.iter() {
            let marks = &mut self.marks[family];
            if self.counts[family].pending > 0 {
                continue;
            }
            if marks.end_refresh {
                let mark = RouteRefresh::new(family, RefreshKind::End);
                marks.end_refresh = !page.mark(|out| mark.write(out));
            }
            if self.may_end && !marks.end_of_rib_sent {
                marks.end_of_rib_sent = page.mark(|out| write_end_of_rib(out, family));
            }
        }
    }
}

#[cfg(test)]
mod tests;

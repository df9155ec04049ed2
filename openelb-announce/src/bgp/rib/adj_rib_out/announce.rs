//! Writes announcements, packed: as many routes with equal attributes a message as fit.

use super::AdjRibOut;
use super::page::Page;
use crate::bgp::message::write_announcements;
use crate::bgp::prefix::Nlri;
use crate::bgp::rib::export::{LONGEST_NLRI, Verdict};
use crate::bgp::rib::table::Rib;

/// Slots to be announced, about as many as a page holds.
struct Window {
    // By block and slot.
    routes: Vec<Pending>,
    /// Whether more slots are dirty than these.
    is_cut: bool,
}

#[derive(Clone, Copy)]
struct Pending {
    block: u32,
    slot: u32,
    nlri: Nlri,
}

/// What becomes of a message that could hold more routes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Partial {
    /// It waits for others with equal attributes.
    Waits,
    /// It is sent.
    Goes,
}

impl AdjRibOut {
    /// Announces until nothing is left, which is true, or no room.
    pub(super) fn announce(&mut self, rib: &Rib, page: &mut Page<'_>) -> bool {
        while page.limit().is_some() {
            let window = self.window(rib, page.left());
            if window.routes.is_empty() {
                break;
            }
            let full = window.is_cut && self.write_window(page, &window, Partial::Waits);
            if !full && !self.write_window(page, &window, Partial::Goes) {
                return false;
            }
        }
        self.dirty.next(0).is_none()
    }

    fn window(&mut self, rib: &Rib, room: usize) -> Window {
        let mut routes = Vec::new();
        let start = self.cursor;
        let mut octets = 0;
        let mut is_cut = false;
        'search: for (first, end) in [(start, u32::MAX), (0, start)] {
            let mut next = first;
            while let Some(slot) = self.dirty.next(next).filter(|slot| *slot < end) {
                if octets > room {
                    is_cut = true;
                    break 'search;
                }
                next = slot.saturating_add(1);
                if let Some(pending) = self.announcement(rib, slot) {
                    octets += usize::from(pending.nlri.prefix.length()).div_ceil(8) + 1;
                    routes.push(pending);
                }
                self.cursor = next;
            }
        }
        // Mostly sorted already: slots come in order, and neighbours tend to share their group.
        routes.sort_by_key(|pending| (pending.block, pending.slot));
        Window { routes, is_cut }
    }

    fn announcement(&mut self, rib: &Rib, slot: u32) -> Option<Pending> {
        let (prefix, path) = rib.destination(slot)?;
        let Verdict::Announce(block) = self.verdict(rib, rib.group_id(slot), &prefix) else {
            return None;
        };
        Some(Pending {
            block,
            slot,
            nlri: self.export.nlri(prefix, path),
        })
    }

    /// Writes the routes of a window; tells whether it wrote any.
    fn write_window(&mut self, page: &mut Page<'_>, window: &Window, partial: Partial) -> bool {
        let mut wrote = false;
        for run in window
            .routes
            .chunk_by(|one, other| one.block == other.block)
        {
            let mut rest = run;
            while let Some(count) = self
                .write_one(page, rest, partial)
                .filter(|count| *count > 0)
            {
                wrote = true;
                rest = rest.get(count..).unwrap_or_default();
            }
        }
        wrote
    }

    /// Writes one message from the first of `routes`, which share a block; returns how many it
    /// announces, or `None` if it has no room or waits.
    fn write_one(
        &mut self,
        page: &mut Page<'_>,
        routes: &[Pending],
        partial: Partial,
    ) -> Option<usize> {
        let block = &self.export.block(routes.first()?.block)?.block;
        let limit = page.limit()?;
        let start = page.out.len();
        let mut nlri = routes.iter().map(|pending| pending.nlri);
        let count = write_announcements(page.out, limit, block, &mut nlri).ok()?;
        let has_room = page.out.len() - start + LONGEST_NLRI <= limit;
        if has_room && partial == Partial::Waits {
            page.out.truncate(start);
            return None;
        }
        for pending in routes.iter().take(count) {
            let counts = &mut self.counts[pending.nlri.prefix.family()];
            counts.pending -= usize::from(self.dirty.remove(pending.slot));
            counts.advertised += usize::from(self.advertised.insert(pending.slot));
        }
        page.count_announced(count);
        Some(count)
    }
}

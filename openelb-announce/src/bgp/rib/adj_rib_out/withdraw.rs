//! Writes withdrawals: what the peer has and must not have any more.

use super::AdjRibOut;
use super::page::Page;
use crate::bgp::family::{Family, PerFamily};
use crate::bgp::message::write_withdrawals;
use crate::bgp::prefix::{Nlri, Prefix};
use crate::bgp::rib::export::Verdict;
use crate::bgp::rib::table::Rib;

impl AdjRibOut {
    /// Withdraws until nothing is left, which is true, or no room.
    pub(super) fn withdraw(&mut self, rib: &Rib, page: &mut Page<'_>) -> bool {
        while let Some((first, last)) = self.withdrawals {
            let (gone, next) = self.gone(rib, first, last, page.left());
            for family in Family::ALL {
                if !self.write_gone(page, family, &gone[family]) {
                    return false;
                }
            }
            self.withdrawals = next.map(|next| (next, last));
        }
        true
    }

    /// The slots to be withdrawn from `first` on, about as many as `room` octets hold, and where
    /// the search goes on.
    fn gone(
        &mut self,
        rib: &Rib,
        first: u32,
        last: u32,
        room: usize,
    ) -> (PerFamily<Vec<(u32, Nlri)>>, Option<u32>) {
        let mut gone: PerFamily<Vec<_>> = PerFamily::default();
        let (mut octets, mut next) = (0, first);
        while let Some(slot) = self.dirty.next(next).filter(|slot| *slot <= last) {
            if octets > room {
                return (gone, Some(slot));
            }
            next = slot.saturating_add(1);
            if let Some((prefix, path)) = self.withdrawal(rib, slot) {
                octets += usize::from(prefix.length()).div_ceil(8) + 1;
                let nlri = self.export.nlri(prefix, path);
                gone[prefix.family()].push((slot, nlri));
            }
        }
        (gone, None)
    }

    fn withdrawal(&mut self, rib: &Rib, slot: u32) -> Option<(Prefix, u32)> {
        let (prefix, path) = rib.destination(slot)?;
        let verdict = self.verdict(rib, rib.group_id(slot), &prefix);
        let announces = matches!(verdict, Verdict::Announce(_));
        (!announces).then_some((prefix, path))
    }

    fn write_gone(&mut self, page: &mut Page<'_>, family: Family, gone: &[(u32, Nlri)]) -> bool {
        let mut rest = gone;
        while !rest.is_empty() {
            let Some(limit) = page.limit() else {
                return false;
            };
            let mut nlri = rest.iter().map(|(_, nlri)| *nlri);
            let Ok(count) = write_withdrawals(page.out, limit, family, &mut nlri) else {
                return false;
            };
            let (written, left) = rest.split_at(count);
            for (slot, _) in written {
                self.advertised.remove(*slot);
                self.dirty.remove(*slot);
            }
            let counts = &mut self.counts[family];
            counts.advertised -= count;
            counts.pending -= count;
            page.count_withdrawn(count);
            rest = left;
        }
        true
    }
}

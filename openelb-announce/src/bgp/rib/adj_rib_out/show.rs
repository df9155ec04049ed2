//! What a session tells its peer, for people to read.

use super::AdjRibOut;
use crate::bgp::attribute::Attributes;
use crate::bgp::next_hop::NextHop;
use crate::bgp::prefix::Nlri;
use crate::bgp::rib::export::{Refusal, Verdict};
use crate::bgp::rib::table::Rib;

/// A route of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The destination and, under add-path, the path.
    pub nlri: Nlri,
    /// Where it stands.
    pub state: SentState,
    /// What the peer hears, or heard last; `None` for a route that is refused or gone.
    pub announced: Option<(Attributes, NextHop)>,
}

/// Where a route of a session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SentState {
    /// The peer has it.
    Advertised,
    /// The peer will hear of it, or of its new attributes.
    Pending,
    /// The peer has it and will hear that it is gone.
    Withdrawing,
    /// The peer should have it, but cannot.
    Refused(Refusal),
}

impl AdjRibOut {
    /// All routes that the peer has or should have, without those that are not meant for it.
    ///
    /// Every route is put together anew: some hundred nanoseconds each.
    pub fn routes<'a>(&'a self, rib: &'a Rib) -> impl Iterator<Item = Sent> + 'a {
        (0..rib.slot_count()).filter_map(move |slot| self.sent(rib, slot))
    }

    /// The routes that the peer should have and does not get, with the reasons. Some nanoseconds for
    /// each route of the table.
    pub fn refusals<'a>(&'a self, rib: &'a Rib) -> impl Iterator<Item = (Nlri, Refusal)> + 'a {
        (0..rib.slot_count()).filter_map(move |slot| self.refusal(rib, slot))
    }

    fn refusal(&self, rib: &Rib, slot: u32) -> Option<(Nlri, Refusal)> {
        let (prefix, path) = rib.destination(slot)?;
        let group = rib.group_id(slot);
        let refusal = match self.export.recall(rib, group, &prefix) {
            Some(Verdict::Refused(refusal)) => refusal.clone(),
            Some(Verdict::Announce(_) | Verdict::Silent) => return None,
            None => self.export.describe(rib.group(group)?, &prefix)?.err()?,
        };
        Some((self.export.nlri(prefix, path), refusal))
    }

    fn sent(&self, rib: &Rib, slot: u32) -> Option<Sent> {
        let (prefix, path) = rib.destination(slot)?;
        let group = rib.group(rib.group_id(slot));
        let meant = group.and_then(|group| self.export.describe(group, &prefix));
        let is_advertised = self.advertised.contains(slot);
        let (state, announced) = match meant {
            Some(Ok(announced)) if self.dirty.contains(slot) => {
                (SentState::Pending, Some(announced))
            }
            Some(Ok(announced)) => (SentState::Advertised, Some(announced)),
            Some(Err(refusal)) => (SentState::Refused(refusal), None),
            None if is_advertised => (SentState::Withdrawing, None),
            None => return None,
        };
        Some(Sent {
            nlri: self.export.nlri(prefix, path),
            state,
            announced,
        })
    }
}

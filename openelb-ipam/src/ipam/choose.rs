//! Which addresses a request gets: a pure decision, carried out elsewhere.
//!
//! Order of choice: what the owner holds and still asks for; pinned addresses; the named pool; pools
//! bound to the owner, by priority; the default pool and the pools open to all, by priority.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::holders::{Holder, NoteState};
use super::owners::{PoolIndex, Slot};
use super::refusal::{Refusal, Rule, ShareRefusal};
use super::state::PoolState;
use super::{Ipam, share};
use crate::family::{DualStack, Family, from_bits, to_bits};
use crate::owner::Owner;
use crate::pool::OnShrink;
use crate::request::{Request, Wanted};
use crate::row::MarkState;
use crate::time::Time;

/// A request with all that a decision about it needs to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub(super) owner: &'a Owner,
    pub(super) slot: Option<Slot>,
    pub(super) request: &'a Request,
    pub(super) wanted: Wanted,
    /// Addresses that it is to leave if it holds them and can have others.
    pub(super) leave: &'a [IpAddr],
    pub(super) now: Time,
}

/// An address chosen for one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pick {
    pub(super) pool: PoolIndex,
    pub(super) bits: u128,
    pub(super) how: How,
}

/// How the owner comes to the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// It holds it already.
    Keep,
    /// It is free. `is_automatic` when the pool's strategy chose it.
    Take { is_automatic: bool },
    /// It carries a mark that does not stand in this owner's way.
    Unmark,
    /// Others hold it and share it.
    Join,
}

/// The outcome of a successful choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) picks: DualStack<Option<Pick>>,
    /// The family that was wanted and could not be had.
    pub(super) missing: Option<Family>,
}

/// Listens to refusals while a decision is made. `()` does not, and costs nothing.
pub(super) trait Witness {
    fn refused(&mut self, pool: Option<&PoolState>, rule: impl FnOnce() -> Rule);
}

impl Witness for () {
    fn refused(&mut self, _: Option<&PoolState>, _: impl FnOnce() -> Rule) {}
}

impl Witness for Vec<Refusal> {
    fn refused(&mut self, pool: Option<&PoolState>, rule: impl FnOnce() -> Rule) {
        let refusal = Refusal {
            pool: pool.map(|pool| pool.name().clone()),
            rule: rule(),
        };
        if !self.contains(&refusal) {
            self.push(refusal);
        }
    }
}

/// What is chosen so far.
pub(super) type Picks = DualStack<Option<Pick>>;

impl Ipam {
    /// Decides; `None` when the request cannot be served.
    pub(super) fn decide(&self, ask: &Ask<'_>, witness: &mut impl Witness) -> Option<Decision> {
        let mut picks = self.kept(ask);
        let decision = if ask.wanted.either && (picks.v4.is_some() || picks.v6.is_some()) {
            // Of two, the one that need not move stays.
            let stays = |family: Family| {
                picks[family].is_some_and(|pick| !self.is_to_be_left(ask, family, pick))
            };
            let first = match picks.v4 {
                Some(_) if stays(Family::V4) || !stays(Family::V6) => Family::V4,
                _ => Family::V6,
            };
            picks[first.other()] = None;
            Decision {
                picks,
                missing: None,
            }
        } else {
            self.complete(ask, picks, witness)?
        };
        if (self.has_draining_pool || !ask.leave.is_empty())
            && let Some(moved) = self.moved(ask, &decision)
        {
            return Some(moved);
        }
        Some(decision)
    }

    /// The decision without the addresses that are to be left, if there are such and all of them can be
    /// replaced.
    fn moved(&self, ask: &Ask<'_>, decision: &Decision) -> Option<Decision> {
        let mut rest = decision.picks;
        for family in Family::ALL {
            if rest[family].is_some_and(|pick| self.is_to_be_left(ask, family, pick)) {
                rest[family] = None;
            }
        }
        if rest == decision.picks {
            return None;
        }
        let moved = self.complete(ask, rest, &mut ())?;
        let is_whole = ask.wanted.either
            || Family::ALL
                .into_iter()
                .all(|family| decision.picks[family].is_none() || moved.picks[family].is_some());
        is_whole.then_some(moved)
    }

    /// Adds what is wanted beyond the picks given.
    fn complete(
        &self,
        ask: &Ask<'_>,
        mut picks: Picks,
        witness: &mut impl Witness,
    ) -> Option<Decision> {
        for &address in &ask.request.addresses {
            let family = Family::of(address);
            if picks[family].is_none() {
                picks[family] = Some(self.pick_pinned(ask, address, witness)?);
            }
        }
        if ask.wanted.order().any(|family| picks[family].is_none()) {
            self.fill(ask, &mut picks, witness);
        }
        let has = |family: Family| picks[family].is_some();
        let missing = match ask.wanted.second {
            _ if ask.wanted.either && (has(Family::V4) || has(Family::V6)) => None,
            Some(second) if has(ask.wanted.first) => Some(second).filter(|&second| !has(second)),
            Some(second) if has(second) => Some(ask.wanted.first),
            None if has(ask.wanted.first) => None,
            _ => return None,
        };
        if missing.is_some() && ask.wanted.is_all_or_nothing {
            return None;
        }
        Some(Decision { picks, missing })
    }

    /// What the owner holds and the request does not contradict: stickiness.
    fn kept(&self, ask: &Ask<'_>) -> Picks {
        let Some(record) = ask.slot.and_then(|slot| self.owners.get(slot)) else {
            return Picks::default();
        };
        DualStack::from_fn(|family| {
            let (pool, bits) = record
                .claim(family)
                .filter(|_| ask.wanted.contains(family))?;
            let mut pins = ask
                .request
                .addresses
                .iter()
                .filter(|pin| Family::of(**pin) == family);
            let is_named = ask.request.pool.as_ref().is_none_or(|name| {
                self.pools
                    .get(usize::from(pool))
                    .is_some_and(|state| state.name() == name)
            });
            // An owner without a sharing key is alone at its address.
            let is_kept = is_named
                && pins.all(|pin| to_bits(*pin) == bits)
                && (record.sharing().is_none() || self.may_stay(ask, pool, family, bits));
            is_kept.then_some(Pick {
                pool,
                bits,
                how: How::Keep,
            })
        })
    }

    /// Whether the sharing asked for is possible where the owner is.
    fn may_stay(&self, ask: &Ask<'_>, pool: PoolIndex, family: Family, bits: u128) -> bool {
        let Some(Holder::Note(note)) = self.holders.find(family, bits, &self.owners) else {
            return true;
        };
        let NoteState::Shared { sharing, claims } = &note.state else {
            return true;
        };
        claims.len() == 1 || {
            let wanted = self.sharing_in(ask, pool);
            share::check(self, sharing, claims, wanted.as_deref(), ask).is_ok()
        }
    }

    /// Whether an address is held and not pinned, and is to be left: its pool drains and lists it no
    /// more, or it was asked for.
    fn is_to_be_left(&self, ask: &Ask<'_>, family: Family, pick: Pick) -> bool {
        let address = from_bits(family, pick.bits);
        if ask.request.addresses.contains(&address) {
            return false;
        }
        let state = self.pools.get(usize::from(pick.pool));
        let is_draining = state.is_some_and(|state| {
            state.pool.spec().on_shrink == OnShrink::Drain
                && !state.index[family].in_universe(pick.bits)
        });
        is_draining || (pick.how == How::Keep && ask.leave.contains(&address))
    }

    /// The pinned address, if it can be had.
    fn pick_pinned(
        &self,
        ask: &Ask<'_>,
        address: IpAddr,
        witness: &mut impl Witness,
    ) -> Option<Pick> {
        let (family, bits) = (Family::of(address), to_bits(address));
        let Some((at, state)) = self.pool_of(address) else {
            let named = ask.request.pool.as_ref();
            let named =
                named.and_then(|name| self.pools.get(usize::from(*self.by_name.get(name)?)));
            witness.refused(named, || outside(address, named));
            return None;
        };
        if let Some(named) = ask
            .request
            .pool
            .as_ref()
            .filter(|name| *name != state.name())
        {
            witness.refused(Some(state), || Rule::NotNamed(named.clone()));
            return None;
        }
        if !Self::admits(ask, state, true, witness) {
            return None;
        }
        if !state.index[family].in_universe(bits) {
            witness.refused(Some(state), || Rule::Reserved(address));
            return None;
        }
        match self.availability(ask, at, family, bits) {
            Ok(how) if self.is_within_quota(ask, at, family, witness) => Some(Pick {
                pool: at,
                bits,
                how,
            }),
            Ok(_) => None,
            Err(rule) => {
                witness.refused(Some(state), || rule);
                None
            }
        }
    }

    /// Whether a certain address can be had, and how.
    pub(super) fn availability(
        &self,
        ask: &Ask<'_>,
        pool: PoolIndex,
        family: Family,
        bits: u128,
    ) -> Result<How, Rule> {
        let address = from_bits(family, bits);
        match self.holders.find(family, bits, &self.owners) {
            None => match self.prefix_holder(family, bits) {
                Some(slot) => Err(self.in_use(address, slot)),
                None => Ok(How::Take {
                    is_automatic: false,
                }),
            },
            Some(Holder::Record(slot)) => Err(if ask.request.sharing.is_some() {
                self.not_shareable(address, slot, ShareRefusal::NoKey)
            } else {
                self.in_use(address, slot)
            }),
            Some(Holder::Note(note)) => match &note.state {
                NoteState::Shared { sharing, claims } => {
                    let wanted = self.sharing_in(ask, pool);
                    share::check(self, sharing, claims, wanted.as_deref(), ask)
                        .map(|()| How::Join)
                        .map_err(|(slot, why)| self.not_shareable(address, slot, why))
                }
                NoteState::Marked(MarkState::Cooling { owner, .. }) if *owner == ask.owner.key => {
                    Ok(How::Unmark)
                }
                NoteState::Marked(MarkState::Resting { .. }) => Ok(How::Unmark),
                NoteState::Marked(MarkState::Cooling { until, .. }) => Err(Rule::Cooling {
                    address,
                    until: *until,
                }),
                NoteState::Marked(MarkState::Quarantined { until, .. }) => Err(Rule::Quarantined {
                    address,
                    until: *until,
                }),
            },
        }
    }

    fn in_use(&self, address: IpAddr, slot: Slot) -> Rule {
        match self.holder_name(slot) {
            Ok(holder) => Rule::InUse { address, holder },
            Err(id) => Rule::HeldForReservation { address, id },
        }
    }

    fn not_shareable(&self, address: IpAddr, slot: Slot, why: ShareRefusal) -> Rule {
        match self.holder_name(slot) {
            Ok(holder) => Rule::NotShareable {
                address,
                holder,
                why,
            },
            Err(id) => Rule::HeldForReservation { address, id },
        }
    }
}

/// The refusal of an address that no pool has: with what the pool has that the request names, if any.
fn outside(address: IpAddr, named: Option<&PoolState>) -> Rule {
    let Some(state) = named else {
        return Rule::OutsidePools(address);
    };
    let all = state.pool.ranges();
    let mut texts: Vec<_> = all
        .iter()
        .take(MOST_RANGES)
        .map(ToString::to_string)
        .collect();
    if all.iter().nth(MOST_RANGES).is_some() {
        texts.push("…".to_string());
    }
    let ranges = texts.join(", ");
    Rule::NotHeld { address, ranges }
}

/// A refusal is one sentence: whoever wants to know all ranges looks at the pool.
const MOST_RANGES: usize = 4;

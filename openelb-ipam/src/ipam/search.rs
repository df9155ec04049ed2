//! The part of a choice that searches pools: tier by tier, pool by pool.

use smallvec::SmallVec;

use super::Ipam;
use super::choose::{Ask, How, Pick, Picks, Witness};
use super::holders::Holder;
use super::owners::PoolIndex;
use super::refusal::Rule;
use super::state::{Asker, PoolState};
use crate::family::{Family, from_bits};
use crate::pool::Strategy;

/// Pools that may serve a request in the order in which they are asked, in two tiers: bound pools,
/// then those open to all.
#[derive(Default)]
struct Tiers {
    pools: SmallVec<[PoolIndex; 8]>,
    /// How many of them are of the first tier.
    bound: usize,
}

impl Tiers {
    /// The tiers that have pools, nearest first.
    fn iter(&self) -> impl Iterator<Item = &[PoolIndex]> {
        let (bound, open) = self.pools.split_at(self.bound);
        [bound, open].into_iter().filter(|tier| !tier.is_empty())
    }

    /// Beside an address that is kept or pinned, its pool comes first, then the tier it is in, so
    /// that the second family comes from the same place. A pool in no tier restricts nothing.
    fn anchor(&mut self, anchor: PoolIndex) {
        let tier = self.iter().find(|tier| tier.contains(&anchor));
        if let Some(tier) = tier.map(SmallVec::from_slice) {
            (self.bound, self.pools) = (tier.len(), tier);
            self.pools.sort_by_key(|&at| at != anchor);
        }
    }
}

impl Ipam {
    /// Fills the families that are still open from pools.
    pub(super) fn fill(&self, ask: &Ask<'_>, picks: &mut Picks, witness: &mut impl Witness) {
        let mut tiers = self.tiers(ask, witness);
        if let Some(pick) = picks.v4.or(picks.v6) {
            tiers.anchor(pick.pool);
        }
        self.fill_returning(ask, picks, &tiers);
        if ask.wanted.either && (picks.v4.is_some() || picks.v6.is_some()) {
            return;
        }
        for tier in tiers.iter() {
            let open: SmallVec<[Family; 2]> = ask
                .wanted
                .order()
                .filter(|&family| picks[family].is_none())
                .collect();
            match open.as_slice() {
                [] => return,
                &[first, second] if !ask.wanted.either => {
                    if self.fill_both(ask, picks, tier, [first, second], witness) {
                        return;
                    }
                }
                families => {
                    let offer = |&family: &Family| {
                        let pick = tier
                            .iter()
                            .find_map(|&at| self.offer(ask, at, family, witness));
                        pick.map(|pick| (family, pick))
                    };
                    if let Some((family, pick)) = families.iter().find_map(offer) {
                        picks[family] = Some(pick);
                        return;
                    }
                }
            }
        }
    }

    /// Fills both families from one tier: one pool with both, else one pool each. A request that is
    /// content with one family takes what the tier has. True when the search is over.
    fn fill_both(
        &self,
        ask: &Ask<'_>,
        picks: &mut Picks,
        tier: &[PoolIndex],
        [first, second]: [Family; 2],
        witness: &mut impl Witness,
    ) -> bool {
        let pair = tier.iter().find_map(|&at| {
            let one = self.offer(ask, at, first, &mut ())?;
            Some((one, self.offer(ask, at, second, &mut ())?))
        });
        let (one, two) = if let Some((one, two)) = pair {
            (Some(one), Some(two))
        } else {
            let mut from_tier = |family| {
                tier.iter()
                    .find_map(|&at| self.offer(ask, at, family, witness))
            };
            (from_tier(first), from_tier(second))
        };
        let is_pair = one.is_some() && two.is_some();
        let is_enough = !ask.wanted.is_all_or_nothing && (one.is_some() || two.is_some());
        if is_pair || is_enough {
            (picks[first], picks[second]) = (one, two);
        }
        is_pair || is_enough
    }

    /// Gives a returning owner what it had, if that is cooling down in a pool that may serve it.
    fn fill_returning(&self, ask: &Ask<'_>, picks: &mut Picks, tiers: &Tiers) {
        if self.cooling.is_empty() {
            return;
        }
        let Some(addresses) = self.cooling.get(ask.owner.key.as_str()) else {
            return;
        };
        for &(family, bits) in addresses {
            let is_open = picks[family].is_none() && ask.wanted.contains(family);
            let other = picks[family.other()];
            if !is_open || (ask.wanted.either && other.is_some()) {
                continue;
            }
            let Some((pool, _)) = self.pool_of(from_bits(family, bits)) else {
                continue;
            };
            if tiers.pools.contains(&pool)
                && self.is_within_quota(ask, pool, family, &mut ())
                && self.availability(ask, pool, family, bits) == Ok(How::Unmark)
            {
                picks[family] = Some(Pick {
                    pool,
                    bits,
                    how: How::Unmark,
                });
            }
        }
    }

    /// The pools that may serve the request without a pin.
    fn tiers(&self, ask: &Ask<'_>, witness: &mut impl Witness) -> Tiers {
        let mut tiers = Tiers::default();
        if let Some(name) = &ask.request.pool {
            match self.by_name.get(name) {
                None => witness.refused(None, || Rule::Unknown(name.clone())),
                Some(&at) => {
                    let state = self.pools.get(usize::from(at));
                    if state.is_some_and(|state| Self::admits(ask, state, true, witness)) {
                        tiers.pools.push(at);
                    }
                }
            }
            return tiers;
        }
        for &at in &self.order {
            let Some(state) = self.pools.get(usize::from(at)) else {
                continue;
            };
            if !Self::admits(ask, state, false, witness) {
                continue;
            }
            if state.pool.is_bound() {
                tiers.pools.insert(tiers.bound, at);
                tiers.bound += 1;
            } else {
                tiers.pools.push(at);
            }
        }
        tiers
    }

    /// Whether a pool serves the owner at all.
    pub(super) fn admits(
        ask: &Ask<'_>,
        state: &PoolState,
        is_explicit: bool,
        witness: &mut impl Witness,
    ) -> bool {
        let spec = state.pool.spec();
        let rule = if spec.is_disabled {
            Rule::Disabled
        } else if let Some(elder) = &state.conflict {
            Rule::Conflicting(elder.clone())
        } else if is_explicit && spec.serve_explicit {
            return true;
        } else if !is_explicit && !spec.auto_assign {
            Rule::NotAutomatic
        } else if !state.pool.is_bound() {
            return true;
        } else if !state
            .pool
            .admits_namespace(ask.owner.key.namespace(), &ask.request.namespace_labels)
        {
            Rule::OtherNamespaces
        } else if state.pool.admits_service(&ask.request.service_labels) {
            return true;
        } else {
            Rule::OtherServices
        };
        witness.refused(Some(state), || rule);
        false
    }

    /// The address that a pool offers in a family.
    fn offer(
        &self,
        ask: &Ask<'_>,
        at: PoolIndex,
        family: Family,
        witness: &mut impl Witness,
    ) -> Option<Pick> {
        let state = self.pools.get(usize::from(at))?;
        if !state.pool.serves(family) {
            witness.refused(Some(state), || Rule::NoFamily(family));
            return None;
        }
        if !self.is_within_quota(ask, at, family, witness) {
            return None;
        }
        if let Some(pick) = self.offer_shared(ask, at, family) {
            return Some(pick);
        }
        let asker = Asker {
            key: ask.owner.key.as_str(),
            now: ask.now,
            seed: self.seed ^ self.generation.rotate_left(32) ^ u64::from(family.bits()),
        };
        if let Some(bits) = state.next_address(family, asker) {
            let is_resting = state.strategy() == Strategy::LeastRecentlyReleased
                && state.index[family].is_taken(bits);
            let how = if is_resting {
                How::Unmark
            } else {
                How::Take { is_automatic: true }
            };
            return Some(Pick {
                pool: at,
                bits,
                how,
            });
        }
        witness.refused(Some(state), || Rule::Exhausted {
            family,
            taken: state.taken(family),
            capacity: state.index[family].capacity(),
        });
        None
    }

    /// An address of the pool that is shared under the request's key and has room for its ports.
    fn offer_shared(&self, ask: &Ask<'_>, at: PoolIndex, family: Family) -> Option<Pick> {
        let sharing = ask.request.sharing.as_ref()?;
        let addresses = self.shared.get(sharing)?;
        let record = ask.slot.and_then(|slot| self.owners.get(slot));
        let own = record.and_then(|record| record.claim(family));
        addresses
            .iter()
            // One that it is about to leave is no offer.
            .filter(|(of, bits)| *of == family && own.is_none_or(|(_, own)| own != *bits))
            .find_map(|&(_, bits)| {
                let Holder::Note(note) = self.holders.find(family, bits, &self.owners)? else {
                    return None;
                };
                let is_here = note.pool == at
                    && self.pools.get(usize::from(at))?.index[family].in_universe(bits);
                let can_join = is_here && self.availability(ask, at, family, bits) == Ok(How::Join);
                can_join.then_some(Pick {
                    pool: at,
                    bits,
                    how: How::Join,
                })
            })
    }

    /// Whether the owner's namespace may hold one more address of the pool.
    pub(super) fn is_within_quota(
        &self,
        ask: &Ask<'_>,
        at: PoolIndex,
        family: Family,
        witness: &mut impl Witness,
    ) -> bool {
        let Some(state) = self.pools.get(usize::from(at)) else {
            return false;
        };
        let Some(limit) = state.pool.spec().namespace_quota else {
            return true;
        };
        let namespace = ask.owner.key.namespace();
        let held = state
            .claims_of
            .get(namespace)
            .map_or(0, |claims| claims[family]);
        let record = ask.slot.and_then(|slot| self.owners.get(slot));
        // What the owner gives up in the same step does not count.
        let own = record
            .and_then(|record| record.claim(family))
            .is_some_and(|(pool, _)| pool == at);
        if held.saturating_sub(u32::from(own)) < limit {
            return true;
        }
        witness.refused(Some(state), || Rule::Quota {
            namespace: namespace.into(),
            family,
            limit,
        });
        false
    }
}

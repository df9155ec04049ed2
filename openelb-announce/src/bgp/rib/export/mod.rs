//! What the terms of a session make of an attribute group: a block of attributes, or a refusal.

mod edit;

use super::group::{Audience, Group, Target, Variant};
use super::table::Rib;
use super::terms::Terms;
use crate::bgp::attribute::Attributes;
use crate::bgp::message::{AttributeBlock, EncodeError};
use crate::bgp::next_hop::NextHop;
use crate::bgp::policy::PrefixMatches;
use crate::bgp::prefix::{Nlri, Prefix};
use crate::bgp::route::{NoNextHop, PeerSelection, third_party_next_hop};
use hashbrown::HashMap;
use std::sync::Arc;

/// Why a route that a peer should hear of is not announced to it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no next hop that fits it.
    #[error(transparent)]
    NextHop(#[from] NoNextHop),
    /// A policy rejects it.
    #[error("{}", policy_words(statement.as_deref()))]
    Policy {
        /// The statement that decided; `None` for the default.
        statement: Option<Arc<str>>,
    },
    /// Its attributes leave no room for it in a message.
    #[error("{0}")]
    Attributes(Arc<EncodeError>),
}

fn policy_words(statement: Option<&str>) -> String {
    statement.map_or_else(
        || "the policy accepts only what a statement accepts".to_owned(),
        |statement| format!("the policy statement `{statement}` rejects it"),
    )
}

/// What a session does with a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is announced with this block.
    Announce(u32),
    /// The peer is not meant.
    Silent,
    /// The peer is meant, but it cannot be.
    Refused(Refusal),
}

/// The terms of a session with what they made of groups so far.
#[derive(Debug)]
pub(super) struct Export {
    terms: Terms,
    // By group; those of policies that ask for prefixes also by the matches of each prefix. All are
    // a memory of what `judge` says: they may be forgotten at any time between two calls.
    plain: Vec<Option<Remembered>>,
    by_matches: HashMap<(u32, Matches), Remembered>,
    blocks: Vec<Encoded>,
    numbers: HashMap<(Attributes, NextHop), u32>,
}

type Matches = [PrefixMatches; 2];

#[derive(Clone, Debug)]
struct Remembered {
    stamp: u32,
    verdict: Verdict,
}

/// Attributes and next hop as they are announced.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) attributes: Attributes,
    pub(super) next_hop: NextHop,
    pub(super) block: AttributeBlock,
}

impl Encoded {
    const fn said(&self) -> (&Attributes, NextHop) {
        (&self.attributes, self.next_hop)
    }
}

impl Export {
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            terms,
            plain: Vec::new(),
            by_matches: HashMap::new(),
            blocks: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    pub(super) const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The block with this number.
    pub(super) fn block(&self, number: u32) -> Option<&Encoded> {
        self.blocks.get(number as usize)
    }

    /// What a message says about a slot: with a path identifier where add-path was negotiated.
    pub(super) fn nlri(&self, prefix: Prefix, path: u32) -> Nlri {
        let add_path = self.terms.add_path[prefix.family()].is_some();
        Nlri {
            path_id: add_path.then_some(path),
            prefix,
        }
    }

    /// What the session does with slots of `group` and `prefix`. Asked again, it costs 2 to 5 ns.
    pub(super) fn verdict(&mut self, rib: &Rib, group: u32, prefix: &Prefix) -> Verdict {
        if let Some(verdict) = self.recall(rib, group, prefix) {
            return verdict.clone();
        }
        let (stamp, matches) = (rib.stamp(group), self.matches(prefix));
        let Some(content) = rib.group(group) else {
            return Verdict::Silent;
        };
        let verdict = self.judge(content, matches);
        self.remember(
            group,
            matches,
            Remembered {
                stamp,
                verdict: verdict.clone(),
            },
        );
        verdict
    }

    /// What [`verdict`](Self::verdict) said before, if it remembers.
    pub(super) fn recall(&self, rib: &Rib, group: u32, prefix: &Prefix) -> Option<&Verdict> {
        let matches = self.matches(prefix);
        let remembered = if matches == Matches::default() {
            self.plain.get(group as usize)?.as_ref()
        } else {
            self.by_matches.get(&(group, matches))
        };
        let remembered = remembered.filter(|remembered| remembered.stamp == rib.stamp(group));
        remembered.map(|remembered| &remembered.verdict)
    }

    /// Forgets what it made of groups that are gone, before that is more than of those there are.
    ///
    /// Block numbers given before mean nothing afterwards.
    pub(super) fn tidy(&mut self, rib: &Rib) {
        let enough = 2 * rib.groups() + 1024;
        if self.blocks.len() > enough || self.by_matches.len() > 8 * enough {
            *self = Self::new(self.terms.clone());
        }
    }

    /// What [`verdict`](Self::verdict) says, without remembering it.
    pub(super) fn describe(
        &self,
        group: &Group,
        prefix: &Prefix,
    ) -> Option<Result<(Attributes, NextHop), Refusal>> {
        let variant = self.variant(group)?;
        let announced = self.announced(group, variant, self.matches(prefix));
        Some(announced.and_then(|(attributes, next_hop)| {
            self.block_of(&attributes, next_hop)?;
            Ok((attributes, next_hop))
        }))
    }

    /// Whether a peer sees no difference between what two sessions make of a slot.
    pub(super) fn is_same(&self, one: &Verdict, other: &Self, another: &Verdict) -> bool {
        match (one, another) {
            (Verdict::Announce(one), Verdict::Announce(another)) => {
                self.block(*one).map(Encoded::said) == other.block(*another).map(Encoded::said)
            }
            (Verdict::Announce(_), _) | (_, Verdict::Announce(_)) => false,
            _ => true,
        }
    }

    fn matches(&self, prefix: &Prefix) -> Matches {
        let policies = [&self.terms.policy, &self.terms.peer_policy];
        policies.map(|policy| policy.prefix_matches(prefix))
    }

    fn remember(&mut self, group: u32, matches: Matches, remembered: Remembered) {
        if matches != Matches::default() {
            self.by_matches.insert((group, matches), remembered);
            return;
        }
        let index = group as usize;
        if index >= self.plain.len() {
            self.plain.resize_with(index + 1, || None);
        }
        if let Some(place) = self.plain.get_mut(index) {
            *place = Some(remembered);
        }
    }

    fn judge(&mut self, group: &Group, matches: Matches) -> Verdict {
        let Some(variant) = self.variant(group) else {
            return Verdict::Silent;
        };
        let announced = self.announced(group, variant, matches);
        let encoded =
            announced.and_then(|(attributes, next_hop)| self.encode(attributes, next_hop));
        encoded.map_or_else(Verdict::Refused, Verdict::Announce)
    }

    /// What is meant for this session: the first that names the peer, else the first for all.
    fn variant<'g>(&self, group: &'g Group) -> Option<&'g Variant> {
        if !self.terms.families.contains(group.family) {
            return None;
        }
        let group_name = self.terms.group.as_ref();
        let selects = |peers: &PeerSelection| {
            peers.selects(&self.terms.peer) || group_name.is_some_and(|name| peers.selects(name))
        };
        let meant = group
            .variants
            .iter()
            .filter(|variant| selects(&variant.peers));
        let named = |variant: &&Variant| variant.peers != PeerSelection::All;
        let first = meant.clone().find(named).or_else(|| meant.clone().next())?;
        let add_path = self.terms.add_path[group.family];
        let is_heard = match (first.audience, add_path) {
            (Audience::Everyone, _) | (Audience::WithoutAddPath, None) => true,
            (Audience::AddPath { rank }, Some(most)) => rank < usize::from(most),
            (Audience::WithoutAddPath, Some(_))
            | (Audience::AddPath { .. }, None)
            | (Audience::Nobody, _) => false,
        };
        is_heard.then_some(first)
    }

    fn announced(
        &self,
        group: &Group,
        variant: &Variant,
        matches: Matches,
    ) -> Result<(Attributes, NextHop), Refusal> {
        let edited = edit::apply(&self.terms, group.family, variant, matches)?;
        let target = edited.target.unwrap_or(variant.target);
        let next_hop = self.next_hop(group, target)?;
        Ok((edited.attributes, next_hop))
    }

    fn next_hop(&self, group: &Group, target: Target) -> Result<NextHop, NoNextHop> {
        let family = group.family;
        let next_hop = match target {
            Target::Own => self.terms.own_next_hop[family]?,
            Target::Address(address) => {
                third_party_next_hop(family, address, self.terms.extended_next_hop)?
            }
        };
        if next_hop.family() != family {
            let address = next_hop.address();
            return Err(NoNextHop::OtherFamily { family, address });
        }
        Ok(next_hop)
    }

    fn encode(&mut self, attributes: Attributes, next_hop: NextHop) -> Result<u32, Refusal> {
        let key = (attributes, next_hop);
        if let Some(number) = self.numbers.get(&key) {
            return Ok(*number);
        }
        let block = self.block_of(&key.0, next_hop)?;
        let number =
            u32::try_from(self.blocks.len()).expect("blocks are fewer than groups twice over");
        self.blocks.push(Encoded {
            attributes: key.0.clone(),
            next_hop,
            block,
        });
        self.numbers.insert(key, number);
        Ok(number)
    }

    fn block_of(
        &self,
        attributes: &Attributes,
        next_hop: NextHop,
    ) -> Result<AttributeBlock, Refusal> {
        let refuse = |error| Refusal::Attributes(Arc::new(error));
        let block = AttributeBlock::new(attributes, next_hop, self.terms.four_octet_as);
        let block = block.map_err(refuse)?;
        let (overhead, limit) = (block.overhead(), self.terms.message_limit);
        if overhead + LONGEST_NLRI > limit {
            return Err(refuse(EncodeError::BlockTooLong { overhead, limit }));
        }
        Ok(block)
    }
}

/// A path identifier, a length and an IPv6 address.
pub(super) const LONGEST_NLRI: usize = 4 + 1 + 16;

#[cfg(test)]
mod tests;

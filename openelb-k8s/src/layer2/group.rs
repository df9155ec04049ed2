//! In which group of the election services stand, and how this node stands there.

use std::collections::BTreeSet;

use openelb_announce::ownership::{Group, GroupName, Standing};

use super::{Election, PoolNodes};

/// A service that has one of the addresses that must move together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member<'a> {
    /// Its key, such as `service/shop/web`.
    pub service: &'a str,
    /// The pool of its address.
    pub pool: &'a str,
    /// Whether it answers on this node; `None` when nobody looks.
    pub health: Option<bool>,
}

impl Election {
    /// Where the services stand that share an address, or each other's addresses: they move together.
    /// `members` has every service at least once; the order does not matter.
    ///
    /// Services that nobody checks stand in the group that all share, those of a pool with wishes
    /// about nodes in one of the pool, and those with a health check in one of their own: only there
    /// can a node step back without giving up what others have. O(members).
    pub fn group(&self, members: &[Member<'_>]) -> Group {
        let pools = members.iter().filter_map(|member| {
            let wishes = self.pools.get(member.pool)?;
            Some((member.pool, wishes))
        });
        let pool = pools.min_by_key(|(name, _)| *name);
        let checked = members.iter().filter(|member| member.health.is_some());
        let checked = checked.map(|member| member.service).min();
        let (name, shards) = match (checked, pool) {
            (Some(service), _) => (GroupName::new(service), 1),
            (None, Some((name, _))) => (GroupName::new(&format!("pool/{name}")), self.shards),
            (None, None) => (GroupName::default(), self.shards),
        };
        Group {
            name,
            shards,
            standing: self.standing(pool.map(|(_, wishes)| wishes), members),
        }
    }

    /// Where addresses stand that nobody checks, and whose pools wish nothing. Every node is in it,
    /// so that the nodes of a link know of each other also while there is nothing to announce.
    pub fn default_group(&self) -> Group {
        self.group(&[])
    }

    fn standing(&self, wishes: Option<&PoolNodes>, members: &[Member<'_>]) -> Standing {
        let lists = |names: &BTreeSet<String>| names.contains(self.node.as_str());
        let is_allowed = wishes.is_none_or(|wishes| wishes.only.is_empty() || lists(&wishes.only));
        let mut verdicts = members.iter().filter_map(|member| member.health);
        let is_dead = members.iter().any(|member| member.health.is_some())
            && members.iter().all(|member| member.health == Some(false));
        if !is_allowed || is_dead {
            return Standing::Excluded;
        }
        let mut preference = self.preference;
        if wishes.is_some_and(|wishes| lists(&wishes.preferred)) {
            preference |= PREFERRED;
        }
        // A node on which some of the sharers do not answer comes behind those on which all do.
        if verdicts.all(|answers| answers) {
            preference |= WHOLE;
        }
        Standing::Eligible {
            weight: self.weight,
            preference,
        }
    }
}

/// A pool prefers the node; above all that is said of the node itself.
const PREFERRED: u8 = 1 << 6;

/// Every service answers on the node; above what pools prefer.
const WHOLE: u8 = 1 << 7;

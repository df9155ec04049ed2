//! In which group of the election services stand, and how this node stands there.

use std::collections::BTreeSet;

use openelb_announce::ownership::{Group, GroupName, Standing};

use super::{Election, Fitness};

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
        let pools = members.iter().map(|member| member.pool);
        let pool = pools.filter(|pool| self.judges_nodes(pool)).min();
        let checked = members.iter().filter(|member| member.health.is_some());
        let checked = checked.map(|member| member.service).min();
        let (name, shards) = match (checked, pool) {
            (Some(service), _) => (GroupName::new(service), 1),
            (None, Some(name)) => (GroupName::new(&format!("pool/{name}")), self.shards),
            (None, None) => (GroupName::default(), self.shards),
        };
        Group {
            name,
            shards,
            standing: self.standing(pool, members),
        }
    }

    /// Where addresses stand that nobody checks, and whose pools wish nothing. Every node is in it,
    /// so that the nodes of a link know of each other also while there is nothing to announce.
    pub fn default_group(&self) -> Group {
        self.group(&[])
    }

    fn judges_nodes(&self, pool: &str) -> bool {
        self.pools.contains_key(pool) || self.standing.pools.contains_key(pool)
    }

    fn standing(&self, pool: Option<&str>, members: &[Member<'_>]) -> Standing {
        let wishes = pool.and_then(|pool| self.pools.get(pool));
        let fitness = pool.and_then(|pool| self.standing.pools.get(pool));
        let fitness = fitness.copied().unwrap_or(self.standing.everywhere);
        let lists = |names: &BTreeSet<String>| names.contains(self.node.as_str());
        let is_allowed = wishes.is_none_or(|wishes| wishes.only.is_empty() || lists(&wishes.only));
        // Whoever checks a service knows more of the node than what holds for all.
        let answers = |member: &Member<'_>| member.health.unwrap_or(fitness > Fitness::Unfit);
        let is_dead = match members {
            [] => fitness == Fitness::Unfit,
            members => !members.iter().any(answers),
        };
        if !is_allowed || is_dead {
            return Standing::Excluded;
        }
        let mut preference = self.preference;
        if wishes.is_some_and(|wishes| lists(&wishes.preferred)) {
            preference |= PREFERRED;
        }
        // A node on which some of the sharers do not answer comes behind those on which all do, and
        // so does one that others should come before.
        if fitness != Fitness::Behind && members.iter().all(answers) {
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

/// Every service answers on the node, and nothing else speaks against it; above what pools prefer.
const WHOLE: u8 = 1 << 7;

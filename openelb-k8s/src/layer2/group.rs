//! In which group of the election services stand, and how this node stands there.

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

/// A group of the election, and how this node stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of the group, the same on every node.
    pub group: String,
    /// How many portions it is dealt out in.
    pub shards: u16,
    /// How this node stands in it; `None`: it is excluded.
    pub standing: Option<Worth>,
}

/// What a node is worth in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worth {
    /// Its share beside the others', 1 to 1,000.
    pub weight: u16,
    /// Its tier; higher comes first.
    pub preference: u8,
}

impl Election {
    /// Where the services stand that share an address, or each other's addresses: they move together.
    /// `members` has every service at least once; the order does not matter.
    ///
    /// Services that nobody checks stand in the group that all share, those of a pool with wishes
    /// about nodes in one of the pool, and those with a health check in one of their own: only there
    /// can a node step back without giving up what others have. O(members).
    pub fn group(&self, members: &[Member<'_>]) -> Place {
        let pools = members.iter().filter_map(|member| {
            let wishes = self.pools.get(member.pool)?;
            Some((member.pool, wishes))
        });
        let pool = pools.min_by_key(|(name, _)| *name);
        let checked = members.iter().filter(|member| member.health.is_some());
        let checked = checked.map(|member| member.service).min();
        let (group, shards) = match (checked, pool) {
            (Some(service), _) => (service.to_owned(), 1),
            (None, Some((name, _))) => (format!("pool/{name}"), self.shards),
            (None, None) => (DEFAULT.to_owned(), self.shards),
        };
        Place {
            group,
            shards,
            standing: self.standing(pool.map(|(_, wishes)| wishes), members),
        }
    }

    /// Where addresses stand that nobody checks, and whose pools wish nothing. Every node is in it,
    /// so that the nodes of a link know of each other also while there is nothing to announce.
    pub fn default_group(&self) -> Place {
        self.group(&[])
    }

    fn standing(&self, wishes: Option<&PoolNodes>, members: &[Member<'_>]) -> Option<Worth> {
        let lists = |names: &std::collections::BTreeSet<String>| names.contains(&self.node);
        let is_allowed = wishes.is_none_or(|wishes| wishes.only.is_empty() || lists(&wishes.only));
        let mut verdicts = members.iter().filter_map(|member| member.health);
        let is_dead = members.iter().any(|member| member.health.is_some())
            && members.iter().all(|member| member.health == Some(false));
        if !is_allowed || is_dead {
            return None;
        }
        let mut preference = self.preference;
        if wishes.is_some_and(|wishes| lists(&wishes.preferred)) {
            preference |= PREFERRED;
        }
        // A node on which some of the sharers do not answer comes behind those on which all do.
        if verdicts.all(|answers| answers) {
            preference |= WHOLE;
        }
        Some(Worth {
            weight: self.weight,
            preference,
        })
    }
}

/// The group of everything that needs none of its own.
const DEFAULT: &str = "default";

/// A pool prefers the node; above all that is said of the node itself.
const PREFERRED: u8 = 1 << 6;

/// Every service answers on the node; above what pools prefer.
const WHOLE: u8 = 1 << 7;

//! What the machine knows, told to people.

use std::collections::BTreeMap;

use super::Machine;
use super::tenure::Tenure;
use crate::ownership::name::NodeId;
use crate::ownership::roll::Peer;
use crate::ownership::shard::{Shard, ShardSet};
use crate::ownership::status::{GroupStatus, NodeStatus, Status};
use crate::time::Time;

impl Machine {
    /// Whose the shard is, as far as this node knows; of two that claim it, the one heard last.
    /// O(nodes).
    pub fn owner(&self, shard: Shard) -> Option<&NodeId> {
        let tenure = self.tenures.get(&shard.group)?;
        if tenure.owned.contains(shard.index) {
            return self.me.as_ref().map(|me| &me.settings.node);
        }
        let claims = |peer: &&Peer| {
            let claims = peer.claims(tenure.id, tenure.group.shards);
            claims.is_some_and(|claims| claims.contains(shard.index))
        };
        let claimers = self
            .roll
            .live()
            .filter(|peer| peer.is_respected())
            .filter(claims);
        claimers.max_by_key(|peer| peer.heard).map(|peer| &peer.id)
    }

    /// How many shards this node could serve but nobody is known to own. O(groups x nodes).
    ///
    /// After [`Input::Leave`](super::Input::Leave) it says whether everything found a new owner.
    pub fn orphans(&self) -> usize {
        let orphans = |tenure: &Tenure| {
            let mut taken = tenure.owned.clone();
            self.each_claim(tenure, |_, claims| taken.unite(claims));
            usize::from(tenure.group.shards) - taken.len()
        };
        self.tenures.values().map(orphans).sum()
    }

    /// What the machine knows at `now`. O(nodes x groups).
    pub fn status(&self, now: Time) -> Status {
        let node = |peer: &Peer| NodeStatus {
            node: peer.id.clone(),
            age: now - peer.heard,
            heard_for: now - peer.since,
            is_mutual: peer.mutual_since.is_some(),
            is_indirect: !peer.is_direct,
            is_listening: peer.is_listening,
            is_draining: peer.is_draining,
            is_leaving: peer.is_leaving,
            is_deaf: peer.is_deaf,
            claims: peer.offers.values().map(|offer| offer.claims.len()).sum(),
        };
        let mut nodes: Vec<NodeStatus> = self.roll.live().map(node).collect();
        nodes.sort_by(|a, b| a.node.cmp(&b.node));
        let mut groups: Vec<GroupStatus> = self
            .tenures
            .values()
            .map(|it| self.group_status(it))
            .collect();
        groups.sort_by(|a, b| a.group.cmp(&b.group));
        Status {
            node: self.me.as_ref().map(|me| me.settings.node.clone()),
            phase: self.phase,
            is_draining: self.is_draining,
            valid_until: self.valid_until(),
            nodes,
            groups,
            counters: self.counters.clone(),
        }
    }

    fn group_status(&self, tenure: &Tenure) -> GroupStatus {
        let mut owners = BTreeMap::new();
        if let Some(me) = self.me.as_ref().filter(|_| !tenure.owned.is_empty()) {
            owners.insert(me.settings.node.clone(), tenure.owned.len());
        }
        self.each_claim(tenure, |node, claims| {
            owners.insert(node.clone(), claims.len());
        });
        GroupStatus {
            group: tenure.group.name.clone(),
            shards: tenure.group.shards,
            standing: tenure.group.standing,
            owners,
        }
    }

    fn each_claim(&self, tenure: &Tenure, mut tell: impl FnMut(&NodeId, &ShardSet)) {
        for peer in self.roll.live().filter(|peer| peer.is_respected()) {
            if let Some(claims) = peer.claims(tenure.id, tenure.group.shards) {
                tell(&peer.id, &claims);
            }
        }
    }
}

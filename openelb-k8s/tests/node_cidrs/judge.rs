//! Whether the rules hold.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use openelb_k8s::api::PodNetworkStatus;
use openelb_k8s::cluster::Node;
use openelb_k8s::node_cidrs::Change;
use openelb_k8s::pod_network::{NodeCidrs, clashes, read};

use crate::server::Server;

/// What is remembered of a world.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    /// Prefixes that somebody else gave: nobody can keep them from being those of others.
    pub(crate) foreign: BTreeSet<IpNet>,
}

impl Judge {
    /// Judges a write that reached the server; `before` are records and nodes as they were.
    pub(crate) fn judge(
        &self,
        change: &Change,
        before: (&PodNetworkStatus, &BTreeMap<String, Node>),
        server: &Server,
    ) -> Result<(), String> {
        self.no_prefix_twice(server)?;
        let (records, nodes) = before;
        for (name, node) in nodes {
            let now = server.nodes.get(name);
            let is_moved = now.is_some_and(|now| {
                !node.spec.pod_cidrs.is_empty() && now.spec.pod_cidrs != node.spec.pod_cidrs
            });
            if is_moved {
                return Err(format!("4: the specification of {name} changed"));
            }
        }
        if let Change::Node { name, uid, cidrs } = change
            && server.nodes.get(name).map(|it| &it.spec) != nodes.get(name).map(|it| &it.spec)
        {
            for cidr in cidrs {
                let owner = records.used.get(&cidr.to_string());
                if owner != Some(name) || records.uids.get(name) != Some(uid) {
                    return Err(format!("2: {name} has {cidr} without a record of {uid}"));
                }
            }
        }
        no_record_lost(records, server)
    }

    fn no_prefix_twice(&self, server: &Server) -> Result<(), String> {
        let claims = server.nodes.iter().flat_map(|(name, node)| {
            let cidrs = NodeCidrs::of_spec(node).cidrs;
            cidrs.into_iter().map(move |cidr| (name.as_str(), cidr))
        });
        let found = clashes(claims);
        let is_ours = |cidr: &IpNet| !self.foreign.contains(cidr);
        match found
            .iter()
            .find(|it| is_ours(&it.cidr) && is_ours(&it.others))
        {
            Some(clash) => Err(format!("1: {clash:?}")),
            None => Ok(()),
        }
    }

    /// Judges a world in which nobody wants anything more.
    pub(crate) fn judge_rest(&self, server: &Server) -> Result<(), String> {
        let network = server.network.as_ref().unwrap();
        let status = &network.status;
        for (cidr, name) in &status.used {
            let node = server.nodes.get(name);
            let uid = node.and_then(|node| node.metadata.uid.as_ref());
            if uid.is_none() || status.uids.get(name) != uid {
                return Err(format!("3: {cidr} is on record for {name}, who is gone"));
            }
        }
        let plan = read(network).0.unwrap();
        for (name, node) in &server.nodes {
            let cidrs = NodeCidrs::of(node);
            let is_waiting = cidrs.is_unset() && node.metadata.deletion_timestamp.is_none();
            if is_waiting && plan.selects(node) && is_room(server) {
                return Err(format!(
                    "{name} waits, and there is room: {:?}",
                    status.used
                ));
            }
            for cidr in NodeCidrs::of_spec(node).cidrs {
                let owner = status.used.get(&cidr.to_string());
                let is_recorded = owner == Some(name) || self.foreign.contains(&cidr);
                if plan.contains(&cidr) && plan.selects(node) && !is_recorded {
                    return Err(format!("{cidr} of {name} is not on record"));
                }
            }
        }
        Ok(())
    }
}

/// A record goes only when its node is gone, or its specification can never come to have it.
fn no_record_lost(before: &PodNetworkStatus, server: &Server) -> Result<(), String> {
    let Some(network) = &server.network else {
        return Ok(());
    };
    for (cidr, name) in &before.used {
        let uid = before.uids.get(name);
        let kept = network.status.used.get(cidr) == Some(name);
        let node = server.nodes.get(name);
        let lives = node.filter(|node| node.metadata.uid.as_ref() == uid);
        let may_come = lives.is_some_and(|node| {
            node.spec.pod_cidrs.is_empty() || node.spec.pod_cidrs.contains(cidr)
        });
        if may_come && !kept {
            return Err(format!(
                "3: the record of {cidr} for {name} went, who lives"
            ));
        }
    }
    Ok(())
}

/// Whether each family has a prefix that nobody has or is on record.
fn is_room(server: &Server) -> bool {
    let network = server.network.as_ref().unwrap();
    let plan = read(network).0.unwrap();
    let recorded = network.status.used.keys().map(|it| it.parse().unwrap());
    let shown = server.nodes.values().flat_map(|node| {
        let effective = NodeCidrs::of(node).cidrs;
        effective.into_iter().chain(NodeCidrs::of_spec(node).cidrs)
    });
    let taken: BTreeSet<IpNet> = recorded.chain(shown).collect();
    plan.families().all(|family| {
        let of_family = |range: &&IpNet| openelb_ipam::Family::of(range.addr()) == family;
        let mut ranges = plan.ranges.iter().filter(of_family);
        let length = plan.lengths[family];
        ranges.any(|range| {
            let mut subnets = range.subnets(length).unwrap();
            let overlaps = |subnet: &IpNet| {
                taken
                    .iter()
                    .any(|it| it.contains(subnet) || subnet.contains(it))
            };
            subnets.any(|subnet| !overlaps(&subnet))
        })
    })
}

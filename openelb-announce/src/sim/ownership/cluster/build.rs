//! A cluster before anything happens to it.

use super::super::journal::Journal;
use super::super::judge::{Held, Judge};
use super::super::scenario::{self, Scenario, letter};
use super::{Cluster, Node};
use crate::ownership::{Group, GroupName, NodeId, Shard, Standing};
use crate::sim::{Network, Setup};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

impl<'a> Cluster<'a> {
    pub(super) fn new(scenario: &'a Scenario, journal: Option<Journal>) -> Self {
        let mut network = Network::new(Setup {
            seed: scenario.seed,
            fence_after: scenario.fence_after,
            ..Setup::default()
        });
        let names: Vec<_> = (0..scenario.groups.len())
            .map(|number| GroupName::new(&format!("group{number}")))
            .collect();
        let nodes = scenario.nodes.iter().enumerate();
        let nodes: Vec<_> = nodes
            .map(|(number, node)| Node {
                host: network.add_speaker_with_clock(node.clock),
                name: NodeId::new(&letter(number).to_string()).expect("a letter is a name"),
                groups: groups(scenario, &names, node),
                boot: FIRST_BOOT,
            })
            .collect();
        let clients: Vec<_> = (0..scenario.clients)
            .map(|_| network.add_client())
            .collect();
        let held = held(scenario, &names);
        let mut holdings: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for held in &held {
            holdings.entry(held.shard).or_default().push(held.address);
            for client in &clients {
                network.stream(*client, held.address, STREAM);
            }
        }
        let hosts: Vec<_> = nodes
            .iter()
            .map(|node| (node.host, network.mac(node.host)))
            .collect();
        let judge = Judge::new(scenario, &hosts, &held);
        let mut cluster = Self {
            scenario,
            network,
            nodes,
            clients,
            holdings,
            judge,
            journal,
        };
        for host in cluster.hosts() {
            cluster.network.impair(host, scenario.cable);
        }
        cluster
    }
}

/// What a node stands for in a group.
pub(super) const fn standing(node: &scenario::Node, is_excluded: bool) -> Standing {
    if is_excluded {
        return Standing::Excluded;
    }
    Standing::Eligible {
        weight: node.weight,
        preference: node.preference,
    }
}

fn groups(scenario: &Scenario, names: &[GroupName], node: &scenario::Node) -> Vec<Group> {
    let group = |(number, (name, shards)): (usize, (&GroupName, &u16))| Group {
        name: name.clone(),
        shards: *shards,
        standing: standing(node, node.excluded & (1 << number.min(7)) != 0),
    };
    names
        .iter()
        .zip(&scenario.groups)
        .enumerate()
        .map(group)
        .collect()
}

/// The addresses of every shard: of one family or of both, in turn.
fn held(scenario: &Scenario, names: &[GroupName]) -> Vec<Held> {
    let mut held = Vec::new();
    for (group, (name, shards)) in names.iter().zip(&scenario.groups).enumerate() {
        for index in 0..*shards {
            let shard = Shard {
                group: name.id(),
                index,
            };
            let number = u8::try_from(held.len() + 1).unwrap_or(u8::MAX);
            let ipv4 = IpAddr::V4(Ipv4Addr::new(192, 0, 2, number));
            let ipv6 = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into()));
            let addresses = match (index + u16::from(number)) % 3 {
                0 => vec![ipv4],
                1 => vec![ipv6],
                _ => vec![ipv4, ipv6],
            };
            held.extend(addresses.into_iter().map(|address| Held {
                address,
                group,
                shard,
            }));
        }
    }
    held
}

/// How often a client sends to each address.
const STREAM: Duration = Duration::from_millis(200);
/// The boot number of every node's first process.
pub(super) const FIRST_BOOT: u64 = 1_000_000;

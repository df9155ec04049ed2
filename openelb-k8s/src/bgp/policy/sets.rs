//! The defined sets of a policy, by name.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;
use openelb_announce::bgp::community::{ExtendedCommunity, LargeCommunity};
use openelb_announce::bgp::policy::{
    AsPathPattern, CommunityPattern, NeighborSet, PrefixRange, PrefixSet,
};
use openelb_announce::bgp::prefix::Prefix;
use openelb_announce::bgp::route::PeerName;

use super::Faults;
use super::document::{DefinedSets, PrefixEntry};
use crate::problem::Reason;

/// Every set, by kind and name.
#[derive(Debug, Default)]
pub(super) struct Sets {
    pub(super) prefixes: BTreeMap<String, Arc<PrefixSet>>,
    pub(super) neighbors: BTreeMap<String, Arc<NeighborSet>>,
    pub(super) communities: BTreeMap<String, Vec<CommunityPattern>>,
    pub(super) ext_communities: BTreeMap<String, Vec<ExtendedCommunity>>,
    pub(super) large_communities: BTreeMap<String, Vec<LargeCommunity>>,
    pub(super) as_paths: BTreeMap<String, Vec<AsPathPattern>>,
}

impl Sets {
    pub(super) fn of(written: &DefinedSets, faults: &mut Faults) -> Self {
        let mut sets = Self::default();
        sets.read_prefixes(written, faults);
        sets.read_neighbors(written, faults);
        let bgp = &written.bgp_defined_sets;
        for set in &bgp.community_sets {
            let name = &set.community_set_name;
            let members = members("community-sets", name, &set.community_list, faults);
            insert(
                &mut sets.communities,
                "community-sets",
                name,
                members,
                faults,
            );
        }
        for set in &bgp.ext_community_sets {
            let name = &set.ext_community_set_name;
            let members = members("ext-community-sets", name, &set.ext_community_list, faults);
            insert(
                &mut sets.ext_communities,
                "ext-community-sets",
                name,
                members,
                faults,
            );
        }
        for set in &bgp.large_community_sets {
            let name = &set.large_community_set_name;
            let kind = "large-community-sets";
            let members = members(kind, name, &set.large_community_list, faults);
            insert(&mut sets.large_communities, kind, name, members, faults);
        }
        for set in &bgp.as_path_sets {
            let name = &set.as_path_set_name;
            let members = members("as-path-sets", name, &set.as_path_list, faults);
            insert(&mut sets.as_paths, "as-path-sets", name, members, faults);
        }
        sets
    }

    fn read_prefixes(&mut self, written: &DefinedSets, faults: &mut Faults) {
        for set in &written.prefix_sets {
            let name = &set.prefix_set_name;
            let key = format!("prefix-sets `{name}`");
            let ranges = set.prefix_list.iter();
            let ranges = ranges.filter_map(|entry| prefix_range(&key, entry, faults));
            let set = Arc::new(PrefixSet {
                name: name.as_str().into(),
                ranges: ranges.collect(),
            });
            insert(&mut self.prefixes, "prefix-sets", name, set, faults);
        }
    }

    fn read_neighbors(&mut self, written: &DefinedSets, faults: &mut Faults) {
        for set in &written.neighbor_sets {
            let name = &set.neighbor_set_name;
            let mut neighbors = NeighborSet {
                name: name.as_str().into(),
                peers: Vec::new(),
                networks: Vec::new(),
            };
            for text in &set.neighbor_info_list {
                match neighbor(text) {
                    Some(Neighbor::Network(network)) => neighbors.networks.push(network),
                    Some(Neighbor::Name(name)) => neighbors.peers.push(name),
                    None => faults.invalid(
                        format!("neighbor-sets `{name}`"),
                        format!("`{text}` is no address, prefix or name of a BgpPeer"),
                        "write one such as 192.0.2.1, 2001:db8::/64 or tor-1",
                    ),
                }
            }
            let neighbors = Arc::new(neighbors);
            insert(
                &mut self.neighbors,
                "neighbor-sets",
                name,
                neighbors,
                faults,
            );
        }
    }
}

enum Neighbor {
    Network(IpNet),
    Name(PeerName),
}

/// GoBGP knows neighbours by address alone; an unnumbered one has only its name.
fn neighbor(text: &str) -> Option<Neighbor> {
    if let Ok(network) = text.parse::<IpNet>() {
        return Some(Neighbor::Network(network.trunc()));
    }
    if let Ok(address) = text.parse::<std::net::IpAddr>() {
        return Some(Neighbor::Network(address.into()));
    }
    let is_name = text.starts_with(|c: char| c.is_ascii_lowercase());
    is_name.then(|| Neighbor::Name(PeerName::from(text)))
}

fn prefix_range(key: &str, entry: &PrefixEntry, faults: &mut Faults) -> Option<PrefixRange> {
    let prefix: Prefix = match entry.ip_prefix.parse() {
        Ok(prefix) => prefix,
        Err(error) => {
            let next = "write one such as 192.0.2.0/24 or 2001:db8::/32";
            faults.invalid(key, error, next);
            return None;
        }
    };
    if entry.masklength_range.is_empty() {
        return Some(PrefixRange::exactly(prefix));
    }
    let Some(lengths) = lengths(&entry.masklength_range) else {
        let message = format!("`{}` is no range of mask lengths", entry.masklength_range);
        faults.invalid(key, message, "write one such as 24..32");
        return None;
    };
    PrefixRange::new(prefix, lengths)
        .map_err(|error| faults.text(Reason::Invalid, key, error))
        .ok()
}

fn lengths(text: &str) -> Option<RangeInclusive<u8>> {
    let (shortest, longest) = text.split_once("..")?;
    Some(shortest.trim().parse().ok()?..=longest.trim().parse().ok()?)
}

/// The members that can be read. What cannot is one of GoBGP's regular expressions, or a mistake.
fn members<T: FromStr<Err: Display>>(
    kind: &str,
    name: &str,
    texts: &[String],
    faults: &mut Faults,
) -> Vec<T> {
    let read = texts.iter().filter_map(|text| {
        let fault = |error| {
            faults.text(Reason::UnsupportedField, format!("{kind} `{name}`"), error);
        };
        text.parse().map_err(fault).ok()
    });
    read.collect()
}

fn insert<T>(sets: &mut BTreeMap<String, T>, kind: &str, name: &str, set: T, faults: &mut Faults) {
    if sets.insert(name.to_owned(), set).is_some() {
        let message = format!("there are two sets `{name}`");
        faults.invalid(kind, message, "rename or remove one of them");
    }
}

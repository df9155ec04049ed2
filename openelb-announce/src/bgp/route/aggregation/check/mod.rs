//! What the advertisements of one pool must keep, and the words when they do not.

use super::{Advertisement, NodeSelection};
use crate::bgp::family::Family;
use crate::bgp::route::PeerSelection;
use ipnet::IpSubnets;
use std::net::IpAddr;

/// Why the advertisements of a pool are refused. Advertisements are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdvertisementError {
    /// An aggregation length that no address of the family has.
    #[error("advertisement {number}: aggregation length {length} is beyond {}; write a smaller one", family.host_length())]
    Length {
        /// Which advertisement.
        number: usize,
        /// The family of the length.
        family: Family,
        /// The length.
        length: u8,
    },
    /// The aggregate would reach beyond the pool and attract the traffic of others.
    #[error(
        "advertisement {number}: a /{length} reaches beyond the pool's {first}-{last}, whose \
         largest block is a /{block}; write {block} or more"
    )]
    BeyondPool {
        /// Which advertisement.
        number: usize,
        /// The aggregation length.
        length: u8,
        /// The first address of the range.
        first: IpAddr,
        /// The last address of the range.
        last: IpAddr,
        /// The shortest prefix length of a block in the range.
        block: u8,
    },
    /// Aggregates of an advertisement that leaves services out.
    #[error(
        "advertisement {number}: it selects services, but a /{length} also leads to those left \
         out; write {}", family.host_length()
    )]
    PartialAggregate {
        /// Which advertisement.
        number: usize,
        /// The family of the length.
        family: Family,
        /// The aggregation length.
        length: u8,
    },
    /// Two advertisements would give one route two values.
    #[error(
        "advertisements {first} and {second} give the same {family} routes to the same peers with \
         a different {field}; make it equal, or their nodes, peers or aggregation lengths different"
    )]
    Conflict {
        /// The first of them.
        first: usize,
        /// The second of them.
        second: usize,
        /// The family in which they meet.
        family: Family,
        /// What differs.
        field: &'static str,
    },
    /// More communities than `MetalLB` and many routers take.
    #[error("advertisement {number}: it has {count} communities; keep at most {MAX_COMMUNITIES}")]
    TooManyCommunities {
        /// Which advertisement.
        number: usize,
        /// How many there are.
        count: usize,
    },
}

/// Checks the advertisements of one pool, which consists of ranges of first and last addresses.
///
/// Two that meet at the same nodes, peers and aggregation length may differ in their communities
/// only, which are put together.
pub fn check_advertisements(
    advertisements: &[Advertisement],
    ranges: &[(IpAddr, IpAddr)],
) -> Result<(), AdvertisementError> {
    for (number, way) in (1..).zip(advertisements) {
        check_communities(number, way)?;
        for family in Family::ALL {
            check_length(number, way, family)?;
        }
        for range in ranges {
            check_range(number, way, *range)?;
        }
    }
    let has = |family| ranges.iter().any(|(first, _)| Family::of(*first) == family);
    for family in Family::ALL.into_iter().filter(|family| has(*family)) {
        check_conflicts(advertisements, family)?;
    }
    Ok(())
}

fn check_communities(number: usize, way: &Advertisement) -> Result<(), AdvertisementError> {
    let attributes = &way.attributes;
    let count = attributes.communities.len()
        + attributes.large_communities.len()
        + attributes.extended_communities.len();
    if count > MAX_COMMUNITIES {
        return Err(AdvertisementError::TooManyCommunities { number, count });
    }
    Ok(())
}

fn check_length(
    number: usize,
    way: &Advertisement,
    family: Family,
) -> Result<(), AdvertisementError> {
    let length = way.aggregation[family];
    if length > family.host_length() {
        return Err(AdvertisementError::Length {
            number,
            family,
            length,
        });
    }
    if way.selects_services && length < family.host_length() {
        return Err(AdvertisementError::PartialAggregate {
            number,
            family,
            length,
        });
    }
    Ok(())
}

fn check_range(
    number: usize,
    way: &Advertisement,
    (first, last): (IpAddr, IpAddr),
) -> Result<(), AdvertisementError> {
    let length = way.aggregation[Family::of(first)];
    let Some(block) = largest_block(first, last) else {
        return Ok(());
    };
    if length >= block {
        return Ok(());
    }
    Err(AdvertisementError::BeyondPool {
        number,
        length,
        first,
        last,
        block,
    })
}

/// The shortest prefix length among the blocks that make up a range.
fn largest_block(first: IpAddr, last: IpAddr) -> Option<u8> {
    let blocks = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            IpSubnets::from(ipnet::Ipv4Subnets::new(first, last, 0))
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            IpSubnets::from(ipnet::Ipv6Subnets::new(first, last, 0))
        }
        _ => return None,
    };
    blocks.map(|block| block.prefix_len()).min()
}

fn check_conflicts(ways: &[Advertisement], family: Family) -> Result<(), AdvertisementError> {
    for (first, one) in (1..).zip(ways) {
        for (second, other) in (1..).zip(ways).skip(first) {
            if let Some(field) = conflict(one, other, family) {
                return Err(AdvertisementError::Conflict {
                    first,
                    second,
                    family,
                    field,
                });
            }
        }
    }
    Ok(())
}

/// What two advertisements say differently about one route, if they can meet on one.
fn conflict(one: &Advertisement, other: &Advertisement, family: Family) -> Option<&'static str> {
    let meet = one.aggregation[family] == other.aggregation[family]
        && nodes_meet(&one.nodes, &other.nodes)
        && peers_meet(&one.peers, &other.peers);
    let (a, b) = (&one.attributes, &other.attributes);
    match meet {
        false => None,
        true if a.local_pref != b.local_pref => Some("local preference"),
        true if a.med != b.med => Some("MED"),
        true if one.prepend != other.prepend || a.as_path != b.as_path => Some("AS path"),
        true if a.origin != b.origin => Some("origin"),
        true if one.next_hop != other.next_hop => Some("next hop"),
        true => None,
    }
}

fn nodes_meet(one: &NodeSelection, other: &NodeSelection) -> bool {
    match (one, other) {
        (NodeSelection::Named(one), NodeSelection::Named(other)) => !one.is_disjoint(other),
        _ => true,
    }
}

fn peers_meet(one: &PeerSelection, other: &PeerSelection) -> bool {
    match (one, other) {
        (PeerSelection::Named(one), PeerSelection::Named(other)) => !one.is_disjoint(other),
        _ => true,
    }
}

/// `MetalLB`'s limit.
const MAX_COMMUNITIES: usize = 63;

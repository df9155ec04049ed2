//! What of the ranges is free: node prefixes out of the allocator's index.

use ipnet::IpNet;
use openelb_ipam::family::from_bits;
use openelb_ipam::{AddressRange, DualStack, Family, Occupancy, RangeSet};
use thiserror::Error;

use super::Plan;

/// The free node prefixes of a plan.
#[derive(Debug, Clone)]
pub struct Free {
    index: DualStack<Occupancy>,
    lengths: DualStack<u8>,
}

/// No node prefix of a family is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no /{length} of {family} is free in `spec.ranges`; add a range")]
pub struct Exhausted {
    /// The family.
    pub family: Family,
    /// The length of a node's prefix.
    pub length: u8,
}

impl Free {
    /// The ranges of a plan without what is taken. O(taken).
    ///
    /// ```
    /// use openelb_k8s::api::PodNetwork;
    /// use openelb_k8s::pod_network::{Free, read};
    /// use openelb_ipam::Family;
    ///
    /// let (plan, _) = read(&PodNetwork::new(["10.244.0.0/16"]));
    /// let mut free = Free::of(&plan.unwrap(), ["10.244.0.0/23".parse()?]);
    /// assert_eq!(free.take([Family::V4])?, ["10.244.2.0/24".parse()?]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(plan: &Plan, taken: impl IntoIterator<Item = IpNet>) -> Self {
        let ranges = plan.ranges.iter().copied().map(AddressRange::from);
        let ranges: RangeSet = ranges.collect();
        let mut free = Self {
            index: DualStack::from_fn(|family| Occupancy::new(family, &ranges)),
            lengths: plan.lengths,
        };
        for cidr in taken {
            free.occupy(cidr);
        }
        free
    }

    /// The lowest free prefix of each family, taken; all of them or none.
    pub fn take(
        &mut self,
        families: impl IntoIterator<Item = Family>,
    ) -> Result<Vec<IpNet>, Exhausted> {
        let lowest = |family: Family| {
            let length = self.lengths[family];
            let first = self.index[family].free_prefix(length);
            let first = first.ok_or(Exhausted { family, length })?;
            let cidr = IpNet::new(from_bits(family, first), length);
            cidr.map_err(|_| Exhausted { family, length })
        };
        let found: Vec<_> = families.into_iter().map(lowest).collect::<Result<_, _>>()?;
        for cidr in &found {
            self.occupy(*cidr);
        }
        Ok(found)
    }

    fn occupy(&mut self, cidr: IpNet) {
        let family = Family::of(cidr.addr());
        self.index[family].take_range(AddressRange::from(cidr));
    }
}

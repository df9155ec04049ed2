//! Pools: what a user writes, and what remains of it once checked.

mod error;
mod reserve;
mod selector;
mod spec;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

pub use self::error::{Field, PoolSpecError, SpecProblem};
pub use self::selector::{Operator, Requirement, Selector};
pub use self::spec::{OnShrink, PoolSpec, ReserveRules, Strategy};
use crate::family::Family;
use crate::name::PoolName;
use crate::range::{AddressRange, HostBits};
use crate::range_set::RangeSet;
use crate::request::Labels;

/// A pool whose specification has been checked; nothing re-checks it afterwards.
///
/// ```
/// use openelb_ipam::{AddressCount, Family, Pool, PoolSpec};
///
/// let pool = Pool::try_from(&PoolSpec::new("public".parse()?, ["192.0.2.0/24"]))?;
/// assert_eq!(pool.universe().count(Family::V4), AddressCount::new(254));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    spec: PoolSpec,
    ranges: RangeSet,
    universe: RangeSet,
}

impl Pool {
    /// The name.
    pub fn name(&self) -> &PoolName {
        &self.spec.name
    }

    /// The specification it was made from.
    pub fn spec(&self) -> &PoolSpec {
        &self.spec
    }

    /// The ranges without the exclusions: what other pools must not overlap.
    pub fn ranges(&self) -> &RangeSet {
        &self.ranges
    }

    /// The addresses that can be given: the ranges without the exclusions and the reserved ones.
    pub fn universe(&self) -> &RangeSet {
        &self.universe
    }

    /// Whether the pool has any address of the family to give.
    ///
    /// ```
    /// # use openelb_ipam::{Family, Pool, PoolSpec};
    /// let pool = Pool::try_from(&PoolSpec::new("p".parse()?, ["192.0.2.0/24"]))?;
    /// assert!(pool.serves(Family::V4) && !pool.serves(Family::V6));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn serves(&self, family: Family) -> bool {
        !self.universe.ranges(family).is_empty()
    }

    /// Whether an address is in the ranges but never given.
    ///
    /// ```
    /// # use openelb_ipam::{Pool, PoolSpec};
    /// let pool = Pool::try_from(&PoolSpec::new("p".parse()?, ["192.0.2.0/24"]))?;
    /// assert!(pool.is_reserved("192.0.2.255".parse()?));
    /// assert!(!pool.is_reserved("192.0.2.1".parse()?));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn is_reserved(&self, address: IpAddr) -> bool {
        self.ranges.contains(address) && !self.universe.contains(address)
    }

    /// Whether the pool is bound to some namespaces or services.
    pub fn is_bound(&self) -> bool {
        self.is_bound_to_namespaces() || !self.spec.service_selectors.is_empty()
    }

    /// Whether the binding, if there is one, lets an owner of the namespace in.
    ///
    /// ```
    /// # use openelb_ipam::{Labels, Pool, PoolSpec};
    /// let mut spec = PoolSpec::new("p".parse()?, ["192.0.2.0/24"]);
    /// spec.namespaces = vec!["blue".to_string()];
    /// let pool = Pool::try_from(&spec)?;
    /// assert!(pool.is_bound());
    /// assert!(!pool.admits_namespace("green", &Labels::new()));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn admits_namespace(&self, namespace: &str, labels: &Labels) -> bool {
        !self.is_bound_to_namespaces()
            || self.spec.namespaces.iter().any(|name| name == namespace)
            || self
                .spec
                .namespace_selectors
                .iter()
                .any(|selector| selector.matches(labels))
    }

    /// Whether the binding, if there is one, lets a service with the labels in.
    pub fn admits_service(&self, labels: &Labels) -> bool {
        let selectors = &self.spec.service_selectors;
        selectors.is_empty() || selectors.iter().any(|selector| selector.matches(labels))
    }

    /// Removes ranges that belong to a pool listed earlier.
    pub(crate) fn cede(&mut self, elder: &RangeSet) {
        self.ranges = self.ranges.difference(elder);
        self.universe = self.universe.difference(elder);
    }

    fn is_bound_to_namespaces(&self) -> bool {
        !self.spec.namespaces.is_empty() || !self.spec.namespace_selectors.is_empty()
    }
}

impl TryFrom<&PoolSpec> for Pool {
    type Error = PoolSpecError;

    fn try_from(spec: &PoolSpec) -> Result<Self, PoolSpecError> {
        check(spec).map_err(|(field, problem)| PoolSpecError {
            pool: spec.name.clone(),
            field,
            problem,
        })
    }
}

type Fault = (Field, Box<SpecProblem>);

fn fault(field: Field, problem: SpecProblem) -> Fault {
    (field, Box::new(problem))
}

fn check(spec: &PoolSpec) -> Result<Pool, Fault> {
    let host_bits = if spec.drop_host_bits {
        HostBits::Drop
    } else {
        HostBits::Refuse
    };
    let entries = parse_entries(Field::Ranges, &spec.ranges, host_bits)?;
    if entries.is_empty() {
        return Err(fault(Field::Ranges, SpecProblem::NoRanges));
    }
    let included = disjoint(&entries)?;
    let excluded = parse_entries(Field::Exclude, &spec.exclude, host_bits)?;
    let excluded = excluded.into_iter().map(|entry| entry.range).collect();
    let ranges = included.difference(&excluded);
    let universe = ranges.difference(&reserved(spec, &entries)?);
    check_binding(spec)?;
    if spec.namespace_quota == Some(0) {
        return Err(fault(Field::NamespaceQuota, SpecProblem::ZeroQuota));
    }
    Ok(Pool {
        spec: spec.clone(),
        ranges,
        universe,
    })
}

/// One entry of a list with its position, counted from 1.
struct Entry {
    position: usize,
    range: AddressRange,
    is_prefix: bool,
}

fn parse_entries(field: Field, list: &[String], host_bits: HostBits) -> Result<Vec<Entry>, Fault> {
    let texts = list.iter().flat_map(|entry| entry.split([',', '\n']));
    let texts = texts.map(str::trim).filter(|text| !text.is_empty());
    texts
        .enumerate()
        .map(|(at, text)| {
            let position = at + 1;
            let range = AddressRange::parse(text, host_bits)
                .map_err(|source| fault(field, SpecProblem::Entry { position, source }))?;
            Ok(Entry {
                position,
                range,
                is_prefix: text.contains('/'),
            })
        })
        .collect()
}

fn disjoint(entries: &[Entry]) -> Result<RangeSet, Fault> {
    let mut set = RangeSet::new();
    for entry in entries {
        set.insert_disjoint(entry.range).map_err(|overlap| {
            let position = entry.position;
            fault(Field::Ranges, SpecProblem::Overlap { position, overlap })
        })?;
    }
    Ok(set)
}

fn reserved(spec: &PoolSpec, entries: &[Entry]) -> Result<RangeSet, Fault> {
    let rules = spec.reserve;
    let mut set = if rules.special {
        reserve::special()
    } else {
        RangeSet::new()
    };
    if rules.special {
        for Entry {
            position, range, ..
        } in entries
        {
            if set.contains_range(range) {
                let problem = SpecProblem::Special {
                    position: *position,
                    range: *range,
                };
                return Err(fault(Field::Ranges, problem));
            }
        }
    }
    for Entry {
        position,
        range,
        is_prefix,
    } in entries
    {
        let too_broad = |rule| {
            let problem = SpecProblem::TooBroad {
                position: *position,
                range: *range,
                rule,
            };
            fault(Field::Reserve, problem)
        };
        if *is_prefix {
            set = set.union(&reserve::edges(range, rules));
        }
        if rules.buggy {
            set = set.union(&reserve::buggy(range).ok_or_else(|| too_broad("buggy"))?);
        }
        if rules.interface_ids {
            let ids = reserve::interface_ids(range).ok_or_else(|| too_broad("interfaceIds"))?;
            set = set.union(&ids);
        }
    }
    Ok(set)
}

fn check_binding(spec: &PoolSpec) -> Result<(), Fault> {
    if let Some(twice) = first_repeated(spec.namespaces.iter().cloned()) {
        return Err(fault(Field::Namespaces, SpecProblem::NamedTwice(twice)));
    }
    let lists = [
        (Field::NamespaceSelectors, &spec.namespace_selectors),
        (Field::ServiceSelectors, &spec.service_selectors),
    ];
    for (field, selectors) in lists {
        if first_repeated(selectors.iter().map(Selector::normalized)).is_some() {
            return Err(fault(field, SpecProblem::SelectorTwice));
        }
    }
    Ok(())
}

fn first_repeated<T: Ord>(items: impl Iterator<Item = T>) -> Option<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    let at = items
        .windows(2)
        .position(|pair| matches!(pair, [a, b] if a == b))?;
    Some(items.swap_remove(at))
}

#[cfg(test)]
mod tests;

//! Names that are derived to one prefix: only one of them is shown under it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use ipnet::Ipv6Net;

use super::name::PrefixName;
use crate::dynamic_prefix::Generations;
use crate::time::Time;

/// A prefix under which no address of a name is shown, because another name has the same prefix, a
/// part of it or more than it: one address could be given twice.
///
/// Its [`Display`](fmt::Display) is a sentence for whoever can mend it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Overlap {
    /// The name that goes without.
    pub name: PrefixName,
    /// What it would have.
    pub prefix: Ipv6Net,
    /// The name that has it.
    pub other: PrefixName,
    /// What that one has.
    pub held: Ipv6Net,
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            prefix,
            other,
            held,
        } = self;
        let what = if prefix == held {
            "which is also that of"
        } else {
            "which overlaps"
        };
        write!(f, "{name} is {prefix}, {what} {other}")?;
        if prefix != held {
            write!(f, " with {held}")?;
        }
        write!(
            f,
            ", and {other} keeps it; give {name} another spec.subnet.number"
        )
    }
}

/// Every overlap of different names.
///
/// Who came first stays, so that nobody takes an address away that is in use; of two that came at
/// once, the one that is first by name. O(n log n) in the number of generations while there is none.
pub(super) fn among(generations: &BTreeMap<PrefixName, Generations>) -> Vec<Overlap> {
    let claims = generations.iter().flat_map(|(name, generations)| {
        let prefixes = generations.iter();
        prefixes.map(move |it| Claim {
            since: it.since,
            name,
            prefix: it.prefix,
        })
    });
    let mut claims: Vec<_> = claims.collect();
    if !is_any_shared(&mut claims) {
        return Vec::new();
    }
    claims.sort();
    let mut held: Vec<Claim<'_>> = Vec::new();
    let mut overlaps = Vec::new();
    for claim in claims {
        match held.iter().find(|held| held.rules_out(&claim)) {
            None => held.push(claim),
            Some(first) => overlaps.push(Overlap {
                name: claim.name.clone(),
                prefix: claim.prefix,
                other: first.name.clone(),
                held: first.prefix,
            }),
        }
    }
    overlaps
}

/// A generation of a name. Ordered by who came first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim<'a> {
    since: Time,
    name: &'a PrefixName,
    prefix: Ipv6Net,
}

impl Claim<'_> {
    fn rules_out(&self, other: &Self) -> bool {
        let overlap = self.prefix.contains(&other.prefix) || other.prefix.contains(&self.prefix);
        self.name != other.name && overlap
    }
}

/// Whether any two overlap. Two prefixes are apart, or one lies within the other; so those around
/// one, by order of address, are a stack.
fn is_any_shared(claims: &mut [Claim<'_>]) -> bool {
    claims.sort_by_key(|claim| claim.prefix);
    let mut around: Vec<Claim<'_>> = Vec::new();
    claims.iter().any(|claim| {
        while around
            .pop_if(|outer| !outer.prefix.contains(&claim.prefix))
            .is_some()
        {}
        let is_shared = around.iter().any(|outer| outer.name != claim.name);
        around.push(*claim);
        is_shared
    })
}

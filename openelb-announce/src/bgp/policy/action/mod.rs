//! What a statement does to a route.

use super::{MAX_PREPEND, PolicyError, Subject, Subjected};
use crate::bgp::asn::Asn;
use crate::bgp::attribute::Attributes;
use crate::bgp::community::{Community, CommunitySet, ExtendedCommunity, LargeCommunity};
use crate::bgp::next_hop::{NextHop, NextHopError};
use std::net::IpAddr;
use std::sync::Arc;

/// One change of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Changes its standard communities.
    Communities(Edit, Vec<Community>),
    /// Changes its extended communities.
    ExtendedCommunities(Edit, Vec<ExtendedCommunity>),
    /// Changes its large communities.
    LargeCommunities(Edit, Vec<LargeCommunity>),
    /// Changes its MED.
    Med(Med),
    /// Sets its local preference, which external peers never see.
    LocalPref(u32),
    /// Makes its AS path longer. Towards an internal peer our own AS is never prepended: the peer
    /// would take it for a loop (RFC 4271 section 9.1.2).
    Prepend {
        /// Whose number is prepended.
        asn: PrependAsn,
        /// How often, 1 to 100.
        times: u8,
    },
    /// Gives it another next hop.
    NextHop(SetNextHop),
}

/// How a set of communities changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edit {
    /// These are put to it.
    Add,
    /// These are taken out.
    Remove,
    /// It has these and no others.
    Replace,
}

/// How a MED changes. A route without one counts as 0, and sums stop at the ends of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Med {
    /// To this value.
    Set(u32),
    /// Up by this much.
    Add(u32),
    /// Down by this much.
    Subtract(u32),
}

/// Whose AS number is prepended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrependAsn {
    /// This one.
    Asn(Asn),
    /// The first one of the path, which on an external session is ours; without a path, none.
    LastAs,
}

/// Which next hop a policy asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetNextHop {
    /// This speaker's own for the session.
    Own,
    /// This address; a route that it does not fit is not announced.
    Address(IpAddr),
}

impl Action {
    pub(super) fn check(&self, statement: &Arc<str>) -> Result<(), PolicyError> {
        let statement = || Arc::clone(statement);
        match *self {
            Self::Prepend { times, .. } if !(1..=MAX_PREPEND).contains(&times) => {
                Err(PolicyError::Prepend {
                    statement: statement(),
                    times,
                })
            }
            Self::Prepend {
                asn: PrependAsn::Asn(asn),
                ..
            } if asn.is_reserved() => Err(PolicyError::ReservedAsn {
                statement: statement(),
                asn,
            }),
            Self::NextHop(SetNextHop::Address(address)) => {
                check_next_hop(address).map_err(|reason| PolicyError::NextHop {
                    statement: statement(),
                    reason,
                })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn apply(&self, subject: &Subject<'_>, route: &mut Subjected) {
        let attributes = &mut route.attributes;
        match self {
            Self::Communities(edit, list) => edit.apply(&mut attributes.communities, list),
            Self::ExtendedCommunities(edit, list) => {
                edit.apply(&mut attributes.extended_communities, list);
            }
            Self::LargeCommunities(edit, list) => {
                edit.apply(&mut attributes.large_communities, list);
            }
            Self::Med(change) => attributes.med = Some(change.of(attributes.med)),
            Self::LocalPref(value) => attributes.local_pref = Some(*value),
            Self::Prepend { asn, times } => prepend(*asn, *times, subject, attributes),
            Self::NextHop(next_hop) => route.next_hop = Some(*next_hop),
        }
    }
}

impl Edit {
    fn apply<T: Ord + Copy>(self, set: &mut CommunitySet<T>, list: &[T]) {
        let listed = list.iter().copied();
        match self {
            Self::Add => set.extend(listed),
            Self::Remove => set.retain(|community| !list.contains(community)),
            Self::Replace => *set = listed.collect(),
        }
    }
}

impl Med {
    fn of(self, before: Option<u32>) -> u32 {
        let before = before.unwrap_or(0);
        match self {
            Self::Set(value) => value,
            Self::Add(value) => before.saturating_add(value),
            Self::Subtract(value) => before.saturating_sub(value),
        }
    }
}

fn prepend(asn: PrependAsn, times: u8, subject: &Subject<'_>, attributes: &mut Attributes) {
    let asn = match asn {
        PrependAsn::Asn(asn) => Some(asn),
        PrependAsn::LastAs => attributes.as_path.first_as(),
    };
    let loops = |asn: &Asn| subject.ibgp && *asn == subject.local_as;
    if let Some(asn) = asn.filter(|asn| !loops(asn)) {
        attributes.as_path.prepend(asn, times.into());
    }
}

fn check_next_hop(address: IpAddr) -> Result<(), NextHopError> {
    match address {
        IpAddr::V4(address) => NextHop::v4(address).map(drop),
        IpAddr::V6(address) => NextHop::v6(address).map(drop),
    }
}

//! The attributes of an UPDATE one by one: what each may look like (RFC 7606 section 7).

use super::DecodeContext;
use super::fault::{AttributeCode, Disposition, FaultKind};
use super::path::{self, Width};
use crate::bgp::asn::{Asn, RouterId};
use crate::bgp::attribute::{Attributes, Origin};
use crate::bgp::community::{Community, ExtendedCommunity, LargeCommunity};
use crate::bgp::next_hop::NextHop;
use std::net::Ipv4Addr;

/// The valid attributes of a message, lists still as octets.
#[derive(Clone, Debug, Default)]
pub(super) struct Found<'a> {
    origin: Option<Origin>,
    as_path: Option<(&'a [u8], Width)>,
    as4_path: Option<&'a [u8]>,
    aggregator: Option<Asn>,
    pub(super) next_hop: Option<NextHop>,
    med: Option<u32>,
    local_pref: Option<u32>,
    pub(super) originator: Option<RouterId>,
    communities: &'a [[u8; 4]],
    large_communities: &'a [[u8; 12]],
    extended_communities: &'a [[u8; 8]],
}

impl<'a> Found<'a> {
    /// Takes an attribute whose flags are right and that is not a multiprotocol one.
    pub(super) fn take(
        &mut self,
        code: AttributeCode,
        value: &'a [u8],
        context: &DecodeContext,
    ) -> Result<(), FaultKind> {
        match code {
            AttributeCode::Origin => {
                let [origin] = array(value)?;
                self.origin = Some(Origin::from_wire(origin).ok_or(FaultKind::Value)?);
            }
            AttributeCode::AsPath => self.take_as_path(value, context)?,
            AttributeCode::NextHop => {
                let address = Ipv4Addr::from(array::<4>(value)?);
                self.next_hop = Some(NextHop::v4(address).map_err(|_| FaultKind::Value)?);
            }
            AttributeCode::MultiExitDiscriminator => self.med = Some(number(value)?),
            AttributeCode::LocalPref => self.local_pref = Some(number(value)?),
            // The all-zero identifier is nobody's (RFC 6286 section 2.1), so it names nobody.
            AttributeCode::OriginatorId => self.originator = RouterId::new(number(value)?),
            AttributeCode::OnlyToCustomer => _ = number(value)?,
            AttributeCode::AtomicAggregate => {
                let [] = array(value)?;
            }
            AttributeCode::Aggregator => self.aggregator = Some(aggregator(value, context)?),
            AttributeCode::As4Aggregator => {
                array::<8>(value)?;
            }
            AttributeCode::As4Path => {
                path::check(value, Width::Four, true)?;
                self.as4_path = Some(value);
            }
            AttributeCode::Communities => self.communities = list(value)?,
            AttributeCode::LargeCommunities => self.large_communities = list(value)?,
            AttributeCode::ExtendedCommunities => self.extended_communities = list(value)?,
            AttributeCode::Ipv6ExtendedCommunities => {
                list::<20>(value)?;
            }
            AttributeCode::ClusterList => {
                list::<4>(value)?;
            }
            AttributeCode::AttributeSet => {
                value.first_chunk::<4>().ok_or(FaultKind::Length)?;
            }
            // AIGP counts only where it was configured (RFC 7311 section 3.4): nowhere here.
            AttributeCode::Aigp | AttributeCode::Unknown(_) => {}
            AttributeCode::MpReachNlri | AttributeCode::MpUnreachNlri => {}
        }
        Ok(())
    }

    /// Which attributes that every route must have are not there (RFC 4271 section 5).
    pub(super) fn missing(&self) -> impl Iterator<Item = AttributeCode> {
        let origin = self.origin.is_none().then_some(AttributeCode::Origin);
        let as_path = self.as_path.is_none().then_some(AttributeCode::AsPath);
        origin.into_iter().chain(as_path)
    }

    /// Everything as values.
    pub(super) fn attributes(&self) -> Attributes {
        Attributes {
            origin: self.origin.unwrap_or_default(),
            as_path: self.path(),
            med: self.med,
            local_pref: self.local_pref,
            communities: self
                .communities
                .iter()
                .map(|octets| Community(u32::from_be_bytes(*octets)))
                .collect(),
            large_communities: self.large_communities.iter().map(large).collect(),
            extended_communities: self
                .extended_communities
                .iter()
                .map(|octets| ExtendedCommunity(*octets))
                .collect(),
        }
    }

    fn take_as_path(&mut self, value: &'a [u8], context: &DecodeContext) -> Result<(), FaultKind> {
        let width = width(context);
        // RFC 5065 section 5: only members of a confederation, which look internal, tell of others.
        path::check(value, width, !context.ebgp)?;
        let expected = context.first_as.filter(|_| context.ebgp);
        if expected.is_some_and(|neighbor| path::first_as(value, width) != Some(neighbor)) {
            return Err(FaultKind::FirstAs);
        }
        self.as_path = Some((value, width));
        Ok(())
    }

    fn path(&self) -> crate::bgp::attribute::AsPath {
        let path = self.as_path.map(|(value, width)| path::read(value, width));
        let path = path.unwrap_or_default();
        // RFC 6793 section 4.2.3: an aggregator of two octets has aggregated since.
        let aggregated = self.aggregator.is_some_and(|asn| asn != Asn::AS_TRANS);
        match self.as4_path.filter(|_| !aggregated) {
            Some(value) => path::merge(path, &path::read(value, Width::Four)),
            None => path,
        }
    }
}

/// The flags that an attribute must have; `None` for those that this speaker does not know, and for
/// AIGP, which is discarded whatever its flags are (RFC 7311 section 3.2).
pub(super) const fn flags(code: AttributeCode) -> Option<u8> {
    Some(match code {
        AttributeCode::Origin
        | AttributeCode::AsPath
        | AttributeCode::NextHop
        | AttributeCode::LocalPref
        | AttributeCode::AtomicAggregate => TRANSITIVE,
        AttributeCode::MultiExitDiscriminator
        | AttributeCode::OriginatorId
        | AttributeCode::ClusterList
        | AttributeCode::MpReachNlri
        | AttributeCode::MpUnreachNlri => OPTIONAL,
        AttributeCode::Aggregator
        | AttributeCode::Communities
        | AttributeCode::ExtendedCommunities
        | AttributeCode::As4Path
        | AttributeCode::As4Aggregator
        | AttributeCode::Ipv6ExtendedCommunities
        | AttributeCode::LargeCommunities
        | AttributeCode::OnlyToCustomer
        | AttributeCode::AttributeSet => OPTIONAL | TRANSITIVE,
        AttributeCode::Aigp | AttributeCode::Unknown(_) => return None,
    })
}

/// Whether the attribute means nothing in this session, whatever it holds.
pub(super) const fn is_foreign(code: AttributeCode, context: &DecodeContext) -> bool {
    match code {
        // RFC 7606 sections 7.5, 7.9 and 7.10.
        AttributeCode::LocalPref | AttributeCode::OriginatorId | AttributeCode::ClusterList => {
            context.ebgp
        }
        // RFC 6793 section 4.1.
        AttributeCode::As4Path | AttributeCode::As4Aggregator => context.four_octet_as,
        _ => false,
    }
}

/// What is done about a fault of an attribute (RFC 7606 sections 3 and 7, RFC 6793 section 6).
pub(super) const fn disposition(code: AttributeCode, kind: FaultKind) -> Disposition {
    match (kind, code) {
        (FaultKind::Duplicate | FaultKind::Family, _) => Disposition::Discarded,
        (FaultKind::Flags | FaultKind::Overrun | FaultKind::Missing | FaultKind::Set, _) => {
            Disposition::Withdrawn
        }
        (FaultKind::NotAllowed, AttributeCode::MpReachNlri) => Disposition::Withdrawn,
        (FaultKind::NotAllowed, _) => Disposition::Discarded,
        (
            _,
            AttributeCode::AtomicAggregate
            | AttributeCode::Aggregator
            | AttributeCode::As4Path
            | AttributeCode::As4Aggregator,
        ) => Disposition::Discarded,
        _ => Disposition::Withdrawn,
    }
}

const fn width(context: &DecodeContext) -> Width {
    if context.four_octet_as {
        Width::Four
    } else {
        Width::Two
    }
}

/// A value of exactly `N` octets.
fn array<const N: usize>(value: &[u8]) -> Result<[u8; N], FaultKind> {
    value.try_into().map_err(|_| FaultKind::Length)
}

fn number(value: &[u8]) -> Result<u32, FaultKind> {
    array(value).map(u32::from_be_bytes)
}

/// At least one value of `N` octets each.
fn list<const N: usize>(value: &[u8]) -> Result<&[[u8; N]], FaultKind> {
    match value.as_chunks() {
        ([], _) => Err(FaultKind::Length),
        (values, []) => Ok(values),
        _ => Err(FaultKind::Length),
    }
}

/// The number of the aggregator, before its address; 0 is malformed (RFC 7607 section 2).
fn aggregator(value: &[u8], context: &DecodeContext) -> Result<Asn, FaultKind> {
    let number = match width(context) {
        Width::Two => {
            let [high, low, _address @ ..] = array::<6>(value)?;
            u16::from_be_bytes([high, low]).into()
        }
        Width::Four => {
            let [a, b, c, d, _address @ ..] = array::<8>(value)?;
            u32::from_be_bytes([a, b, c, d])
        }
    };
    if number == 0 {
        return Err(FaultKind::Value);
    }
    Ok(Asn(number))
}

fn large(octets: &[u8; 12]) -> LargeCommunity {
    let [global @ .., _, _, _, _, _, _, _, _] = *octets;
    let [_, _, _, _, local_1 @ .., _, _, _, _] = *octets;
    let [_, _, _, _, _, _, _, _, local_2 @ ..] = *octets;
    LargeCommunity {
        global: u32::from_be_bytes(global),
        local_1: u32::from_be_bytes(local_1),
        local_2: u32::from_be_bytes(local_2),
    }
}

pub(super) const OPTIONAL: u8 = 0x80;
pub(super) const TRANSITIVE: u8 = 0x40;

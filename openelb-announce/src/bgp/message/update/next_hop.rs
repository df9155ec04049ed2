//! Reads the attributes of other families and their next hops (RFC 4760, RFC 2545, RFC 8950).

use super::DecodeContext;
use super::fault::FaultKind;
use crate::bgp::family::Family;
use crate::bgp::message::nlri::NlriField;
use crate::bgp::next_hop::{NextHop, V6ForV4};
use crate::wire::Reader;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A multiprotocol attribute that can be read to its end.
#[derive(Clone, Copy, Debug)]
pub(super) enum MultiProtocol<T> {
    /// Of a family that was negotiated.
    Ours(T),
    /// Of any other: its routes are ignored.
    Foreign,
}

/// What `MP_REACH_NLRI` says; next hops that no traffic can be sent to are faults.
pub(super) type Reachable<'a> = (Result<NextHop, FaultKind>, NlriField<'a>);

/// Reads the value of `MP_REACH_NLRI`; `None` when its NLRI cannot be found or trusted (RFC 7606
/// sections 5.3 and 7.11).
pub(super) fn reachable<'a>(
    value: &'a [u8],
    context: &DecodeContext,
) -> Option<MultiProtocol<Reachable<'a>>> {
    let mut reader = Reader::new(value);
    let (afi, safi) = (reader.u16().ok()?, reader.u8().ok()?);
    let length = reader.u8().ok()?;
    let octets = reader.take(length.into()).ok()?;
    let _reserved = reader.u8().ok()?;
    let Some(family) = ours(afi, safi, context) else {
        return Some(MultiProtocol::Foreign);
    };
    let next_hop = match (family, octets.len()) {
        (Family::Ipv4Unicast, 4) => v4(octets)?,
        (Family::Ipv4Unicast, 16 | 32) => v6_for_v4(octets, context),
        (Family::Ipv6Unicast, 16 | 32) => v6(octets),
        // Of another length than expected: the NLRI cannot be located reliably.
        _ => return None,
    };
    let nlri = NlriField::checked(family, context.add_path[family], reader.rest())?;
    Some(MultiProtocol::Ours((next_hop, nlri)))
}

/// Reads the value of `MP_UNREACH_NLRI`; `None` when its NLRI cannot be trusted.
pub(super) fn unreachable<'a>(
    value: &'a [u8],
    context: &DecodeContext,
) -> Option<MultiProtocol<NlriField<'a>>> {
    let mut reader = Reader::new(value);
    let (afi, safi) = (reader.u16().ok()?, reader.u8().ok()?);
    let Some(family) = ours(afi, safi, context) else {
        return Some(MultiProtocol::Foreign);
    };
    NlriField::checked(family, context.add_path[family], reader.rest()).map(MultiProtocol::Ours)
}

fn ours(afi: u16, safi: u8, context: &DecodeContext) -> Option<Family> {
    Family::from_wire(afi, safi).filter(|family| context.families.contains(*family))
}

fn v4(octets: &[u8]) -> Option<Result<NextHop, FaultKind>> {
    let octets: [u8; 4] = octets.try_into().ok()?;
    Some(NextHop::v4(Ipv4Addr::from(octets)).map_err(|_| FaultKind::Value))
}

/// Only under RFC 8950; otherwise the routes lead nowhere, but can be told and withdrawn.
fn v6_for_v4(octets: &[u8], context: &DecodeContext) -> Result<NextHop, FaultKind> {
    let proof = context.extended_next_hop.ok_or(FaultKind::NotAllowed)?;
    let next_hop = V6ForV4::new(proof, v6(octets)?).map_err(|_| FaultKind::Value)?;
    Ok(NextHop::V6ForV4(next_hop))
}

/// One address, or a global and a link-local one. Without a global address peers write the
/// link-local one once, twice, or with :: in front.
fn v6(octets: &[u8]) -> Result<NextHop, FaultKind> {
    let (first, rest) = octets.split_first_chunk().ok_or(FaultKind::Length)?;
    let first = Ipv6Addr::from_octets(*first);
    let second = rest.first_chunk().copied().map(Ipv6Addr::from_octets);
    let next_hop = match second.filter(Ipv6Addr::is_unicast_link_local) {
        Some(second) if first.is_unspecified() => NextHop::v6(second),
        Some(second) if !first.is_unicast_link_local() => {
            NextHop::v6_with_link_local(first, second)
        }
        _ => NextHop::v6(first),
    };
    next_hop.map_err(|_| FaultKind::Value)
}

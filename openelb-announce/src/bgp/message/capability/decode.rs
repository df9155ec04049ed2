//! Reads capabilities; one that is not what its RFC says is kept as unknown.

use super::{
    ADD_PATH, AddPathMode, Asn, Capability, ENHANCED_ROUTE_REFRESH, EXTENDED_MESSAGE,
    EXTENDED_NEXT_HOP, FORWARDING, FOUR_OCTET_AS, Family, GRACEFUL_RESTART, GracefulRestart,
    HOST_NAME, LONG_LIVED, LongLived, MULTI_PROTOCOL, NOTIFICATION, NextHopEncoding, RESTARTING,
    ROLE, ROUTE_REFRESH, TIME,
};
use crate::wire::{Reader, Truncated};

/// Appends the capabilities in the value of an optional parameter.
pub(in super::super) fn decode_all(
    value: &[u8],
    capabilities: &mut Vec<Capability>,
) -> Result<(), Truncated> {
    let mut reader = Reader::new(value);
    while !reader.rest().is_empty() {
        let (code, length) = (reader.u8()?, reader.u8()?);
        let data = reader.take(usize::from(length))?;
        capabilities.push(decode(code, data));
    }
    Ok(())
}

fn decode(code: u8, data: &[u8]) -> Capability {
    known(code, data).unwrap_or_else(|| Capability::Unknown {
        code,
        data: data.to_vec(),
    })
}

/// The capability, if it has a name here and a value as its RFC says.
fn known(code: u8, data: &[u8]) -> Option<Capability> {
    Some(match (code, data) {
        (MULTI_PROTOCOL, [high, low, _reserved, safi]) => {
            Capability::MultiProtocol(u16::from_be_bytes([*high, *low]), *safi)
        }
        (ROUTE_REFRESH, []) => Capability::RouteRefresh,
        (ENHANCED_ROUTE_REFRESH, []) => Capability::EnhancedRouteRefresh,
        (EXTENDED_MESSAGE, []) => Capability::ExtendedMessage,
        (FOUR_OCTET_AS, _) => {
            Capability::FourOctetAs(Asn(u32::from_be_bytes(data.try_into().ok()?)))
        }
        (ROLE, [role]) => Capability::Role(*role),
        (EXTENDED_NEXT_HOP, _) => Capability::ExtendedNextHop(tuples(data, next_hop_encoding)?),
        (GRACEFUL_RESTART, _) => Capability::GracefulRestart(graceful_restart(data)?),
        (LONG_LIVED, _) => {
            let families = tuples(data, long_lived)?;
            Capability::LongLived(families.into_iter().flatten().collect())
        }
        (ADD_PATH, _) => {
            let families = tuples(data, add_path)?;
            Capability::AddPath(families.into_iter().flatten().collect())
        }
        (HOST_NAME, _) => host_name(data)?,
        _ => return None,
    })
}

/// Values of `N` octets each; `None` when some octets are left over.
fn tuples<const N: usize, T>(data: &[u8], read: impl FnMut([u8; N]) -> T) -> Option<Vec<T>> {
    let (values, rest) = data.as_chunks();
    rest.is_empty()
        .then(|| values.iter().copied().map(read).collect())
}

fn next_hop_encoding(tuple: [u8; 6]) -> NextHopEncoding {
    let [afi @ .., _, _, _, _] = tuple;
    let [_, _, safi @ .., _, _] = tuple;
    let [_, _, _, _, next_hop_afi @ ..] = tuple;
    NextHopEncoding {
        afi: u16::from_be_bytes(afi),
        safi: u16::from_be_bytes(safi),
        next_hop_afi: u16::from_be_bytes(next_hop_afi),
    }
}

/// Families that this speaker does not know are left out.
fn graceful_restart(data: &[u8]) -> Option<GracefulRestart> {
    let (head, families) = data.split_first_chunk()?;
    let head = u16::from_be_bytes(*head);
    let read = |[high, low, safi, flags]: [u8; 4]| {
        let family = Family::from_wire(u16::from_be_bytes([high, low]), safi)?;
        Some((family, flags & FORWARDING != 0))
    };
    Some(GracefulRestart {
        restarting: head & RESTARTING != 0,
        notification: head & NOTIFICATION != 0,
        time: head & TIME,
        families: tuples(families, read)?.into_iter().flatten().collect(),
    })
}

fn long_lived([high, low, safi, flags, a, b, c]: [u8; 7]) -> Option<LongLived> {
    Some(LongLived {
        family: Family::from_wire(u16::from_be_bytes([high, low]), safi)?,
        forwarding: flags & FORWARDING != 0,
        time: u32::from_be_bytes([0, a, b, c]),
    })
}

fn add_path([high, low, safi, mode]: [u8; 4]) -> Option<(Family, AddPathMode)> {
    let family = Family::from_wire(u16::from_be_bytes([high, low]), safi)?;
    // RFC 7911 section 4: an entry with another mode is ignored.
    Some((family, AddPathMode::from_wire(mode)?))
}

fn host_name(data: &[u8]) -> Option<Capability> {
    let mut reader = Reader::new(data);
    let mut name = || {
        let length = reader.u8().ok()?;
        let octets = reader.take(usize::from(length)).ok()?;
        let text = String::from_utf8_lossy(octets);
        Some(text.chars().filter(|c| !c.is_control()).collect())
    };
    Some(Capability::HostName {
        host: name()?,
        domain: name().unwrap_or_default(),
    })
}

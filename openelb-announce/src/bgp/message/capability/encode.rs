//! Writes capabilities.

use super::{
    ADD_PATH, Capability, ENHANCED_ROUTE_REFRESH, EXTENDED_MESSAGE, EXTENDED_NEXT_HOP, FORWARDING,
    FOUR_OCTET_AS, Family, GRACEFUL_RESTART, GracefulRestart, HOST_NAME, LONG_LIVED, LongLived,
    MULTI_PROTOCOL, NOTIFICATION, RESTARTING, ROLE, ROUTE_REFRESH, TIME,
};

/// Appends code, length and value. What does not fit into the 255 octets of a value is cut off
/// between its entries; no capability of this speaker comes near.
pub(in super::super) fn write(capability: &Capability, out: &mut Vec<u8>) {
    let (code, mut value) = value(capability);
    value.truncate(usize::from(u8::MAX));
    out.extend([code, u8::try_from(value.len()).unwrap_or(u8::MAX)]);
    out.append(&mut value);
}

fn value(capability: &Capability) -> (u8, Vec<u8>) {
    match capability {
        Capability::MultiProtocol(afi, safi) => {
            let [high, low] = afi.to_be_bytes();
            (MULTI_PROTOCOL, vec![high, low, 0, *safi])
        }
        Capability::RouteRefresh => (ROUTE_REFRESH, Vec::new()),
        Capability::EnhancedRouteRefresh => (ENHANCED_ROUTE_REFRESH, Vec::new()),
        Capability::FourOctetAs(asn) => (FOUR_OCTET_AS, asn.0.to_be_bytes().to_vec()),
        Capability::ExtendedNextHop(encodings) => {
            let fields = encodings.iter().take(42);
            let fields = fields.flat_map(|one| [one.afi, one.safi, one.next_hop_afi]);
            (
                EXTENDED_NEXT_HOP,
                fields.flat_map(u16::to_be_bytes).collect(),
            )
        }
        Capability::GracefulRestart(restart) => (GRACEFUL_RESTART, graceful_restart(restart)),
        Capability::LongLived(families) => {
            let families = families.iter().take(36);
            (LONG_LIVED, families.flat_map(long_lived).collect())
        }
        Capability::AddPath(families) => {
            let entry =
                |(family, mode): &(Family, super::AddPathMode)| tuple(*family, mode.to_wire());
            (ADD_PATH, families.iter().take(63).flat_map(entry).collect())
        }
        Capability::ExtendedMessage => (EXTENDED_MESSAGE, Vec::new()),
        Capability::HostName { host, domain } => (HOST_NAME, host_name(host, domain)),
        Capability::Role(role) => (ROLE, vec![*role]),
        Capability::Unknown { code, data } => (*code, data.clone()),
    }
}

fn graceful_restart(restart: &GracefulRestart) -> Vec<u8> {
    let flags = if restart.restarting { RESTARTING } else { 0 }
        | if restart.notification {
            NOTIFICATION
        } else {
            0
        };
    let mut value = (flags | restart.time.min(TIME)).to_be_bytes().to_vec();
    let families = restart.families.iter().take(63);
    value.extend(families.flat_map(|(family, forwarding)| tuple(*family, flag(*forwarding))));
    value
}

fn long_lived(one: &LongLived) -> impl Iterator<Item = u8> {
    let [_, time @ ..] = one.time.min(LONGEST_TIME).to_be_bytes();
    tuple(one.family, flag(one.forwarding))
        .into_iter()
        .chain(time)
}

fn host_name(host: &str, domain: &str) -> Vec<u8> {
    let mut value = Vec::new();
    for name in [host, domain] {
        let name = name.as_bytes().iter().take(126);
        value.push(u8::try_from(name.len()).unwrap_or_default());
        value.extend(name);
    }
    value
}

/// A family and the octet about it.
const fn tuple(family: Family, about: u8) -> [u8; 4] {
    let [high, low] = family.afi().to_be_bytes();
    [high, low, family.safi(), about]
}

const fn flag(forwarding: bool) -> u8 {
    if forwarding { FORWARDING } else { 0 }
}

/// What 24 bits hold.
const LONGEST_TIME: u32 = 0x00ff_ffff;

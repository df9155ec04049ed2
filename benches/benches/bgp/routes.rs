//! The routes that everybody announces: IPv6 host routes, numbered.

use std::net::Ipv6Addr;
use std::ops::Range;
use std::sync::Arc;

use openelb_announce::bgp::message::LIMIT;
use openelb_announce::bgp::rib::{AdjRibOut, Rib, Terms};
use openelb_announce::bgp::route::{NoNextHop, Route};
use openelb_announce::bgp::{Asn, Family, FamilySet, NextHop, PerFamily, Prefix};

/// The address with this number.
pub(crate) fn address(number: u32) -> Ipv6Addr {
    let [a, b, c, d] = number.to_be_bytes();
    let [high, low] = [[a, b], [c, d]].map(u16::from_be_bytes);
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, high, low)
}

/// Routes with the numbers of a range.
pub(crate) fn routes(numbers: Range<u32>) -> Vec<Route> {
    numbers.map(route).collect()
}

/// The route with this number.
pub(crate) fn route(number: u32) -> Route {
    Route::to(Prefix::host(address(number).into()))
}

/// What an external session over IPv6 from `local` makes of them.
pub(crate) fn terms(local_as: u32, local: Ipv6Addr) -> Terms {
    let session = local.into();
    let family = Family::Ipv4Unicast;
    Terms {
        peer: "receiver".into(),
        group: None,
        remote: None,
        families: FamilySet::new(false, true),
        ibgp: false,
        local_as: Asn(local_as),
        four_octet_as: true,
        message_limit: LIMIT,
        add_path: PerFamily::default(),
        extended_next_hop: None,
        own_next_hop: PerFamily {
            ipv4: Err(NoNextHop::NoAddress { family, session }),
            ipv6: NextHop::v6(local).map_err(Into::into),
        },
        policy: Arc::default(),
        peer_policy: Arc::default(),
        graceful_shutdown: false,
        enhanced_refresh: false,
    }
}

/// Packed UPDATEs of the routes with these numbers, as AS 64514 sends them.
pub(crate) fn messages_of(numbers: Range<u32>, next_hop: Ipv6Addr) -> Vec<u8> {
    let mut rib = Rib::new();
    drop(rib.replace(routes(numbers)));
    let mut session = AdjRibOut::new(terms(64_514, next_hop), &rib);
    let mut out = Vec::new();
    while session.fill(&rib, &mut out, 65_536).more {}
    out
}

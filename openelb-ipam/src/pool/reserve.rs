//! The rules that keep addresses of a pool from being given.

use super::spec::ReserveRules;
use crate::count::AddressCount;
use crate::family::{Family, from_bits};
use crate::range::AddressRange;
use crate::range_set::RangeSet;

/// Addresses with a fixed meaning that no owner can use.
///
/// RFC 1122 (this network, loopback, limited broadcast), RFC 3927, RFC 5771, RFC 4291.
pub(super) fn special() -> RangeSet {
    let v4 = [
        (0x0000_0000, 0x00ff_ffff),
        (0x7f00_0000, 0x7fff_ffff),
        (0xa9fe_0000, 0xa9fe_ffff),
        (0xe000_0000, 0xefff_ffff),
        (0xffff_ffff, 0xffff_ffff),
    ];
    let v6 = [
        (0, 1),
        (0xffff_0000_0000, 0xffff_ffff_ffff),
        (0xfe80 << 112, (0xfec0 << 112) - 1),
        (0xff00 << 112, u128::MAX),
    ];
    let v4 = v4
        .into_iter()
        .filter_map(|(a, b)| AddressRange::from_bits(Family::V4, a, b));
    let v6 = v6
        .into_iter()
        .filter_map(|(a, b)| AddressRange::from_bits(Family::V6, a, b));
    v4.chain(v6).collect()
}

/// The first address of a prefix that is its network or subnet-router anycast address, and the last
/// one that is its broadcast address, where the rules reserve them.
pub(super) fn edges(range: &AddressRange, rules: ReserveRules) -> RangeSet {
    let Some(prefix) = range.as_prefix() else {
        return RangeSet::new();
    };
    let spare_bits = range.family().bits() - prefix.prefix_len();
    let has_edges = spare_bits >= 2;
    let mut set = RangeSet::new();
    match range.family() {
        Family::V4 if has_edges && rules.subnet_edges => {
            set.insert(range.first().into());
            set.insert(range.last().into());
        }
        Family::V6 if has_edges && rules.subnet_router => set.insert(range.first().into()),
        Family::V4 | Family::V6 => {}
    }
    set
}

/// IPv4 addresses ending in .0 or .255; `None` when the range holds more than a /8.
pub(super) fn buggy(range: &AddressRange) -> Option<RangeSet> {
    if range.family() == Family::V6 {
        return Some(RangeSet::new());
    }
    if range.count() > AddressCount::new(1 << 24) {
        return None;
    }
    let nets = (range.first_bits() >> 8)..=(range.last_bits() >> 8);
    let both = nets.flat_map(|net| [net << 8, (net << 8) | 0xff]);
    let inside = both.filter(|&bits| range.contains_bits(bits));
    Some(
        inside
            .map(|bits| AddressRange::from(from_bits(Family::V4, bits)))
            .collect(),
    )
}

/// Reserved interface identifiers (RFC 5453 and its registry) in every /64 the range touches;
/// `None` when it touches more than 4,096 of them.
pub(super) fn interface_ids(range: &AddressRange) -> Option<RangeSet> {
    if range.family() == Family::V4 {
        return Some(RangeSet::new());
    }
    let (first, last) = (range.first_bits() >> 64, range.last_bits() >> 64);
    if last - first >= 4096 {
        return None;
    }
    let of_subnet = |net: u128| {
        RESERVED_IDS.into_iter().filter_map(move |(a, b)| {
            AddressRange::from_bits(Family::V6, (net << 64) | a, (net << 64) | b)
        })
    };
    let inside = (first..=last).flat_map(of_subnet);
    Some(inside.filter_map(|ids| ids.intersection(range)).collect())
}

/// IANA's registry of reserved interface identifiers: subnet-router anycast, the IANA Ethernet
/// block with the proxy mobile IPv6 identifier in it (RFC 6543), the subnet anycast block (RFC 2526).
const RESERVED_IDS: [(u128, u128); 3] = [
    (0, 0),
    (0x0200_5eff_fe00_0000, 0x0200_5eff_feff_ffff),
    (0xfdff_ffff_ffff_ff80, 0xfdff_ffff_ffff_ffff),
];

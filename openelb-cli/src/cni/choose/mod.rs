//! Which free address comes next: host-local's round through the ranges of a set.

use std::net::IpAddr;

use openelb_ipam::family::{from_bits, to_bits};
use openelb_ipam::{AddressRange, Occupancy};

use super::config::{Ranges, Span};

/// The first free address after `last`, round to `last` itself; from the start when `last` is none of the set's.
///
/// Going round keeps an address unused for as long as possible after it was freed, so that a connection
/// meant for the old container does not reach the next one. A fixed number of steps for each range.
pub(crate) fn next(set: &Ranges, last: Option<IpAddr>, taken: &Occupancy) -> Option<IpAddr> {
    let spans = set.spans();
    let found_at = |last| spans.iter().position(|span| span.addresses.contains(last));
    let Some((last, at)) = last.and_then(|last| Some((last, found_at(last)?))) else {
        return spans
            .iter()
            .find_map(|span| first_free(span, span.addresses, taken));
    };
    let (before, from) = spans.split_at_checked(at)?;
    let (own, after) = from.split_first()?;
    let bits = to_bits(last);
    let part = |first, last| AddressRange::from_bits(own.family(), first, last);
    let rest = bits
        .checked_add(1)
        .and_then(|next| part(next, own.addresses.last_bits()));
    let start = part(own.addresses.first_bits(), bits);
    let whole = |span: &Span| first_free(span, span.addresses, taken);
    rest.and_then(|part| first_free(own, part, taken))
        .or_else(|| after.iter().chain(before).find_map(whole))
        .or_else(|| start.and_then(|part| first_free(own, part, taken)))
}

/// The lowest free address of a part of a span that is not its gateway.
fn first_free(span: &Span, part: AddressRange, taken: &Occupancy) -> Option<IpAddr> {
    let mut from = part.first_bits();
    loop {
        let bits = taken
            .next_free(from)
            .filter(|bits| part.contains_bits(*bits))?;
        let address = from_bits(part.family(), bits);
        if span.gateway != Some(address) {
            return Some(address);
        }
        // Comes by once: there is one gateway.
        from = bits.checked_add(1)?;
    }
}

#[cfg(test)]
mod tests;

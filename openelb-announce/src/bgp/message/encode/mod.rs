//! Writes UPDATE and KEEPALIVE: as many routes a message as its limit allows.

use super::block::{AttributeBlock, EncodeError};
use super::header::{self, MessageKind};
use super::nlri;
use super::update::AttributeCode;
use crate::bgp::family::Family;
use crate::bgp::prefix::Nlri;

/// Appends one UPDATE that announces the next routes of `nlri`, as many as `limit` octets hold;
/// returns how many.
///
/// Call it until the iterator is empty: then it appends nothing and returns 0. All routes must be of
/// the block's family, and either all or none have a path identifier. On an error nothing is
/// appended, and the route at fault has been taken from the iterator. Packed host routes cost about
/// 2 ns each.
pub fn write_announcements(
    out: &mut Vec<u8>,
    limit: usize,
    block: &AttributeBlock,
    nlri: &mut impl Iterator<Item = Nlri>,
) -> Result<usize, EncodeError> {
    let (head, attributes) = (block.multi_protocol(), block.others());
    let room = room(limit, block.overhead(), block.family())?;
    let start = out.len();
    out.extend([0; header::LENGTH + 4]);
    // The NLRI stand behind all attributes or, in MP_REACH_NLRI, behind its head; that is the first
    // attribute (RFC 7606 section 5.1) and the others follow.
    let before = if head.is_empty() { attributes } else { head };
    out.extend_from_slice(before);
    let (count, octets) = fill(out, start, room, block.family(), nlri)?;
    if count == 0 {
        out.truncate(start);
        return Ok(0);
    }
    if head.is_empty() {
        finish(out, start, 0, attributes.len());
    } else {
        let attribute = start + header::LENGTH + 4;
        patch(out, attribute + 2, head.len() - 4 + octets);
        out.extend_from_slice(attributes);
        finish(out, start, 0, head.len() + octets + attributes.len());
    }
    Ok(count)
}

/// Appends one UPDATE that withdraws the next routes of `nlri`, as many as `limit` octets hold;
/// returns how many.
///
/// Call it until the iterator is empty: then it appends nothing and returns 0. The same holds for
/// errors as for [`write_announcements`].
pub fn write_withdrawals(
    out: &mut Vec<u8>,
    limit: usize,
    family: Family,
    nlri: &mut impl Iterator<Item = Nlri>,
) -> Result<usize, EncodeError> {
    let head = unreachable_head(family);
    let head = match family {
        Family::Ipv4Unicast => &[][..],
        Family::Ipv6Unicast => &head[..],
    };
    let overhead = header::LENGTH + 4 + head.len();
    let room = room(limit, overhead, family)?;
    let start = out.len();
    out.extend([0; header::LENGTH + 2]);
    if !head.is_empty() {
        out.extend([0; 2]);
        out.extend_from_slice(head);
    }
    let (count, octets) = fill(out, start, room, family, nlri)?;
    if count == 0 {
        out.truncate(start);
    } else if head.is_empty() {
        out.extend([0; 2]);
        finish(out, start, octets, 0);
    } else {
        patch(out, start + header::LENGTH + 4 + 2, head.len() - 4 + octets);
        finish(out, start, 0, head.len() + octets);
    }
    Ok(count)
}

/// Appends the mark that all routes of `family` have been sent (RFC 4724 section 2).
///
/// Only for negotiated families: others make some peers end the session.
pub fn write_end_of_rib(out: &mut Vec<u8>, family: Family) {
    let start = out.len();
    out.extend([0; header::LENGTH + 4]);
    let mut attributes = 0;
    if family == Family::Ipv6Unicast {
        let [_, code, _, _, family @ ..] = unreachable_head(family);
        out.extend([OPTIONAL, code, 3]);
        out.extend(family);
        attributes = 6;
    }
    finish(out, start, 0, attributes);
}

/// Appends a KEEPALIVE.
pub fn write_keepalive(out: &mut Vec<u8>) {
    header::write(out, MessageKind::Keepalive, 0);
}

/// How many octets of NLRI a message may have; at least one route must fit.
fn room(limit: usize, overhead: usize, family: Family) -> Result<usize, EncodeError> {
    let limit = limit.min(header::EXTENDED_LIMIT);
    let room = limit.checked_sub(overhead);
    room.filter(|room| *room >= nlri::longest(family))
        .ok_or(EncodeError::BlockTooLong { overhead, limit })
}

/// Appends NLRI; returns how many, and how many octets they take. On an error the message that began
/// at `start` is gone.
fn fill(
    out: &mut Vec<u8>,
    start: usize,
    room: usize,
    family: Family,
    nlri: &mut impl Iterator<Item = Nlri>,
) -> Result<(usize, usize), EncodeError> {
    let first = out.len();
    // An iterator that knows its end spares a single route the zeroing of a whole message.
    let most = nlri
        .size_hint()
        .1
        .map(|most| most.saturating_mul(nlri::longest(family)));
    let room = most.map_or(room, |most| room.min(most));
    out.resize(first + room, 0);
    let field = out.get_mut(first..).unwrap_or_default();
    match nlri::fill(field, family, nlri) {
        Ok((count, octets)) => {
            out.truncate(first + octets);
            Ok((count, octets))
        }
        Err(nlri) => {
            out.truncate(start);
            Err(EncodeError::Misfit { nlri, family })
        }
    }
}

/// Writes the header of the UPDATE that began at `start` and the lengths of its first two fields.
fn finish(out: &mut [u8], start: usize, withdrawn: usize, attributes: usize) {
    let body = out.len() - start - header::LENGTH;
    let header = header::octets(MessageKind::Update, body);
    if let Some(place) = out.get_mut(start..start + header::LENGTH) {
        place.copy_from_slice(&header);
    }
    patch(out, start + header::LENGTH, withdrawn);
    patch(out, start + header::LENGTH + 2 + withdrawn, attributes);
}

/// Writes a length of 16 bits, which every length in a message of at most 65,535 octets is.
fn patch(out: &mut [u8], position: usize, length: usize) {
    let length = u16::try_from(length).unwrap_or(u16::MAX);
    if let Some(place) = out.get_mut(position..position + 2) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// The head of `MP_UNREACH_NLRI`, its length still zero (RFC 4760 section 4).
fn unreachable_head(family: Family) -> [u8; 7] {
    let [high, low] = family.afi().to_be_bytes();
    let code = AttributeCode::MpUnreachNlri.into();
    [
        OPTIONAL | EXTENDED_LENGTH,
        code,
        0,
        0,
        high,
        low,
        family.safi(),
    ]
}

const OPTIONAL: u8 = 0x80;
const EXTENDED_LENGTH: u8 = 0x10;

#[cfg(test)]
mod tests;

//! The body of a beat: octets to meaning and back.

use std::time::Duration;

use super::{Beat, BeatError, Heard, MOST_GROUPS, MOST_NODES, MOST_ORDERS, Offer, Order};
use crate::ownership::name::{GroupId, NodeId, NodeKey};
use crate::ownership::settings::{MOST_SHARDS, Standing};
use crate::ownership::shard::ShardSet;
use crate::wire::{Reader, Truncated};

/// Writes everything but what the header of a datagram says already.
pub(super) fn encode(beat: &Beat) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    put_u16(&mut out, millis(beat.interval));
    put_u16(&mut out, millis(beat.dead_after));
    let flags = [
        (beat.is_listening, LISTENING),
        (beat.is_draining, DRAINING),
        (beat.is_leaving, LEAVING),
    ];
    out.push(
        flags
            .iter()
            .filter(|(is, _)| *is)
            .fold(0, |all, (_, flag)| all | flag),
    );
    put_u16(
        &mut out,
        beat.reception
            .map_or(NEVER, |age| millis(age).min(NEVER - 1)),
    );
    put_u16(&mut out, beat.changes);
    out.push(u8::try_from(beat.heard.len().min(MOST_NODES)).unwrap_or(u8::MAX));
    for heard in beat.heard.iter().take(MOST_NODES) {
        put_u64(&mut out, heard.node.0);
        put_u64(&mut out, heard.boot);
        put_u64(&mut out, heard.sequence);
        put_u16(&mut out, millis(heard.age));
        put_u16(&mut out, heard.changes);
    }
    out.push(u8::try_from(beat.orders.len().min(MOST_ORDERS)).unwrap_or(u8::MAX));
    for order in beat.orders.iter().take(MOST_ORDERS) {
        put_u64(&mut out, order.node.0);
        put_u64(&mut out, order.number);
        out.push(order.drain.into());
    }
    put_u16(
        &mut out,
        u16::try_from(beat.offers.len().min(MOST_GROUPS)).unwrap_or(u16::MAX),
    );
    for offer in beat.offers.iter().take(MOST_GROUPS) {
        put_offer(&mut out, offer);
    }
    out
}

/// Reads what [`encode`] wrote. Costs O(length): every count is bounded and backed by octets.
pub(super) fn decode(
    node: NodeId,
    boot: u64,
    sequence: u64,
    octets: &[u8],
) -> Result<Beat, BeatError> {
    let mut reader = Reader::new(octets);
    let interval = Duration::from_millis(reader.u16()?.into());
    let dead_after = Duration::from_millis(reader.u16()?.into());
    if interval.is_zero() || dead_after < interval {
        return Err(BeatError::Field("timing"));
    }
    let flags = reader.u8()?;
    let reception = Some(reader.u16()?).filter(|age| *age != NEVER);
    let changes = reader.u16()?;
    let nodes = count(reader.u8()?.into(), MOST_NODES, "number of nodes")?;
    let heard = (0..nodes)
        .map(|_| heard(&mut reader))
        .collect::<Result<_, _>>()?;
    let orders = count(reader.u8()?.into(), MOST_ORDERS, "number of orders")?;
    let orders = (0..orders)
        .map(|_| order(&mut reader))
        .collect::<Result<_, _>>()?;
    let groups = count(reader.u16()?.into(), MOST_GROUPS, "number of groups")?;
    let offers = (0..groups)
        .map(|_| offer(&mut reader))
        .collect::<Result<_, _>>()?;
    Ok(Beat {
        node,
        boot,
        sequence,
        interval,
        dead_after,
        is_listening: flags & LISTENING != 0,
        is_draining: flags & DRAINING != 0,
        is_leaving: flags & LEAVING != 0,
        reception: reception.map(|age| Duration::from_millis(age.into())),
        changes,
        heard,
        orders,
        offers,
    })
}

fn heard(reader: &mut Reader<'_>) -> Result<Heard, Truncated> {
    Ok(Heard {
        node: NodeKey(u64(reader)?),
        boot: u64(reader)?,
        sequence: u64(reader)?,
        age: Duration::from_millis(reader.u16()?.into()),
        changes: reader.u16()?,
    })
}

fn order(reader: &mut Reader<'_>) -> Result<Order, BeatError> {
    Ok(Order {
        node: NodeKey(u64(reader)?),
        number: u64(reader)?,
        drain: match reader.u8()? {
            0 => false,
            1 => true,
            _ => return Err(BeatError::Field("order")),
        },
    })
}

fn put_offer(out: &mut Vec<u8>, offer: &Offer) {
    let (weight, preference) = match offer.standing {
        Standing::Excluded => (0, 0),
        Standing::Eligible { weight, preference } => (weight.max(1), preference),
    };
    put_u64(out, offer.group.0);
    put_u16(out, offer.claims.shards());
    put_u16(out, weight);
    out.push(preference);
    let is_claiming = !offer.claims.is_empty();
    out.push(is_claiming.into());
    if is_claiming {
        out.extend(offer.claims.octets());
    }
}

fn offer(reader: &mut Reader<'_>) -> Result<Offer, BeatError> {
    let group = GroupId(u64(reader)?);
    let shards = reader.u16()?;
    if !(1..=MOST_SHARDS).contains(&shards) {
        return Err(BeatError::Field("number of shards"));
    }
    let (weight, preference) = (reader.u16()?, reader.u8()?);
    let standing = match weight {
        0 => Standing::Excluded,
        _ => Standing::Eligible { weight, preference },
    };
    let claims = match reader.u8()? {
        0 => ShardSet::new(shards),
        1 => ShardSet::read(shards, reader.take(usize::from(shards).div_ceil(8))?),
        _ => return Err(BeatError::Field("form of claims")),
    };
    Ok(Offer {
        group,
        standing,
        claims,
    })
}

fn count(count: usize, most: usize, field: &'static str) -> Result<usize, BeatError> {
    if count <= most {
        Ok(count)
    } else {
        Err(BeatError::Field(field))
    }
}

fn u64(reader: &mut Reader<'_>) -> Result<u64, Truncated> {
    reader.array().map(u64::from_be_bytes)
}

fn put_u16(out: &mut Vec<u8>, value: u16) {
    out.extend(value.to_be_bytes());
}

fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend(value.to_be_bytes());
}

/// Whole milliseconds, rounded up: an age may look older than it is, never younger.
fn millis(span: Duration) -> u16 {
    u16::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(u16::MAX)
}

const LISTENING: u8 = 1;
const DRAINING: u8 = 2;
const LEAVING: u8 = 4;
/// Nothing was ever received, or nothing for more than a minute.
const NEVER: u16 = u16::MAX;

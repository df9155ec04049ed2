//! Between the allocator's rows and the store's bytes: keys are text, rows are JSON.
//!
//! JSON because the file is then readable with any redb tool when something has to be mended, and
//! because it keeps old rows readable when fields are added.

use std::collections::BTreeSet;

use openelb_ipam::relative::Projection;
use openelb_ipam::row::{Claim, OwnerRow};
use openelb_ipam::{Changes, Ipam, Row, Snapshot};

use super::answer::{Held, Holder};
use super::prefix;
use crate::store::{Batch, Store, StoreError, Stored};

/// The state a store holds.
pub(super) fn decode(stored: Stored) -> Result<Snapshot, StoreError> {
    let decode = |(key, row): (Vec<u8>, Vec<u8>)| {
        serde_json::from_slice::<Row>(&row).map_err(|error| {
            StoreError::Damaged(format!("row {}: {error}", String::from_utf8_lossy(&key)))
        })
    };
    let rows = stored
        .rows
        .into_iter()
        .map(decode)
        .collect::<Result<_, _>>()?;
    Ok(Snapshot {
        generation: stored.generation,
        rows,
    })
}

/// What a store lacks. `store` is read only when the allocator no longer remembers every change.
pub(super) fn changes(ipam: &Ipam, since: u64, store: &mut dyn Store) -> Result<Batch, StoreError> {
    match ipam.changes_since(since) {
        Ok(changes) => encode(&changes),
        Err(_) => everything(ipam, &store.load()?),
    }
}

/// An owner row as answers show it.
pub(super) fn holder(row: &OwnerRow, projection: &Projection) -> Holder {
    let held = |claim: &Claim| Held {
        shown: prefix::shown(claim.address, projection),
        pool: claim.pool.clone(),
    };
    Holder {
        owner: row.owner.key.clone(),
        addresses: row.claims.iter().map(held).collect(),
    }
}

fn encode(changes: &Changes) -> Result<Batch, StoreError> {
    Ok(Batch {
        from: changes.from,
        to: changes.to,
        puts: changes.puts.iter().map(bytes).collect::<Result<_, _>>()?,
        deletes: changes
            .deletes
            .iter()
            .map(|key| key.to_string().into_bytes())
            .collect(),
    })
}

/// Every row anew, and the removal of those that are stored and no longer exist.
fn everything(ipam: &Ipam, stored: &Stored) -> Result<Batch, StoreError> {
    let snapshot = ipam.snapshot();
    let puts: Vec<_> = snapshot.rows.iter().map(bytes).collect::<Result<_, _>>()?;
    let kept: BTreeSet<&Vec<u8>> = puts.iter().map(|(key, _)| key).collect();
    let gone = stored
        .rows
        .iter()
        .map(|(key, _)| key)
        .filter(|key| !kept.contains(key) && !key.starts_with(prefix::KEY));
    let deletes = gone.cloned().collect();
    Ok(Batch {
        from: stored.generation,
        to: snapshot.generation,
        puts,
        deletes,
    })
}

fn bytes(row: &Row) -> Result<(Vec<u8>, Vec<u8>), StoreError> {
    let text = serde_json::to_vec(row).map_err(|error| StoreError::Commit(error.to_string()))?;
    Ok((row.key().to_string().into_bytes(), text))
}

//! Saving and restoring: the whole state as rows, and changes applied to it.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use thiserror::Error;

use crate::family::{DualStack, Family};
use crate::ipam::{Ipam, RowError};
use crate::row::{Changes, Row, RowKey};

/// The whole state: its generation and every row.
///
/// ```
/// use openelb_ipam::{Ipam, Owner, PoolSpec, Request, Time};
///
/// # let mut ipam = Ipam::new();
/// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24"])])?;
/// # ipam.apply_pools(plan, Time(0))?;
/// let web: Owner = "service/default/web".parse()?;
/// ipam.allocate(&web, &Request::default(), Time(0))?;
/// let snapshot = ipam.snapshot();
/// let restored = Ipam::restore(snapshot.clone())?;
/// assert_eq!(restored.snapshot(), snapshot);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot {
    /// The generation.
    pub generation: u64,
    /// Every row once, sorted by key.
    pub rows: Vec<Row>,
}

/// A state cannot be restored, or changes not applied; nothing was changed.
///
/// ```
/// # use openelb_ipam::*;
/// let damaged = Snapshot { generation: u64::MAX, rows: vec![] };
/// assert_eq!(Ipam::restore(damaged).unwrap_err(), RestoreError::Generation(u64::MAX));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RestoreError {
    /// A row contradicts itself or another one.
    #[error(transparent)]
    Row(#[from] RowError),
    /// A generation that no ledger reaches.
    #[error("generation {0} is impossible; the data is damaged")]
    Generation(u64),
    /// The changes start after this state.
    #[error("changes from generation {from} do not follow on {current}; fetch a snapshot")]
    Gap {
        /// Where the changes start.
        from: u64,
        /// The generation of this state.
        current: u64,
    },
}

impl Ipam {
    /// The whole state, rows sorted by key: equal states have equal snapshots. O(n log n).
    ///
    /// ```
    /// # use openelb_ipam::Ipam;
    /// assert!(Ipam::new().snapshot().rows.is_empty());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn snapshot(&self) -> Snapshot {
        let mut rows: Vec<Row> = self.rows().collect();
        rows.sort_by_cached_key(Row::key);
        Snapshot {
            generation: self.generation(),
            rows,
        }
    }

    /// Builds a ledger from a snapshot, or from the rows of a store, in any order. Whatever is in
    /// them, the answer is a consistent ledger or an error. O(rows).
    ///
    /// The seed, the capacity of the log and owners woken but not yet served are not part of the
    /// state: a front end asks again for every owner when it starts.
    ///
    /// ```
    /// # use openelb_ipam::*;
    /// # let mut ipam = Ipam::new();
    /// # let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
    /// # ipam.apply_pools(plan, Time(0))?;
    /// # let web: Owner = "service/default/web".parse()?;
    /// let restored = Ipam::restore(ipam.snapshot())?;
    /// assert_eq!(restored.generation(), ipam.generation());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn restore(snapshot: Snapshot) -> Result<Self, RestoreError> {
        let Snapshot {
            generation,
            mut rows,
        } = snapshot;
        let mut ipam = Self::new();
        ipam.begin_restore(generation)
            .ok_or(RestoreError::Generation(generation))?;
        let pools = rows.iter().filter_map(|row| match row {
            Row::Pool(row) => Some(row),
            _ => None,
        });
        ipam.insert_pools(pools.collect())?;
        make_room(&mut ipam, &rows);
        let mut others = ipam.insert_plain_owners(&mut rows)?.into_iter().peekable();
        // What is left keeps its order: the other owners, then everything else.
        let mut at = 0;
        rows.retain(|row| {
            let is_left = match row {
                Row::Pool(_) => false,
                Row::Owner(_) => others.next_if_eq(&at).is_some(),
                _ => true,
            };
            at += 1;
            is_left
        });
        let (owners, rest): (Vec<Row>, Vec<Row>) = rows
            .into_iter()
            .partition(|row| matches!(row, Row::Owner(_)));
        let mut rows = owners.into_iter().chain(rest);
        rows.try_for_each(|row| ipam.insert_row(row))?;
        ipam.end_restore(generation);
        ipam.forget_history();
        Ok(ipam)
    }

    /// Brings a copy up to date with changes that [`changes_since`](Self::changes_since) gave
    /// elsewhere. Changes that are here already do nothing; damaged ones change nothing.
    ///
    /// O(changed rows), or O(all rows) when pools changed.
    ///
    /// ```
    /// # use openelb_ipam::{Ipam, PoolSpec, Time};
    /// let (mut ipam, mut copy) = (Ipam::new(), Ipam::new());
    /// let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24"])])?;
    /// ipam.apply_pools(plan, Time(0))?;
    /// copy.apply_changes(ipam.changes_since(copy.generation())?)?;
    /// assert_eq!(copy.snapshot(), ipam.snapshot());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn apply_changes(&mut self, changes: Changes) -> Result<(), RestoreError> {
        let current = self.generation();
        if changes.to <= current {
            return Ok(());
        }
        if changes.from > current {
            return Err(RestoreError::Gap {
                from: changes.from,
                current,
            });
        }
        let is_pool = |key: &RowKey| matches!(key, RowKey::Pool(_));
        let touches_pools = changes.puts.iter().any(|row| matches!(row, Row::Pool(_)))
            || changes.deletes.iter().any(is_pool);
        if touches_pools {
            self.apply_afresh(changes)
        } else {
            self.apply_in_place(changes)
        }
    }

    /// Restores from the patched rows: pools decide where every other row belongs.
    fn apply_afresh(&mut self, changes: Changes) -> Result<(), RestoreError> {
        let mut rows: BTreeMap<RowKey, Row> = self.rows().map(|row| (row.key(), row)).collect();
        for key in &changes.deletes {
            rows.remove(key);
        }
        rows.extend(changes.puts.into_iter().map(|row| (row.key(), row)));
        let rows = rows.into_values().collect();
        let restored = Self::restore(Snapshot {
            generation: changes.to,
            rows,
        })?;
        self.become_restored(restored);
        Ok(())
    }

    fn apply_in_place(&mut self, changes: Changes) -> Result<(), RestoreError> {
        let before = self.generation();
        let Changes {
            to, puts, deletes, ..
        } = changes;
        let keys: Vec<RowKey> = puts.iter().map(Row::key).chain(deletes).collect();
        let old: Vec<Row> = keys.iter().filter_map(|key| self.row(key)).collect();
        self.begin_restore(to).ok_or(RestoreError::Generation(to))?;
        for key in &keys {
            self.remove_row(key);
        }
        let outcome = puts.into_iter().try_for_each(|row| self.insert_row(row));
        if let Err(error) = outcome {
            for key in &keys {
                self.remove_row(key);
            }
            for row in old {
                self.insert_row(row).expect("the row was here a moment ago");
            }
            self.end_restore(before);
            return Err(error.into());
        }
        self.end_restore(to);
        Ok(())
    }
}

fn make_room(ipam: &mut Ipam, rows: &[Row]) {
    let (mut owners, mut key_bytes, mut addresses) = (0, 0, DualStack { v4: 0, v6: 0 });
    for row in rows {
        if let Row::Owner(row) = row {
            owners += 1;
            key_bytes += row.owner.key.as_str().len();
            for claim in &row.claims {
                addresses[Family::of(claim.address)] += 1;
            }
        }
    }
    ipam.make_room(owners, key_bytes, addresses);
}

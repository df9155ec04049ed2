//! A store that forgets: for `--dry-run` and tests.

use std::collections::BTreeMap;

use super::{Batch, Store, StoreError, Stored};

/// Rows in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    generation: u64,
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl From<Stored> for MemoryStore {
    fn from(stored: Stored) -> Self {
        Self {
            generation: stored.generation,
            rows: stored.rows.into_iter().collect(),
        }
    }
}

impl Store for MemoryStore {
    fn load(&mut self) -> Result<Stored, StoreError> {
        let rows = self
            .rows
            .iter()
            .map(|(key, row)| (key.clone(), row.clone()))
            .collect();
        Ok(Stored {
            generation: self.generation,
            rows,
        })
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if batch.from != self.generation {
            return Err(StoreError::Stale {
                stored: self.generation,
                from: batch.from,
            });
        }
        for key in &batch.deletes {
            self.rows.remove(key);
        }
        self.rows.extend(batch.puts.iter().cloned());
        self.generation = batch.to;
        Ok(())
    }
}

//! How a pool is used, in cells of equal size.

use openelb_ipam::relative::Projection;
use openelb_ipam::{AddressRange, Family, Ipam};

use super::answer::{MapRow, PoolMap};
use super::{pools, prefix};
use crate::exit_code::Failure;

/// Counts the held addresses of every range in at most `cells` cells. O(allocations log ranges).
pub(super) fn draw(
    ipam: &Ipam,
    name: &str,
    cells: u32,
    projection: &Projection,
) -> Result<PoolMap, Failure> {
    let pool = pools::find(ipam, name)?;
    let ranges = Family::ALL
        .into_iter()
        .flat_map(|family| pool.ranges().ranges(family));
    let mut rows: Vec<Row> = ranges.map(|range| Row::new(*range, cells.max(1))).collect();
    for owner in ipam.allocations() {
        for claim in owner
            .claims
            .iter()
            .filter(|claim| claim.pool == *pool.name())
        {
            if let Some(row) = rows
                .iter_mut()
                .find(|row| row.range.contains(claim.address))
            {
                row.count(claim.address);
            }
        }
    }
    let pool = pool.name().clone();
    Ok(PoolMap {
        pool,
        rows: rows
            .into_iter()
            .map(|row| row.into_report(projection))
            .collect(),
    })
}

struct Row {
    range: AddressRange,
    cell_size: u128,
    used: Vec<u64>,
}

impl Row {
    fn new(range: AddressRange, cells: u32) -> Self {
        // 2^128 addresses saturate to 2^128 - 1: one too few, invisible in a drawing.
        let size = range.count().to_u128_saturating();
        let cell_size = size.div_ceil(u128::from(cells)).max(1);
        let count = usize::try_from(size.div_ceil(cell_size)).unwrap_or(usize::MAX);
        Self {
            range,
            cell_size,
            used: vec![0; count],
        }
    }

    fn count(&mut self, address: std::net::IpAddr) {
        let Some(ordinal) = self.range.ordinal(address) else {
            return;
        };
        let cell = usize::try_from(ordinal / self.cell_size).unwrap_or(usize::MAX);
        if let Some(used) = self.used.get_mut(cell) {
            *used += 1;
        }
    }

    fn into_report(self, projection: &Projection) -> MapRow {
        MapRow {
            range: prefix::in_words(&self.range.to_string(), projection),
            cell_size: self.cell_size.to_string(),
            used: self.used,
        }
    }
}

//! This project's index.

use openelb_ipam::{AddressRange, Family, Occupancy};

use super::Contender;
use crate::fill::{Fill, Pool};

/// [`Occupancy`] over the pool.
#[derive(Debug)]
pub struct Index(pub Occupancy);

impl Contender for Index {
    const NAME: &'static str = "openelb-ipam";

    fn new(pool: Pool, fill: Fill) -> Self {
        let last = u128::from(pool.first) + u128::from(pool.size) - 1;
        let range = AddressRange::from_bits(Family::V4, pool.first.into(), last);
        let mut index = Occupancy::new(Family::V4, &range.into_iter().collect());
        for address in fill.taken(pool) {
            index.take(address.into());
        }
        Self(index)
    }

    fn next_free(&self) -> Option<u32> {
        self.0
            .first_free()
            .and_then(|bits| u32::try_from(bits).ok())
    }

    fn take(&mut self, address: u32) {
        self.0.take(address.into());
    }

    fn release(&mut self, address: u32) {
        self.0.release(address.into());
    }

    fn contains(&self, address: u32) -> bool {
        self.0.is_taken(address.into())
    }
}

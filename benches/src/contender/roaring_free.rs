//! A roaring bitmap of free addresses: the lowest is its minimum.

use roaring::RoaringBitmap;

use super::Contender;
use crate::fill::{Fill, Pool};

/// `RoaringBitmap` of free addresses.
#[derive(Debug)]
pub struct RoaringFree {
    free: RoaringBitmap,
}

impl Contender for RoaringFree {
    const NAME: &'static str = "roaring, free";

    fn new(pool: Pool, fill: Fill) -> Self {
        let mut free = RoaringBitmap::new();
        free.insert_range(pool.first..pool.first + pool.size);
        let taken: RoaringBitmap = fill.taken(pool).collect();
        free -= taken;
        Self { free }
    }

    fn next_free(&self) -> Option<u32> {
        self.free.min()
    }

    fn take(&mut self, address: u32) {
        self.free.remove(address);
    }

    fn release(&mut self, address: u32) {
        self.free.insert(address);
    }

    fn contains(&self, address: u32) -> bool {
        !self.free.contains(address)
    }
}

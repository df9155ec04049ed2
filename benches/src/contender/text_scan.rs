//! A map by the address's text, scanned from the pool's start: the loop of MetalLB.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use super::Contender;
use crate::fill::{Fill, Pool};

/// `HashMap<String, _>` scan.
#[derive(Debug)]
pub struct TextScan {
    pool: Pool,
    owners: HashMap<String, u32>,
}

impl Contender for TextScan {
    const NAME: &'static str = "text-key scan";
    const LARGEST: u32 = 1 << 16;

    fn new(pool: Pool, fill: Fill) -> Self {
        Self {
            pool,
            owners: fill
                .taken(pool)
                .map(|address| (key(address), address))
                .collect(),
        }
    }

    fn next_free(&self) -> Option<u32> {
        (self.pool.first..self.pool.first + self.pool.size)
            .find(|address| !self.owners.contains_key(&key(*address)))
    }

    fn take(&mut self, address: u32) {
        self.owners.insert(key(address), address);
    }

    fn release(&mut self, address: u32) {
        self.owners.remove(&key(address));
    }

    fn contains(&self, address: u32) -> bool {
        self.owners.contains_key(&key(address))
    }
}

fn key(address: u32) -> String {
    Ipv4Addr::from_bits(address).to_string()
}

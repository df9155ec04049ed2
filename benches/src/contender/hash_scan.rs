//! A map by address, scanned from the pool's start: the loop of OpenELB, without its text keys.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use super::Contender;
use crate::fill::{Fill, Pool};

/// `HashMap<IpAddr, _>` scan.
#[derive(Debug)]
pub struct HashScan {
    pool: Pool,
    owners: HashMap<IpAddr, u32>,
}

impl Contender for HashScan {
    const NAME: &'static str = "HashMap scan";
    /// A /8 takes about 2 GB.
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

fn key(address: u32) -> IpAddr {
    Ipv4Addr::from_bits(address).into()
}

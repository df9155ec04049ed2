//! A page of the index by attachment: 4,096 bytes with a checksum, and up to 127 addresses.
//!
//! ```text
//!  0  magic "OEAI"
//!  4  CRC-32 (IEEE) of bytes 8..4096
//!  8  number of the page
//! 12  how many entries
//! 14  1 when an entry that belongs here stands on a later page
//! 16  entries of 32 bytes: key (8), address (16), family 4 or 6, seven zeros
//! ```
//!
//! All numbers are little-endian. A page of zeros is damaged, not empty.

use std::net::IpAddr;

use openelb_ipam::Family;
use openelb_ipam::family::{from_bits, to_bits};

/// An address, and the key of who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// A hash of the attachment; equal for different ones once in a blue moon, so the address file decides.
    pub key: u64,
    /// What it has.
    pub address: IpAddr,
}

/// One page, decoded.
// Invariant: at most CAPACITY entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    entries: Vec<Entry>,
    overflowed: bool,
}

impl Page {
    /// How many bytes a page takes.
    pub const SIZE: usize = 4096;
    /// How many entries fit.
    pub const CAPACITY: usize = (Self::SIZE - HEADER) / ENTRY;

    /// Reads a page; `None` when it was never written as this page.
    pub fn decode(bytes: &[u8], number: u32) -> Option<Self> {
        let (head, body) = bytes.split_at_checked(8)?;
        if bytes.len() != Self::SIZE || !head.starts_with(&MAGIC) {
            return None;
        }
        let stored = u32::from_le_bytes(*head.last_chunk()?);
        let (own_number, rest) = body.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (flags, entries) = rest.split_first_chunk()?;
        let count = usize::from(u16::from_le_bytes(*count));
        let is_whole = stored == crc32fast::hash(body) && u32::from_le_bytes(*own_number) == number;
        if !is_whole || count > Self::CAPACITY {
            return None;
        }
        let entries: Option<Vec<_>> = entries
            .chunks_exact(ENTRY)
            .take(count)
            .map(decode_entry)
            .collect();
        Some(Self {
            entries: entries?,
            overflowed: u16::from_le_bytes(*flags) != 0,
        })
    }

    /// The page as bytes.
    pub fn encode(&self, number: u32) -> Vec<u8> {
        let mut body = Vec::with_capacity(Self::SIZE);
        body.extend_from_slice(&number.to_le_bytes());
        let count = u16::try_from(self.entries.len()).unwrap_or(u16::MAX);
        body.extend_from_slice(&count.to_le_bytes());
        body.extend_from_slice(&u16::from(self.overflowed).to_le_bytes());
        for entry in &self.entries {
            body.extend_from_slice(&entry.key.to_le_bytes());
            body.extend_from_slice(&to_bits(entry.address).to_le_bytes());
            let family = match entry.address {
                IpAddr::V4(_) => 4,
                IpAddr::V6(_) => 6,
            };
            body.extend_from_slice(&[family, 0, 0, 0, 0, 0, 0, 0]);
        }
        body.resize(Self::SIZE - 8, 0);
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        bytes.append(&mut body);
        bytes
    }

    /// The addresses of a key on this page.
    pub(crate) fn of_key(&self, key: u64) -> impl Iterator<Item = IpAddr> {
        let entries = self.entries.iter().filter(move |entry| entry.key == key);
        entries.map(|entry| entry.address)
    }

    /// Whether a search has to go on to the next page.
    pub(crate) const fn is_overflowed(&self) -> bool {
        self.overflowed
    }

    /// Adds an entry; `false` when the page is full, and then remembers that.
    pub(crate) fn insert(&mut self, entry: Entry) -> bool {
        if self.entries.len() >= Self::CAPACITY {
            self.overflowed = true;
            return false;
        }
        self.entries.push(entry);
        true
    }

    /// Removes an entry; `false` when it is not here.
    pub(crate) fn remove(&mut self, entry: Entry) -> bool {
        let found = self.entries.iter().position(|own| *own == entry);
        found.map(|at| self.entries.swap_remove(at)).is_some()
    }
}

fn decode_entry(bytes: &[u8]) -> Option<Entry> {
    let (key, rest) = bytes.split_first_chunk()?;
    let (address, rest) = rest.split_first_chunk()?;
    let family = match rest.first()? {
        4 => Family::V4,
        6 => Family::V6,
        _ => return None,
    };
    let bits = u128::from_le_bytes(*address);
    (bits <= family.max_bits()).then(|| Entry {
        key: u64::from_le_bytes(*key),
        address: from_bits(family, bits),
    })
}

const MAGIC: [u8; 4] = *b"OEAI";
const HEADER: usize = 16;
const ENTRY: usize = 32;

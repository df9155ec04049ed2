//! The summary of a directory: which addresses are taken, and the mark by which it is known to be true.
//!
//! ```text
//!  0  magic "OEAH"
//!  4  version, 1, and three zeros
//!  8  CRC-32 (IEEE) of bytes 12..
//! 12  boot, a hash (8); machine, a hash (8)
//! 28  mark: seconds (8), nanoseconds (4)
//! 40  entries of the index (8), its pages (4)
//! 52  length of the IPv4 set (4), of the IPv6 set (4), then both in openelb-ipam's compact form
//! ```
//!
//! All numbers are little-endian.

use openelb_ipam::codec::CompactSet;
use openelb_ipam::{AddressRange, DualStack, Family, Occupancy, RangeSet};

use super::host::{Host, Mark};

/// What is known of a directory without reading its address files.
#[derive(Debug)]
pub struct Summary {
    pub(crate) host: Host,
    pub(crate) mark: Mark,
    /// How many entries the index has.
    pub(crate) entries: u64,
    /// How many pages the index has.
    pub(crate) pages: u32,
    pub(crate) taken: DualStack<Taken>,
}

/// The taken addresses of a family: as they were read, and open for changes once that is needed.
#[derive(Debug)]
pub(crate) struct Taken {
    read: CompactSet,
    index: Option<Occupancy>,
}

impl Taken {
    /// No address.
    pub(crate) fn nothing(family: Family) -> Self {
        Self::from(CompactSet::of(&all(family)))
    }

    /// The index of all addresses of the family, made when it is first needed.
    pub(crate) fn open(&mut self) -> &mut Occupancy {
        let read = &self.read;
        self.index.get_or_insert_with(|| {
            let mut index = all(read.family());
            read.take_into(&mut index);
            index
        })
    }

    fn encode(&self) -> Vec<u8> {
        match &self.index {
            Some(index) => CompactSet::of(index).encode(),
            None => self.read.encode(),
        }
    }
}

impl From<CompactSet> for Taken {
    fn from(read: CompactSet) -> Self {
        Self { read, index: None }
    }
}

/// Every address of a family, all free.
fn all(family: Family) -> Occupancy {
    Occupancy::new(family, &RangeSet::from(AddressRange::all(family)))
}

impl Summary {
    /// Reads a summary; `None` when it is damaged or of another version.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, body) = bytes.split_at_checked(12)?;
        let expected = head.starts_with(&MAGIC) && head.get(4) == Some(&VERSION);
        if !expected || u32::from_le_bytes(*head.last_chunk()?) != crc32fast::hash(body) {
            return None;
        }
        let (boot, rest) = body.split_first_chunk()?;
        let (machine, rest) = rest.split_first_chunk()?;
        let (seconds, rest) = rest.split_first_chunk()?;
        let (nanoseconds, rest) = rest.split_first_chunk()?;
        let (entries, rest) = rest.split_first_chunk()?;
        let (pages, rest) = rest.split_first_chunk()?;
        let (v4, rest) = rest.split_first_chunk()?;
        let (v6, rest) = rest.split_first_chunk()?;
        let (v4, v6) = (u32::from_le_bytes(*v4), u32::from_le_bytes(*v6));
        let (v4, rest) = rest.split_at_checked(usize::try_from(v4).ok()?)?;
        let (v6, rest) = rest.split_at_checked(usize::try_from(v6).ok()?)?;
        let (v4, v6) = (CompactSet::decode(v4).ok()?, CompactSet::decode(v6).ok()?);
        if !rest.is_empty() || v4.family() != Family::V4 || v6.family() != Family::V6 {
            return None;
        }
        Some(Self {
            host: Host {
                boot: u64::from_le_bytes(*boot),
                machine: u64::from_le_bytes(*machine),
            },
            mark: Mark {
                seconds: u64::from_le_bytes(*seconds),
                nanoseconds: u32::from_le_bytes(*nanoseconds),
            },
            entries: u64::from_le_bytes(*entries),
            pages: u32::from_le_bytes(*pages),
            taken: DualStack {
                v4: v4.into(),
                v6: v6.into(),
            },
        })
    }

    /// The summary as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let (v4, v6) = (self.taken.v4.encode(), self.taken.v6.encode());
        let length = |set: &[u8]| u32::try_from(set.len()).unwrap_or(u32::MAX).to_le_bytes();
        let body = [
            &self.host.boot.to_le_bytes()[..],
            &self.host.machine.to_le_bytes(),
            &self.mark.seconds.to_le_bytes(),
            &self.mark.nanoseconds.to_le_bytes(),
            &self.entries.to_le_bytes(),
            &self.pages.to_le_bytes(),
            &length(&v4),
            &length(&v6),
            &v4,
            &v6,
        ]
        .concat();
        let head = [
            MAGIC,
            [VERSION, 0, 0, 0],
            crc32fast::hash(&body).to_le_bytes(),
        ]
        .concat();
        [head, body].concat()
    }
}

const MAGIC: [u8; 4] = *b"OEAH";
const VERSION: u8 = 1;

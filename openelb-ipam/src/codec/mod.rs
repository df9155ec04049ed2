//! The compact form of taken addresses: checksummed, canonical, in the portable roaring format.
//!
//! A half-full `/16` of random holes takes 8 KB, a full `/8` under 4 KB. The bytes inside are what
//! every roaring implementation reads (C, Java, Go, …): a 32-bit bitmap of absolute addresses for
//! IPv4, and for IPv6 one 64-bit bitmap for each upper half. Equal sets give equal bytes.
//!
//! ```text
//!  0  magic "OEAS"
//!  4  version, 1
//!  5  family, 4 or 6
//!  6  zero, zero
//!  8  CRC-32 (IEEE) of bytes 0..8 and 12..
//! 12  number of addresses modulo 2^128, 16 bytes
//! 28  IPv4: a portable 32-bit roaring bitmap
//!     IPv6: number of runs of wholly taken 2^32-blocks, 4 bytes; each run: first and last block,
//!           12 bytes each. Roaring needs a megabyte for such a block, hence never holds one.
//!           Then number of upper halves, 4 bytes; each: upper 64 bits, 8 bytes, and a portable
//!           64-bit roaring bitmap of the lower ones
//! ```
//!
//! All numbers are little-endian, as in the format inside.

mod container;
mod error;
mod gather;
#[cfg(feature = "roaring")]
mod interop;
mod portable;
mod reader;

use alloc::vec::Vec;

pub use self::error::{DecodeError, Malformed};

use self::container::Container;
use self::reader::Reader;

use crate::count::AddressCount;
use crate::family::Family;
use crate::occupancy::Occupancy;
use crate::range::AddressRange;

/// A set of addresses of one family, as it is written and read.
///
/// ```
/// use openelb_ipam::codec::CompactSet;
/// use openelb_ipam::{Family, RangeSet, occupancy::Occupancy};
///
/// let pool: RangeSet = "10.0.0.0/8".parse()?;
/// let mut index = Occupancy::new(Family::V4, &pool);
/// index.take_range("10.0.0.0-10.200.0.7".parse()?);
/// let bytes = CompactSet::of(&index).encode();
///
/// let mut restored = Occupancy::new(Family::V4, &pool);
/// CompactSet::decode(&bytes)?.take_into(&mut restored);
/// assert_eq!(restored, index);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// Invariants: keys ascend, no container is empty, none is full within a 2^32-block that could be
// in `blocks`; block runs ascend and do not touch; IPv4 has no block runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompactSet {
    family: Family,
    /// Runs of 2^32 addresses, all taken: first and last address divided by 2^32.
    blocks: Vec<(u128, u128)>,
    /// Everything else: addresses divided by 2^16, and their low 16 bits.
    chunks: Vec<(u128, Container)>,
}

impl CompactSet {
    /// The taken addresses of an index's universe.
    ///
    /// O(chunks of 65,536 with a taken address); one copy of 8 KB for each mixed one.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, Occupancy, RangeSet, codec::CompactSet};
    /// let mut index = Occupancy::new(Family::V4, &"0.0.0.0/29".parse::<RangeSet>()?);
    /// index.take(5);
    /// assert_eq!(CompactSet::of(&index).count(), AddressCount::ONE);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(index: &Occupancy) -> Self {
        gather::gather(index)
    }

    /// The family of the addresses.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, Occupancy, RangeSet, codec::CompactSet};
    /// let index = Occupancy::new(Family::V4, &"0.0.0.0/29".parse::<RangeSet>()?);
    /// assert_eq!(CompactSet::of(&index).family(), Family::V4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn family(&self) -> Family {
        self.family
    }

    /// How many addresses. O(containers).
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, RangeSet, codec::CompactSet, occupancy::Occupancy};
    /// let mut index = Occupancy::new(Family::V6, &"::/0".parse::<RangeSet>()?);
    /// index.take_range("2001:db8::/32".parse()?);
    /// let set = CompactSet::of(&index);
    /// assert_eq!(set.count(), AddressCount::new(1 << 96));
    /// assert!(set.encode().len() < 64);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn count(&self) -> AddressCount {
        let blocks = self.blocks.iter().map(|(first, last)| {
            AddressCount::between(
                first << BLOCK_BITS,
                last << BLOCK_BITS | u128::from(u32::MAX),
            )
        });
        let chunks = self
            .chunks
            .iter()
            .map(|(_, container)| container.len().into());
        blocks.chain(chunks).sum()
    }

    /// Takes every address of this set in an index; says how many were free there before.
    ///
    /// Addresses outside the index's universe, or of another family, are passed over: compare the
    /// result with [`count`](Self::count) to learn whether there were any.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, Occupancy, RangeSet, codec::CompactSet};
    /// let mut index = Occupancy::new(Family::V4, &"0.0.0.0/29".parse::<RangeSet>()?);
    /// index.take_range("0.0.0.2-0.0.0.5".parse()?);
    /// let mut smaller = Occupancy::new(Family::V4, &"0.0.0.4/30".parse::<RangeSet>()?);
    /// assert_eq!(CompactSet::of(&index).take_into(&mut smaller), AddressCount::new(2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take_into(&self, index: &mut Occupancy) -> AddressCount {
        if index.family() != self.family {
            return AddressCount::ZERO;
        }
        let mut taken = AddressCount::ZERO;
        for (first, last) in &self.blocks {
            let (first, last) = (
                first << BLOCK_BITS,
                last << BLOCK_BITS | u128::from(u32::MAX),
            );
            if let Some(range) = AddressRange::from_bits(self.family, first, last) {
                taken = taken.saturating_add(index.take_range(range));
            }
        }
        for (key, container) in &self.chunks {
            taken = taken.saturating_add(container.take_into(index, *key));
        }
        taken
    }

    /// The set as bytes. Equal sets give equal bytes.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, Occupancy, RangeSet, codec::CompactSet};
    /// let index = Occupancy::new(Family::V4, &"0.0.0.0/29".parse::<RangeSet>()?);
    /// let (mut there, mut back) = (index.clone(), index.clone());
    /// there.take_range("0.0.0.0/30".parse()?);
    /// back.take_range("0.0.0.0/29".parse()?);
    /// back.release_range("0.0.0.4/30".parse()?);
    /// assert_eq!(CompactSet::of(&there).encode(), CompactSet::of(&back).encode());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encode(&self) -> Vec<u8> {
        // Headers and offsets take eight bytes a container; what is missing grows the vector.
        let contents = self
            .chunks
            .iter()
            .map(|(_, container)| container.byte_len() + 8);
        let mut bytes = Vec::with_capacity(64 + contents.sum::<usize>());
        bytes.extend_from_slice(&MAGIC);
        let family = match self.family {
            Family::V4 => 4,
            Family::V6 => 6,
        };
        bytes.extend_from_slice(&[VERSION, family, 0, 0]);
        bytes.extend_from_slice(&[0; 4]);
        // 2^128 has no 128-bit form; it and zero are told apart by what follows.
        let count = self.count().to_u128().unwrap_or(0);
        bytes.extend_from_slice(&count.to_le_bytes());
        match self.family {
            Family::V4 => portable::write_bitmap(&mut bytes, &self.chunks),
            Family::V6 => self.encode_v6(&mut bytes),
        }
        let checksum = checksum(&bytes).to_le_bytes();
        if let Some(place) = bytes.get_mut(CHECKSUM_AT..CHECKSUM_AT + 4) {
            place.copy_from_slice(&checksum);
        }
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote, or any roaring implementation within this frame.
    ///
    /// Never panics and never allocates more than a small multiple of the input.
    ///
    /// ```
    /// # use openelb_ipam::codec::{CompactSet, DecodeError};
    /// assert_eq!(CompactSet::decode(b"GIF89a"), Err(DecodeError::NotACompactSet));
    /// ```
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.array::<4>() != Ok(MAGIC) {
            return Err(DecodeError::NotACompactSet);
        }
        let [version, family, ..] = reader.array::<4>()?;
        if version != VERSION {
            return Err(DecodeError::UnknownVersion { version });
        }
        let stored = reader.u32()?;
        let computed = checksum(bytes);
        if stored != computed {
            return Err(DecodeError::Checksum { stored, computed });
        }
        let count = u128::from_le_bytes(reader.array()?);
        let set = match family {
            4 => Self::decode_v4(&mut reader)?,
            6 => Self::decode_v6(&mut reader)?,
            _ => return Err(DecodeError::UnknownFamily { family }),
        };
        if !reader.is_empty() {
            return Err(Malformed::TrailingBytes.into());
        }
        let found = set.count();
        if found.to_u128().unwrap_or(0) != count {
            return Err(DecodeError::Count {
                stored: count,
                found,
            });
        }
        Ok(set)
    }

    fn decode_v4(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut chunks = Vec::new();
        portable::read_bitmap(reader, 0, &mut chunks)?;
        Ok(Self {
            family: Family::V4,
            blocks: Vec::new(),
            chunks,
        })
    }

    fn encode_v6(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&length(self.blocks.len()));
        for (first, last) in &self.blocks {
            for block in [first, last] {
                let [low @ .., _, _, _, _] = block.to_le_bytes();
                bytes.extend_from_slice(&low);
            }
        }
        // A 64-bit bitmap covers one upper half; chunks are in order, so halves are runs.
        let halves = || {
            self.chunks
                .chunk_by(|(a, _), (b, _)| a >> HALF_CHUNKS == b >> HALF_CHUNKS)
        };
        bytes.extend_from_slice(&length(halves().count()));
        for half in halves() {
            let upper = half.first().map_or(0, |(key, _)| key >> HALF_CHUNKS);
            let upper = u64::try_from(upper).expect("an address has 64 upper bits");
            bytes.extend_from_slice(&upper.to_le_bytes());
            portable::write_treemap(bytes, half);
        }
    }

    fn decode_v6(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut set = Self {
            family: Family::V6,
            blocks: Vec::new(),
            chunks: Vec::new(),
        };
        let mut free_from = Some(0);
        for _ in 0..reader.u32()? {
            let (first, last) = (reader.u96()?, reader.u96()?);
            if first > last || free_from.is_none_or(|free_from| first < free_from) {
                return Err(Malformed::BlocksOutOfOrder);
            }
            // Runs that touch would be one run in the canonical form.
            free_from = last.checked_add(2);
            set.blocks.push((first, last));
        }
        let mut previous = None;
        for _ in 0..reader.u32()? {
            let upper = reader.u64()?;
            if previous.is_some_and(|previous| upper <= previous) {
                return Err(Malformed::KeysOutOfOrder);
            }
            previous = Some(upper);
            portable::read_treemap(reader, upper, &mut set.chunks)?;
        }
        if set
            .chunks
            .iter()
            .any(|(key, _)| set.is_in_block(key >> BLOCK_CHUNKS))
        {
            return Err(Malformed::CountedTwice);
        }
        let mut blocks = set
            .chunks
            .chunk_by(|(a, _), (b, _)| a >> BLOCK_CHUNKS == b >> BLOCK_CHUNKS);
        if blocks.any(|block| block.len() == 1 << BLOCK_CHUNKS && block.iter().all(is_full)) {
            return Err(Malformed::WholeBlock);
        }
        Ok(set)
    }

    fn is_in_block(&self, block: u128) -> bool {
        let at = self.blocks.partition_point(|(_, last)| *last < block);
        self.blocks
            .get(at)
            .is_some_and(|(first, _)| *first <= block)
    }
}

fn is_full((_, container): &(u128, Container)) -> bool {
    container.len() == 1 << 16
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(bytes.get(..CHECKSUM_AT).unwrap_or_default());
    hasher.update(bytes.get(CHECKSUM_AT + 4..).unwrap_or_default());
    hasher.finalize()
}

/// A number of things, each of which takes more than one byte of memory.
fn length(count: usize) -> [u8; 4] {
    u32::try_from(count)
        .expect("fewer than 2^32 entries fit in memory")
        .to_le_bytes()
}

const MAGIC: [u8; 4] = *b"OEAS";
const VERSION: u8 = 1;
const CHECKSUM_AT: usize = 8;
/// log2 of the addresses in a block, which is what one 32-bit roaring bitmap covers.
const BLOCK_BITS: u32 = 32;
/// log2 of the chunks in a block, and in the lower half of an IPv6 address.
const BLOCK_CHUNKS: u32 = 16;
const HALF_CHUNKS: u32 = 48;

#[cfg(test)]
mod tests;

//! To and from the `roaring` crate, for set algebra and audits.

use alloc::vec::Vec;

use roaring::{RoaringBitmap, RoaringTreemap};

use super::reader::Reader;
use super::{BLOCK_CHUNKS, CompactSet, HALF_CHUNKS, portable};
use crate::family::Family;

impl CompactSet {
    /// An IPv4 set as a bitmap of addresses as numbers; `None` for IPv6. One copy.
    ///
    /// ```
    /// use openelb_ipam::codec::CompactSet;
    /// use openelb_ipam::{Family, Occupancy, RangeSet};
    ///
    /// let mut index = Occupancy::new(Family::V4, &"0.0.0.0/24".parse::<RangeSet>()?);
    /// index.take_range("0.0.0.3-0.0.0.9".parse()?);
    /// let bitmap = CompactSet::of(&index).to_roaring().expect("an IPv4 set");
    /// assert_eq!(bitmap, (3..=9).collect());
    /// assert_eq!(CompactSet::from(&bitmap), CompactSet::of(&index));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_roaring(&self) -> Option<RoaringBitmap> {
        if self.family != Family::V4 {
            return None;
        }
        let mut bytes = Vec::new();
        portable::write_bitmap(&mut bytes, &self.chunks);
        RoaringBitmap::deserialize_from(bytes.as_slice()).ok()
    }

    /// The lower halves of the IPv6 addresses under one upper half; `None` for IPv4, and where a
    /// whole block of 2^32 addresses is taken, which a bitmap cannot hold in reasonable memory.
    ///
    /// ```
    /// # use openelb_ipam::{Family, Occupancy, RangeSet, codec::CompactSet};
    /// let mut index = Occupancy::new(Family::V6, &"2001:db8::/64".parse::<RangeSet>()?);
    /// index.take(0x2001_0db8 << 96 | 7);
    /// let lower = CompactSet::of(&index).to_roaring_treemap(0x2001_0db8 << 32);
    /// assert_eq!(lower, Some([7].into_iter().collect()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_roaring_treemap(&self, upper: u64) -> Option<RoaringTreemap> {
        let (first, last) = (
            u128::from(upper) << 32,
            u128::from(upper) << 32 | 0xffff_ffff,
        );
        let has_block = self
            .blocks
            .iter()
            .any(|run| run.0 <= last && first <= run.1);
        if self.family != Family::V6 || has_block {
            return None;
        }
        let start = self
            .chunks
            .partition_point(|(key, _)| key >> BLOCK_CHUNKS < first);
        let rest = self.chunks.get(start..).unwrap_or_default();
        let end = rest.partition_point(|(key, _)| key >> HALF_CHUNKS == u128::from(upper));
        let mut bytes = Vec::new();
        portable::write_treemap(&mut bytes, rest.get(..end).unwrap_or_default());
        RoaringTreemap::deserialize_from(bytes.as_slice()).ok()
    }
}

/// IPv4 addresses as numbers.
impl From<&RoaringBitmap> for CompactSet {
    fn from(bitmap: &RoaringBitmap) -> Self {
        let mut bytes = Vec::with_capacity(bitmap.serialized_size());
        bitmap
            .serialize_into(&mut bytes)
            .expect("a vector takes any bytes");
        let mut chunks = Vec::new();
        portable::read_bitmap(&mut Reader::new(&bytes), 0, &mut chunks)
            .expect("the crate writes the format");
        Self {
            family: Family::V4,
            blocks: Vec::new(),
            chunks,
        }
    }
}

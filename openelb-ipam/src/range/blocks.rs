//! The minimal prefix cover of a range.

use core::iter::FusedIterator;

use ipnet::IpNet;

use super::AddressRange;
use crate::family::{Family, from_bits};

/// The fewest prefixes that cover a range; made by [`AddressRange::blocks`].
///
/// ```
/// use openelb_ipam::AddressRange;
///
/// let everything: AddressRange = "::/0".parse()?;
/// assert_eq!(everything.blocks().count(), 1);
/// # Ok::<(), openelb_ipam::RangeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Blocks {
    family: Family,
    /// What is not covered yet, inclusive.
    rest: Option<(u128, u128)>,
}

impl Blocks {
    pub(super) fn of(range: AddressRange) -> Self {
        Self {
            family: range.family,
            rest: Some((range.first, range.last)),
        }
    }
}

impl Iterator for Blocks {
    type Item = IpNet;

    fn next(&mut self) -> Option<IpNet> {
        let (first, last) = self.rest.take()?;
        let bits = self.family.bits();
        // The widest block must start at `first` (alignment) and end by `last` (size).
        let aligned = first.trailing_zeros().min(u32::from(bits));
        let fitting = (last - first)
            .checked_add(1)
            .map_or(u128::BITS, u128::ilog2);
        let host_bits = aligned.min(fitting);
        let block_last = first | low_mask(host_bits);
        if block_last < last {
            self.rest = Some((block_last + 1, last));
        }
        let length = u8::try_from(u32::from(bits) - host_bits).expect("at most 128");
        Some(
            IpNet::new(from_bits(self.family, first), length)
                .expect("the length is at most the family's bits"),
        )
    }
}

impl FusedIterator for Blocks {}

/// A number with its lowest `bits` bits set, 0 ..= 128.
fn low_mask(bits: u32) -> u128 {
    u128::MAX.checked_shr(u128::BITS - bits).unwrap_or(0)
}

//! The Internet checksum (RFC 1071), with the IPv6 pseudo-header (RFC 8200 section 8.1).

use super::ip::NextHeader;
use std::net::Ipv6Addr;

/// A checksum in the making: the one's complement sum of 16-bit numbers.
///
/// A packet that contains its own correct checksum sums up to `value() == 0`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checksum {
    // 16-bit numbers add up without loss: 2^48 of them fit, more octets than a packet can have.
    sum: u64,
}

impl Checksum {
    /// Starts with the pseudo-header of an IPv6 packet that carries `length` octets of `protocol`.
    pub fn of_ipv6(
        source: Ipv6Addr,
        destination: Ipv6Addr,
        protocol: NextHeader,
        length: usize,
    ) -> Self {
        let mut checksum = Self {
            sum: u64::from(u8::from(protocol)),
        };
        checksum.sum += u64::try_from(length).unwrap_or(u64::MAX) & u64::from(u32::MAX);
        checksum.add(&source.octets());
        checksum.add(&destination.octets());
        checksum
    }

    /// Adds octets that start at an even offset; an odd last one counts as if a zero followed it.
    pub fn add(&mut self, octets: &[u8]) {
        let (pairs, odd) = octets.as_chunks::<2>();
        self.sum += pairs
            .iter()
            .map(|pair| u64::from(u16::from_be_bytes(*pair)))
            .sum::<u64>();
        if let [last] = odd {
            self.sum += u64::from(u16::from_be_bytes([*last, 0]));
        }
    }

    /// The finished checksum, as it stands on the wire.
    pub fn value(self) -> u16 {
        let mut sum = self.sum;
        while sum > u64::from(u16::MAX) {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !u16::try_from(sum).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests;

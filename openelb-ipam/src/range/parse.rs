//! Reading ranges: one address, prefix, netmask, or from-to.

use core::net::{IpAddr, Ipv4Addr};
use core::str::FromStr;

use ipnet::IpNet;

use super::AddressRange;
use super::error::{End, RangeError, RangeProblem, excerpt};
use crate::family::Family;

/// What to do with `192.0.2.10/24`, a prefix whose address has host bits.
///
/// ```
/// use openelb_ipam::{AddressRange, range::HostBits};
///
/// assert!(AddressRange::parse("192.0.2.10/24", HostBits::Refuse).is_err());
/// let widened = AddressRange::parse("192.0.2.10/24", HostBits::Drop)?;
/// assert_eq!(widened.to_string(), "192.0.2.0/24");
/// # Ok::<(), openelb_ipam::RangeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostBits {
    /// Refuse it: the writer meant either one address or the prefix, and only they know which.
    #[default]
    Refuse,
    /// Take the whole prefix. For adopting existing objects: OpenELB and MetalLB read it so.
    Drop,
}

impl AddressRange {
    /// Reads one entry, with a choice about host bits; `text.parse()` refuses them.
    ///
    /// ```
    /// # use openelb_ipam::{AddressRange, range::HostBits};
    /// let range = AddressRange::parse(" 10.0.0.1 - 10.0.0.9 ", HostBits::Refuse)?;
    /// assert_eq!(range.to_string(), "10.0.0.1-10.0.0.9");
    /// # Ok::<(), openelb_ipam::RangeError>(())
    /// ```
    pub fn parse(text: &str, host_bits: HostBits) -> Result<Self, RangeError> {
        let entry = text.trim();
        parse_entry(entry, host_bits).map_err(|problem| RangeError::new(entry, problem))
    }
}

impl FromStr for AddressRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        Self::parse(text, HostBits::Refuse)
    }
}

fn parse_entry(entry: &str, host_bits: HostBits) -> Result<AddressRange, RangeProblem> {
    if entry.is_empty() {
        return Err(RangeProblem::Empty);
    }
    if let Some((first, last)) = entry.split_once('-') {
        if last.contains('-') {
            return Err(RangeProblem::TooManyDashes);
        }
        let first = parse_end(first, End::First)?;
        let last = parse_end(last, End::Last)?;
        return AddressRange::between(first, last);
    }
    if let Some((address, length)) = entry.split_once('/') {
        return parse_prefix(address, length, host_bits);
    }
    let address = parse_address(entry)?;
    AddressRange::between(address, address)
}

fn parse_end(part: &str, side: End) -> Result<IpAddr, RangeProblem> {
    let part = part.trim();
    if part.is_empty() {
        return Err(RangeProblem::MissingEnd { side });
    }
    if part.contains('/') {
        return Err(RangeProblem::PrefixAsEnd {
            part: excerpt(part),
        });
    }
    parse_address(part)
}

fn parse_prefix(
    address: &str,
    length: &str,
    host_bits: HostBits,
) -> Result<AddressRange, RangeProblem> {
    let (address, length) = (parse_address(address.trim_end())?, length.trim_start());
    // Refuses the mapped form before the prefix could widen it into something unmapped.
    AddressRange::between(address, address)?;
    let length = parse_length(Family::of(address), length)?;
    let prefix = IpNet::new(address, length).expect("the length was checked against the family");
    if prefix.trunc() != prefix && host_bits == HostBits::Refuse {
        return Err(RangeProblem::HostBits {
            address,
            prefix: prefix.trunc(),
        });
    }
    Ok(prefix.into())
}

fn parse_length(family: Family, text: &str) -> Result<u8, RangeProblem> {
    let max = family.bits();
    if let Ok(mask) = text.parse::<Ipv4Addr>() {
        return match family {
            Family::V4 => mask_length(mask),
            Family::V6 => Err(RangeProblem::MaskOnIpv6 {
                mask: excerpt(text),
            }),
        };
    }
    if family == Family::V6 && text.contains(':') {
        return Err(RangeProblem::MaskOnIpv6 {
            mask: excerpt(text),
        });
    }
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    text.parse()
        .ok()
        .filter(|length| is_plain && *length <= max)
        .ok_or_else(|| RangeProblem::BadPrefixLength {
            length: excerpt(text),
            max,
        })
}

fn mask_length(mask: Ipv4Addr) -> Result<u8, RangeProblem> {
    let ones = mask.to_bits().leading_ones();
    if ones != mask.to_bits().count_ones() {
        return Err(RangeProblem::MaskWithHoles { mask });
    }
    Ok(u8::try_from(ones).expect("at most 32"))
}

fn parse_address(part: &str) -> Result<IpAddr, RangeProblem> {
    part.parse().map_err(|_| {
        let part = excerpt(part);
        if part.contains('%') {
            RangeProblem::Zone { part }
        } else if has_leading_zero(&part) {
            RangeProblem::LeadingZero { part }
        } else {
            RangeProblem::NotAnAddress { part }
        }
    })
}

/// Whether the text would be an IPv4 address but for leading zeros.
fn has_leading_zero(part: &str) -> bool {
    let mut octets = 0;
    let mut padded = false;
    for octet in part.split('.') {
        let digits = octet.trim_start_matches('0');
        let is_octet = !octet.is_empty() && (digits.is_empty() || digits.parse::<u8>().is_ok());
        if !is_octet || !octet.bytes().all(|byte| byte.is_ascii_digit()) {
            return false;
        }
        octets += 1;
        padded |= octet.len() > 1 && octet.starts_with('0');
    }
    octets == 4 && padded
}

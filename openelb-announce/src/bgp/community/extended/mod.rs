//! Extended communities (RFC 4360, RFC 5668): eight octets, the first of which tell the kind.

use super::{ParseCommunityError, number};
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// A community of eight octets (RFC 4360).
///
/// Route targets and sites of origin are written as `rt:64512:1` and `soo:192.0.2.1:1`; every other
/// kind as `0x` with 16 hexadecimal digits.
///
/// ```
/// use openelb_announce::bgp::ExtendedCommunity;
///
/// let target: ExtendedCommunity = "rt:64512:1".parse()?;
/// assert_eq!(target, ExtendedCommunity([0, 2, 0xfc, 0, 0, 0, 0, 1]));
/// # Ok::<(), openelb_announce::bgp::community::ParseCommunityError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtendedCommunity(pub [u8; 8]);

impl ExtendedCommunity {
    /// Whether it passes from one autonomous system to the next (RFC 4360 section 2).
    pub const fn is_transitive(self) -> bool {
        let [kind, ..] = self.0;
        kind & 0x40 == 0
    }

    fn write_octets(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#018x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Display for ExtendedCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [kind, subkind, global @ .., high, low] = self.0;
        let [_, _, asn @ .., _, _, _, _] = self.0;
        let [.., third, fourth, _, _] = self.0;
        let name = match subkind {
            ROUTE_TARGET => "rt",
            SITE_OF_ORIGIN => "soo",
            _ => return self.write_octets(f),
        };
        let local = u16::from_be_bytes([high, low]);
        match kind {
            TWO_OCTET_AS => {
                let local = u32::from_be_bytes([third, fourth, high, low]);
                write!(f, "{name}:{}:{local}", u16::from_be_bytes(asn))
            }
            ADDRESS => write!(f, "{name}:{}:{local}", Ipv4Addr::from(global)),
            // The trailing `L` keeps a small number of four octets apart from one of two.
            FOUR_OCTET_AS => write!(f, "{name}:{}L:{local}", u32::from_be_bytes(global)),
            _ => self.write_octets(f),
        }
    }
}

impl FromStr for ExtendedCommunity {
    type Err = ParseCommunityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseCommunityError::new(text, EXPECTED))
    }
}

fn parse(text: &str) -> Option<ExtendedCommunity> {
    if let Some(digits) = text.strip_prefix("0x") {
        let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let value = u64::from_str_radix(digits, 16).ok();
        return value
            .filter(|_| hexadecimal && digits.len() == 16)
            .map(|value| ExtendedCommunity(value.to_be_bytes()));
    }
    let (name, value) = text.split_once(':')?;
    let subkind = match name {
        "rt" => ROUTE_TARGET,
        "soo" => SITE_OF_ORIGIN,
        _ => return None,
    };
    let (global, local) = value.split_once(':')?;
    let (kind, value) = kind_and_value(global, local)?;
    let kinds = u64::from(kind) << 56 | u64::from(subkind) << 48;
    Some(ExtendedCommunity((kinds | value).to_be_bytes()))
}

/// The kind and the last six octets: the first fitting one of two-octet AS, four-octet AS, address.
fn kind_and_value(global: &str, local: &str) -> Option<(u8, u64)> {
    if let (Some(asn), Some(local)) = (number::<u16>(global), number::<u32>(local)) {
        return Some((TWO_OCTET_AS, u64::from(asn) << 32 | u64::from(local)));
    }
    let local = u64::from(number::<u16>(local)?);
    let asn = number::<u32>(global.strip_suffix('L').unwrap_or(global));
    if let Some(asn) = asn {
        return Some((FOUR_OCTET_AS, u64::from(asn) << 16 | local));
    }
    let address: Ipv4Addr = global.parse().ok()?;
    Some((ADDRESS, u64::from(u32::from(address)) << 16 | local))
}

const TWO_OCTET_AS: u8 = 0x00;
const ADDRESS: u8 = 0x01;
const FOUR_OCTET_AS: u8 = 0x02;
const ROUTE_TARGET: u8 = 0x02;
const SITE_OF_ORIGIN: u8 = 0x03;
const EXPECTED: &str =
    "extended community; write rt:64512:1, soo:192.0.2.1:1, or 0x and 16 hexadecimal digits";

#[cfg(test)]
mod tests;

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
}

impl fmt::Display for ExtendedCommunity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [kind, subkind, a, b, c, d, e, g] = self.0;
        let name = match subkind {
            ROUTE_TARGET => "rt",
            SITE_OF_ORIGIN => "soo",
            _ => "",
        };
        let low = u16::from_be_bytes([e, g]);
        match kind {
            _ if name.is_empty() => write!(f, "{:#018x}", u64::from_be_bytes(self.0)),
            TWO_OCTET_AS => {
                let (asn, local) = (u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, g]));
                write!(f, "{name}:{asn}:{local}")
            }
            ADDRESS => write!(f, "{name}:{}:{low}", Ipv4Addr::new(a, b, c, d)),
            // The trailing `L` keeps a small number of four octets apart from one of two.
            FOUR_OCTET_AS => write!(f, "{name}:{}L:{low}", u32::from_be_bytes([a, b, c, d])),
            _ => write!(f, "{:#018x}", u64::from_be_bytes(self.0)),
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
    let (kind, [a, b, c, d, e, g]) = body(global, local)?;
    Some(ExtendedCommunity([kind, subkind, a, b, c, d, e, g]))
}

/// The kind and the last six octets: the first fitting one of two-octet AS, four-octet AS, address.
fn body(global: &str, local: &str) -> Option<(u8, [u8; 6])> {
    if let (Some(asn), Some(local)) = (number::<u16>(global), number::<u32>(local)) {
        let ([a, b], [c, d, e, f]) = (asn.to_be_bytes(), local.to_be_bytes());
        return Some((TWO_OCTET_AS, [a, b, c, d, e, f]));
    }
    let [e, f] = number::<u16>(local)?.to_be_bytes();
    let asn = number::<u32>(global.strip_suffix('L').unwrap_or(global));
    if let Some([a, b, c, d]) = asn.map(u32::to_be_bytes) {
        return Some((FOUR_OCTET_AS, [a, b, c, d, e, f]));
    }
    let [a, b, c, d] = global.parse::<Ipv4Addr>().ok()?.octets();
    Some((ADDRESS, [a, b, c, d, e, f]))
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

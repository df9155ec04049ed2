//! Where the ledger keeps host bits: a block of addresses for each name, which nobody else can have.

use alloc::collections::BTreeMap;
use core::net::Ipv6Addr;

use ipnet::Ipv6Net;
use thiserror::Error;

use super::name::PrefixName;

/// Host bits that a name has room for: all of a /48.
pub const HOST_BITS: u8 = 80;

/// Whether the address is one of the ledger's own, which no network knows.
///
/// They lie in `1000::/4`, which IANA has not assigned to anybody (RFC 4291 section 2.4 and its
/// registry) and the Internet therefore does not route.
///
/// ```
/// use openelb_ipam::relative::is_ledger;
///
/// assert!(is_ledger("1abc::1".parse()?));
/// assert!(!is_ledger("2001:db8::1".parse()?));
/// # Ok::<(), core::net::AddrParseError>(())
/// ```
pub const fn is_ledger(address: Ipv6Addr) -> bool {
    address.to_bits() >> (128 - 4) == MARK
}

/// The /48 in which the ledger keeps the host bits of one prefix: `1`, then 44 bits of a hash of the
/// name.
///
/// It is the same on every host and in every version, because stores keep it.
///
/// ```
/// use openelb_ipam::relative::{is_ledger, ledger_space};
///
/// let space = ledger_space(&"home".parse()?);
/// assert_eq!(space.to_string(), "1bcc:7e6b:9fbf::/48");
/// assert!(is_ledger(space.network()));
/// # Ok::<(), openelb_ipam::relative::ParsePrefixNameError>(())
/// ```
pub fn ledger_space(name: &PrefixName) -> Ipv6Net {
    let bits = (MARK << 124) | (u128::from(hash44(name)) << HOST_BITS);
    Ipv6Net::new_assert(Ipv6Addr::from_bits(bits), 48)
}

/// The address that the world sees: the network bits of `prefix`, the host bits of `host`.
///
/// Bits are replaced, never OR-ed, so that no two hosts become one. `host` may be an address of the
/// ledger or bare host bits (`::10`).
///
/// ```
/// use openelb_ipam::relative::project;
///
/// let shown = project("::1000".parse()?, "2001:db8:aaaa:bbcd::/64".parse()?)?;
/// assert_eq!(shown.to_string(), "2001:db8:aaaa:bbcd::1000");
///
/// let error = project("::1:0:0:0:1".parse()?, "2001:db8::/64".parse()?).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "::1:0:0:0:1 needs 65 host bits and 2001:db8::/64 leaves 64; shorten the host part or the prefix",
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn project(host: Ipv6Addr, prefix: Ipv6Net) -> Result<Ipv6Addr, DoesNotFit> {
    let bits = host_part(host);
    if bits & !host_mask(prefix) != 0 {
        return Err(DoesNotFit {
            host: Ipv6Addr::from_bits(bits),
            prefix,
        });
    }
    Ok(Ipv6Addr::from_bits(prefix.network().to_bits() | bits))
}

/// The ledger's form of an address inside a prefix of that name; `None` when it lies outside, or
/// when the prefix leaves more host bits than a name has room for.
///
/// ```
/// use openelb_ipam::relative::{project, unproject};
///
/// let (name, prefix) = ("home".parse()?, "2001:db8:aaaa:bbcd::/64".parse()?);
/// let ledger = unproject("2001:db8:aaaa:bbcd::10".parse()?, prefix, &name).unwrap();
/// assert_eq!(ledger.to_string(), "1bcc:7e6b:9fbf::10");
/// assert_eq!(project(ledger, prefix)?.to_string(), "2001:db8:aaaa:bbcd::10");
/// assert_eq!(unproject("2001:db8::10".parse()?, prefix, &name), None);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn unproject(address: Ipv6Addr, prefix: Ipv6Net, name: &PrefixName) -> Option<Ipv6Addr> {
    let host = address.to_bits() & host_mask(prefix);
    (prefix.contains(&address) && host <= HOST_MASK).then(|| in_space(name, host))
}

/// The ledger's form of bare host bits; they must be within [`HOST_BITS`].
pub(super) fn in_space(name: &PrefixName, host: u128) -> Ipv6Addr {
    debug_assert!(host <= HOST_MASK, "host bits beyond the ledger's");
    Ipv6Addr::from_bits(ledger_space(name).network().to_bits() | (host & HOST_MASK))
}

/// The host bits of an address of the ledger, or of bare host bits.
pub(super) const fn host_part(address: Ipv6Addr) -> u128 {
    if is_ledger(address) {
        address.to_bits() & HOST_MASK
    } else {
        address.to_bits()
    }
}

/// The prefixes in use, by the block of the ledger that each has.
///
/// ```
/// use openelb_ipam::relative::{Names, ledger_space};
///
/// let mut names = Names::default();
/// names.insert(&"home".parse()?)?;
/// let inside = ledger_space(&"home".parse()?).network();
/// assert_eq!(names.of(inside).map(|name| &**name), Some("home"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
// Invariant: every key is the hash of its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<u64, PrefixName>);

impl Names {
    /// Notes a name, or refuses it because another has the same block. Noting it again is harmless.
    pub fn insert(&mut self, name: &PrefixName) -> Result<(), Collision> {
        let other = self.0.entry(hash44(name)).or_insert_with(|| name.clone());
        if other == name {
            return Ok(());
        }
        Err(Collision {
            name: name.clone(),
            other: other.clone(),
        })
    }

    /// Forgets a name.
    pub fn remove(&mut self, name: &PrefixName) {
        if self.contains(name) {
            self.0.remove(&hash44(name));
        }
    }

    /// Whether the name was noted.
    pub fn contains(&self, name: &PrefixName) -> bool {
        self.0.get(&hash44(name)) == Some(name)
    }

    /// Whose block an address of the ledger lies in. O(log names).
    pub fn of(&self, address: Ipv6Addr) -> Option<&PrefixName> {
        let hash = u64::try_from((address.to_bits() >> HOST_BITS) & u128::from(HASH_MASK));
        is_ledger(address).then(|| self.0.get(&hash.ok()?))?
    }

    /// Every name, in the order of their blocks.
    pub fn iter(&self) -> impl Iterator<Item = &PrefixName> {
        self.0.values()
    }
}

/// A host part that is longer than a prefix leaves room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "{host} needs {} host bits and {prefix} leaves {}; shorten the host part or the prefix",
    128 - host.to_bits().leading_zeros(),
    128 - prefix.prefix_len()
)]
pub struct DoesNotFit {
    /// The bits in question.
    pub host: Ipv6Addr,
    /// The prefix that they do not fit.
    pub prefix: Ipv6Net,
}

/// Two names for which the ledger has one block: about one pair in 10^13.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("prefixes {name} and {other} cannot be used together; name one of them otherwise")]
pub struct Collision {
    /// The name that was refused.
    pub name: PrefixName,
    /// The one that was there.
    pub other: PrefixName,
}

const fn host_mask(prefix: Ipv6Net) -> u128 {
    match u128::MAX.checked_shr(prefix.prefix_len() as u32) {
        Some(mask) => mask,
        None => 0,
    }
}

/// FNV-1a of 64 bits, folded to 44 as its authors advise: XOR of the parts.
fn hash44(name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 44) ^ (hash & HASH_MASK)
}

/// The first hexadecimal digit of every address of the ledger.
const MARK: u128 = 0x1;
const HASH_MASK: u64 = (1 << 44) - 1;
pub(super) const HOST_MASK: u128 = (1 << HOST_BITS) - 1;

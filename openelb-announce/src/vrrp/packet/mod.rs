//! Advertisements: the only message of VRRP, in its two versions.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Version| Type  | Virtual Rtr ID|   Priority    | Address Count |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |Reserve| Max Advertise Interval|          Checksum             |  version 3
//! |   Auth Type   |   Adver Int   |          Checksum             |  version 2
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                     IPv4 or IPv6 addresses                    |
//! |           Authentication Data (8, version 2 only)             |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! ```

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use smallvec::SmallVec;

use super::interval::Interval;
use super::vrid::{Family, Vrid};
use crate::wire::checksum::Checksum;
use crate::wire::ip::NextHeader;
use crate::wire::{Reader, Truncated};

/// What an advertisement says. Decoding copies nothing: the addresses stay where they are.
///
/// ```
/// use openelb_announce::vrrp::{Advert, ChecksumForm, Interval, Version, Vrid};
/// use openelb_announce::vrrp::packet::{Head, Path};
///
/// let head = Head {
///     version: Version::V3,
///     vrid: Vrid::new(51).ok_or("zero")?,
///     priority: 200,
///     interval: Interval::SECOND,
/// };
/// let path = Path { source: "192.0.2.1".parse()?, destination: "224.0.0.18".parse()? };
/// let octets = head.encode(&["192.0.2.10".parse()?], path, ChecksumForm::PseudoHeader);
/// let advert = Advert::decode(&octets, path)?;
/// assert_eq!(advert.head, head);
/// assert_eq!(advert.form, Some(ChecksumForm::PseudoHeader));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert<'a> {
    /// What stands in the first eight octets.
    pub head: Head,
    /// The addresses of the virtual router; at least one.
    pub addresses: Addresses<'a>,
    /// How it is summed; `None` when there is only one way, or both come to the same.
    pub form: Option<ChecksumForm>,
}

impl<'a> Advert<'a> {
    /// Reads the payload of an IP packet that travelled along `path`, with the rules of RFC 9568
    /// section 7.1 (RFC 3768 section 7.1) that need no settings. Reserved bits are ignored, and so
    /// is what follows the last field.
    ///
    /// Costs one pass over the octets; both forms of an IPv4 checksum are tried in it.
    pub fn decode(octets: &'a [u8], path: Path) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        let [first, vrid, priority, count] = reader.array()?;
        let interval: [u8; 2] = reader.array()?;
        let _checksum = reader.u16()?;
        let family = path.family();
        let version = Version::from_bits(first >> 4, family)?;
        if first & 0x0f != ADVERTISEMENT {
            return Err(DecodeError::Type(first & 0x0f));
        }
        let addresses = Addresses {
            family,
            octets: reader.take(usize::from(count) * family.octets())?,
        };
        let _authentication = reader.take(version.trailer())?;
        let length = octets.len().saturating_sub(reader.rest().len());
        let summed = octets.get(..length).unwrap_or_default();
        let form = verify(version, summed, path)?;
        let vrid = Vrid::new(vrid).ok_or(DecodeError::NoVrid)?;
        if addresses.is_empty() {
            return Err(DecodeError::NoAddress);
        }
        let head = Head {
            version,
            vrid,
            priority,
            interval: version.interval(interval)?,
        };
        Ok(Self {
            head,
            addresses,
            form,
        })
    }

    /// The VRID of a payload, looked at without checking anything: which virtual router to ask.
    pub fn vrid(octets: &[u8]) -> Option<Vrid> {
        let [_, vrid, ..] = octets else { return None };
        Vrid::new(*vrid)
    }
}

/// The fixed part of an advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The version of the protocol.
    pub version: Version,
    /// The virtual router that it is about.
    pub vrid: Vrid,
    /// The sender's priority: 255 the owner of the addresses, 0 a router that leaves.
    pub priority: u8,
    /// The interval at which the sender advertises. What the version cannot say is written as the
    /// nearest that it can.
    pub interval: Interval,
}

impl Head {
    /// An advertisement for `addresses`, to be sent along `path`, summed in `form` where there is a
    /// choice. Addresses of the other family are left out, and so are those beyond
    /// [`Family::most_addresses`]; settings that were validated have neither.
    pub fn encode(self, addresses: &[IpAddr], path: Path, form: ChecksumForm) -> Octets {
        let family = path.family();
        let fitting = addresses.iter().filter(|it| Family::of(**it) == family);
        let fitting = fitting.take(family.most_addresses());
        let count = u8::try_from(fitting.clone().count()).unwrap_or(u8::MAX);
        let version = self.version.bits() << 4 | ADVERTISEMENT;
        let mut octets = Octets::from_slice(&[version, self.vrid.get(), self.priority, count]);
        octets.extend_from_slice(&self.version.interval_octets(self.interval));
        // The checksum counts as zero while it is computed.
        octets.extend_from_slice(&[0; 2]);
        for address in fitting {
            match address {
                IpAddr::V4(address) => octets.extend_from_slice(&address.octets()),
                IpAddr::V6(address) => octets.extend_from_slice(&address.octets()),
            }
        }
        octets.resize(octets.len() + self.version.trailer(), 0);
        let sum = sum(self.version, &octets, path, form);
        if let Some(field) = octets.get_mut(CHECKSUM) {
            field.copy_from_slice(&sum.to_be_bytes());
        }
        octets
    }
}

/// An encoded advertisement: 64 octets hold one of IPv4 with a dozen addresses without allocating.
pub type Octets = SmallVec<[u8; 64]>;

/// The addresses in the IP header around an advertisement, which its checksum may cover. They are of
/// one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    /// The sender's primary address.
    pub source: IpAddr,
    /// The group of all VRRP routers, or the one router that it is for.
    pub destination: IpAddr,
}

impl Path {
    /// The family of the packet.
    pub const fn family(self) -> Family {
        Family::of(self.source)
    }
}

/// The addresses of an advertisement, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses<'a> {
    family: Family,
    // Invariant: as long as a whole number of addresses.
    octets: &'a [u8],
}

impl<'a> Addresses<'a> {
    /// How many.
    pub const fn len(self) -> usize {
        self.octets.len() / self.family.octets()
    }

    /// None at all?
    pub const fn is_empty(self) -> bool {
        self.octets.is_empty()
    }

    /// The first one: of IPv6 the link-local address of the virtual router.
    pub fn first(self) -> Option<IpAddr> {
        self.iter().next()
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = IpAddr> + 'a {
        self.octets
            .chunks_exact(self.family.octets())
            .filter_map(|octets| {
                let v4 = || {
                    octets
                        .try_into()
                        .map(|octets: [u8; 4]| Ipv4Addr::from(octets).into())
                };
                let v6 = |_| {
                    octets
                        .try_into()
                        .map(|octets: [u8; 16]| Ipv6Addr::from(octets).into())
                };
                v4().or_else(v6).ok()
            })
    }
}

/// The version of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Version {
    /// RFC 3768, for IPv4 alone.
    V2,
    /// RFC 9568, and RFC 5798 before it.
    #[default]
    V3,
}

impl Version {
    const fn from_bits(bits: u8, family: Family) -> Result<Self, DecodeError> {
        match (bits, family) {
            (2, Family::Ipv4) => Ok(Self::V2),
            (3, _) => Ok(Self::V3),
            (version, _) => Err(DecodeError::Version { version, family }),
        }
    }

    const fn bits(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }

    /// Octets behind the addresses.
    const fn trailer(self) -> usize {
        match self {
            Self::V2 => 8,
            Self::V3 => 0,
        }
    }

    fn interval(self, octets: [u8; 2]) -> Result<Interval, DecodeError> {
        let [first, second] = octets;
        let interval = match self {
            Self::V2 if first != 0 => return Err(DecodeError::Authentication(first)),
            Self::V2 => Interval::from_seconds(second),
            Self::V3 => Interval::from_centiseconds(u16::from_be_bytes(octets) & INTERVAL_BITS),
        };
        interval.ok_or(DecodeError::NoInterval)
    }

    fn interval_octets(self, interval: Interval) -> [u8; 2] {
        let centiseconds = interval.centiseconds();
        match self {
            Self::V2 => {
                let seconds = centiseconds.div_ceil(100);
                [0, u8::try_from(seconds).unwrap_or(u8::MAX)]
            }
            Self::V3 => centiseconds.min(INTERVAL_BITS).to_be_bytes(),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.bits(), f)
    }
}

/// What the checksum of version 3 over IPv4 covers. RFC 9568 section 5.2.8 leaves the pseudo-header
/// out; keepalived 2.2.7 and FRR 8.4.4 put it in, as RFC 5798 was read, and refuse the other form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChecksumForm {
    /// Source, destination, protocol and length first, then the message.
    PseudoHeader,
    /// The message alone.
    Plain,
}

/// Why octets are not an advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It ends before its addresses do.
    #[error("advertisement {0}")]
    Truncated(#[from] Truncated),
    /// A version that does not exist, or not for this family.
    #[error("VRRP version {version} does not exist for {family}")]
    Version {
        /// What the field says.
        version: u8,
        /// The family of the packet around it.
        family: Family,
    },
    /// Something else than an advertisement, of which the standards know nothing.
    #[error("VRRP packet type {0} is unknown")]
    Type(u8),
    /// The checksum fits in no form.
    #[error("advertisement is damaged: checksum {found:#06x} fits in no form")]
    Checksum {
        /// What stands in the field.
        found: u16,
    },
    /// The VRID is zero.
    #[error("advertisement names no virtual router")]
    NoVrid,
    /// The count of addresses is zero (RFC 9568 section 5.2.5).
    #[error("advertisement has no address")]
    NoAddress,
    /// The interval is zero.
    #[error("advertisement has an interval of zero")]
    NoInterval,
    /// Version 2 with authentication, which RFC 3768 removed.
    #[error(
        "advertisement of version 2 has authentication type {0}; RFC 3768 removed it, turn it off at the sender"
    )]
    Authentication(u8),
}

/// In which form do the octets sum up? `Ok(None)` when there is only one, or both fit.
fn verify(
    version: Version,
    octets: &[u8],
    path: Path,
) -> Result<Option<ChecksumForm>, DecodeError> {
    // What contains its own correct checksum sums up to zero.
    let fits = |form| sum(version, octets, path, form) == 0;
    match (fits(ChecksumForm::PseudoHeader), fits(ChecksumForm::Plain)) {
        (true, true) => Ok(None),
        (true, false) => Ok(Some(ChecksumForm::PseudoHeader)),
        (false, true) => Ok(Some(ChecksumForm::Plain)),
        (false, false) => {
            let field = octets.get(CHECKSUM).and_then(|field| field.try_into().ok());
            let found = field.map_or(0, u16::from_be_bytes);
            Err(DecodeError::Checksum { found })
        }
    }
}

/// The checksum over `octets`. IPv6 always has the pseudo-header (RFC 9568 section 5.2.8), version 2
/// never (RFC 3768 section 5.3.8); in between the form decides.
fn sum(version: Version, octets: &[u8], path: Path, form: ChecksumForm) -> u16 {
    let mut checksum = match (path.source, path.destination) {
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            Checksum::of_ipv6(source, destination, NextHeader::Vrrp, octets.len())
        }
        (IpAddr::V4(source), IpAddr::V4(destination))
            if version == Version::V3 && form == ChecksumForm::PseudoHeader =>
        {
            let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
            let mut checksum = Checksum::default();
            checksum.add(&source.octets());
            checksum.add(&destination.octets());
            checksum.add(&[0, NextHeader::Vrrp.into()]);
            checksum.add(&length.to_be_bytes());
            checksum
        }
        _ => Checksum::default(),
    };
    checksum.add(octets);
    checksum.value()
}

/// The IP protocol number of VRRP.
pub const PROTOCOL: u8 = 112;
/// The TTL or hop limit with which every VRRP packet is sent, and below which none is accepted: it
/// then came from this link (RFC 9568 sections 5.1.1.3 and 5.1.2.3).
pub const HOP_LIMIT: u8 = 255;
/// The priority of the router that owns the addresses itself.
pub const OWNER: u8 = 255;
/// The priority by which an Active router says that it leaves.
pub const LEAVING: u8 = 0;

const ADVERTISEMENT: u8 = 1;
const CHECKSUM: std::ops::Range<usize> = 6..8;
// The upper four of the sixteen bits are reserved.
const INTERVAL_BITS: u16 = 0x0fff;

#[cfg(test)]
mod tests;

//! What can be chosen for a virtual router, with the reason of every default.

use std::net::IpAddr;
use std::time::Duration;

use super::interval::Interval;
use super::packet::{OWNER, Version};
use super::vrid::{Family, Vrid};

/// The behaviour of one virtual router on one link. Start from [`Settings::new`].
///
/// ```
/// use openelb_announce::vrrp::{Interval, Settings, Vrid};
///
/// let vrid = Vrid::new(51).ok_or("zero")?;
/// let settings = Settings {
///     priority: 150,
///     ..Settings::new(vrid, vec!["192.0.2.10".parse()?])
/// };
/// assert_eq!(settings.validate(), Ok(()));
/// let too_many = Settings { priority: 255, ..settings };
/// assert!(too_many.validate().is_err(), "only the owner of the addresses has 255");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a parameter of the standard, or a question with its own answer"
)]
pub struct Settings {
    /// Its name on the link; the same on every router that may serve the addresses.
    pub vrid: Vrid,
    /// The family of its addresses.
    pub family: Family,
    /// Default 3; 2 exists for IPv4 alone and for routers that know nothing else.
    pub version: Version,
    /// Who is preferred: 1 to 254, and 255 with `owner` alone. Default 100, as in the standards.
    pub priority: u8,
    /// The addresses are configured on this host's interface. Then the priority is 255, and this
    /// host is Active as soon as it is up. Default false.
    pub owner: bool,
    /// How often the Active router advertises. Version 3: 10 ms to 40.95 s; version 2: whole seconds
    /// up to 255 s. Default 1 s.
    pub interval: Interval,
    /// Does a higher priority take over from a lower one that works? Default true, as in the
    /// standards; the owner always does.
    pub preempt: bool,
    /// How long a lower priority is tolerated before it is preempted: at most an hour, zero (default)
    /// for not at all. The time begins when the lower priority is first heard;
    /// `Active_Down_Interval` follows it.
    pub preempt_delay: Duration,
    /// The addresses that the Active router answers for, in the order of the wire. Of IPv6 the first
    /// is link-local (RFC 9568 section 5.2.9).
    pub addresses: Vec<IpAddr>,
    /// `Accept_Mode`: does the Active router take packets to the addresses for itself, although it
    /// is not their owner? Default false. Neighbor discovery works either way.
    pub accept: bool,
    /// How version 3 over IPv4 is summed. Default [`Checksum::Auto`].
    pub checksum: Checksum,
    /// The other routers, for networks without multicast: advertisements go to each of them, and none
    /// are heard from anyone else. Default empty: multicast. At most 32.
    pub peers: Vec<IpAddr>,
    /// Do not become Active at first while somebody uses the VRID for entirely other addresses, and
    /// let such a stranger never decide who is Active. Default true; with false, advertisements are
    /// judged whatever their addresses are, as in the standards. The owner never waits.
    pub listen_before_use: bool,
}

impl Settings {
    /// The defaults, for a virtual router with these addresses; the first decides on the family.
    pub fn new(vrid: Vrid, addresses: Vec<IpAddr>) -> Self {
        Self {
            vrid,
            family: addresses.first().map_or(Family::Ipv4, |it| Family::of(*it)),
            version: Version::V3,
            priority: 100,
            owner: false,
            interval: Interval::SECOND,
            preempt: true,
            preempt_delay: Duration::ZERO,
            addresses,
            accept: false,
            checksum: Checksum::Auto,
            peers: Vec::new(),
            listen_before_use: true,
        }
    }

    /// Checks every bound; the error names the field, the fact and what to do.
    pub fn validate(&self) -> Result<(), SettingsError> {
        self.validate_version()?;
        self.validate_priority()?;
        self.validate_addresses()?;
        self.validate_peers()?;
        if self.preempt_delay > LONGEST_DELAY {
            return Err(SettingsError::PreemptDelay(self.preempt_delay));
        }
        Ok(())
    }

    fn validate_version(&self) -> Result<(), SettingsError> {
        let interval = self.interval;
        match self.version {
            Version::V2 if self.family == Family::Ipv6 => Err(SettingsError::Version),
            Version::V2 if interval.seconds().is_none() => Err(SettingsError::Seconds(interval)),
            Version::V3 if interval.centiseconds() > LONGEST_INTERVAL => {
                Err(SettingsError::Interval(interval))
            }
            _ => Ok(()),
        }?;
        let is_plain_v6 = self.family == Family::Ipv6 && self.checksum == Checksum::Plain;
        let is_pseudo_v2 = self.version == Version::V2 && self.checksum == Checksum::PseudoHeader;
        if is_plain_v6 || is_pseudo_v2 {
            return Err(SettingsError::Checksum {
                version: self.version,
                family: self.family,
            });
        }
        Ok(())
    }

    const fn validate_priority(&self) -> Result<(), SettingsError> {
        match (self.priority, self.owner) {
            (0, _) => Err(SettingsError::NoPriority),
            (OWNER, false) => Err(SettingsError::OwnersPriority),
            (1..OWNER, true) => Err(SettingsError::OwnerWithPriority(self.priority)),
            _ => Ok(()),
        }
    }

    fn validate_addresses(&self) -> Result<(), SettingsError> {
        let (family, most) = (self.family, self.family.most_addresses());
        let Some(first) = self.addresses.first() else {
            return Err(SettingsError::NoAddress);
        };
        if self.addresses.len() > most {
            return Err(SettingsError::TooMany {
                count: self.addresses.len(),
                family,
                most,
            });
        }
        if let Some(foreign) = self.addresses.iter().find(|it| !is_usable(**it, family)) {
            return Err(SettingsError::Address {
                address: *foreign,
                family,
            });
        }
        if family == Family::Ipv6 && !is_link_local(*first) {
            return Err(SettingsError::NotLinkLocal(*first));
        }
        let mut seen = self.addresses.clone();
        seen.sort_unstable();
        let twice = seen.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(*one),
            _ => None,
        });
        twice.map_or(Ok(()), |address| Err(SettingsError::Twice(address)))
    }

    fn validate_peers(&self) -> Result<(), SettingsError> {
        if self.peers.len() > MOST_PEERS {
            return Err(SettingsError::TooManyPeers(self.peers.len()));
        }
        let foreign = self.peers.iter().find(|it| !is_usable(**it, self.family));
        foreign.map_or(Ok(()), |peer| {
            Err(SettingsError::Peer {
                peer: *peer,
                family: self.family,
            })
        })
    }
}

/// How advertisements of version 3 over IPv4 are summed when they are sent. Received ones may have
/// either form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Checksum {
    /// As the last router that was heard; before that with the pseudo-header, since the routers that
    /// can be met insist on it.
    #[default]
    Auto,
    /// With the pseudo-header, as keepalived and FRR do.
    PseudoHeader,
    /// Without, as RFC 9568 section 5.2.8 says.
    Plain,
}

/// Why settings cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Version 2 knows IPv4 alone.
    #[error("VRRP version 2 has no IPv6; use version 3")]
    Version,
    /// Version 2 counts in seconds.
    #[error(
        "VRRP interval {0} is not 1 to 255 whole seconds; version 2 knows no other, use version 3"
    )]
    Seconds(Interval),
    /// Version 3 has twelve bits.
    #[error("VRRP interval {0} is longer than 40.95 s; choose a shorter one")]
    Interval(Interval),
    /// The form does not exist there.
    #[error("VRRP version {version} over {family} has only one form of checksum; use Auto")]
    Checksum {
        /// The version chosen.
        version: Version,
        /// The family chosen.
        family: Family,
    },
    /// Zero says that a router leaves.
    #[error("VRRP priority 0 is reserved for a router that leaves; choose 1 to 254")]
    NoPriority,
    /// 255 without the addresses.
    #[error(
        "VRRP priority 255 belongs to the owner of the addresses; choose 1 to 254, or set owner when they are configured on the interface"
    )]
    OwnersPriority,
    /// The addresses without 255.
    #[error("VRRP priority {0} of the owner of the addresses must be 255; set it, or unset owner")]
    OwnerWithPriority(u8),
    /// Nothing to answer for.
    #[error("virtual router has no address; give it at least one")]
    NoAddress,
    /// An advertisement would not fit in a frame.
    #[error(
        "virtual router has {count} {family} addresses, more than the {most} that one advertisement holds; widen the range of VRIDs"
    )]
    TooMany {
        /// How many there are.
        count: usize,
        /// Of which family.
        family: Family,
        /// How many there can be.
        most: usize,
    },
    /// Not an address of the family that one host can have.
    #[error("{address} cannot be a {family} address of a virtual router; take it out")]
    Address {
        /// Which.
        address: IpAddr,
        /// The family of the virtual router.
        family: Family,
    },
    /// The first IPv6 address is another one than the standard wants.
    #[error(
        "first IPv6 address {0} of the virtual router is not link-local; put one of fe80::/10 before it"
    )]
    NotLinkLocal(IpAddr),
    /// An address stands there twice.
    #[error("{0} is listed twice; list it once")]
    Twice(IpAddr),
    /// Not an address to send to.
    #[error("unicast peer {peer} is not a {family} address of one router; correct it")]
    Peer {
        /// Which.
        peer: IpAddr,
        /// The family of the virtual router.
        family: Family,
    },
    /// Every advertisement would be sent that often.
    #[error("virtual router has {0} unicast peers, more than 32; use multicast")]
    TooManyPeers(usize),
    /// Longer than anyone waits.
    #[error("preempt delay {0:?} is longer than 1 h; choose a shorter one, or do not preempt")]
    PreemptDelay(Duration),
}

/// Is it `fe80::/10`?
pub(super) const fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

fn is_usable(address: IpAddr, family: Family) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    let is_nobodys = address.is_unspecified() || address.is_loopback();
    Family::of(address) == family && !is_nobodys && !is_broadcast && !address.is_multicast()
}

// The twelve bits of version 3, in hundredths of a second.
const LONGEST_INTERVAL: u16 = 4095;
const LONGEST_DELAY: Duration = Duration::from_hours(1);
const MOST_PEERS: usize = 32;

#[cfg(test)]
mod tests;

//! What `Eip.spec.vrrp` means: the virtual routers of a `vip` pool on a node.
//!
//! [`routers`] reads the object; [`PoolRouters::vrid`] says in which virtual router the addresses of
//! a unit are, and [`PoolRouters::settings`] what this node brings into it. Both follow from the
//! object and the names alone, so all nodes agree without a word.

mod read;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use openelb_announce::vrrp::vrid::{BAND, spread, vrid_of};
use openelb_announce::vrrp::{Checksum, Family, Interval, Settings, Version, Vrid, VridRange};

use crate::api::{Eip, Protocol};
use crate::names;
use crate::problem::{Problem, Remarks};

/// The virtual routers of a pool, as its object has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolRouters {
    /// The identifiers that the pool may use on its links. No other pool may use them there.
    pub vrids: VridRange,
    /// Answer with the virtual router's MAC instead of the interface's own.
    pub virtual_mac: bool,
    /// Take what is sent to the addresses.
    pub accept: bool,
    /// `None`: one that differs by node and virtual router.
    priority: Option<u8>,
    interval: Interval,
    /// Of IPv4; IPv6 has only version 3.
    version: Version,
    preempt: bool,
    preempt_delay: Duration,
    /// Of version 3 over IPv4.
    checksum: Checksum,
    peers: Vec<IpAddr>,
    decrement: u8,
}

/// What an object means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meaning {
    /// The virtual routers; `None` when the pool is not announced by VRRP or its object is wrong.
    pub routers: Option<PoolRouters>,
    /// Remarks about the object.
    pub problems: Vec<Problem>,
}

/// What an object means.
///
/// ```
/// use openelb_k8s::api::{Eip, EipVrrp, Protocol};
/// use openelb_k8s::vrrp;
///
/// let mut eip = Eip::new("edge", "192.0.2.0/24");
/// eip.spec.protocol = Protocol::Vip;
/// eip.spec.vrrp = Some(EipVrrp { vrid_range: "100-150".into(), ..EipVrrp::default() });
/// let routers = vrrp::routers(&eip).routers.unwrap();
/// assert!((100..=150).contains(&routers.vrid("192.0.2.7").get()));
/// ```
pub fn routers(eip: &Eip) -> Meaning {
    let mut remarks = Remarks::about(names::EIP_KIND, &eip.metadata.name);
    let is_vip = eip.spec.protocol == Protocol::Vip;
    let has_wishes = eip.spec.vrrp.is_some();
    remarks.ignored(
        is_vip || !has_wishes,
        "spec.vrrp",
        "the pool is not announced by VRRP",
    );
    let routers = is_vip.then(|| read::routers(eip, &mut remarks));
    Meaning {
        routers: routers.filter(|_| !remarks.has_error()),
        problems: remarks.found,
    }
}

impl PoolRouters {
    /// The virtual router in which the addresses of a unit are.
    pub fn vrid(&self, unit: &str) -> Vrid {
        vrid_of(unit, self.vrids)
    }

    /// What a node brings into a virtual router with these addresses, all of one family;
    /// `answers` says whether every service of theirs answers on the node.
    ///
    /// `None` when that leaves nothing of the priority: then the node takes no part.
    ///
    /// The settings are not checked: more addresses than one advertisement holds are the fault that is left.
    pub fn settings(
        &self,
        node: &str,
        vrid: Vrid,
        addresses: impl IntoIterator<Item = IpAddr>,
        answers: bool,
    ) -> Option<Settings> {
        let mut addresses: Vec<_> = addresses.into_iter().collect();
        let family = addresses.first().map(|address| Family::of(*address))?;
        if family == Family::Ipv6 {
            addresses.insert(0, link_local(vrid).into());
        }
        let full = self.priority.unwrap_or_else(|| spread(node, vrid, BAND));
        let lowered = if answers { 0 } else { self.decrement };
        let priority = full.checked_sub(lowered).filter(|left| *left > 0)?;
        let is_of_family = |peer: &&IpAddr| Family::of(**peer) == family;
        let (version, checksum) = match family {
            Family::Ipv4 if self.version == Version::V2 => (Version::V2, Checksum::Auto),
            Family::Ipv4 => (Version::V3, self.checksum),
            Family::Ipv6 => (Version::V3, Checksum::Auto),
        };
        Some(Settings {
            version,
            checksum,
            priority,
            interval: self.interval,
            preempt: self.preempt,
            preempt_delay: self.preempt_delay,
            accept: self.accept,
            peers: self.peers.iter().filter(is_of_family).copied().collect(),
            ..Settings::new(vrid, addresses)
        })
    }
}

/// The link-local address that an IPv6 virtual router must have first (RFC 9568 section 5.2.9): made
/// of its MAC as a host would do it (RFC 4291 appendix A), so that every node finds the same one.
pub fn link_local(vrid: Vrid) -> Ipv6Addr {
    Ipv6Addr::new(
        0xfe80,
        0,
        0,
        0,
        0x0200,
        0x5eff,
        0xfe00,
        0x0200 | u16::from(vrid.get()),
    )
}

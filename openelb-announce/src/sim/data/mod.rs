//! The traffic that the network is there for: frames that name the address they are meant for.

use crate::wire::ethernet::{EtherType, Header};
use crate::wire::{Frame, Mac, Reader};
use std::net::{IpAddr, Ipv6Addr};

/// A frame from `source` to whoever was last said to own `address`.
pub(super) fn frame(source: Mac, destination: Mac, address: IpAddr) -> Frame {
    let header = Header {
        destination,
        source,
        ethertype: LOCAL_EXPERIMENTAL,
    };
    let octets = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    };
    header.frame(octets.len(), |out| out.octets(&octets))
}

/// The address that a frame of traffic is meant for.
pub(super) fn address(frame: &[u8]) -> Option<IpAddr> {
    let (header, payload) = Header::split(frame).ok()?;
    if header.ethertype != LOCAL_EXPERIMENTAL {
        return None;
    }
    let octets = Reader::new(payload).array::<16>().ok()?;
    Some(IpAddr::V6(Ipv6Addr::from(octets)).to_canonical())
}

/// IEEE 802 sets this type aside for experiments.
const LOCAL_EXPERIMENTAL: EtherType = EtherType::Unknown(0x88b5);

#[cfg(test)]
mod tests;

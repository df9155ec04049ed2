//! What the wire says about whose an address is, as a client hears it.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use openelb_announce::wire::Mac;
use openelb_benches::meter::clock;
use openelb_benches::packet;
use socket2::Socket;

use super::world::Host;

/// Hears every ARP packet or neighbour advertisement on the client's `eth0`.
pub(crate) struct Watch {
    socket: Socket,
}

/// Someone says that an address is at a hardware address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Saying {
    pub(crate) at: Instant,
    pub(crate) address: IpAddr,
    pub(crate) mac: Mac,
}

impl Watch {
    /// Begins to listen for one family.
    pub(crate) fn new(client: &Host, is_ipv6: bool) -> Self {
        let ethertype = if is_ipv6 {
            libc::ETH_P_IPV6
        } else {
            libc::ETH_P_ARP
        };
        let index = client.index();
        let socket = client.run(|| packet::socket(ethertype, index));
        Self { socket }
    }

    /// The next that waits; `None` when there is nothing.
    pub(crate) fn next(&self) -> Option<Saying> {
        let mut buffer = [0; 256];
        loop {
            let length = (&self.socket).read(&mut buffer).ok()?;
            let frame = buffer.get(..length)?;
            if let Some((address, mac)) = of_arp(frame).or_else(|| of_advertisement(frame)) {
                let at = clock();
                return Some(Saying { at, address, mac });
            }
        }
    }
}

/// The sender of an ARP packet.
fn of_arp(frame: &[u8]) -> Option<(IpAddr, Mac)> {
    let is_arp = frame.get(12..14) == Some(&[8, 6]);
    let mac: [u8; 6] = frame.get(22..28)?.try_into().ok()?;
    let sender: [u8; 4] = frame.get(28..32)?.try_into().ok()?;
    is_arp.then(|| (Ipv4Addr::from(sender).into(), Mac::new(mac)))
}

/// The target of a neighbour advertisement that carries a link-layer address.
fn of_advertisement(frame: &[u8]) -> Option<(IpAddr, Mac)> {
    let is_advertisement = frame.get(54) == Some(&136) && frame.get(78) == Some(&2);
    let target: [u8; 16] = frame.get(62..78)?.try_into().ok()?;
    let mac: [u8; 6] = frame.get(80..86)?.try_into().ok()?;
    is_advertisement.then(|| (Ipv6Addr::from(target).into(), Mac::new(mac)))
}

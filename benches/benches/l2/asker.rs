//! A client that asks for hardware addresses through a packet socket, as fast as it can.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use openelb_announce::arp::packet::{Operation, Repr as Arp};
use openelb_announce::ndp::packet::{Datagram, Repr as Ndp};
use openelb_announce::wire::ethernet::{EtherType, Header};
use openelb_announce::wire::ip::solicited_node;
use openelb_announce::wire::{Mac, Writer};
use openelb_benches::packet;
use socket2::Socket;

use super::world::Host;

/// One packet socket on a client's `eth0`.
pub(crate) struct Asker {
    socket: Socket,
    mac: Mac,
    number: u8,
}

impl Asker {
    /// A socket that hears the answers of one family.
    pub(crate) fn new(client: &Host, is_ipv6: bool) -> Self {
        let ethertype = if is_ipv6 {
            libc::ETH_P_IPV6
        } else {
            libc::ETH_P_ARP
        };
        let (mac, index) = (client.mac(), client.index());
        let socket = client.run(|| packet::socket(ethertype, index));
        Self {
            socket,
            mac,
            number: client.number,
        }
    }

    /// The question for `target`, as a broadcast or multicast frame.
    pub(crate) fn question(&self, target: IpAddr) -> Vec<u8> {
        match target {
            IpAddr::V4(target) => self.arp_request(target),
            IpAddr::V6(target) => self.solicitation(target),
        }
    }

    /// Sends a frame.
    pub(crate) fn send(&self, frame: &[u8]) {
        // A full queue is part of a flood; the answers are counted, not the questions.
        drop(self.socket.send(frame));
    }

    /// Asks once and waits, spinning, for the answer; `None` after a second.
    pub(crate) fn round_trip(&self, question: &[u8], target: IpAddr) -> Option<Duration> {
        self.drain();
        let start = now();
        self.send(question);
        let mut buffer = [0; 256];
        while now() - start < Duration::from_secs(1) {
            let Ok(length) = (&self.socket).read(&mut buffer) else {
                continue;
            };
            let took = now() - start;
            if is_answer(buffer.get(..length).unwrap_or_default(), target) {
                return Some(took);
            }
        }
        None
    }

    /// Throws away what waits.
    pub(crate) fn drain(&self) {
        let mut buffer = [0; 256];
        while (&self.socket).read(&mut buffer).is_ok() {}
    }

    fn arp_request(&self, target: Ipv4Addr) -> Vec<u8> {
        let mut frame = vec![0; Header::LENGTH + Arp::LENGTH];
        let mut out = Writer::new(&mut frame);
        let header = Header {
            destination: Mac::BROADCAST,
            source: self.mac,
            ethertype: EtherType::Arp,
        };
        header.emit(&mut out).unwrap();
        let request = Arp {
            operation: Operation::Request,
            sender_mac: self.mac,
            sender: Ipv4Addr::new(192, 0, 2, self.number),
            target_mac: Mac::ZERO,
            target,
        };
        request.emit(&mut out).unwrap();
        frame
    }

    fn solicitation(&self, target: Ipv6Addr) -> Vec<u8> {
        let group = solicited_node(target);
        let message = Ndp::Solicitation {
            target,
            source_mac: Some(self.mac),
            nonce: None,
        };
        let source = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(self.number));
        let datagram = Datagram {
            source,
            destination: group,
            message,
        };
        let mut frame = vec![0; Header::LENGTH + datagram.length()];
        let mut out = Writer::new(&mut frame);
        let header = Header {
            destination: Mac::of_group(group),
            source: self.mac,
            ethertype: EtherType::Ipv6,
        };
        header.emit(&mut out).unwrap();
        datagram.emit(&mut out).unwrap();
        frame
    }
}

/// The present instant.
#[expect(
    clippy::disallowed_methods,
    reason = "measuring is what this program is for"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

fn is_answer(frame: &[u8], target: IpAddr) -> bool {
    match target {
        IpAddr::V4(target) => {
            frame.get(20..22) == Some(&[0, 2]) && frame.get(28..32) == Some(&target.octets())
        }
        IpAddr::V6(target) => {
            frame.get(54) == Some(&136) && frame.get(62..78) == Some(&target.octets())
        }
    }
}

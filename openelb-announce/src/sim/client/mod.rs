//! A client with the neighbor cache of Linux (`net/core/neighbour.c`), for both families.
//!
//! ```text
//!          ask         answer                 30 s           use        5 s       no answer
//! (none) ------> Incomplete -----> Reachable -------> Stale -----> Delay ---> Probe ------> Failed
//!                    |                 ^                ^            |          |
//!                    +-- no answer     +-- answer ------|------------+----------+
//!                        -> Failed                      +-- unsolicited news
//! ```

mod entry;

use super::data;
use crate::arp::packet::{Operation, Repr as Arp};
use crate::ndp::packet::{Datagram, Repr as Ndp};
use crate::random::Random;
use crate::time::Time;
use crate::wire::ethernet::{EtherType, Header};
use crate::wire::ip::solicited_node;
use crate::wire::{Frame, Mac};
use entry::{Asks, Entry, News};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

pub use entry::{Neighbor, Reachability};

/// A host that sends traffic to addresses, once or steadily.
#[derive(Clone, Debug)]
pub(super) struct Client {
    mac: Mac,
    ipv4: Ipv4Addr,
    ipv6: Ipv6Addr,
    random: Random,
    entries: BTreeMap<IpAddr, Entry>,
    streams: Vec<Stream>,
    out: Vec<Frame>,
}

#[derive(Clone, Copy, Debug)]
struct Stream {
    address: IpAddr,
    every: Duration,
    next: Time,
}

impl Client {
    pub(super) fn new(mac: Mac, number: u16, seed: u64) -> Self {
        let [high, low] = number.to_be_bytes();
        Self {
            mac,
            ipv4: Ipv4Addr::new(10, 255, high, low),
            ipv6: Ipv6Addr::new(0x2001, 0xdb8, 0, 0xffff, 0, 0, 0, number),
            random: Random::new(seed),
            entries: BTreeMap::new(),
            streams: Vec::new(),
            out: Vec::new(),
        }
    }

    /// What the cache holds about `address`.
    pub(super) fn neighbor(&self, address: IpAddr) -> Option<Neighbor> {
        self.entries.get(&address).map(Entry::neighbor)
    }

    /// Sends one frame of traffic, asking for the hardware address first if need be.
    pub(super) fn send(&mut self, address: IpAddr, now: Time) {
        let entry = self.entries.entry(address).or_default();
        let asks = entry.use_at(now);
        let destination = entry.mac();
        self.ask(address, asks);
        if let Some(destination) = destination {
            self.out.push(data::frame(self.mac, destination, address));
        }
    }

    /// Sends traffic from `now` on.
    pub(super) fn stream(&mut self, address: IpAddr, every: Duration, now: Time) {
        self.streams.push(Stream {
            address,
            every,
            next: now,
        });
    }

    pub(super) fn receive(&mut self, frame: &[u8], now: Time) {
        let Some((address, news)) = self.hear(frame) else {
            return;
        };
        // News alone never creates an entry (`arp_accept` and `accept_untracked_na` are off).
        let Some(entry) = self.entries.get_mut(&address) else {
            return;
        };
        let reachable_for = self.random.between(MIN_REACHABLE, MAX_REACHABLE);
        let waiting = entry.learn(news, reachable_for, now);
        let frame = data::frame(self.mac, news.mac, address);
        self.out.extend(std::iter::repeat_n(frame, waiting));
    }

    pub(super) fn handle_timeout(&mut self, now: Time) {
        for at in 0..self.streams.len() {
            let Some(stream) = self.streams.get_mut(at).filter(|stream| stream.next <= now) else {
                continue;
            };
            stream.next = now + stream.every;
            let address = stream.address;
            self.send(address, now);
        }
        let due: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, e)| e.due() <= now)
            .map(|(a, _)| *a)
            .collect();
        for address in due {
            let asks = self
                .entries
                .get_mut(&address)
                .map_or(Asks::Nobody, |e| e.time_out(now));
            self.ask(address, asks);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let entries = self.entries.values().map(Entry::due);
        let streams = self.streams.iter().map(|stream| stream.next);
        entries.chain(streams).min().filter(|at| *at < Time::MAX)
    }

    pub(super) fn take_frames(&mut self) -> Vec<Frame> {
        std::mem::take(&mut self.out)
    }

    fn hear(&self, frame: &[u8]) -> Option<(IpAddr, News)> {
        let (header, payload) = Header::split(frame).ok()?;
        let is_to_us = header.destination == self.mac;
        if !is_to_us && !header.destination.is_group() {
            return None;
        }
        match header.ethertype {
            EtherType::Arp => {
                let packet = Arp::decode(payload).ok()?;
                Some((packet.sender.into(), News::of_arp(&packet, is_to_us)))
            }
            EtherType::Ipv6 => {
                let message = Datagram::decode(payload).ok()?.message;
                News::of_ndp(&message).map(|news| (message.target().into(), news))
            }
            EtherType::Unknown(_) => None,
        }
    }

    fn ask(&mut self, address: IpAddr, asks: Asks) {
        let destination = match asks {
            Asks::Nobody => return,
            Asks::Everybody => None,
            Asks::Neighbor(mac) => Some(mac),
        };
        let frame = match address {
            IpAddr::V4(target) => self.arp_request(target, destination),
            IpAddr::V6(target) => self.solicitation(target, destination),
        };
        self.out.push(frame);
    }

    fn arp_request(&self, target: Ipv4Addr, destination: Option<Mac>) -> Frame {
        let request = Arp {
            operation: Operation::Request,
            sender_mac: self.mac,
            sender: self.ipv4,
            target_mac: Mac::ZERO,
            target,
        };
        let destination = destination.unwrap_or(Mac::BROADCAST);
        let header = Header {
            destination,
            source: self.mac,
            ethertype: EtherType::Arp,
        };
        header.frame(Arp::LENGTH, |out| request.emit(out))
    }

    fn solicitation(&self, target: Ipv6Addr, mac: Option<Mac>) -> Frame {
        let message = Ndp::Solicitation {
            target,
            source_mac: Some(self.mac),
            nonce: None,
        };
        let destination = if mac.is_some() {
            target
        } else {
            solicited_node(target)
        };
        let datagram = Datagram {
            source: self.ipv6,
            destination,
            message,
        };
        let mac = mac.unwrap_or_else(|| Mac::of_group(destination));
        let header = Header {
            destination: mac,
            source: self.mac,
            ethertype: EtherType::Ipv6,
        };
        header.frame(datagram.length(), |out| datagram.emit(out))
    }
}

/// Half and one and a half of `base_reachable_time` (RFC 4861 section 6.3.2).
const MIN_REACHABLE: Duration = Duration::from_secs(15);
const MAX_REACHABLE: Duration = Duration::from_secs(45);

#[cfg(test)]
mod tests;

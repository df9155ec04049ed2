//! Answers, probes and announces IPv4 addresses (RFC 826, RFC 5227).

use super::packet::{Operation, Repr};
use crate::claim::{Config, Heard, Lifecycle, NeighborProtocol, Probe, ProbePlan, Question, Round};
use crate::wire::ethernet::{EtherType, Header};
use crate::wire::{Frame, Mac};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

/// The life of IPv4 addresses on one interface.
pub type Machine = Lifecycle<Arp>;

/// The Address Resolution Protocol, as the life of an address needs it.
#[derive(Clone, Copy, Debug)]
pub struct Arp;

impl NeighborProtocol for Arp {
    type Address = Ipv4Addr;

    fn new(_: &Config) -> Self {
        Self
    }

    fn address(address: IpAddr) -> Option<Ipv4Addr> {
        let IpAddr::V4(address) = address else {
            return None;
        };
        let is_nobodys = address.is_unspecified() || address.is_broadcast();
        let is_everybodys = address.is_multicast() || address.is_loopback();
        (!is_nobodys && !is_everybodys).then_some(address)
    }

    fn bits(address: Ipv4Addr) -> u128 {
        u32::from(address).into()
    }

    fn group(_: Ipv4Addr) -> Option<Ipv6Addr> {
        None
    }

    fn probe_plan(probe: Probe) -> Option<ProbePlan> {
        match probe {
            Probe::Skip => None,
            Probe::Fast => Some(ProbePlan::FAST),
            Probe::Standard => Some(STANDARD),
        }
    }

    fn hear(frame: &[u8], own: Mac) -> Option<Heard<Ipv4Addr>> {
        let (ethernet, payload) = Header::split(frame).ok()?;
        let is_for_us = ethernet.destination == own || ethernet.destination.is_group();
        if ethernet.ethertype != EtherType::Arp || !is_for_us {
            return None;
        }
        let Repr {
            operation,
            sender_mac: mac,
            sender,
            target,
            ..
        } = Repr::decode(payload).ok()?;
        if mac == own || !mac.is_station() {
            return None;
        }
        let sender = Some(sender).filter(|sender| !sender.is_unspecified());
        let asks = operation == Operation::Request && sender != Some(target);
        let question = asks.then_some(Question {
            target,
            sender,
            mac,
            nonce: None,
        });
        // Any operation will do: RFC 5227 sections 2.1.1 and 2.4.
        Some(Heard {
            mac,
            asserted: sender,
            question,
        })
    }

    fn probe(&self, address: Ipv4Addr, own: Mac, _: [u8; 6]) -> Frame {
        let probe = Repr {
            operation: Operation::Request,
            sender_mac: own,
            // Unspecified, lest a host takes the probe for a fact (RFC 5227 section 2.1.1).
            sender: Ipv4Addr::UNSPECIFIED,
            target_mac: Mac::ZERO,
            target: address,
        };
        frame(&probe, Mac::BROADCAST)
    }

    /// Once in each form: hosts that know the address heed both (Linux does), but some equipment
    /// heeds only one. A defence is a single announcement (RFC 5227 section 2.4).
    fn forms(round: Round) -> u8 {
        match round {
            Round::Claim | Round::Refresh => 2,
            Round::Defence => 1,
        }
    }

    fn announcement(&self, address: Ipv4Addr, own: Mac, form: u8) -> Frame {
        // The reply form names the broadcast address as target: switches that inspect ARP compare
        // it with the frame's destination.
        let (operation, target_mac) = match form {
            0 => (Operation::Request, Mac::ZERO),
            _ => (Operation::Reply, Mac::BROADCAST),
        };
        let announcement = Repr {
            operation,
            sender_mac: own,
            sender: address,
            target_mac,
            target: address,
        };
        frame(&announcement, Mac::BROADCAST)
    }

    /// Unicast, also to a probe: broadcast replies are not worth their cost (RFC 5227 section 2.6).
    fn answer(&self, question: &Question<Ipv4Addr>, own: Mac) -> Frame {
        let reply = Repr {
            operation: Operation::Reply,
            sender_mac: own,
            sender: question.target,
            target_mac: question.mac,
            target: question.sender.unwrap_or(Ipv4Addr::UNSPECIFIED),
        };
        frame(&reply, question.mac)
    }
}

fn frame(packet: &Repr, destination: Mac) -> Frame {
    let header = Header {
        destination,
        source: packet.sender_mac,
        ethertype: EtherType::Arp,
    };
    header.frame(Repr::LENGTH, |out| packet.emit(out))
}

/// `PROBE_WAIT`, `PROBE_NUM`, `PROBE_MIN`, `PROBE_MAX` and `ANNOUNCE_WAIT` of RFC 5227 section 1.1.
const STANDARD: ProbePlan = ProbePlan {
    wait: Duration::from_secs(1),
    count: 3,
    gap_min: Duration::from_secs(1),
    gap_max: Duration::from_secs(2),
    settle: Duration::from_secs(2),
};

#[cfg(test)]
mod tests;

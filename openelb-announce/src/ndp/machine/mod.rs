//! Answers, probes and announces IPv6 addresses (RFC 4861, RFC 4862, RFC 7527, RFC 9131).

use super::packet::{Datagram, Repr};
use crate::claim::{Config, Heard, Lifecycle, NeighborProtocol, Probe, ProbePlan, Question, Round};
use crate::wire::ethernet::{EtherType, Header};
use crate::wire::ip::{ALL_NODES, ALL_ROUTERS, solicited_node};
use crate::wire::{Frame, Mac};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// The life of IPv6 addresses on one interface.
pub type Machine = Lifecycle<Ndp>;

/// Neighbor discovery, as the life of an address needs it.
#[derive(Clone, Copy, Debug)]
pub struct Ndp {
    router: bool,
}

impl NeighborProtocol for Ndp {
    type Address = Ipv6Addr;

    fn new(config: &Config) -> Self {
        Self {
            router: config.router,
        }
    }

    fn address(address: IpAddr) -> Option<Ipv6Addr> {
        let IpAddr::V6(address) = address else {
            return None;
        };
        let is_unsuitable =
            address.is_unspecified() || address.is_multicast() || address.is_loopback();
        (!is_unsuitable && address.to_ipv4_mapped().is_none()).then_some(address)
    }

    fn bits(address: Ipv6Addr) -> u128 {
        address.into()
    }

    fn group(address: Ipv6Addr) -> Option<Ipv6Addr> {
        Some(solicited_node(address))
    }

    fn probe_plan(probe: Probe) -> Option<ProbePlan> {
        match probe {
            Probe::Skip => None,
            Probe::Fast => Some(ProbePlan::FAST),
            Probe::Standard => Some(STANDARD),
        }
    }

    fn hear(frame: &[u8], own: Mac) -> Option<Heard<Ipv6Addr>> {
        let (ethernet, packet) = Header::split(frame).ok()?;
        let is_for_us = ethernet.destination == own || ethernet.destination.is_group();
        if ethernet.ethertype != EtherType::Ipv6 || !is_for_us {
            return None;
        }
        let datagram = Datagram::decode(packet).ok()?;
        match datagram.message {
            Repr::Solicitation {
                target,
                source_mac,
                nonce,
            } => {
                // Without the option the frame itself says where it came from (RFC 4861 section
                // 7.2.2 lets unicast solicitations omit it).
                let mac = source_mac
                    .filter(|mac| mac.is_station())
                    .unwrap_or(ethernet.source);
                hear_solicitation(datagram.source, target, mac, nonce)
            }
            Repr::Advertisement {
                target, target_mac, ..
            } => {
                let mac = target_mac.unwrap_or(ethernet.source);
                let heard = Heard {
                    mac,
                    asserted: Some(target),
                    question: None,
                };
                (mac != own).then_some(heard)
            }
        }
    }

    fn probe(&self, address: Ipv6Addr, own: Mac, nonce: [u8; 6]) -> Frame {
        let message = Repr::Solicitation {
            target: address,
            source_mac: None,
            nonce: Some(nonce),
        };
        let destination = solicited_node(address);
        let datagram = Datagram {
            source: Ipv6Addr::UNSPECIFIED,
            destination,
            message,
        };
        frame(&datagram, own, Mac::of_group(destination))
    }

    /// A new address is announced to all nodes and then to all routers, which create an entry for
    /// it (RFC 9131); later ones only refresh what is there.
    fn forms(round: Round) -> u8 {
        match round {
            Round::Claim => 2,
            Round::Refresh | Round::Defence => 1,
        }
    }

    fn announcement(&self, address: Ipv6Addr, own: Mac, form: u8) -> Frame {
        // Only with the override flag does a neighbor that holds another hardware address take the
        // new one (RFC 4861 section 7.2.5). Routers must not be overridden (RFC 9131 section 6.1.2).
        let (destination, overriding) = if form == 0 {
            (ALL_NODES, true)
        } else {
            (ALL_ROUTERS, false)
        };
        let message = self.advertisement(address, own, false, overriding);
        let datagram = Datagram {
            source: address,
            destination,
            message,
        };
        frame(&datagram, own, Mac::of_group(destination))
    }

    /// Sourced from the address itself: `ndisc6` ignores answers from a link-local one. A probe gets
    /// its answer at the group of all nodes, as its sender has no address (RFC 4861 section 7.2.4).
    fn answer(&self, question: &Question<Ipv6Addr>, own: Mac) -> Frame {
        let solicited = question.sender.is_some();
        let message = self.advertisement(question.target, own, solicited, true);
        let (destination, mac) = match question.sender {
            Some(sender) => (sender, question.mac),
            None => (ALL_NODES, Mac::of_group(ALL_NODES)),
        };
        let datagram = Datagram {
            source: question.target,
            destination,
            message,
        };
        frame(&datagram, own, mac)
    }
}

impl Ndp {
    const fn advertisement(
        self,
        target: Ipv6Addr,
        own: Mac,
        solicited: bool,
        overriding: bool,
    ) -> Repr {
        let router = self.router;
        Repr::Advertisement {
            target,
            target_mac: Some(own),
            router,
            solicited,
            overriding,
        }
    }
}

fn hear_solicitation(
    source: Ipv6Addr,
    target: Ipv6Addr,
    mac: Mac,
    nonce: Option<[u8; 6]>,
) -> Option<Heard<Ipv6Addr>> {
    if !mac.is_station() || source.is_multicast() || source == target {
        return None;
    }
    let sender = Some(source).filter(|source| !source.is_unspecified());
    let question = Some(Question {
        target,
        sender,
        mac,
        nonce,
    });
    Some(Heard {
        mac,
        asserted: None,
        question,
    })
}

fn frame(datagram: &Datagram, source: Mac, destination: Mac) -> Frame {
    let header = Header {
        destination,
        source,
        ethertype: EtherType::Ipv6,
    };
    header.frame(datagram.length(), |out| datagram.emit(out))
}

/// One probe after up to `MAX_RTR_SOLICITATION_DELAY`, then `RetransTimer` of listening (RFC 4862
/// sections 5.1 and 5.4.2; RFC 4861 section 10).
const STANDARD: ProbePlan = ProbePlan {
    wait: Duration::from_secs(1),
    count: 1,
    gap_min: Duration::from_secs(1),
    gap_max: Duration::from_secs(1),
    settle: Duration::from_secs(1),
};

#[cfg(test)]
mod tests;

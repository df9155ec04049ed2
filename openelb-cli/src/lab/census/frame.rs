//! The frames of a census: a numbered question to everybody, and the answer that names its number.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use openelb_announce::arp::packet::{Operation, Repr as Arp};
use openelb_announce::ndp::packet::{Datagram, Repr as Ndp};
use openelb_announce::wire::ethernet::{EtherType, Header};
use openelb_announce::wire::ip::solicited_node;
use openelb_announce::wire::{Frame, Mac};

/// Asks everybody who has `address`: an ARP request, or a solicitation to the address's group.
///
/// The asker's own address carries the number of the round. An answer repeats it, so it is known
/// which question was answered, however late.
pub(super) fn question(address: IpAddr, round: u32, own: Mac) -> Frame {
    match address {
        IpAddr::V4(target) => {
            let request = Arp {
                operation: Operation::Request,
                sender_mac: own,
                sender: sender_v4(round),
                target_mac: Mac::ZERO,
                target,
            };
            header(own, Mac::BROADCAST, EtherType::Arp).frame(Arp::LENGTH, |out| request.emit(out))
        }
        IpAddr::V6(target) => {
            let group = solicited_node(target);
            let solicitation = Datagram {
                source: sender_v6(round),
                destination: group,
                message: Ndp::Solicitation {
                    target,
                    source_mac: Some(own),
                    nonce: None,
                },
            };
            header(own, Mac::of_group(group), EtherType::Ipv6)
                .frame(solicitation.length(), |out| solicitation.emit(out))
        }
    }
}

/// Reads an answer to `own`: the address, the number of the round, and who sent it.
pub(super) fn answer(frame: &[u8], own: Mac) -> Option<(IpAddr, u32, Mac)> {
    let (header, payload) = Header::split(frame).ok()?;
    if header.destination != own {
        return None;
    }
    let (address, round) = match header.ethertype {
        EtherType::Arp => {
            let reply = Arp::decode(payload).ok()?;
            let is_reply = reply.operation == Operation::Reply;
            is_reply.then_some((reply.sender.into(), round_v4(reply.target)?))?
        }
        EtherType::Ipv6 => {
            let datagram = Datagram::decode(payload).ok()?;
            let is_answer = matches!(datagram.message, Ndp::Advertisement { .. });
            let target = datagram.message.target();
            is_answer.then_some((target.into(), round_v6(datagram.destination)?))?
        }
        EtherType::Unknown(_) => return None,
    };
    Some((address, round, header.source))
}

/// So many rounds have numbers of their own; then they repeat.
pub(super) const ROUNDS: u32 = 1 << 17;

fn header(source: Mac, destination: Mac, ethertype: EtherType) -> Header {
    Header {
        destination,
        source,
        ethertype,
    }
}

fn sender_v4(round: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(BENCHMARKS.to_bits() | (round % ROUNDS))
}

fn round_v4(address: Ipv4Addr) -> Option<u32> {
    let round = address.to_bits().checked_sub(BENCHMARKS.to_bits())?;
    (round < ROUNDS).then_some(round)
}

fn sender_v6(round: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(ASKERS.to_bits() | u128::from(round % ROUNDS))
}

fn round_v6(address: Ipv6Addr) -> Option<u32> {
    let round = address.to_bits().checked_sub(ASKERS.to_bits())?;
    u32::try_from(round).ok().filter(|round| *round < ROUNDS)
}

/// 198.18.0.0/15, set aside for measurements (RFC 2544): nobody's address here.
const BENCHMARKS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);

/// Link-local, so every host of the link answers straight back.
const ASKERS: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0x5eed, 0, 0, 0);

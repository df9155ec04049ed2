//! Everything that happened in a run, in order, and as text that a person can follow.

use super::data;
use super::datagram::{Datagram as Parcel, Protocol};
use super::network::HostId;
use crate::arp::packet::{Operation, Repr as Arp};
use crate::claim::Event;
use crate::ndp::packet::{Datagram, Repr as Ndp};
use crate::ownership;
use crate::time::Time;
use crate::vrrp;
use crate::wire::ethernet::{EtherType, Header};
use crate::wire::{Frame, Mac};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// Everything that happened, oldest first. Two runs are equal if their traces are.
pub type Trace = Vec<Record>;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When, on the simulator's clock.
    pub at: Time,
    /// At which host.
    pub host: HostId,
    /// What.
    pub action: Action,
}

/// What can happen at a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It sent a frame, which may or may not arrive anywhere.
    Sent(Frame),
    /// Traffic for the address reached it.
    Delivered(IpAddr),
    /// Its machine reported something.
    Reported(Event),
    /// A beat of the speaker with this hardware address reached its process.
    Heard(Mac),
    /// Its ownership machine reported something.
    Owned(ownership::Event),
    /// One of its virtual routers reported something.
    Routed(vrrp::Event),
    /// It joined a multicast group.
    Joined(Ipv6Addr),
    /// It left a multicast group.
    Left(Ipv6Addr),
}

impl Record {
    /// The frame, if one was sent.
    pub const fn sent(&self) -> Option<&Frame> {
        match &self.action {
            Action::Sent(frame) => Some(frame),
            _ => None,
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.at, self.host)?;
        match &self.action {
            Action::Sent(frame) => f.write_str(&describe(frame)),
            Action::Delivered(address) => write!(f, "traffic for {address} arrived"),
            Action::Reported(event) => write!(f, "reports {event:?}"),
            Action::Heard(mac) => write!(f, "hears a beat of {mac}"),
            Action::Owned(event) => write!(f, "reports {event:?}"),
            Action::Routed(event) => write!(f, "reports {event:?}"),
            Action::Joined(group) => write!(f, "joins {group}"),
            Action::Left(group) => write!(f, "leaves {group}"),
        }
    }
}

/// A frame in one line, in the manner of tcpdump.
pub fn describe(frame: &[u8]) -> String {
    let Ok((header, payload)) = Header::split(frame) else {
        return format!("{} octets that are no frame", frame.len());
    };
    let (source, destination) = (header.source, header.destination);
    let what = match header.ethertype {
        EtherType::Arp => {
            Arp::decode(payload).map_or_else(|error| error.to_string(), |arp| describe_arp(&arp))
        }
        EtherType::Ipv6 => Datagram::decode(payload)
            .map_or_else(|error| error.to_string(), |ndp| describe_ndp(&ndp)),
        EtherType::Unknown(kind) => data::address(frame).map_or_else(
            || match Parcel::of(frame) {
                Some(parcel) => describe_parcel(&parcel),
                None => format!("ethertype {kind:#06x}"),
            },
            |address| format!("traffic for {address}"),
        ),
    };
    format!("{source} > {destination}: {what}")
}

/// Whom a frame is for, and the address that it says its sender owns.
pub(super) fn asserted(frame: &[u8]) -> Option<(Mac, IpAddr)> {
    let (header, payload) = Header::split(frame).ok()?;
    let address = match header.ethertype {
        EtherType::Arp => {
            let sender = Arp::decode(payload).ok()?.sender;
            (!sender.is_unspecified()).then_some(sender.into())
        }
        EtherType::Ipv6 => match Datagram::decode(payload).ok()?.message {
            Ndp::Advertisement { target, .. } => Some(target.into()),
            Ndp::Solicitation { .. } => None,
        },
        EtherType::Unknown(_) => None,
    };
    address.map(|address| (header.destination, address))
}

fn describe_parcel(parcel: &Parcel<'_>) -> String {
    let Parcel {
        source,
        destination,
        octets,
        ..
    } = parcel;
    match parcel.protocol {
        Protocol::Beat => format!("beat, {} octets", octets.len()),
        Protocol::Vrrp => {
            let path = vrrp::packet::Path {
                source: *source,
                destination: *destination,
            };
            vrrp::Advert::decode(octets, path).map_or_else(
                |error| error.to_string(),
                |advert| {
                    format!(
                        "vrrp advertisement of {source}, priority {}",
                        advert.head.priority
                    )
                },
            )
        }
    }
}

fn describe_arp(packet: &Arp) -> String {
    let Arp {
        sender,
        target,
        sender_mac,
        ..
    } = packet;
    match packet.operation {
        Operation::Request if sender.is_unspecified() => format!("arp probe for {target}"),
        Operation::Request if sender == target => {
            format!("arp announcement: {sender} is at {sender_mac}")
        }
        Operation::Request => format!("arp who has {target}? tell {sender}"),
        Operation::Reply => format!("arp reply: {sender} is at {sender_mac}"),
        Operation::Unknown(operation) => format!("arp operation {operation}"),
    }
}

fn describe_ndp(datagram: &Datagram) -> String {
    let Datagram {
        source,
        destination,
        message,
    } = datagram;
    match message {
        Ndp::Solicitation { target, .. } if source.is_unspecified() => {
            format!("nd probe for {target}")
        }
        Ndp::Solicitation { target, .. } => format!("nd who has {target}? tell {source}"),
        Ndp::Advertisement {
            target,
            target_mac,
            router,
            solicited,
            overriding,
        } => {
            let flag = |is_set: &bool, letter| if *is_set { letter } else { "" };
            let flags = [
                flag(router, "R"),
                flag(solicited, "S"),
                flag(overriding, "O"),
            ]
            .concat();
            let mac = target_mac.map_or_else(|| "?".to_owned(), |mac| mac.to_string());
            format!("nd to {destination}: {target} is at {mac} [{flags}]")
        }
    }
}

#[cfg(test)]
mod tests;

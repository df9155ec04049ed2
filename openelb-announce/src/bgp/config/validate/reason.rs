//! What can be wrong with a setting, in words.

use crate::bgp::asn::Asn;
use crate::bgp::route::PeerName;
use ipnet::IpNet;
use std::net::IpAddr;
use std::time::Duration;

/// What is wrong with a setting, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each message says what its case means, and its fields are in it"
)]
pub enum Reason {
    #[error("is empty")]
    Empty,
    #[error("must not be zero; leave it out for the default")]
    Zero,
    #[error("{0} is there twice; remove one")]
    Twice(String),
    #[error("AS {0} is reserved and nobody's; give the AS that this side is in")]
    ReservedAs(Asn),
    #[error("{remote} is the remote of peer {other} too; a neighbor has one session")]
    SameRemote { remote: String, other: PeerName },
    #[error("{0} is no unicast address of a host")]
    NotUnicast(IpAddr),
    #[error("{0} exists on every link; add the interface, as in {0}%eth0")]
    NoZone(IpAddr),
    #[error("{0} needs no interface; use bind_interface to force one")]
    ZoneNotNeeded(IpAddr),
    #[error("`{0}` is no interface name: 1 to 15 octets without / and white space")]
    Interface(String),
    #[error(
        "nothing listens for the peer to connect to; add a listen address or let this side dial"
    )]
    NobodyListens,
    #[error("{0} has bits behind its prefix length; write {net}", net = .0.trunc())]
    HostBits(IpNet),
    #[error("{range} overlaps {with} of {other}; a neighbor belongs to one group")]
    Overlap {
        range: IpNet,
        with: IpNet,
        other: PeerName,
    },
    #[error(
        "a dynamic neighbor is known to BFD only once it has a session, which strict mode would \
         refuse; leave strict out, or name the peer by its address"
    )]
    StrictDynamic,
    #[error("is for external peers, but AS {0} is ours")]
    MultihopInternal(Asn),
    #[error("excludes gtsm, which already says how far away the peer may be; keep one of them")]
    MultihopAndGtsm,
    #[error("{value} is out of range; use {least} to {most}")]
    OutOfRange { value: u64, least: u64, most: u64 },
    #[error("{0:?} is not in whole seconds")]
    NotWholeSeconds(Duration),
    #[error("{0:?} is too short; RFC 4271 allows 0 s or at least 3 s")]
    HoldTooShort(Duration),
    #[error("{keepalive:?} is longer than the hold time of {hold:?}, so the peer would time out")]
    KeepaliveAboveHold { keepalive: Duration, hold: Duration },
    #[error("must be zero exactly when the hold time is")]
    KeepaliveWithoutHold,
    #[error("{send_hold:?} must be longer than the hold time of {hold:?} (RFC 9687)")]
    SendHoldTooShort { send_hold: Duration, hold: Duration },
    #[error("none is enabled, so nothing could be announced")]
    NoFamily,
    #[error("needs graceful_restart, which long-lived restart extends (RFC 9494)")]
    LongLivedAlone,
    #[error("{address} is no next hop for {family} routes{hint}")]
    NextHopFamily {
        address: IpAddr,
        family: String,
        hint: &'static str,
    },
    #[error("{source_address} and the peer's {remote} are of different families")]
    SourceFamily {
        source_address: IpAddr,
        remote: IpAddr,
    },
    #[error("{0} is the peer's own address")]
    SourceIsRemote(IpAddr),
    #[error("{0} octets of text; a shutdown communication holds 255 (RFC 9003)")]
    TextTooLong(usize),
}

//! What the parts of a speaker ask of the rest of their host, in order.

use crate::claim::Claim;
use crate::sim::datagram::Protocol;
use crate::sim::trace::Action;
use crate::time::Time;
use smallvec::SmallVec;
use std::net::IpAddr;

#[derive(Debug)]
pub(super) enum Demand {
    Send {
        protocol: Protocol,
        source: IpAddr,
        destination: IpAddr,
        octets: SmallVec<[u8; 96]>,
    },
    Claim(Claim),
    Release(IpAddr),
    Renew(Time),
    Announce(IpAddr),
    Report(Action),
}

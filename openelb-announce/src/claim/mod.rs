//! The life of an address on one link, the same for ARP and NDP.

mod config;
mod conflict;
#[cfg(test)]
pub(crate) mod driven;
mod groups;
mod machine;
mod pace;
mod protocol;
mod registry;
mod schedule;

pub use crate::wire::Frame;
pub use config::{AnnouncePlan, Config, Defence, RateLimit};
pub use machine::Lifecycle;
pub use protocol::{Heard, NeighborProtocol, ProbePlan, Question, Round};
pub use registry::State;

use crate::time::Time;
use crate::wire::Mac;
use std::net::{IpAddr, Ipv6Addr};

/// An address to announce, and on what terms.
///
/// Claiming an address that is claimed already changes its terms and nothing else, so a caller may
/// hand over its whole desired set again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The address. The machine must speak its family, and one station must be able to own it.
    pub address: IpAddr,
    /// How to make sure that nobody else uses it before it is announced.
    pub probe: Probe,
    /// How long answers for it may be sent.
    pub valid_until: Validity,
}

/// How to make sure that nobody uses an address before announcing it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Probe {
    /// Not at all: for an address taken over from an owner known to be silent. Announced at once.
    Skip,
    /// Three probes within about 0.1 s, as RFC 5227 section 2.2 allows on a link known to be fast.
    Fast,
    /// At the pace of the standards: 4 to 7 s for ARP (RFC 5227 section 2.1.1), 1 to 2 s for NDP
    /// (duplicate address detection, RFC 4862 section 5.4).
    #[default]
    Standard,
}

/// Until when frames may be sent for an address. It is checked for every single frame, so a process
/// that was frozen meanwhile does not speak for what may have another owner by now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validity {
    /// Until it is released.
    #[default]
    Unlimited,
    /// Until the machine's common deadline, which [`Input::Renew`] moves on. Before the first
    /// renewal that deadline has passed.
    Renewed,
    /// Until this instant, itself excluded.
    Until(Time),
}

/// What can happen to a machine.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// The interface's present hardware address and whether frames can pass. Needed once before
    /// anything is sent; then on every change. Repeating it is harmless.
    Link {
        /// The hardware address that answers carry from now on.
        mac: Mac,
        /// Is there carrier, and is the interface up?
        up: bool,
    },
    /// Announce this address, or change the terms on which it is announced.
    Claim(Claim),
    /// Stop answering for this address at once. Harmless when it is not claimed.
    Release(IpAddr),
    /// Announce this address once more from the beginning, as after a claim: a client may have heard
    /// another station meanwhile. What is still being probed, or met a conflict then, is announced
    /// without further questions: the caller knows who the other was, and that it has given way.
    /// [`Config::rate`] holds for it too.
    Announce(IpAddr),
    /// Let the next announcement of this address, or the one that was just sent, be the last before
    /// the first refresh: it is not sure that nobody else answers for it.
    AnnounceOnce(IpAddr),
    /// Addresses claimed with [`Validity::Renewed`] may be answered for until this instant. When
    /// the previous deadline has passed already, they start again as after [`Input::Fence`].
    Renew(Time),
    /// The caller noticed that it did not run for a while, so others may have taken over: be silent,
    /// ignore what was received before now, probe and announce every address again.
    Fence,
    /// A frame came in on the interface.
    Frame {
        /// The whole Ethernet frame, without check sequence.
        bytes: &'a [u8],
        /// When the interface received it, which may be long before it is handed over.
        received: Time,
    },
}

/// What a machine wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send this frame on the interface, now or never.
    Transmit(Frame),
    /// Become a member of this multicast group on the interface.
    JoinGroup(Ipv6Addr),
    /// Leave this multicast group.
    LeaveGroup(Ipv6Addr),
    /// Tell the owner of the machine.
    Event(Event),
}

/// What a machine reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The first probe for the address is on its way. It is not answered for yet.
    Probing(IpAddr),
    /// The first announcement is on its way; the address is answered for from now on.
    Announced(IpAddr),
    /// The address is no longer claimed; nothing is sent for it any more.
    Released(IpAddr),
    /// The instant of [`Validity::Until`] came, so the address is silent. Claiming it again with a
    /// later one starts it anew.
    Expired(IpAddr),
    /// The common deadline of [`Input::Renew`] came, so every address that depends on it is silent
    /// until the next renewal.
    Lapsed,
    /// Another station uses the address.
    Conflict {
        /// The address in question.
        address: IpAddr,
        /// The other station.
        mac: Mac,
        /// Whether the address was being announced already.
        phase: ConflictPhase,
    },
    /// The address waits: its solicited-node group would be one too many on this interface.
    /// Addresses that share their low 24 bits share a group.
    GroupsExhausted {
        /// The address that is not announced.
        address: IpAddr,
        /// The group that it needs.
        group: Ipv6Addr,
        /// How many groups this machine may hold.
        limit: usize,
    },
    /// The claim was ignored: the address is of the wrong family, or not one that a station can own
    /// (unspecified, loopback, multicast, broadcast).
    Unsuitable(IpAddr),
}

/// When a conflict was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConflictPhase {
    /// Before the first announcement. The address stays silent and is probed again later.
    Probing,
    /// While announced, and the other station was answered with an announcement of our own.
    Defended,
    /// While announced, and the address went silent because [`Defence::Yield`] says so.
    Yielded,
}

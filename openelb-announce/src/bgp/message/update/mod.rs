//! UPDATE: which routes come and go (RFC 4271 section 4.3), read as RFC 7606 asks.
//!
//! | what is wrong | what happens |
//! |---|---|
//! | the lengths of the fields, a prefix, `MP_REACH_NLRI` or `MP_UNREACH_NLRI` beyond repair or twice, an unknown well-known attribute | [`MessageError`]: the session ends |
//! | flags; ORIGIN, `AS_PATH`, `NEXT_HOP`, `MULTI_EXIT_DISC`, communities of any kind; `LOCAL_PREF`, `ORIGINATOR_ID`, `CLUSTER_LIST` of an internal peer; an attribute that is missing or overruns | [`Verdict::TreatAsWithdraw`] |
//! | `ATOMIC_AGGREGATE`, AGGREGATOR, `AS4_PATH`, `AS4_AGGREGATOR`, AIGP; `LOCAL_PREF`, `ORIGINATOR_ID`, `CLUSTER_LIST` of an external peer; a second instance | the attribute is discarded |

mod attributes;
mod fault;
mod next_hop;
mod path;
mod walk;

pub use fault::{AttributeCode, Disposition, Fault, FaultKind};

use super::nlri::NlriField;
use super::notification::{ErrorCode, MessageError};
use crate::bgp::asn::{Asn, RouterId};
use crate::bgp::attribute::Attributes;
use crate::bgp::family::{Family, FamilySet, PerFamily};
use crate::bgp::next_hop::{ExtendedNextHop, NextHop};
use crate::bgp::prefix::Nlri;
use crate::wire::Reader;
use attributes::Found;
use smallvec::SmallVec;

/// What the session knows that the meaning of an UPDATE depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DecodeContext {
    /// Both sides use AS numbers of four octets (RFC 6793).
    pub four_octet_as: bool,
    /// The negotiated families; routes of others are ignored.
    pub families: FamilySet,
    /// The peer sends path identifiers (RFC 7911).
    pub add_path: PerFamily<bool>,
    /// IPv4 routes may have IPv6 next hops (RFC 8950).
    pub extended_next_hop: Option<ExtendedNextHop>,
    /// The peer is of another autonomous system.
    pub ebgp: bool,
    /// The system with which paths must begin, if that is enforced; only for external peers.
    pub first_as: Option<Asn>,
}

/// Whether the announced routes can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// They can.
    Accept,
    /// They cannot: all of them count as withdrawn (RFC 7606 section 2).
    TreatAsWithdraw,
}

/// Routes that are announced with one next hop.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a> {
    /// Their next hop.
    pub next_hop: NextHop,
    /// The routes.
    pub nlri: NlriField<'a>,
}

/// A decoded and validated UPDATE that borrows the octets of the message.
///
/// Its withdrawals come before its announcements: a route in both is announced (RFC 4271 section
/// 4.3). Reading NLRI allocates nothing.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    /// Withdrawn in the field of their own and in `MP_UNREACH_NLRI`; then, if the verdict is to
    /// withdraw, what was to be announced.
    withdrawn: SmallVec<[NlriField<'a>; 4]>,
    reached: SmallVec<[Reach<'a>; 2]>,
    found: Found<'a>,
    faults: SmallVec<[Fault; 2]>,
    end_of_rib: Option<Family>,
}

impl<'a> Update<'a> {
    /// Reads the body of the message. Fails only where RFC 7606 asks to end the session.
    pub fn decode(body: &'a [u8], context: &DecodeContext) -> Result<Self, MessageError> {
        let fields = Fields::split(body)
            .ok_or_else(|| MessageError::new(ErrorCode::MALFORMED_ATTRIBUTE_LIST, &[]))?;
        walk::walk(&fields, context)
    }

    /// What no longer can be reached, the announced routes included if the verdict is
    /// [`Verdict::TreatAsWithdraw`].
    pub fn withdrawn(&self) -> impl Iterator<Item = Nlri> {
        self.withdrawn.iter().copied().flatten()
    }

    /// What can be reached; nothing if the verdict is [`Verdict::TreatAsWithdraw`].
    pub fn announced(&self) -> impl Iterator<Item = Nlri> {
        self.reached.iter().flat_map(|reach| reach.nlri)
    }

    /// The announced routes with their next hops: those of the UPDATE's own field, then those of
    /// `MP_REACH_NLRI`.
    pub fn reached(&self) -> &[Reach<'a>] {
        &self.reached
    }

    /// The next hop of the announced routes of `family`.
    pub fn next_hop(&self, family: Family) -> Option<NextHop> {
        let mut reached = self.reached.iter();
        reached
            .find(|reach| reach.nlri.family() == family)
            .map(|reach| reach.next_hop)
    }

    /// What is said about the announced routes, without discarded attributes; allocates.
    pub fn attributes(&self) -> Attributes {
        self.found.attributes()
    }

    /// Who brought the announced routes into the autonomous system, as a route reflector says (RFC
    /// 4456 section 8); `None` from an external peer.
    pub const fn originator(&self) -> Option<RouterId> {
        self.found.originator
    }

    /// Whether the announced routes can be believed.
    pub fn verdict(&self) -> Verdict {
        let withdraw = |fault: &Fault| fault.disposition == Disposition::Withdrawn;
        if self.faults.iter().any(withdraw) {
            Verdict::TreatAsWithdraw
        } else {
            Verdict::Accept
        }
    }

    /// Everything that is wrong with the message, in the order of its attributes.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The family all of whose routes have been sent, if the message says just that (RFC 4724
    /// section 2).
    pub const fn end_of_rib(&self) -> Option<Family> {
        self.end_of_rib
    }
}

/// The three fields of the message.
struct Fields<'a> {
    withdrawn: &'a [u8],
    attributes: &'a [u8],
    nlri: &'a [u8],
}

impl<'a> Fields<'a> {
    /// `None` when a length goes beyond the message (RFC 7606 section 3 a).
    fn split(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(body);
        let mut field = || {
            let length = reader.u16().ok()?;
            reader.take(length.into()).ok()
        };
        Some(Self {
            withdrawn: field()?,
            attributes: field()?,
            nlri: reader.rest(),
        })
    }
}

#[cfg(test)]
mod tests;

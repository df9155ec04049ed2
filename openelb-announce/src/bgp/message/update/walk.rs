//! Walks through an UPDATE once, collecting what it says and what is wrong with it (RFC 7606).

use super::attributes::{self, Found, OPTIONAL, TRANSITIVE};
use super::fault::{AttributeCode, Disposition, Fault, FaultKind};
use super::next_hop::{self, MultiProtocol, Reachable};
use super::{DecodeContext, Fields, Reach, Update};
use crate::bgp::family::Family;
use crate::bgp::message::nlri::NlriField;
use crate::bgp::message::notification::{ErrorCode, MessageError};
use crate::wire::{Reader, Truncated};
use smallvec::SmallVec;

/// Reads the fields of an UPDATE.
pub(super) fn walk<'a>(
    fields: &Fields<'a>,
    context: &DecodeContext,
) -> Result<Update<'a>, MessageError> {
    let classic = |field| {
        NlriField::checked(Family::Ipv4Unicast, context.add_path.ipv4, field)
            .ok_or_else(|| MessageError::new(ErrorCode::INVALID_NETWORK_FIELD, &[]))
    };
    let (withdrawn, nlri) = (classic(fields.withdrawn)?, classic(fields.nlri)?);
    let mut walk = Walk::new(context);
    walk.attributes(fields.attributes)?;
    walk.demand_mandatory(!nlri.is_empty());
    walk.demand_reachable(!nlri.is_empty())?;
    Ok(walk.conclude(withdrawn, nlri))
}

struct Walk<'a, 'c> {
    context: &'c DecodeContext,
    found: Found<'a>,
    faults: SmallVec<[Fault; 2]>,
    /// The first fault that withdraws, and the attribute at fault as it stands in the message.
    worst: Option<(Fault, &'a [u8])>,
    seen: Seen,
    reachable: Option<MultiProtocol<Reachable<'a>>>,
    unreachable: Option<MultiProtocol<NlriField<'a>>>,
}

impl<'a, 'c> Walk<'a, 'c> {
    fn new(context: &'c DecodeContext) -> Self {
        Self {
            context,
            found: Found::default(),
            faults: SmallVec::new(),
            worst: None,
            seen: Seen::default(),
            reachable: None,
            unreachable: None,
        }
    }

    fn attributes(&mut self, octets: &'a [u8]) -> Result<(), MessageError> {
        let mut reader = Reader::new(octets);
        while !reader.rest().is_empty() {
            let from_here = reader.rest();
            let Ok((flags, code, value)) = attribute(&mut reader) else {
                // RFC 7606 section 4: the field ends where its length says, come what may.
                let code = from_here.get(1).copied().unwrap_or_default();
                self.fault(code.into(), FaultKind::Overrun, from_here);
                break;
            };
            let length = from_here.len() - reader.rest().len();
            let whole = from_here.get(..length).unwrap_or_default();
            self.attribute(flags, code, value, whole)?;
        }
        Ok(())
    }

    fn attribute(
        &mut self,
        flags: u8,
        code: u8,
        value: &'a [u8],
        whole: &'a [u8],
    ) -> Result<(), MessageError> {
        let first = self.seen.insert(code);
        let code = AttributeCode::from(code);
        let multi_protocol = matches!(
            code,
            AttributeCode::MpReachNlri | AttributeCode::MpUnreachNlri
        );
        match attributes::flags(code) {
            _ if !first && multi_protocol => {
                let error = ErrorCode::MALFORMED_ATTRIBUTE_LIST;
                return Err(MessageError::new(error, &[]));
            }
            _ if !first => {
                self.fault(code, FaultKind::Duplicate, whole);
                return Ok(());
            }
            None if flags & OPTIONAL == 0 && code != AttributeCode::Aigp => {
                let error = ErrorCode::UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE;
                return Err(MessageError::new(error, whole));
            }
            _ if attributes::is_foreign(code, self.context) => {
                self.fault(code, FaultKind::NotAllowed, whole);
                return Ok(());
            }
            Some(expected) if flags & (OPTIONAL | TRANSITIVE) != expected => {
                self.fault(code, FaultKind::Flags, whole);
                // Its routes must still be known, to withdraw them.
                if !multi_protocol {
                    return Ok(());
                }
            }
            _ => {}
        }
        if multi_protocol {
            return self.multi_protocol(code, value, whole);
        }
        if let Err(kind) = self.found.take(code, value, self.context) {
            self.fault(code, kind, whole);
        }
        Ok(())
    }

    fn multi_protocol(
        &mut self,
        code: AttributeCode,
        value: &'a [u8],
        whole: &'a [u8],
    ) -> Result<(), MessageError> {
        let beyond_repair = || MessageError::new(ErrorCode::OPTIONAL_ATTRIBUTE, whole);
        let foreign = if code == AttributeCode::MpReachNlri {
            let read = next_hop::reachable(value, self.context).ok_or_else(beyond_repair)?;
            self.reachable = Some(read);
            if let MultiProtocol::Ours((Err(kind), _)) = read {
                self.fault(code, kind, whole);
            }
            matches!(read, MultiProtocol::Foreign)
        } else {
            let read = next_hop::unreachable(value, self.context).ok_or_else(beyond_repair)?;
            self.unreachable = Some(read);
            matches!(read, MultiProtocol::Foreign)
        };
        if foreign {
            self.fault(code, FaultKind::Family, whole);
        }
        Ok(())
    }

    /// Every announced route needs ORIGIN and `AS_PATH`, those in the UPDATE's own field `NEXT_HOP`
    /// (RFC 4271 section 5, RFC 7606 section 3 d).
    fn demand_mandatory(&mut self, classic: bool) {
        let ours = matches!(self.reachable, Some(MultiProtocol::Ours(_)));
        if !classic && !ours {
            return;
        }
        let next_hop = classic && self.found.next_hop.is_none();
        let next_hop = next_hop.then_some(AttributeCode::NextHop);
        let missing: SmallVec<[AttributeCode; 3]> = self.found.missing().chain(next_hop).collect();
        for code in missing {
            // One that is there but faulty has been noted.
            if !self.seen.contains(code.into()) {
                self.fault(code, FaultKind::Missing, &[]);
            }
        }
    }

    /// Attributes with a grave fault but without routes: the routes are hidden in the fault, and
    /// nothing can be treated as withdrawn (RFC 7606 section 5.2).
    fn demand_reachable(&self, classic: bool) -> Result<(), MessageError> {
        let routes = match self.reachable {
            Some(MultiProtocol::Ours((_, nlri))) => !nlri.is_empty(),
            Some(MultiProtocol::Foreign) => true,
            None => false,
        };
        let only_unreachable = self.unreachable.is_some() && self.seen.count() == 1;
        match self.worst {
            Some((fault, whole)) if !classic && !routes && !only_unreachable => {
                Err(MessageError::new(fault.error_code(), whole))
            }
            _ => Ok(()),
        }
    }

    fn conclude(mut self, withdrawn: NlriField<'a>, nlri: NlriField<'a>) -> Update<'a> {
        let end_of_rib = self.end_of_rib(&withdrawn, &nlri);
        let mut all_withdrawn = SmallVec::new();
        let ipv4 = self.context.families.contains(Family::Ipv4Unicast);
        if ipv4 {
            all_withdrawn.push(withdrawn);
        } else if !withdrawn.is_empty() || !nlri.is_empty() {
            self.fault(AttributeCode::NextHop, FaultKind::Family, &[]);
        }
        if let Some(MultiProtocol::Ours(nlri)) = self.unreachable {
            all_withdrawn.push(nlri);
        }
        let mut reached = SmallVec::new();
        let accept = self.worst.is_none();
        if ipv4 && !nlri.is_empty() {
            match self.found.next_hop.filter(|_| accept) {
                Some(next_hop) => reached.push(Reach { next_hop, nlri }),
                None => all_withdrawn.push(nlri),
            }
        }
        if let Some(MultiProtocol::Ours((next_hop, nlri))) = self.reachable {
            match next_hop.ok().filter(|_| accept) {
                Some(next_hop) => reached.push(Reach { next_hop, nlri }),
                None => all_withdrawn.push(nlri),
            }
        }
        Update {
            withdrawn: all_withdrawn,
            reached,
            found: self.found,
            faults: self.faults,
            end_of_rib,
        }
    }

    /// An UPDATE without anything, or with an empty `MP_UNREACH_NLRI` only (RFC 4724 section 2).
    fn end_of_rib(&self, withdrawn: &NlriField<'a>, nlri: &NlriField<'a>) -> Option<Family> {
        if !withdrawn.is_empty() || !nlri.is_empty() {
            return None;
        }
        let family = match (self.seen.count(), self.unreachable) {
            (0, _) => Family::Ipv4Unicast,
            (1, Some(MultiProtocol::Ours(nlri))) if nlri.is_empty() => nlri.family(),
            _ => return None,
        };
        let negotiated = self.context.families.contains(family);
        (negotiated && self.faults.is_empty()).then_some(family)
    }

    fn fault(&mut self, attribute: AttributeCode, kind: FaultKind, whole: &'a [u8]) {
        let disposition = attributes::disposition(attribute, kind);
        let fault = Fault {
            attribute,
            kind,
            disposition,
        };
        if disposition == Disposition::Withdrawn {
            self.worst.get_or_insert((fault, whole));
        }
        self.faults.push(fault);
    }
}

/// Which attribute codes have come by.
#[derive(Clone, Copy, Debug, Default)]
struct Seen([u128; 2]);

impl Seen {
    /// Tells whether it is new.
    fn insert(&mut self, code: u8) -> bool {
        let new = !self.contains(code);
        let [low, high] = &mut self.0;
        let word = if code < 128 { low } else { high };
        *word |= 1 << (code % 128);
        new
    }

    const fn contains(self, code: u8) -> bool {
        let [low, high] = self.0;
        let word = if code < 128 { low } else { high };
        word >> (code % 128) & 1 != 0
    }

    const fn count(self) -> u32 {
        let [low, high] = self.0;
        low.count_ones() + high.count_ones()
    }
}

/// Flags, code and value of the next attribute.
fn attribute<'a>(reader: &mut Reader<'a>) -> Result<(u8, u8, &'a [u8]), Truncated> {
    let (flags, code) = (reader.u8()?, reader.u8()?);
    let length = if flags & EXTENDED_LENGTH == 0 {
        reader.u8()?.into()
    } else {
        reader.u16()?
    };
    Ok((flags, code, reader.take(length.into())?))
}

const EXTENDED_LENGTH: u8 = 0x10;

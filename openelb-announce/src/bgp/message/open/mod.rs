//! OPEN: who a speaker is and what it can do (RFC 4271 section 4.2).
//!
//! ```text
//! +---------+---------------+-----------+----------------+--------+---------------------+
//! | version | my AS (2)     | hold time | identifier (4) | length | optional parameters |
//! | (4)     |               | (2)       |                |        | (RFC 5492, 9072)    |
//! +---------+---------------+-----------+----------------+--------+---------------------+
//! ```

use super::capability::{self, AddPathMode, Capability, GracefulRestart};
use super::header::{self, MessageKind};
use super::notification::{ErrorCode, MessageError};
use crate::bgp::asn::{Asn, RouterId};
use crate::bgp::family::{Family, FamilySet};
use crate::wire::{Reader, Truncated};

/// The first message of each side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The number of the system: of four octets if the capability is there (RFC 6793).
    pub asn: Asn,
    /// The number in the two octets of the message; `AS_TRANS` for one that needs four.
    pub wire_asn: u16,
    /// The proposed hold time in seconds: 0 (no timer) or at least 3.
    pub hold_time: u16,
    /// The identifier; never zero.
    pub router_id: RouterId,
    /// What the speaker can do, in the order of the message.
    pub capabilities: Vec<Capability>,
}

impl Open {
    /// Our own: the two-octet number follows from `asn`. The capability of four-octet AS numbers
    /// is not added; it belongs to `capabilities`.
    pub fn new(
        asn: Asn,
        hold_time: u16,
        router_id: RouterId,
        capabilities: Vec<Capability>,
    ) -> Self {
        Self {
            asn,
            wire_asn: asn.wire16(),
            hold_time,
            router_id,
            capabilities,
        }
    }

    /// Reads the body of the message and checks what RFC 4271 section 6.2 asks of any OPEN.
    ///
    /// Whether the peer is the right one is the session's to check.
    pub fn decode(body: &[u8]) -> Result<Self, MessageError> {
        let cut_short = |_: Truncated| MessageError::new(ErrorCode::OPEN, &[]);
        let mut reader = Reader::new(body);
        let version = reader.u8().map_err(cut_short)?;
        if version != VERSION {
            let supported = [0, VERSION];
            return Err(MessageError::new(
                ErrorCode::UNSUPPORTED_VERSION,
                &supported,
            ));
        }
        let wire_asn = reader.u16().map_err(cut_short)?;
        let hold_time = reader.u16().map_err(cut_short)?;
        if matches!(hold_time, 1 | 2) {
            let error = ErrorCode::UNACCEPTABLE_HOLD_TIME;
            return Err(MessageError::new(error, &hold_time.to_be_bytes()));
        }
        let router_id = RouterId::new(reader.u32().map_err(cut_short)?)
            .ok_or_else(|| MessageError::new(ErrorCode::BAD_BGP_IDENTIFIER, &[]))?;
        let capabilities = decode_parameters(reader.rest())?;
        let asn = four_octet_as(&capabilities).unwrap_or_else(|| Asn(wire_asn.into()));
        // RFC 7607 section 2: the number 0 ends the session.
        if asn.0 == 0 || wire_asn == 0 {
            return Err(MessageError::new(ErrorCode::BAD_PEER_AS, &[]));
        }
        Ok(Self {
            asn,
            wire_asn,
            hold_time,
            router_id,
            capabilities,
        })
    }

    /// Appends the message. Capabilities stand in one parameter; when they have more than 253
    /// octets, in the extended form (RFC 9072). What exceeds a message of 4,096 octets is left out.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut value = Vec::new();
        for one in &self.capabilities {
            let before = value.len();
            capability::write(one, &mut value);
            if value.len() > header::LIMIT - header::LENGTH - FIXED - EXTENDED_HEAD {
                value.truncate(before);
                break;
            }
        }
        let parameters = parameters(&value);
        header::write(out, MessageKind::Open, FIXED + parameters.len());
        out.push(VERSION);
        out.extend(self.wire_asn.to_be_bytes());
        out.extend(self.hold_time.to_be_bytes());
        out.extend(self.router_id.number().to_be_bytes());
        out.extend(parameters);
    }

    /// The families of our own that the speaker can exchange: those it names or, when it names none
    /// at all, IPv4 unicast (RFC 4760 section 8).
    pub fn families(&self) -> FamilySet {
        let named = |one: &Capability| match one {
            Capability::MultiProtocol(afi, safi) => Some((*afi, *safi)),
            _ => None,
        };
        let mut named = self.capabilities.iter().filter_map(named).peekable();
        if named.peek().is_none() {
            return FamilySet::new(true, false);
        }
        named
            .filter_map(|(afi, safi)| Family::from_wire(afi, safi))
            .collect()
    }

    /// Whether it announced exactly this capability.
    pub fn has(&self, capability: &Capability) -> bool {
        self.capabilities.contains(capability)
    }

    /// Whether it understands AS numbers of four octets.
    pub fn is_four_octet_as(&self) -> bool {
        four_octet_as(&self.capabilities).is_some()
    }

    /// How it restarts: the last instance counts (RFC 4724 section 3).
    pub fn graceful_restart(&self) -> Option<&GracefulRestart> {
        let mut found = self.capabilities.iter().filter_map(|one| match one {
            Capability::GracefulRestart(restart) => Some(restart),
            _ => None,
        });
        found.next_back()
    }

    /// What it said about several paths of `family`; the first entry counts.
    pub fn add_path(&self, family: Family) -> Option<AddPathMode> {
        let entries = self.capabilities.iter().filter_map(|one| match one {
            Capability::AddPath(entries) => Some(entries),
            _ => None,
        });
        let mut modes = entries.flatten().filter(|(about, _)| *about == family);
        modes.next().map(|(_, mode)| *mode)
    }
}

fn four_octet_as(capabilities: &[Capability]) -> Option<Asn> {
    capabilities.iter().find_map(|one| match one {
        Capability::FourOctetAs(asn) => Some(*asn),
        _ => None,
    })
}

/// Reads the length and what follows: parameters in the usual or the extended form.
fn decode_parameters(octets: &[u8]) -> Result<Vec<Capability>, MessageError> {
    let malformed = || MessageError::new(ErrorCode::OPEN, &[]);
    let mut reader = Reader::new(octets);
    let length = reader.u8().map_err(|_| malformed())?;
    // RFC 9072 section 2: the type 255 of the first parameter tells the form, whatever the length.
    let extended = length != 0 && reader.rest().first() == Some(&EXTENDED);
    let length = if extended {
        let _marker = reader.u8();
        reader.u16().map(usize::from).map_err(|_| malformed())?
    } else {
        usize::from(length)
    };
    if reader.rest().len() != length {
        return Err(malformed());
    }
    let mut capabilities = Vec::new();
    while !reader.rest().is_empty() {
        let (kind, value) = parameter(&mut reader, extended).map_err(|_| malformed())?;
        if kind != CAPABILITIES {
            return Err(MessageError::new(
                ErrorCode::UNSUPPORTED_OPTIONAL_PARAMETER,
                &[],
            ));
        }
        capability::decode_all(value, &mut capabilities).map_err(|_| malformed())?;
    }
    Ok(capabilities)
}

fn parameter<'a>(reader: &mut Reader<'a>, extended: bool) -> Result<(u8, &'a [u8]), Truncated> {
    let kind = reader.u8()?;
    let length = if extended {
        reader.u16()?
    } else {
        reader.u8()?.into()
    };
    Ok((kind, reader.take(usize::from(length))?))
}

/// The length and one parameter with all capabilities; only the length when there are none.
fn parameters(capabilities: &[u8]) -> Vec<u8> {
    let mut parameters = Vec::with_capacity(capabilities.len() + EXTENDED_HEAD);
    match (
        u16::try_from(capabilities.len()),
        u8::try_from(capabilities.len() + 2),
    ) {
        (Ok(0), _) => parameters.push(0),
        (_, Ok(with_head)) => parameters.extend([with_head, CAPABILITIES, with_head - 2]),
        (length, Err(_)) => {
            let length = length.unwrap_or(u16::MAX);
            parameters.extend([EXTENDED, EXTENDED]);
            parameters.extend((length + 3).to_be_bytes());
            parameters.push(CAPABILITIES);
            parameters.extend(length.to_be_bytes());
        }
    }
    parameters.extend_from_slice(capabilities);
    parameters
}

const VERSION: u8 = 4;
/// Version, AS number, hold time and identifier.
const FIXED: usize = 9;
/// What precedes the capabilities in the extended form.
const EXTENDED_HEAD: usize = 7;
/// The parameter that holds capabilities (RFC 5492 section 4).
const CAPABILITIES: u8 = 2;
/// Marks the extended form (RFC 9072 section 2).
const EXTENDED: u8 = 255;

#[cfg(test)]
mod tests;

//! ROUTE-REFRESH: all routes again (RFC 2918), with marks where they begin and end (RFC 7313).

use super::header::{self, MessageKind};
use super::notification::{ErrorCode, MessageError};
use crate::bgp::family::Family;
use crate::wire::wire_enum;

wire_enum! {
    /// What a ROUTE-REFRESH means.
    pub enum RefreshKind(u8) {
        /// Send all routes of the family again.
        Request = 0,
        /// All routes follow (Beginning-of-RIB-Refresh).
        Begin = 1,
        /// All routes have been sent (End-of-RIB-Refresh).
        End = 2,
    }
}

/// A request for all routes of a family, or a mark in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteRefresh {
    /// The address family identifier.
    pub afi: u16,
    /// The subsequent address family identifier.
    pub safi: u8,
    /// Request or mark; receivers ignore kinds that they do not know (RFC 7313 section 5).
    pub kind: RefreshKind,
}

impl RouteRefresh {
    /// For a family of ours.
    pub const fn new(family: Family, kind: RefreshKind) -> Self {
        Self {
            afi: family.afi(),
            safi: family.safi(),
            kind,
        }
    }

    /// Its family; `None` for one that this speaker does not know.
    pub const fn family(&self) -> Option<Family> {
        Family::from_wire(self.afi, self.safi)
    }

    /// Reads the body of the message.
    ///
    /// A mark of another length than four octets ends the session (RFC 7313 section 5). A longer
    /// request carries filters (RFC 5291) that were not negotiated, and is taken without them.
    pub fn decode(body: &[u8]) -> Result<Self, MessageError> {
        let wrong = || {
            let mut message = header::octets(MessageKind::RouteRefresh, body.len()).to_vec();
            message.extend_from_slice(body);
            MessageError::new(ErrorCode::ROUTE_REFRESH_LENGTH, &message)
        };
        let ([high, low, kind, safi], rest) = body.split_first_chunk().ok_or_else(wrong)?;
        let kind = RefreshKind::from(*kind);
        if !rest.is_empty() && matches!(kind, RefreshKind::Begin | RefreshKind::End) {
            return Err(wrong());
        }
        Ok(Self {
            afi: u16::from_be_bytes([*high, *low]),
            safi: *safi,
            kind,
        })
    }

    /// Appends the message.
    pub fn write(&self, out: &mut Vec<u8>) {
        header::write(out, MessageKind::RouteRefresh, 4);
        let [high, low] = self.afi.to_be_bytes();
        out.extend([high, low, self.kind.into(), self.safi]);
    }
}

#[cfg(test)]
mod tests;

//! The Ethernet header (Ethernet II framing, RFC 894 and RFC 2464).
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                      Destination address                      |
//! +                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |                               |                               |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//! |                        Source address                         |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |           EtherType           |          Payload ...
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-
//! ```

use super::{Frame, Mac, NoRoom, Reader, Truncated, Writer, wire_enum};
use smallvec::smallvec;

wire_enum! {
    /// What an Ethernet frame carries.
    pub enum EtherType(u16) {
        /// The Address Resolution Protocol.
        Arp = 0x0806,
        /// IPv6.
        Ipv6 = 0x86dd,
    }
}

/// The fourteen octets in front of every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The station or group that the frame is for.
    pub destination: Mac,
    /// The station that sent it.
    pub source: Mac,
    /// What follows.
    pub ethertype: EtherType,
}

impl Header {
    /// How many octets a header takes.
    pub const LENGTH: usize = 14;

    /// Splits a frame into its header and its payload, padding included.
    pub fn split(frame: &[u8]) -> Result<(Self, &[u8]), Truncated> {
        let mut reader = Reader::new(frame);
        let header = Self {
            destination: Mac::new(reader.array()?),
            source: Mac::new(reader.array()?),
            ethertype: reader.u16()?.into(),
        };
        Ok((header, reader.rest()))
    }

    /// Writes the header; [`LENGTH`](Self::LENGTH) octets.
    pub fn emit(&self, out: &mut Writer<'_>) -> Result<(), NoRoom> {
        out.octets(&self.destination.octets())?;
        out.octets(&self.source.octets())?;
        out.u16(self.ethertype.into())
    }

    /// A frame of this header and the `length` octets of payload that `emit` writes. Does not
    /// allocate while all of it fits into a [`Frame`].
    ///
    /// # Panics
    ///
    /// If `emit` writes more than `length` octets.
    pub fn frame(
        &self,
        length: usize,
        emit: impl FnOnce(&mut Writer<'_>) -> Result<(), NoRoom>,
    ) -> Frame {
        let mut frame: Frame = smallvec![0; Self::LENGTH + length];
        let mut out = Writer::new(&mut frame);
        let written = self.emit(&mut out).and_then(|()| emit(&mut out));
        written.expect("the frame is as long as header and payload together");
        frame
    }
}

#[cfg(test)]
mod tests;

//! The reply of a server as it came (RFC 8415 section 8), which is what dhcpcd keeps as a lease.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |  REPLY (7)    |               transaction-id                  |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! |        option-code            |           option-len          |
//! +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//! IA_PD (25):     IAID, T1, T2 (4 octets each), then options
//! IAPREFIX (26):  preferred, valid (4 octets each), length (1), prefix (16), then options
//! ```

use std::net::Ipv6Addr;

use openelb_announce::wire::{Reader, Truncated};
use openelb_ipam::Time;

use super::{Lease, LeaseError, after, prefix};

/// Every prefix of every `IA_PD`, on the clock of whoever received the reply then.
pub(super) fn read(octets: &[u8], received: Time) -> Result<Vec<Lease>, LeaseError> {
    let mut reader = Reader::new(octets);
    let mut leases = Vec::new();
    all(&mut reader, received, &mut leases).map_err(|_| LeaseError::Truncated {
        at: octets.len().saturating_sub(reader.rest().len()),
    })?;
    Ok(leases)
}

fn all(reader: &mut Reader<'_>, received: Time, leases: &mut Vec<Lease>) -> Result<(), Truncated> {
    let _kind_and_transaction = reader.u32()?;
    while !reader.rest().is_empty() {
        let (code, mut association) = option(reader)?;
        if code != IA_PD {
            continue;
        }
        let _iaid_t1_t2 = association.take(12)?;
        while !association.rest().is_empty() {
            let (code, mut value) = option(&mut association)?;
            if code == IAPREFIX {
                leases.extend(lease(&mut value, received)?);
            }
        }
    }
    Ok(())
}

fn option<'a>(reader: &mut Reader<'a>) -> Result<(u16, Reader<'a>), Truncated> {
    let (code, length) = (reader.u16()?, reader.u16()?);
    Ok((code, Reader::new(reader.take(length.into())?)))
}

/// One with a valid lifetime of zero is taken back (RFC 8415 section 18.2.10.1), one whose preferred
/// lifetime is the longer one is to be ignored (section 21.22).
fn lease(value: &mut Reader<'_>, received: Time) -> Result<Option<Lease>, Truncated> {
    let (preferred, valid) = (value.u32()?, value.u32()?);
    let (length, address) = (value.u8()?, Ipv6Addr::from(value.array::<16>()?));
    let net = prefix(address, length).filter(|_| valid > 0 && preferred <= valid);
    Ok(net.map(|prefix| Lease {
        prefix,
        preferred_until: after(received, preferred),
        valid_until: after(received, valid),
    }))
}

/// The type of the message.
pub(super) const REPLY: u8 = 7;
const IA_PD: u16 = 25;
const IAPREFIX: u16 = 26;

//! Takes away what a former process left where nobody keeps routes any more.

use std::io;

use super::options::FIRST_PROTOCOL;
use crate::link::routes::{RouteTable, tables};

/// Why leftovers may still be there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The protocol number has another meaning.
    #[error("protocol {0} is the kernel's own; choose one of 4 to 255 that nobody else uses")]
    Protocol(u8),
    /// The kernel cannot be read.
    #[error("reading the kernel's routes of protocol {protocol}: {source}")]
    Read {
        /// The protocol number.
        protocol: u8,
        /// What the kernel says.
        source: io::Error,
    },
    /// A route could not be removed.
    #[error(
        "removing the routes that a former process left in table {table}: {source}; remove them by \
         `ip route flush table {table} proto {protocol}`, and with `-6`"
    )]
    Remove {
        /// The table.
        table: u32,
        /// The protocol number.
        protocol: u8,
        /// What the kernel says.
        source: io::Error,
    },
}

/// Removes every route under `protocol` from every table of the kernel but `kept`, and says how many
/// that were. Call it once before routes are kept in `kept`, or when none are to be kept: what a
/// process that was killed left in a table is swept by nobody else if its successor has another
/// table, or none.
///
/// Needs `CAP_NET_ADMIN` only if there is something to remove. Costs some microseconds for each such
/// route, whatever else the tables hold.
pub fn sweep(protocol: u8, kept: Option<u32>) -> Result<usize, SweepError> {
    if protocol < FIRST_PROTOCOL {
        return Err(SweepError::Protocol(protocol));
    }
    let unread = |source| SweepError::Read { protocol, source };
    let mut swept = 0;
    for number in tables(protocol).map_err(unread)? {
        if Some(number) == kept {
            continue;
        }
        let mut table = RouteTable::open(number, protocol).map_err(unread)?;
        for entry in table.held().map_err(unread)? {
            table.remove(&entry).map_err(|source| SweepError::Remove {
                table: number,
                protocol,
                source,
            })?;
            swept += 1;
        }
    }
    Ok(swept)
}

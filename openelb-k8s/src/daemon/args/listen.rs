//! An address to listen at, as Go's programs write it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use thiserror::Error;

/// Where to listen, or nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::daemon) struct Listen(pub(in crate::daemon) Option<SocketAddr>);

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "0" || text.is_empty() {
            return Ok(Self(None));
        }
        let address = match text.strip_prefix(':') {
            // Every address of both families: a socket of `::` takes IPv4 as well.
            Some(port) => port
                .parse()
                .map(|port| SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port))
                .ok(),
            None => text.parse().ok(),
        };
        match address {
            None => Err(ListenError(text.to_owned())),
            found => Ok(Self(found)),
        }
    }
}

/// Text that is no address to listen at.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0} is no address to listen at; write :PORT, ADDRESS:PORT, or 0 for nowhere")]
pub(in crate::daemon) struct ListenError(String);

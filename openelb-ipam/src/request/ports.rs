//! Which transport ports a claim serves on its address: what two sharers may not both use.

use core::fmt;
use core::str::FromStr;

use smallvec::SmallVec;
use thiserror::Error;

use crate::text::text_serde;

/// A transport protocol of a port.
///
/// ```
/// use openelb_ipam::Protocol;
///
/// assert_eq!("tcp".parse(), Ok(Protocol::Tcp));
/// assert_eq!(Protocol::Sctp.to_string(), "SCTP");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Stream Control Transmission Protocol.
    Sctp,
    /// Transmission Control Protocol.
    Tcp,
    /// User Datagram Protocol.
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sctp => "SCTP",
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

impl FromStr for Protocol {
    type Err = ParsePortError;

    /// Reads the name in any case.
    fn from_str(text: &str) -> Result<Self, ParsePortError> {
        [Self::Sctp, Self::Tcp, Self::Udp]
            .into_iter()
            .find(|protocol| name_of(*protocol).eq_ignore_ascii_case(text))
            .ok_or(ParsePortError)
    }
}

text_serde!(
    Protocol,
    "a transport protocol, \"TCP\", \"UDP\" or \"SCTP\""
);

/// One port of one protocol, written `TCP/80`.
///
/// ```
/// use openelb_ipam::{Port, Protocol};
///
/// assert_eq!("tcp/80".parse(), Ok(Port { protocol: Protocol::Tcp, number: 80 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    /// The protocol.
    pub protocol: Protocol,
    /// The number.
    pub number: u16,
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.protocol, self.number)
    }
}

impl FromStr for Port {
    type Err = ParsePortError;

    fn from_str(text: &str) -> Result<Self, ParsePortError> {
        let (protocol, number) = text.split_once('/').ok_or(ParsePortError)?;
        let number = number.parse().map_err(|_| ParsePortError)?;
        Ok(Self {
            protocol: protocol.parse()?,
            number,
        })
    }
}

text_serde!(Port, "a port, \"TCP/80\"");

/// The text is no port.
///
/// ```
/// # use openelb_ipam::Port;
/// let error = "80".parse::<Port>().unwrap_err();
/// assert_eq!(error.to_string(), "not a port; write PROTOCOL/NUMBER, for example TCP/80");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a port; write PROTOCOL/NUMBER, for example TCP/80")]
pub struct ParsePortError;

/// The ports that a claim serves: all of them, or a sorted list.
///
/// `All` is the default: a claim that says nothing about its ports conflicts with every other, so
/// that two claims never share an address by accident.
///
/// ```
/// use openelb_ipam::{Port, PortSet};
///
/// let web: PortSet = ["TCP/80".parse::<Port>()?].into_iter().collect();
/// let dns: PortSet = ["UDP/53".parse::<Port>()?, "TCP/53".parse()?].into_iter().collect();
/// assert_eq!(web.clash(&dns), None);
/// assert_eq!(dns.clash(&PortSet::All), Some("TCP/53".parse()?));
/// # Ok::<(), openelb_ipam::ParsePortError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub enum PortSet {
    /// Every port of every protocol.
    #[default]
    All,
    /// These ports, sorted, each once.
    #[cfg_attr(feature = "serde", serde(deserialize_with = "sorted"))]
    Some(SmallVec<[Port; 4]>),
}

impl PortSet {
    /// The first port that both sets hold, if any; the lists are merged in one pass.
    pub fn clash(&self, other: &Self) -> Option<Port> {
        match (self, other) {
            (Self::All, Self::All) => Some(Port {
                protocol: Protocol::Tcp,
                number: 0,
            }),
            (Self::All, Self::Some(ports)) | (Self::Some(ports), Self::All) => {
                ports.first().copied()
            }
            (Self::Some(a), Self::Some(b)) => {
                a.iter().find(|port| b.binary_search(port).is_ok()).copied()
            }
        }
    }
}

impl FromIterator<Port> for PortSet {
    fn from_iter<I: IntoIterator<Item = Port>>(ports: I) -> Self {
        let mut ports: SmallVec<_> = ports.into_iter().collect();
        ports.sort_unstable();
        ports.dedup();
        Self::Some(ports)
    }
}

impl fmt::Display for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all ports"),
            Self::Some(ports) => {
                for (at, port) in ports.iter().enumerate() {
                    write!(f, "{}{port}", if at == 0 { "" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}

fn name_of(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Sctp => "sctp",
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    }
}

/// Lists from outside may come in any order and with repeats.
#[cfg(feature = "serde")]
fn sorted<'de, D: serde::Deserializer<'de>>(from: D) -> Result<SmallVec<[Port; 4]>, D::Error> {
    let mut ports: SmallVec<[Port; 4]> = serde::Deserialize::deserialize(from)?;
    ports.sort_unstable();
    ports.dedup();
    Ok(ports)
}

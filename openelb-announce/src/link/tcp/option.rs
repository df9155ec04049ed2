//! The options of one session's socket.
#![allow(
    unsafe_code,
    reason = "socket2 and nix have neither the minimum TTL nor path MTU discovery"
)]

use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::time::Duration;

use socket2::Socket;

/// How the segments of a session look and when it is given up; the same for one that was dialled and
/// one that was accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SessionOptions {
    /// The TTL or hop limit of what is sent: 1 for a neighbour on the link, 255 with RFC 5082. The
    /// kernel's when there is none.
    pub(crate) hop_limit: Option<u8>,
    /// What arrives with less is discarded (RFC 5082), see [`minimum_hop_limit`].
    pub(crate) minimum_hop_limit: Option<u8>,
    /// The largest segment to announce and to send.
    pub(crate) maximum_segment: Option<u16>,
    /// How long sent octets may stay unacknowledged before the kernel gives the connection up. The
    /// kernel's own patience is some 15 minutes.
    pub(crate) user_timeout: Option<Duration>,
    /// Is the path's MTU discovered? `None` leaves what the system is set to.
    pub(crate) mtu_discovery: Option<bool>,
}

impl SessionOptions {
    /// Sets them on a socket that talks to an address like `remote`.
    pub(crate) fn apply(&self, socket: &Socket, remote: IpAddr) -> Result<(), OptionError> {
        let family = Family::of(remote);
        // Updates are written in large pieces; a last small one must not wait for an answer.
        named("TCP_NODELAY", socket.set_tcp_nodelay(true))?;
        family.set_traffic_class(socket)?;
        if let Some(limit) = self.hop_limit {
            family.set_hop_limit(socket, limit)?;
        }
        family.set_minimum_hop_limit(socket, self.minimum_hop_limit.unwrap_or(0))?;
        if let Some(size) = self.maximum_segment {
            named("TCP_MAXSEG", socket.set_tcp_mss(size.into()))?;
        }
        if let Some(is_on) = self.mtu_discovery {
            family.set_mtu_discovery(socket, is_on)?;
        }
        named(
            "TCP_USER_TIMEOUT",
            socket.set_tcp_user_timeout(self.user_timeout),
        )
    }
}

/// The least TTL with which a packet of a neighbour at most `hops` links away arrives (RFC 5082
/// section 3): 255 for one on the same link.
pub(crate) const fn minimum_hop_limit(hops: u8) -> u8 {
    u8::MAX - hops.saturating_sub(1)
}

/// An option that the kernel refused.
#[derive(Debug, thiserror::Error)]
#[error("setting {option} on a TCP socket: {source}")]
pub(crate) struct OptionError {
    option: &'static str,
    source: io::Error,
}

/// Says which option it was.
pub(super) fn named<T>(option: &'static str, result: io::Result<T>) -> Result<T, OptionError> {
    result.map_err(|source| OptionError { option, source })
}

/// What is called differently for the two families.
enum Family {
    V4,
    V6,
}

impl Family {
    const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    fn set_traffic_class(&self, socket: &Socket) -> Result<(), OptionError> {
        match self {
            Self::V4 => named("IP_TOS", socket.set_tos_v4(CS6)),
            Self::V6 => named("IPV6_TCLASS", socket.set_tclass_v6(CS6)),
        }
    }

    fn set_hop_limit(&self, socket: &Socket, limit: u8) -> Result<(), OptionError> {
        let limit = limit.max(1).into();
        match self {
            Self::V4 => named("IP_TTL", socket.set_ttl_v4(limit)),
            Self::V6 => named("IPV6_UNICAST_HOPS", socket.set_unicast_hops_v6(limit)),
        }
    }

    fn set_minimum_hop_limit(&self, socket: &Socket, limit: u8) -> Result<(), OptionError> {
        let limit = limit.into();
        match self {
            Self::V4 => set(
                "IP_MINTTL",
                socket,
                libc::IPPROTO_IP,
                libc::IP_MINTTL,
                limit,
            ),
            Self::V6 => set(
                "IPV6_MINHOPCOUNT",
                socket,
                libc::IPPROTO_IPV6,
                libc::IPV6_MINHOPCOUNT,
                limit,
            ),
        }
    }

    fn set_mtu_discovery(&self, socket: &Socket, is_on: bool) -> Result<(), OptionError> {
        match self {
            Self::V4 => set(
                "IP_MTU_DISCOVER",
                socket,
                libc::IPPROTO_IP,
                libc::IP_MTU_DISCOVER,
                if is_on {
                    libc::IP_PMTUDISC_WANT
                } else {
                    libc::IP_PMTUDISC_DONT
                },
            ),
            Self::V6 => set(
                "IPV6_MTU_DISCOVER",
                socket,
                libc::IPPROTO_IPV6,
                libc::IPV6_MTU_DISCOVER,
                if is_on {
                    libc::IPV6_PMTUDISC_WANT
                } else {
                    libc::IPV6_PMTUDISC_DONT
                },
            ),
        }
    }
}

fn set(
    option: &'static str,
    socket: &Socket,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> Result<(), OptionError> {
    let length = libc::socklen_t::try_from(size_of::<libc::c_int>())
        .expect("an integer is a few octets long");
    // SAFETY: the kernel reads exactly the octets of `value`, which outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            length,
        )
    };
    let result = if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    };
    named(option, result)
}

// Internetwork control (RFC 4594 section 3.1), as RFC 4271 appendix E asks for.
const CS6: u32 = 48 << 2;

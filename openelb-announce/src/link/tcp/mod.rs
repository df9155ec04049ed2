//! TCP sockets as BGP sessions need them: options in the right order, keys before the first segment.

mod counters;
mod key;
mod option;

use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

pub(crate) use counters::SignatureCounters;
pub(crate) use key::{KeyError, KeyScope, clear_key, set_key};
pub(crate) use option::{OptionError, SessionOptions, minimum_hop_limit};

/// A connection to be opened.
#[derive(Clone, Debug)]
pub(crate) struct Dial<'a> {
    /// Where to; a link-local address carries the index of its link as scope.
    pub(crate) remote: SocketAddr,
    /// The own address; the kernel chooses one when there is none.
    pub(crate) source: Option<IpAddr>,
    /// The own port; 0 lets the kernel choose.
    pub(crate) local_port: u16,
    /// The interface that the connection must use, whatever the routes say.
    pub(crate) interface: Option<&'a str>,
    /// The shared secret of RFC 2385.
    pub(crate) key: Option<&'a [u8]>,
    /// How its segments look and when it is given up.
    pub(crate) options: SessionOptions,
}

impl Dial<'_> {
    /// A socket with everything set but not connected; it does not block.
    ///
    /// The order matters: the key and the hop limits hold from the first segment on, and the device
    /// is chosen before the address, since a link-local source belongs to a link.
    pub(crate) fn prepare(&self) -> Result<Socket, OpenError> {
        let socket = stream(self.remote).map_err(OpenError::Socket)?;
        if let Some(interface) = self.interface {
            bind_device(&socket, interface)?;
        }
        self.options.apply(&socket, self.remote.ip())?;
        if let Some(key) = self.key {
            set_key(&socket, &KeyScope::host(self.remote.ip()), key)?;
        }
        if self.source.is_some() || self.local_port != 0 {
            self.bind(&socket)?;
        }
        Ok(socket)
    }

    fn bind(&self, socket: &Socket) -> Result<(), OpenError> {
        let any = unspecified(self.remote.ip());
        let mut local = SocketAddr::new(self.source.unwrap_or(any), self.local_port);
        if let (SocketAddr::V6(local), SocketAddr::V6(remote)) = (&mut local, self.remote)
            && local.ip().is_unicast_link_local()
        {
            local.set_scope_id(remote.scope_id());
        }
        if self.local_port != 0 {
            // A fixed port is in use until the former connection's TIME-WAIT is over.
            option::named("SO_REUSEADDR", socket.set_reuse_address(true))?;
        }
        socket
            .bind(&local.into())
            .map_err(|source| OpenError::Bind {
                address: local,
                source,
            })
    }
}

/// A socket that listens on one address.
#[derive(Debug)]
pub(crate) struct Listening {
    /// The listening socket; it does not block.
    pub(crate) socket: Socket,
    /// The keys that the kernel refused: connections from there are refused too, as they must not
    /// come up without one.
    pub(crate) refused: Vec<(KeyScope, KeyError)>,
}

/// Opens a socket that listens on `address`, with `keys` in place before the first connection can be
/// accepted: without its key a session would come up unauthenticated in between.
///
/// An IPv6 socket takes no IPv4 connections. Answers leave with a hop limit of 255, because a
/// neighbour that checks it (RFC 5082) checks the very first one; a session gets its own on accept.
pub(crate) fn listen<'a>(
    address: SocketAddr,
    keys: impl IntoIterator<Item = (&'a KeyScope, &'a [u8])>,
) -> Result<Listening, OpenError> {
    let socket = stream(address).map_err(OpenError::Socket)?;
    option::named("SO_REUSEADDR", socket.set_reuse_address(true))?;
    if address.is_ipv6() {
        option::named("IPV6_V6ONLY", socket.set_only_v6(true))?;
    }
    let options = SessionOptions {
        hop_limit: Some(u8::MAX),
        ..SessionOptions::default()
    };
    options.apply(&socket, address.ip())?;
    let refused = keys
        .into_iter()
        .filter(|(scope, _)| scope.is_ipv4() == address.is_ipv4())
        .filter_map(|(scope, key)| Some((*scope, set_key(&socket, scope, key).err()?)))
        .collect();
    let address_of_kernel = SockAddr::from(address);
    socket
        .bind(&address_of_kernel)
        .map_err(|source| OpenError::Bind { address, source })?;
    socket
        .listen(BACKLOG)
        .map_err(|source| OpenError::Bind { address, source })?;
    Ok(Listening { socket, refused })
}

/// Why a socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    /// No socket was to be had.
    #[error("opening a TCP socket: {0}")]
    Socket(#[source] io::Error),
    /// The address or the port cannot be used.
    #[error("binding to {address}: {}", explain_bind(.source, *.address))]
    Bind {
        /// The address and the port.
        address: SocketAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// The interface cannot be used.
    #[error("binding to interface {interface}: {source}")]
    Interface {
        /// Its name.
        interface: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// An option was refused.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// The password was refused.
    #[error(transparent)]
    Key(#[from] KeyError),
}

fn stream(address: SocketAddr) -> io::Result<Socket> {
    let kind = Type::STREAM.nonblocking();
    Socket::new(Domain::for_address(address), kind, Some(Protocol::TCP))
}

/// Unprivileged for a socket that is bound to none yet (Linux 5.7); before, it takes `CAP_NET_RAW`.
fn bind_device(socket: &Socket, interface: &str) -> Result<(), OpenError> {
    socket
        .bind_device(Some(interface.as_bytes()))
        .map_err(|source| OpenError::Interface {
            interface: interface.to_owned(),
            source,
        })
}

const fn unspecified(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
    }
}

/// What the kernel's word means for this address, and what to do about it.
fn explain_bind(error: &io::Error, address: SocketAddr) -> String {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "another program listens there; end it, or listen on a free port (ss -ltnp sport = :{} \
             shows it; a CNI with BGP often holds 179)",
            address.port()
        ),
        io::ErrorKind::AddrNotAvailable => {
            "no interface has this address yet; it is tried again when addresses change".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 take CAP_NET_BIND_SERVICE; grant it or use a higher port".to_owned()
        }
        _ => return error.to_string(),
    };
    format!("{error}: {advice}")
}

// As many peers as may dial at once after a power cut; the kernel cuts it down to somaxconn.
const BACKLOG: i32 = 1024;

#[cfg(test)]
mod tests;

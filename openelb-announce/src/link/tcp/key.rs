//! The keys of the TCP MD5 signature option (RFC 2385), for one neighbour or a prefix of them.
#![allow(
    unsafe_code,
    reason = "no crate has the option's structure; the kernel reads it through one call"
)]

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;

use ipnet::IpNet;
use socket2::{SockAddr, Socket};

/// Whose segments a key signs: one address, or every address of a prefix.
///
/// The longest matching prefix counts. A link-local address means that address on every link: the
/// kernel tells links apart only by their VRF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct KeyScope(IpNet);

impl KeyScope {
    /// One neighbour.
    pub(crate) fn host(address: IpAddr) -> Self {
        Self(IpNet::from(address))
    }

    /// Every neighbour in a prefix.
    pub(crate) fn prefix(prefix: IpNet) -> Self {
        Self(prefix.trunc())
    }

    /// Is this neighbour one of those?
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Is it about IPv4?
    pub(crate) const fn is_ipv4(&self) -> bool {
        matches!(self.0, IpNet::V4(_))
    }

    fn is_host(&self) -> bool {
        self.0.prefix_len() == self.0.max_prefix_len()
    }
}

impl std::fmt::Display for KeyScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_host() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

/// Signs and checks with `key` what goes to and comes from `scope`, in place of a former key.
///
/// On a listener it holds for connections that begin from now on; those that were accepted keep the
/// key that they began with. Takes no capability. Each key takes 136 octets of the memory that
/// `net.core.optmem_max` allows a socket: 963 fit into the 128 KiB that it is since Linux 6.7, some 150
/// into the 20 KiB that it was.
pub(crate) fn set_key(socket: &Socket, scope: &KeyScope, key: &[u8]) -> Result<(), KeyError> {
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(KeyError::Length { length: key.len() });
    }
    change(socket, scope, key)
}

/// Neither signs nor checks any more; harmless where there is no key.
pub(crate) fn clear_key(socket: &Socket, scope: &KeyScope) -> Result<(), KeyError> {
    match change(socket, scope, &[]) {
        Err(KeyError::Refused { source, .. }) if source.raw_os_error() == Some(libc::ENOENT) => {
            Ok(())
        }
        result => result,
    }
}

/// Why a key is not in force.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// It is too short or too long.
    #[error("a TCP MD5 password has 1 to 80 octets, not {length}")]
    Length {
        /// Its length in octets.
        length: usize,
    },
    /// The kernel cannot do it.
    #[error("setting the TCP MD5 password for {scope}: {}", explain(.source))]
    Refused {
        /// Whose segments it was for.
        scope: KeyScope,
        /// What the kernel said.
        source: io::Error,
    },
}

/// `struct tcp_md5sig` of the kernel.
#[repr(C)]
struct Md5Signature {
    /// `struct sockaddr_storage`; the port is not looked at.
    address: [u8; 128],
    flags: u8,
    prefix_length: u8,
    key_length: u16,
    interface: libc::c_int,
    key: [u8; LONGEST_KEY],
}

fn change(socket: &Socket, scope: &KeyScope, key: &[u8]) -> Result<(), KeyError> {
    let mut request = Md5Signature {
        address: [0; 128],
        flags: 0,
        prefix_length: 0,
        key_length: u16::try_from(key.len()).unwrap_or_default(),
        interface: 0,
        key: [0; LONGEST_KEY],
    };
    // Older kernels know only the plain option, which does for a host.
    let mut option = libc::TCP_MD5SIG;
    if !scope.is_host() {
        option = libc::TCP_MD5SIG_EXT;
        request.flags = FLAG_PREFIX;
        request.prefix_length = scope.0.prefix_len();
    }
    for (place, octet) in request.key.iter_mut().zip(key) {
        *place = *octet;
    }
    let address = SockAddr::from(SocketAddr::new(scope.0.addr(), 0));
    let length = usize::try_from(address.len()).unwrap_or_default();
    // SAFETY: a socket address holds `len` initialised octets from its pointer on.
    let octets = unsafe { std::slice::from_raw_parts(address.as_ptr().cast::<u8>(), length) };
    for (place, octet) in request.address.iter_mut().zip(octets) {
        *place = *octet;
    }
    let length = libc::socklen_t::try_from(size_of::<Md5Signature>())
        .expect("kernel structures are a few octets long");
    // SAFETY: the kernel reads exactly the octets of `request`, laid out as its own structure.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            option,
            (&raw const request).cast(),
            length,
        )
    };
    if result < 0 {
        return Err(KeyError::Refused {
            scope: *scope,
            source: io::Error::last_os_error(),
        });
    }
    Ok(())
}

fn explain(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOMEM) => format!(
            "{error}: one listener cannot hold this many passwords; raise net.core.optmem_max or \
             give neighbours of one prefix one password"
        ),
        Some(libc::ENOPROTOOPT) => {
            format!("{error}: this kernel was built without CONFIG_TCP_MD5SIG")
        }
        _ => error.to_string(),
    }
}

const LONGEST_KEY: usize = 80;
const FLAG_PREFIX: u8 = 1;

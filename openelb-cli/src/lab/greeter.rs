//! The service behind the addresses: it says on which host it runs, over TCP and over UDP.

use std::io::{self, IoSlice, IoSliceMut, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::thread;

use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn6, recvmsg, sendmsg, setsockopt,
    sockopt,
};

/// Serves on every address of the calling thread's host, both families, until the process ends.
///
/// A TCP connection is answered with the host's name and closed. A datagram is returned with the
/// name appended, from the very address that it was sent to.
pub(crate) fn serve(name: &str, port: u16) -> io::Result<()> {
    let name: Arc<str> = name.into();
    // An IPv6 socket bound to nothing takes IPv4 as well (RFC 4291 section 2.5.5.2).
    let everywhere = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let (listener, socket) = (TcpListener::bind(everywhere)?, UdpSocket::bind(everywhere)?);
    setsockopt(&socket, sockopt::Ipv6RecvPacketInfo, &true)?;
    setsockopt(&socket, sockopt::RcvBuf, &QUEUE)?;
    // The addresses are delivered here and owned nowhere, so answering from them must be allowed.
    setsockopt(&socket, sockopt::IpFreebind, &true)?;
    let greeting = Arc::clone(&name);
    thread::Builder::new().spawn(move || greet(&listener, &greeting))?;
    thread::Builder::new().spawn(move || {
        loop {
            // A fault concerns one datagram: the peer is gone, or the answer had no route.
            let _ = echo(&socket, name.as_bytes());
        }
    })?;
    Ok(())
}

fn greet(listener: &TcpListener, name: &str) {
    for connection in listener.incoming() {
        // A peer that hangs up early misses the greeting, nobody else does.
        let _ = connection.and_then(|mut peer| writeln!(peer, "{name}"));
    }
}

/// Answers one datagram.
fn echo(socket: &UdpSocket, name: &[u8]) -> io::Result<()> {
    let mut buffer = [0; MAX_REQUEST];
    let mut control = nix::cmsg_space!(libc::in6_pktinfo);
    let (length, peer, asked) = {
        let mut parts = [IoSliceMut::new(&mut buffer)];
        let fd = socket.as_raw_fd();
        let message =
            recvmsg::<SockaddrIn6>(fd, &mut parts, Some(&mut control), MsgFlags::empty())?;
        let asked = message.cmsgs()?.find_map(|control| match control {
            ControlMessageOwned::Ipv6PacketInfo(asked) => Some(asked),
            _ => None,
        });
        (message.bytes, message.address, asked)
    };
    let (Some(peer), Some(mut asked)) = (peer, asked) else {
        return Ok(());
    };
    // The route decides the interface; only the source address is fixed.
    asked.ipi6_ifindex = 0;
    let request = buffer.get(..length).unwrap_or_default();
    let parts = [IoSlice::new(request), IoSlice::new(name)];
    let source = [ControlMessage::Ipv6PacketInfo(&asked)];
    sendmsg(
        socket.as_raw_fd(),
        &parts,
        &source,
        MsgFlags::empty(),
        Some(&peer),
    )?;
    Ok(())
}

/// The room in octets for what waits while a thread of the lab is kept from running; the kernel cuts
/// it to what it allows. By default a quarter of a second at a thousand questions a second is more
/// than fits, and what a busy machine drops would count as lost by the network.
pub(crate) const QUEUE: usize = 4 << 20;

/// Longer requests are cut: a probe sends eight bytes.
const MAX_REQUEST: usize = 64;

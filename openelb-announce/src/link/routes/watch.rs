//! Hears when routes come and go.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use netlink_sys::Socket;

use crate::link::netlink::{MESSAGE_BUFFER, open_socket};
use crate::wire::Reader;

/// The news about routes, of all tables and from everybody.
pub(crate) struct RouteWatch {
    socket: Socket,
    buffer: Vec<u8>,
    protocol: u8,
    /// The port whose changes are no news.
    own_port: u32,
}

/// What happened to routes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sightings {
    /// Somebody else touched a route with our protocol number, or news were lost.
    pub(crate) ours: bool,
    /// Somebody removed a route of another number.
    pub(crate) removal: bool,
}

impl RouteWatch {
    /// Hears of every change that does not come from `own_port`; no capability is needed.
    pub(crate) fn open(protocol: u8, own_port: u32) -> io::Result<Self> {
        let socket = open_socket()?;
        for group in [RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE] {
            socket.add_membership(group)?;
        }
        // What does not fit is lost, which is told and repaired by reading everything again.
        socket.set_rx_buf_sz(RECEIVE_BUFFER)?;
        Ok(Self {
            socket,
            buffer: vec![0; MESSAGE_BUFFER],
            protocol,
            own_port,
        })
    }

    /// Takes in all that waits, without blocking. A host with a full table of the Internet has
    /// hundreds of changes a second that concern nobody here: only a few octets of each are read.
    pub(crate) fn receive(&mut self) -> io::Result<Sightings> {
        let mut seen = Sightings::default();
        loop {
            let room = &mut self.buffer.as_mut_slice();
            let length = match self.socket.recv(room, libc::MSG_DONTWAIT) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(seen),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    seen.ours = true;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let datagram = self.buffer.get(..length).unwrap_or_default();
            look(datagram, self.protocol, self.own_port, &mut seen);
        }
    }
}

impl AsFd for RouteWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl fmt::Debug for RouteWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteWatch").finish_non_exhaustive()
    }
}

/// Reads the headers of the messages of one datagram.
pub(super) fn look(mut datagram: &[u8], protocol: u8, own_port: u32, seen: &mut Sightings) {
    while let Some((kind, port, body, rest)) = split(datagram) {
        datagram = rest;
        let Some(found) = body.get(PROTOCOL_PLACE) else {
            continue;
        };
        if port == own_port {
            continue;
        }
        match kind {
            RTM_NEWROUTE | RTM_DELROUTE if *found == protocol => seen.ours = true,
            RTM_DELROUTE => seen.removal = true,
            _ => {}
        }
    }
}

/// The first message of a datagram: its type, who caused it, its body, and what follows it.
fn split(datagram: &[u8]) -> Option<(u16, u32, &[u8], &[u8])> {
    let mut reader = Reader::new(datagram);
    let native = |octets: &[u8]| octets.try_into().ok().map(u32::from_ne_bytes);
    let length = usize::try_from(native(reader.take(4).ok()?)?).ok()?;
    let kind = u16::from_ne_bytes(reader.take(2).ok()?.try_into().ok()?);
    let _flags_and_sequence = reader.take(6).ok()?;
    let port = native(reader.take(4).ok()?)?;
    let body = datagram.get(HEADER..length)?;
    let next = length.next_multiple_of(4).min(datagram.len());
    Some((kind, port, body, datagram.get(next..)?))
}

/// `struct nlmsghdr`.
const HEADER: usize = 16;
/// Of `rtm_protocol` in `struct rtmsg`.
const PROTOCOL_PLACE: usize = 5;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTNLGRP_IPV4_ROUTE: u32 = 7;
const RTNLGRP_IPV6_ROUTE: u32 = 11;
const RECEIVE_BUFFER: usize = 1024 * 1024;

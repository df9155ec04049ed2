//! The thread that opens sockets and joins groups: what needs `CAP_NET_RAW` or may block.
//!
//! Closing a packet socket waits for a grace period of the kernel (tens of milliseconds) and joining
//! a group for its network configuration lock. On the I/O thread that would delay answers.

use std::any::Any;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use caps::Capability;
use nix::sys::eventfd::EventFd;

use super::port::{PortKey, Protocol};
use super::privileges::{self, Privileges};
use crate::link::RouteError;
use crate::link::beat_socket::{BeatSocket, Endpoint};
use crate::link::configure::{self, Order};
use crate::link::filter::Filter;
use crate::link::membership::Memberships;
use crate::link::netlink;
use crate::link::raw_socket::{EtherType, PacketSocket};
use crate::link::vrrp_socket::VrrpSocket;
use crate::vrrp::Family;

/// What the opener is asked for.
#[derive(Debug)]
pub(crate) enum Request {
    /// Open a socket.
    Open(PortKey, Filter),
    /// Close one, of whatever kind.
    Close(Box<dyn Any + Send>),
    /// Open a socket for beats.
    Beats(Endpoint),
    /// Join a group for a port.
    Join(PortKey, Ipv6Addr),
    /// Leave a group that the port needs no longer; another one of the link may.
    Leave(PortKey, Ipv6Addr),
    /// Leave all groups of a port.
    LeaveAll(PortKey),
    /// Ask the routing table for the link towards an address.
    Route(IpAddr),
    /// Open the socket of the virtual routers of a family on a link with this name.
    OpenVrrp(u32, Arc<str>, Family),
    /// Change links and addresses of the host, in this order. The number comes back with the answer.
    Configure(u64, Vec<Order>),
}

impl Request {
    /// Close `socket`.
    pub(crate) fn close(socket: impl Any + Send) -> Self {
        Self::Close(Box::new(socket))
    }
}

/// What the opener has to say.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The socket that was asked for.
    Opened(PortKey, Filter, io::Result<PacketSocket>),
    /// A group could not be joined or left for a port.
    Membership(PortKey, Ipv6Addr, io::Error),
    /// The link towards an address.
    Route(IpAddr, Result<u32, RouteError>),
    /// The socket of the virtual routers of a family on a link.
    OpenedVrrp(u32, Family, io::Result<VrrpSocket>),
    /// All orders were tried: the index of the link that was made, if one was, or what went wrong
    /// first.
    Configured(u64, Result<Option<u32>, String>),
    /// The socket for beats that was asked for.
    Beats(Endpoint, io::Result<BeatSocket>),
}

/// A handle of the thread. Dropping it ends the thread once it has done what it was asked.
#[derive(Debug)]
pub(crate) struct Opener {
    // Requests need no bound of their own: machines cap their groups, and a port is opened once.
    requests: Sender<Request>,
    answers: Receiver<Answer>,
}

impl Opener {
    /// Starts the thread, with the creator's capabilities cut down as `privileges` says, and returns
    /// once it has proven that it can open packet sockets. With `configures` it keeps what changing
    /// links and addresses takes, and removes what a killed process left of those.
    /// `wake` is raised with every answer.
    pub(crate) fn start(
        privileges: Privileges,
        configures: bool,
        wake: Arc<EventFd>,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (requests, work) = channel();
        let (reply, answers) = channel();
        let (proof, outcome) = channel();
        let thread = std::thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(move || {
                let prepared = prepare(privileges, configures);
                let is_ready = prepared.is_ok();
                // Whoever started the thread waits for this; if not, it ends with the requests.
                drop(proof.send(prepared));
                if is_ready {
                    serve(&work, &reply, &wake);
                }
            })?;
        let ended = || io::Error::other("the thread that opens sockets ended early");
        outcome.recv().map_err(|_| ended())??;
        Ok((Self { requests, answers }, thread))
    }

    /// Asks for something; the answer comes later, if there is one.
    pub(crate) fn ask(&self, request: Request) {
        // The thread ends only when this sender is gone.
        drop(self.requests.send(request));
    }

    /// The next answer, if there is one already.
    pub(crate) fn answer(&self) -> Option<Answer> {
        self.answers.try_recv().ok()
    }
}

fn prepare(privileges: Privileges, configures: bool) -> io::Result<()> {
    if privileges == Privileges::Drop {
        let mut kept = vec![Capability::CAP_NET_RAW];
        kept.extend(configures.then_some(Capability::CAP_NET_ADMIN));
        privileges::keep_only(&kept).map_err(io::Error::other)?;
    }
    if configures {
        match configure::sweep() {
            Ok(swept) if swept.is_empty() => {}
            Ok(swept) => tracing::info!(?swept, "removed what a killed process left"),
            Err(error) => tracing::warn!(%error, "what a killed process left was not removed"),
        }
    }
    PacketSocket::deaf().map(drop)
}

fn serve(work: &Receiver<Request>, reply: &Sender<Answer>, wake: &EventFd) {
    let mut ports: HashMap<PortKey, Memberships> = HashMap::new();
    for request in work {
        let answer = match request {
            Request::Open(key, filter) => {
                let kind = match key.protocol {
                    Protocol::Arp => EtherType::Arp,
                    Protocol::Ndp => EtherType::Ipv6,
                };
                let socket = PacketSocket::open(key.index, kind, &filter);
                Some(Answer::Opened(key, filter, socket))
            }
            Request::Close(socket) => {
                drop(socket);
                None
            }
            Request::Beats(endpoint) => {
                let socket = BeatSocket::open(&endpoint);
                Some(Answer::Beats(endpoint, socket))
            }
            Request::Join(key, group) => join(&mut ports, key, group)
                .err()
                .map(|error| Answer::Membership(key, group, error)),
            Request::Leave(key, group) => ports
                .get_mut(&key)
                .and_then(|port| port.leave(group).err())
                .map(|error| Answer::Membership(key, group, error)),
            Request::LeaveAll(key) => {
                ports.remove(&key);
                None
            }
            Request::Route(target) => Some(Answer::Route(target, netlink::route_to(target))),
            Request::OpenVrrp(index, name, family) => {
                let socket = VrrpSocket::open(index, &name, family);
                Some(Answer::OpenedVrrp(index, family, socket))
            }
            Request::Configure(number, orders) => {
                Some(Answer::Configured(number, carry_out(&orders)))
            }
        };
        if let Some(answer) = answer {
            drop(reply.send(answer));
            let _ = wake.write(1);
        }
    }
}

/// Tries every order; one that goes wrong does not keep the others from being carried out.
fn carry_out(orders: &[Order]) -> Result<Option<u32>, String> {
    let mut outcome = Ok(None);
    for order in orders {
        match (order.carry_out(), &outcome) {
            (Ok(made), Ok(_)) if made.is_some() => outcome = Ok(made),
            (Err(error), Ok(_)) => outcome = Err(describe(*order, &error)),
            _ => {}
        }
    }
    outcome
}

fn describe(order: Order, error: &io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => "; it takes CAP_NET_ADMIN from the start",
        _ => "",
    };
    format!("{order}: {error}{hint}")
}

fn join(
    ports: &mut HashMap<PortKey, Memberships>,
    key: PortKey,
    group: Ipv6Addr,
) -> io::Result<()> {
    let port = match ports.entry(key) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(new) => new.insert(Memberships::open(key.index)?),
    };
    port.join(group)
}

const THREAD_NAME: &str = "openelb-opener";

//! One port and the addresses that belong to it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::plan::{self, Change, Progress, Target};
use crate::claim::{Claim, Config, Input, Output, Probe, Validity};
use crate::driver::opener::{Opener, Request};
use crate::driver::port::{AnyPort, Port, PortKey, Protocol};
use crate::link::filter::{self, Filter};
use crate::link::raw_socket::PacketSocket;
use crate::link::topology::Link;
use crate::time::Time;
use crate::wire::Mac;
use crate::{arp, ndp};

/// A port on its way from being asked for to being closed.
pub(crate) struct Station {
    pub(crate) key: PortKey,
    /// The interface's present name, for events.
    pub(crate) name: Arc<str>,
    /// What to announce here. Invariant: sorted by address; an open port has claimed all of them
    /// but those on standby.
    pub(crate) targets: Vec<Target>,
    pub(crate) socket: SocketState,
    link: (Option<Mac>, bool),
    /// What frames carry instead of the link's own hardware address.
    assumed: Option<Mac>,
    /// Until when answers may be sent.
    lease: Time,
    last_error: Option<String>,
}

/// How far the packet socket has come.
pub(crate) enum SocketState {
    /// The opener was asked.
    Opening,
    /// The machine is at work, and its socket is watched under that token.
    Open(Box<dyn AnyPort>, u64),
    /// Opening it went wrong; it is tried again.
    Failed {
        /// Why, for the status.
        reason: String,
        /// When to try again.
        retry_at: Time,
    },
}

impl Station {
    /// A station on `link` for `targets`, whose socket `opener` is asked for.
    pub(crate) fn new(key: PortKey, link: &Link, targets: Vec<Target>, opener: &Opener) -> Self {
        let socket = SocketState::Opening;
        let (name, link) = (Arc::from(link.name.as_str()), (link.mac, link.is_up));
        let station = Self {
            key,
            name,
            targets,
            socket,
            link,
            assumed: None,
            lease: Time::ZERO,
            last_error: None,
        };
        station.ask_for_socket(opener);
        station
    }

    /// Starts the machine on the socket that the opener got and that is watched under `token`, with
    /// every target that is this host's as a claim.
    pub(crate) fn open(
        &mut self,
        (socket, token): (PacketSocket, u64),
        filter: Filter,
        config: Config,
        now: Time,
        wishes: &mut Vec<Output>,
    ) {
        let mut port = machine_port(self.key.protocol, socket, filter, config);
        // Targets may have changed since the socket was asked for.
        port.set_filter(self.filter());
        port.handle_input(Input::Renew(self.lease), now, wishes);
        if let Some(mac) = self.mac() {
            let up = self.link.1;
            port.handle_input(Input::Link { mac, up }, now, wishes);
        }
        let is_ours = |target: &&Target| target.progress != Progress::Standby;
        for target in self.targets.iter().filter(is_ours) {
            port.handle_input(claim(target.address, target.probe), now, wishes);
        }
        self.socket = SocketState::Open(port, token);
    }

    /// Notes that the socket could not be opened.
    pub(crate) fn fail(&mut self, reason: String, now: Time) {
        self.socket = SocketState::Failed {
            reason,
            retry_at: now + RETRY,
        };
    }

    /// Takes the link's present name and state and tells the machine what changed.
    pub(crate) fn follow(&mut self, link: &Link, now: Time, wishes: &mut Vec<Output>) {
        if *self.name != *link.name {
            self.name = Arc::from(link.name.as_str());
        }
        let state = (link.mac, link.is_up);
        if state != self.link {
            self.link = state;
            self.tell_link(now, wishes);
        }
    }

    /// Frames carry `mac` from now on, or with `None` the link's own hardware address.
    pub(crate) fn assume(&mut self, mac: Option<Mac>, now: Time, wishes: &mut Vec<Output>) {
        if mac != self.assumed {
            self.assumed = mac;
            self.tell_link(now, wishes);
        }
    }

    fn tell_link(&mut self, now: Time, wishes: &mut Vec<Output>) {
        let (mac, up) = (self.mac(), self.link.1);
        if let (Some(mac), SocketState::Open(port, _)) = (mac, &mut self.socket) {
            port.handle_input(Input::Link { mac, up }, now, wishes);
        }
    }

    /// Takes over new targets, releases at once what is gone, and returns what is to be claimed.
    pub(crate) fn release(
        &mut self,
        mut targets: Vec<Target>,
        now: Time,
        wishes: &mut Vec<Output>,
    ) -> Change {
        let change = plan::compare(&self.targets, &mut targets);
        if let SocketState::Open(port, _) = &mut self.socket {
            for address in &change.released {
                port.handle_input(Input::Release(*address), now, wishes);
            }
        }
        self.targets = targets;
        change
    }

    /// Claims what [`release`](Self::release) returned, after letting its frames in.
    pub(crate) fn claim(&mut self, change: &Change, now: Time, wishes: &mut Vec<Output>) {
        if !change.is_different {
            return;
        }
        let filter = self.filter();
        let SocketState::Open(port, _) = &mut self.socket else {
            return;
        };
        port.set_filter(filter);
        for (address, probe) in &change.claimed {
            port.handle_input(claim(*address, *probe), now, wishes);
        }
    }

    /// Claims an address that was on standby, with `probe` in place of its own if there is one.
    pub(crate) fn acquire(
        &mut self,
        address: IpAddr,
        probe: Option<Probe>,
        now: Time,
        wishes: &mut Vec<Output>,
    ) {
        let is_standby = |target: &&mut Target| target.progress == Progress::Standby;
        let Some(target) = plan::find(&mut self.targets, address).filter(is_standby) else {
            return;
        };
        target.progress = Progress::Waiting;
        target.probe = probe.unwrap_or(target.probe);
        if let SocketState::Open(port, _) = &mut self.socket {
            port.handle_input(claim(address, target.probe), now, wishes);
        }
    }

    /// Releases an address and lets it stand by.
    pub(crate) fn relinquish(&mut self, address: IpAddr, now: Time, wishes: &mut Vec<Output>) {
        let is_ours = |target: &&mut Target| target.progress != Progress::Standby;
        let Some(target) = plan::find(&mut self.targets, address).filter(is_ours) else {
            return;
        };
        target.progress = Progress::Standby;
        if let SocketState::Open(port, _) = &mut self.socket {
            port.handle_input(Input::Release(address), now, wishes);
        }
    }

    /// Announces an address once more from the beginning.
    pub(crate) fn announce_again(&mut self, address: IpAddr, now: Time, wishes: &mut Vec<Output>) {
        if let SocketState::Open(port, _) = &mut self.socket {
            port.handle_input(Input::Announce(address), now, wishes);
        }
    }

    /// Announces an address no more than once before its first refresh.
    pub(crate) fn announce_once(&mut self, address: IpAddr, now: Time, wishes: &mut Vec<Output>) {
        if let SocketState::Open(port, _) = &mut self.socket {
            port.handle_input(Input::AnnounceOnce(address), now, wishes);
        }
    }

    /// Answers may be sent until `until`.
    pub(crate) fn renew(&mut self, until: Time, now: Time, wishes: &mut Vec<Output>) {
        self.lease = until;
        if let SocketState::Open(port, _) = &mut self.socket {
            port.handle_input(Input::Renew(until), now, wishes);
        }
    }

    /// Asks for the socket again if that went wrong and the time for it has come.
    pub(crate) fn retry(&mut self, now: Time, opener: &Opener) {
        if matches!(self.socket, SocketState::Failed { retry_at, .. } if retry_at <= now) {
            self.socket = SocketState::Opening;
            self.ask_for_socket(opener);
        }
    }

    /// When this station wants to be served next.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        match &self.socket {
            SocketState::Opening => None,
            SocketState::Open(port, _) => port.poll_timeout(),
            SocketState::Failed { retry_at, .. } => Some(*retry_at),
        }
    }

    /// Is the opener still at it?
    pub(crate) fn is_opening(&self) -> bool {
        matches!(self.socket, SocketState::Opening)
    }

    /// Remembers what went wrong last, for the status.
    pub(crate) fn note_error(&mut self, error: String) {
        self.last_error = Some(error);
    }

    /// What went wrong last, here or at the port.
    pub(crate) fn last_error(&self) -> Option<String> {
        let port = match &self.socket {
            SocketState::Open(port, _) => port.last_error(),
            _ => None,
        };
        self.last_error.as_deref().or(port).map(str::to_owned)
    }

    /// The port, once it is open.
    pub(crate) fn port(&mut self) -> Option<&mut Box<dyn AnyPort>> {
        match &mut self.socket {
            SocketState::Open(port, _) => Some(port),
            _ => None,
        }
    }

    /// Is the link up, as the machine was told?
    pub(crate) fn is_link_up(&self) -> bool {
        self.link.1
    }

    /// The hardware address that answers carry.
    pub(crate) fn mac(&self) -> Option<Mac> {
        self.assumed.or(self.link.0)
    }

    fn ask_for_socket(&self, opener: &Opener) {
        opener.ask(Request::Open(self.key, self.filter()));
    }

    fn filter(&self) -> Filter {
        let addresses: Vec<IpAddr> = self.targets.iter().map(|target| target.address).collect();
        let prefixes = filter::cover(&addresses, FILTER_PREFIXES);
        match self.key.protocol {
            Protocol::Arp => Filter::arp(&prefixes),
            Protocol::Ndp => Filter::ndp(&prefixes),
        }
    }
}

fn claim(address: IpAddr, probe: Probe) -> Input<'static> {
    Input::Claim(Claim {
        address,
        probe,
        valid_until: Validity::Renewed,
    })
}

/// The only place that knows which machine speaks which protocol.
fn machine_port(
    protocol: Protocol,
    socket: PacketSocket,
    filter: Filter,
    config: Config,
) -> Box<dyn AnyPort> {
    match protocol {
        Protocol::Arp => Box::new(Port::new(arp::Machine::new(config), socket, filter)),
        Protocol::Ndp => Box::new(Port::new(ndp::Machine::new(config), socket, filter)),
    }
}

// The kernel walks the prefixes one by one for every frame on the link: 16 of them are at most 130
// instructions, some hundred nanoseconds.
const FILTER_PREFIXES: usize = 16;
const RETRY: Duration = Duration::from_secs(5);

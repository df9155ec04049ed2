//! Finds the routers at the other end of interfaces whose peers have no configured address.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};

use super::outbox::Event;
use super::reactor::Reactor;
use crate::bgp::speaker;
use crate::driver::clock;
use crate::link::readiness::Readiness;
use crate::link::router_socket::RouterSocket;
use crate::link::topology::Topology;
use crate::machine::Machine as _;
use crate::ndp::router::{Discovery, Input, Output};

/// Discovery on every interface that has an unnumbered peer.
#[derive(Default)]
pub(super) struct Neighbors {
    searches: BTreeMap<String, (Rc<Shared>, AbortHandle)>,
}

/// How the search on one interface stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InterfaceStatus {
    /// The interface.
    pub interface: String,
    /// The router at the other end, once it was heard.
    pub neighbor: Option<Ipv6Addr>,
    /// Why it cannot be looked for, and what to do.
    pub problem: Option<String>,
}

/// What the task of a search and the set of them share.
#[derive(Default)]
struct Shared {
    /// Links or addresses changed.
    changed: Notify,
    neighbor: Cell<Option<Ipv6Addr>>,
    problem: RefCell<Option<String>>,
}

impl Neighbors {
    /// Looks for routers on these interfaces and no others.
    pub(super) fn set(
        &mut self,
        tasks: &mut JoinSet<()>,
        reactor: &Reactor,
        interfaces: &BTreeSet<String>,
    ) {
        self.searches.retain(|name, (_, task)| {
            let stays = interfaces.contains(name);
            if !stays {
                task.abort();
            }
            stays
        });
        for name in interfaces {
            self.searches.entry(name.clone()).or_insert_with(|| {
                let shared = Rc::new(Shared::default());
                let search = Search::new(name.clone(), reactor.clone(), Rc::clone(&shared));
                (shared, tasks.spawn_local(search.run()))
            });
        }
    }

    /// Links or addresses changed.
    pub(super) fn look_again(&self) {
        for (shared, _) in self.searches.values() {
            shared.changed.notify_one();
        }
    }

    /// How each search stands, by interface.
    pub(super) fn status(&self) -> Vec<InterfaceStatus> {
        let status = |(interface, (shared, _)): (&String, &(Rc<Shared>, _))| InterfaceStatus {
            interface: interface.clone(),
            neighbor: shared.neighbor.get(),
            problem: shared.problem.borrow().clone(),
        };
        self.searches.iter().map(status).collect()
    }
}

/// The search on one interface.
struct Search {
    interface: String,
    reactor: Reactor,
    shared: Rc<Shared>,
    machine: Discovery,
}

impl Search {
    fn new(interface: String, reactor: Reactor, shared: Rc<Shared>) -> Self {
        Self {
            interface,
            reactor,
            shared,
            machine: Discovery::new(),
        }
    }

    /// Looks for as long as the task lives. An interface that comes later, or goes and comes back
    /// with another number, gets a new socket.
    async fn run(mut self) {
        loop {
            if let Some(index) = self.index() {
                match RouterSocket::open(index, &self.interface) {
                    Ok(socket) => {
                        self.shared.problem.replace(None);
                        let ended = self.listen(index, &socket).await;
                        self.machine.handle_input(Input::Down, clock::now());
                        self.carry_out(&socket);
                        if let Err(error) = ended {
                            self.complain(&error);
                        }
                    }
                    Err(error) => self.complain(&error),
                }
            }
            tokio::select! {
                () = self.shared.changed.notified() => {}
                () = tokio::time::sleep(RETRY_TIME) => {}
            }
        }
    }

    /// Looks on one socket until the interface has another number or the socket breaks.
    async fn listen(&mut self, index: u32, socket: &RouterSocket) -> io::Result<()> {
        let readiness = Readiness::of(socket)?;
        let mut buffer = [0; LONGEST_MESSAGE];
        while self.index() == Some(index) {
            let up = self.reactor.look(|topology| state_of(topology, index));
            self.machine.handle_input(up, clock::now());
            self.carry_out(socket);
            let wait = self
                .machine
                .poll_timeout()
                .map_or(RETRY_TIME, |at| at - clock::now());
            // All three may be dropped at any time: a message stays in its queue until it is taken.
            tokio::select! {
                received = readiness.read(|| socket.receive(&mut buffer)) => {
                    let (source, length) = received?;
                    let octets = buffer.get(..length).unwrap_or_default();
                    self.machine.handle_input(Input::Received { source, octets }, clock::now());
                }
                () = tokio::time::sleep(wait) => self.machine.handle_timeout(clock::now()),
                () = self.shared.changed.notified() => {}
            }
            self.carry_out(socket);
        }
        Ok(())
    }

    fn carry_out(&mut self, socket: &RouterSocket) {
        self.shared.neighbor.set(self.machine.neighbor());
        while let Some(output) = self.machine.poll_output() {
            let interface = &self.interface;
            match output {
                Output::Transmit {
                    destination,
                    octets,
                } => {
                    // A link that cannot take it now gets the next one.
                    drop(socket.send(&octets, destination));
                }
                Output::Found(address) => {
                    self.reactor
                        .tell(speaker::Input::Discovered { interface, address });
                }
                Output::Lost => self.reactor.tell(speaker::Input::Lost { interface }),
            }
        }
    }

    fn complain(&mut self, error: &io::Error) {
        let problem = match error.kind() {
            io::ErrorKind::PermissionDenied => {
                format!(
                    "{error}: router advertisements take CAP_NET_RAW; grant it, or configure the peer's address"
                )
            }
            _ => error.to_string(),
        };
        if self.shared.problem.replace(Some(problem.clone())).as_ref() != Some(&problem) {
            let interface = self.interface.clone();
            self.reactor
                .report(Event::NotLooking { interface, problem });
        }
    }

    fn index(&self) -> Option<u32> {
        self.reactor
            .look(|topology| Some(topology.link_named(&self.interface)?.index))
    }
}

/// What discovery must know about its link.
fn state_of(topology: &Topology, index: u32) -> Input<'static> {
    let link = topology.link(index).filter(|link| link.is_up);
    let address = topology.addresses(index).find_map(|net| match net.addr() {
        IpAddr::V6(address) if address.is_unicast_link_local() => Some(address),
        _ => None,
    });
    match (link, address) {
        (Some(link), Some(address)) => Input::Up {
            address,
            mac: link.mac,
        },
        _ => Input::Down,
    }
}

/// How often an interface that is missing or refused is looked at without news about it.
const RETRY_TIME: Duration = Duration::from_secs(5);
/// Advertisements with every option we know of are shorter; those cut short are not heeded.
const LONGEST_MESSAGE: usize = 1500;

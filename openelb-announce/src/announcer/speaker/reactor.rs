//! The sans-IO speaker on its thread: one round at a time, and what its outputs mean for the tasks.

use std::cell::{RefCell, RefMut};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::addresses::local_addresses;
use super::control::{Control, Ending, Ends};
use super::outbox::{Event, Outbox};
use crate::bgp::session::ConnectionId;
use crate::bgp::speaker::{Input, Output, Speaker, Target};
use crate::driver::clock;
use crate::link::topology::Topology;
use crate::machine::Machine;
use crate::time::Time;

/// A handle of the thread's one reactor. Cloning it is cheap.
///
/// Every method is one round: tell the speaker, then take all that it wants. None of them waits, and
/// none is called from within another.
#[derive(Clone)]
pub(super) struct Reactor(Rc<Parts>);

struct Parts {
    speaker: RefCell<Speaker>,
    connections: RefCell<HashMap<ConnectionId, Rc<Control>>>,
    topology: RefCell<Topology>,
    /// What arrives is read here, whichever connection it is for.
    buffer: RefCell<Vec<u8>>,
    outbox: RefCell<Outbox>,
    orders: RefCell<VecDeque<Order>>,
    /// There are new orders.
    ordered: Notify,
    /// The speaker's next deadline may have moved.
    alarm: Notify,
    /// A connection ended.
    ended: Notify,
}

/// What takes a task or a socket of its own.
pub(super) enum Order {
    /// Dial, and serve the connection.
    Dial(ConnectionId, Target, Rc<Control>),
    /// Serve a connection that was accepted.
    Serve(Pin<Box<dyn Future<Output = ()>>>),
    /// Any other output.
    Other(Output),
}

impl Reactor {
    pub(super) fn new(speaker: Speaker, topology: Topology, outbox: Outbox) -> Self {
        Self(Rc::new(Parts {
            speaker: RefCell::new(speaker),
            connections: RefCell::default(),
            topology: RefCell::new(topology),
            buffer: RefCell::new(vec![0; BUFFER]),
            outbox: RefCell::new(outbox),
            orders: RefCell::default(),
            ordered: Notify::new(),
            alarm: Notify::new(),
            ended: Notify::new(),
        }))
    }

    /// Tells the speaker what happened.
    pub(super) fn tell(&self, input: Input<'_>) {
        self.act(|speaker, now| speaker.handle_input(input, now));
    }

    /// Lets `work` do something with the speaker, then takes what comes of it.
    pub(super) fn act<T>(&self, work: impl FnOnce(&mut Speaker, Time) -> T) -> T {
        let mut speaker = self.0.speaker.borrow_mut();
        let result = work(&mut speaker, clock::now());
        while let Some(output) = speaker.poll_output() {
            self.take(output);
        }
        self.0.alarm.notify_one();
        result
    }

    /// Appends what is to be sent on a connection to `octets`, about 64 KiB at most.
    pub(super) fn transmit(&self, connection: ConnectionId, octets: &mut Vec<u8>) {
        self.act(|speaker, now| speaker.transmit(connection, octets, BUFFER, now));
    }

    /// Begins to pass on what the speaker wants of a connection.
    pub(super) fn register(&self, connection: ConnectionId, ends: Option<Ends>) -> Rc<Control> {
        let control = Rc::new(Control::new(ends));
        let mut connections = self.0.connections.borrow_mut();
        connections.insert(connection, Rc::clone(&control));
        control
    }

    /// A connection ended.
    pub(super) fn closed(&self, connection: ConnectionId, why: String) {
        self.0.connections.borrow_mut().remove(&connection);
        self.tell(Input::Closed { connection, why });
        self.0.ended.notify_waiters();
    }

    /// A dial came to nothing.
    pub(super) fn failed(&self, connection: ConnectionId, why: String) {
        self.0.connections.borrow_mut().remove(&connection);
        self.tell(Input::OpenFailed { connection, why });
        self.0.ended.notify_waiters();
    }

    /// Waits until no connection is left.
    pub(super) async fn all_ended(&self) {
        loop {
            let ended = self.0.ended.notified();
            if self.0.connections.borrow().is_empty() {
                return;
            }
            ended.await;
        }
    }

    /// The next thing that takes a task or a socket of its own.
    pub(super) async fn next_order(&self) -> Order {
        loop {
            // A statement of its own, so that nothing is borrowed while waiting.
            let order = self.0.orders.borrow_mut().pop_front();
            match order {
                Some(order) => return order,
                None => self.0.ordered.notified().await,
            }
        }
    }

    /// Tells the speaker the time whenever it wants to know, and never ends. Cancel-safe: nothing is
    /// remembered between two deadlines.
    pub(super) async fn keep_time(&self) {
        loop {
            let deadline = self.0.speaker.borrow().poll_timeout();
            let wait = deadline.map_or(LONGEST_SLEEP, |at| at - clock::now());
            tokio::select! {
                () = tokio::time::sleep(wait.min(LONGEST_SLEEP)) => {}
                () = self.0.alarm.notified() => continue,
            }
            if deadline.is_some_and(|at| at <= clock::now()) {
                self.act(Machine::handle_timeout);
            }
        }
    }

    /// Room for what arrives. Must be given back before the next round that reads.
    pub(super) fn buffer(&self) -> RefMut<'_, Vec<u8>> {
        self.0.buffer.borrow_mut()
    }

    /// Both ends of a stream, and our addresses on its interface.
    pub(super) fn ends_of(&self, stream: &TcpStream) -> io::Result<Ends> {
        let (local, remote) = (stream.local_addr()?, stream.peer_addr()?);
        let addresses = local_addresses(&self.0.topology.borrow(), local, remote);
        Ok(Ends {
            local,
            remote,
            addresses,
        })
    }

    /// Looks something up in the picture of links and addresses.
    pub(super) fn look<T>(&self, question: impl FnOnce(&Topology) -> T) -> T {
        question(&self.0.topology.borrow())
    }

    /// The name of the link with this number; 0 is none.
    pub(super) fn name_of(&self, index: u32) -> Option<String> {
        self.look(|topology| Some(topology.link(index)?.name.clone()))
    }

    /// Takes a new picture of links and addresses, and tells which connections have other addresses
    /// now.
    pub(super) fn follow(&self, topology: Topology) {
        *self.0.topology.borrow_mut() = topology;
        let mut changed = Vec::new();
        for (connection, control) in self.0.connections.borrow().iter() {
            if let Some(ends) = &mut *control.ends.borrow_mut() {
                let addresses = self.look(|all| local_addresses(all, ends.local, ends.remote));
                if std::mem::replace(&mut ends.addresses, addresses) != addresses {
                    changed.push((*connection, addresses));
                }
            }
        }
        for (connection, addresses) in changed {
            self.tell(Input::Addresses {
                connection,
                addresses,
            });
        }
    }

    /// Reports something to the owner of the handle.
    pub(super) fn report(&self, event: Event) {
        self.0.outbox.borrow_mut().put(event);
    }

    /// Has something done that takes a task or a socket of its own.
    pub(super) fn order(&self, order: Order) {
        self.0.orders.borrow_mut().push_back(order);
        self.0.ordered.notify_one();
    }

    fn take(&self, output: Output) {
        let control = |connection| self.0.connections.borrow().get(&connection).cloned();
        match output {
            Output::Wake(connection) => {
                if let Some(control) = control(connection) {
                    control.wake();
                }
            }
            Output::Close {
                connection,
                after_flush,
            } => {
                if let Some(control) = control(connection) {
                    control.end(if after_flush {
                        Ending::AfterFlush
                    } else {
                        Ending::AtOnce
                    });
                }
            }
            Output::Event(event) => self.report(Event::Speaker(event)),
            Output::Connect { connection, target } => {
                let control = self.register(connection, None);
                self.order(Order::Dial(connection, target, control));
            }
            other => self.order(Order::Other(other)),
        }
    }
}

/// One read or write: as much as TCP hands over or takes at once.
const BUFFER: usize = 64 * 1024;
/// The clock of deadlines goes on while the machine is suspended, that of sleeping does not.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

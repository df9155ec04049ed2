//! The sockets on which peers connect to this speaker.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};

use super::connection::Connection;
use super::outbox::Event;
use super::reactor::{Order, Reactor};
use super::transport::session_options;
use crate::bgp::config::Password;
use crate::bgp::speaker::{Arrival, Key};
use crate::link::tcp::{KeyScope, clear_key, listen, set_key};

/// All listeners and the keys that guard them.
#[derive(Default)]
pub(super) struct Listeners {
    open: BTreeMap<SocketAddr, Listener>,
    keys: Rc<RefCell<Keys>>,
    /// Which passwords do not count for connections that peers make, and why.
    overruled: Option<String>,
}

/// How one listener stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ListenerStatus {
    /// Where connections are, or would be, accepted.
    pub address: SocketAddr,
    /// Why they are not, or not from everybody, and what to do.
    pub problem: Option<String>,
}

struct Listener {
    slot: Rc<Slot>,
    task: AbortHandle,
}

/// What the task of a listener and the set of them share.
#[derive(Default)]
struct Slot {
    socket: RefCell<Option<Rc<TcpListener>>>,
    problem: RefCell<Option<String>>,
    /// Neighbours whose key the kernel refused: their connections must not come up without one.
    refused: RefCell<BTreeSet<KeyScope>>,
    /// It is worth trying again to open it.
    retry: Notify,
}

type Keys = BTreeMap<KeyScope, Password>;

impl Listeners {
    /// Listens on `addresses` and nowhere else. What is open already is not disturbed.
    pub(super) fn set(
        &mut self,
        tasks: &mut JoinSet<()>,
        reactor: &Reactor,
        addresses: &BTreeSet<SocketAddr>,
    ) {
        self.open.retain(|address, listener| {
            let stays = addresses.contains(address);
            if !stays {
                listener.task.abort();
            }
            stays
        });
        for address in addresses {
            self.open.entry(*address).or_insert_with(|| {
                let slot = Rc::new(Slot::default());
                let task = serve(
                    reactor.clone(),
                    *address,
                    Rc::clone(&slot),
                    Rc::clone(&self.keys),
                );
                let task = tasks.spawn_local(task);
                Listener { slot, task }
            });
        }
    }

    /// Puts `keys` into force on every listener, in place of the former ones. Sessions that are up
    /// keep what they began with.
    pub(super) fn set_keys(&mut self, reactor: &Reactor, keys: Vec<Key>) {
        let (wanted, overruled) = choose(keys);
        if let Some(problem) = overruled.clone().filter(|_| overruled != self.overruled) {
            reactor.report(Event::PasswordOverruled { problem });
        }
        self.overruled = overruled;
        let former = self.keys.replace(wanted);
        let wanted = self.keys.borrow();
        for (address, listener) in &self.open {
            if let Some(socket) = &*listener.slot.socket.borrow() {
                listener.slot.replace_keys(socket, &former, &wanted);
                listener.slot.tell_refused(reactor, *address);
            }
        }
    }

    /// Tries again what could not be opened: links or addresses changed.
    pub(super) fn retry(&self) {
        for listener in self.open.values() {
            listener.slot.retry.notify_one();
        }
    }

    /// How each listener stands, by address.
    pub(super) fn status(&self) -> Vec<ListenerStatus> {
        let status = |(address, listener): (&SocketAddr, &Listener)| ListenerStatus {
            address: *address,
            problem: listener.slot.problem.borrow().clone().or_else(|| {
                let overruled = self.overruled.as_ref();
                overruled.filter(|_| address.is_ipv6()).cloned()
            }),
        };
        self.open.iter().map(status).collect()
    }
}

/// The key of each scope, and words about those that cannot count: the kernel does not tell links
/// apart, so link-local neighbours with one address, or of unnumbered interfaces, share one key.
fn choose(keys: Vec<Key>) -> (Keys, Option<String>) {
    let mut chosen = Keys::new();
    let mut overruled = Vec::new();
    for key in keys {
        let scope = KeyScope::prefix(key.remote);
        let first = chosen.entry(scope).or_insert_with(|| key.password.clone());
        if *first != key.password {
            overruled.push(format!("{scope}%{}", key.interface.unwrap_or_default()));
        }
    }
    let problem = (!overruled.is_empty()).then(|| {
        format!(
            "the passwords for {} differ from that of the same address on another link, which the \
             kernel cannot tell apart: these peers come up only when this speaker dials; give all \
             of them one password",
            overruled.join(", ")
        )
    });
    (chosen, problem)
}

impl Slot {
    fn replace_keys(&self, socket: &TcpListener, former: &Keys, wanted: &Keys) {
        let socket = SockRef::from(socket);
        let is_v4 = socket.local_addr().is_ok_and(|local| local.is_ipv4());
        let mut problem = None;
        for scope in former.keys().filter(|scope| scope.is_ipv4() == is_v4) {
            if !wanted.contains_key(scope) {
                self.refused.borrow_mut().remove(scope);
                if let Err(error) = clear_key(&socket, scope) {
                    problem = Some(error.to_string());
                }
            }
        }
        for (scope, password) in wanted.iter().filter(|(scope, _)| scope.is_ipv4() == is_v4) {
            let is_in_force = !self.refused.borrow().contains(scope);
            if former.get(scope) == Some(password) && is_in_force {
                continue;
            }
            match set_key(&socket, scope, password.reveal()) {
                Ok(()) => drop(self.refused.borrow_mut().remove(scope)),
                Err(error) => {
                    self.refused.borrow_mut().insert(*scope);
                    problem = Some(error.to_string());
                }
            }
        }
        self.problem.replace(problem);
        // What came up before under other keys, or none, is in the queue: those peers dial again.
        while socket.accept().is_ok() {}
    }

    fn tell_refused(&self, reactor: &Reactor, listener: SocketAddr) {
        if let Some(problem) = self.problem.borrow().clone() {
            reactor.report(Event::PasswordRefused { listener, problem });
        }
    }

    fn refuses(&self, remote: IpAddr) -> bool {
        self.refused
            .borrow()
            .iter()
            .any(|scope| scope.contains(remote))
    }
}

/// Listens on `address` for as long as the task lives; tries again while that is impossible.
async fn serve(reactor: Reactor, address: SocketAddr, slot: Rc<Slot>, keys: Rc<RefCell<Keys>>) {
    let socket = loop {
        let opened = open(address, &slot, &keys.borrow());
        let problem = match opened {
            Ok(socket) => break socket,
            Err(problem) => problem,
        };
        if slot.problem.replace(Some(problem.clone())).as_ref() != Some(&problem) {
            reactor.report(Event::NotListening { address, problem });
        }
        tokio::select! {
            () = slot.retry.notified() => {}
            () = tokio::time::sleep(RETRY_TIME) => {}
        }
    };
    reactor.report(Event::Listening(address));
    slot.tell_refused(&reactor, address);
    loop {
        match socket.accept().await {
            Ok((stream, remote)) if slot.refuses(remote.ip()) => drop(stream),
            // What goes wrong with one connection concerns its peer alone, which dials again.
            Ok((stream, _)) => drop(greet(&reactor, stream)),
            // Out of descriptors or memory: connections wait in the queue meanwhile.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

fn open(address: SocketAddr, slot: &Slot, keys: &Keys) -> Result<Rc<TcpListener>, String> {
    let keys = keys
        .iter()
        .map(|(scope, password)| (scope, password.reveal()));
    let listening = listen(address, keys).map_err(|error| error.to_string())?;
    let socket = TcpListener::from_std(listening.socket.into());
    let socket = Rc::new(socket.map_err(|error| error.to_string())?);
    let (refused, errors): (BTreeSet<_>, Vec<_>) = listening.refused.into_iter().unzip();
    slot.problem
        .replace(errors.first().map(ToString::to_string));
    slot.refused.replace(refused);
    slot.socket.replace(Some(Rc::clone(&socket)));
    Ok(socket)
}

/// Asks the speaker whose connection it is and serves it; one that is nobody's is closed.
fn greet(reactor: &Reactor, stream: TcpStream) -> io::Result<()> {
    let ends = reactor.ends_of(&stream)?;
    let interface = match ends.local {
        SocketAddr::V6(local) => reactor.name_of(local.scope_id()),
        SocketAddr::V4(_) => None,
    };
    let arrival = Arrival {
        remote: ends.remote,
        interface: interface.as_deref(),
        addresses: ends.addresses,
    };
    let accepted = reactor.act(|speaker, now| {
        let accepted = speaker.accept(arrival, now).ok()?;
        // Before the first output about it is taken.
        let control = reactor.register(accepted.connection, Some(ends));
        Some((accepted, control))
    });
    // A stranger is reported by the speaker, and closed by letting go of it.
    let Some((accepted, control)) = accepted else {
        return Ok(());
    };
    let connection = accepted.connection;
    let options = session_options(&accepted.neighbor);
    if let Err(error) = options.apply(&SockRef::from(&stream), ends.remote.ip()) {
        reactor.closed(connection, error.to_string());
        return Ok(());
    }
    let served = Connection::new(connection, stream, control, reactor.clone());
    let to_its_end = {
        let reactor = reactor.clone();
        async move {
            let why = served.serve().await;
            reactor.closed(connection, why);
        }
    };
    reactor.order(Order::Serve(Box::pin(to_its_end)));
    Ok(())
}

/// How often a listener that could not be opened is tried again.
const RETRY_TIME: Duration = Duration::from_secs(5);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests;

//! Connections that this speaker opens.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::rc::Rc;

use tokio::net::{TcpSocket, TcpStream};

use super::connection::Connection;
use super::control::Control;
use super::reactor::Reactor;
use super::transport::session_options;
use crate::bgp::config::Password;
use crate::bgp::session::ConnectionId;
use crate::bgp::speaker::{Input, Target};
use crate::link::tcp::{Dial, OpenError};

/// Dials `target` and serves the connection until it ends. The dial ends early when the speaker
/// gives it up; how long it may take otherwise is the speaker's decision.
pub(super) async fn run(
    reactor: Reactor,
    connection: ConnectionId,
    target: Target,
    control: Rc<Control>,
) {
    let dialled = tokio::select! {
        // Dropping a dial closes its socket, which is what giving it up means.
        dialled = dial(&reactor, &target) => dialled,
        () = control.ended() => {
            return reactor.closed(connection, "this speaker gave the dial up".to_owned());
        }
    };
    let stream = match dialled {
        Ok(stream) => stream,
        Err(error) => {
            let why = error.to_string();
            return reactor.failed(connection, why);
        }
    };
    match reactor.ends_of(&stream) {
        Ok(ends) => {
            *control.ends.borrow_mut() = Some(ends);
            reactor.tell(Input::Opened {
                connection,
                addresses: ends.addresses,
                remote: ends.remote,
            });
            let served = Connection::new(connection, stream, control, reactor.clone());
            let why = served.serve().await;
            reactor.closed(connection, why);
        }
        Err(error) => reactor.failed(connection, error.to_string()),
    }
}

async fn dial(reactor: &Reactor, target: &Target) -> Result<TcpStream, DialError> {
    let neighbor = &target.neighbor;
    let transport = &neighbor.settings.transport;
    let remote = remote_of(reactor, target)?;
    let dial = Dial {
        remote,
        source: transport.source,
        local_port: transport.local_port.unwrap_or(0),
        interface: transport.bind_interface.as_deref(),
        key: neighbor.settings.password.as_ref().map(Password::reveal),
        options: session_options(neighbor),
    };
    let socket = TcpSocket::from_std_stream(dial.prepare()?.into());
    socket
        .connect(remote)
        .await
        .map_err(|source| DialError::Connect { remote, source })
}

/// The address with the scope that a link-local one needs.
fn remote_of(reactor: &Reactor, target: &Target) -> Result<SocketAddr, DialError> {
    let port = target.neighbor.settings.transport.port;
    match (target.address, target.interface.as_deref()) {
        (IpAddr::V6(address), Some(name)) if address.is_unicast_link_local() => {
            let index = reactor
                .look(|topology| Some(topology.link_named(name)?.index))
                .ok_or_else(|| DialError::NoInterface(name.to_owned()))?;
            Ok(SocketAddrV6::new(address, port, 0, index).into())
        }
        (address, _) => Ok(SocketAddr::new(address, port)),
    }
}

/// Why a dial came to nothing.
#[derive(Debug, thiserror::Error)]
enum DialError {
    #[error("there is no interface {0}; it is dialled again when there is one")]
    NoInterface(String),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("connecting to {remote}: {source}")]
    Connect {
        remote: SocketAddr,
        source: io::Error,
    },
}

//! One connection: octets in as they come, octets out as TCP has room.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::TcpStream;

use super::control::{Control, Ending};
use super::reactor::Reactor;
use crate::bgp::session::ConnectionId;
use crate::bgp::speaker::Input;

/// A connected stream and the number by which the speaker knows it.
pub(super) struct Connection {
    id: ConnectionId,
    stream: TcpStream,
    control: Rc<Control>,
    reactor: Reactor,
    outgoing: Outgoing,
}

/// What was taken from the speaker and not yet by TCP.
#[derive(Default)]
struct Outgoing {
    octets: Vec<u8>,
    sent: usize,
}

/// Where a turn of writing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// The speaker has nothing more.
    All,
    /// TCP has no room.
    Blocked,
    /// Others had to wait long enough.
    Enough,
}

impl Connection {
    /// A connection whose [`Input::Opened`] the speaker has seen.
    pub(super) fn new(
        id: ConnectionId,
        stream: TcpStream,
        control: Rc<Control>,
        reactor: Reactor,
    ) -> Self {
        Self {
            id,
            stream,
            control,
            reactor,
            outgoing: Outgoing::default(),
        }
    }

    /// Serves it until it ends, and says why it did.
    pub(super) async fn serve(mut self) -> String {
        loop {
            match self.control.ending() {
                None => {}
                Some(Ending::AtOnce) => return ENDED_BY_US.to_owned(),
                Some(Ending::AfterFlush) => {
                    self.flush().await;
                    return ENDED_BY_US.to_owned();
                }
            }
            if let Err(error) = self.turn().await {
                return error;
            }
        }
    }

    /// Waits for something to do and does it.
    ///
    /// Both waits are cancel-safe: readiness and wishes stay until they are used up.
    async fn turn(&mut self) -> Result<(), String> {
        let mut written = Written::All;
        if self.outgoing.is_empty() && self.control.has_output() {
            written = self.write()?;
        }
        if written == Written::Enough {
            self.read()?;
            tokio::task::yield_now().await;
            return Ok(());
        }
        let interest = if self.outgoing.is_empty() {
            Interest::READABLE
        } else {
            Interest::READABLE | Interest::WRITABLE
        };
        let ready = tokio::select! {
            ready = self.stream.ready(interest) => ready.map_err(|error| error.to_string())?,
            () = self.control.changed() => return Ok(()),
        };
        // What arrived comes first: a NOTIFICATION says more than the error of writing after it.
        if ready.is_readable() || ready.is_read_closed() {
            self.read()?;
        }
        if ready.is_writable() {
            self.write()?;
        }
        Ok(())
    }

    /// Hands what arrived to the speaker.
    fn read(&self) -> Result<(), String> {
        let mut buffer = self.reactor.buffer();
        for _ in 0..READS_IN_A_TURN {
            if self.control.ending().is_some() {
                return Ok(());
            }
            match self.stream.try_read(&mut buffer) {
                Ok(0) => return Err("the peer closed the connection".to_owned()),
                Ok(length) => {
                    let octets = buffer.get(..length).unwrap_or_default();
                    let connection = self.id;
                    self.reactor.tell(Input::Received { connection, octets });
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(())
    }

    /// Gives TCP what there is to send, taking no more from the speaker than TCP has room for.
    fn write(&mut self) -> Result<Written, String> {
        for _ in 0..WRITES_IN_A_TURN {
            if self.outgoing.is_empty() {
                self.outgoing.clear();
                self.reactor.transmit(self.id, &mut self.outgoing.octets);
                if self.outgoing.is_empty() {
                    self.control.is_drained();
                    return Ok(Written::All);
                }
            }
            match self.stream.try_write(self.outgoing.rest()) {
                Ok(octets) => {
                    self.outgoing.sent += octets;
                    let connection = self.id;
                    self.reactor.tell(Input::Sent { connection, octets });
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Written::Blocked);
                }
                Err(error) => {
                    // The peer's last word may still wait to be read.
                    self.read()?;
                    return Err(error.to_string());
                }
            }
        }
        Ok(Written::Enough)
    }

    /// Sends what there is, then waits for the peer to close: closing a socket with unread octets
    /// makes the kernel send a reset, on which the peer throws our last message away.
    async fn flush(&mut self) {
        let all = tokio::time::timeout(FLUSH_TIME, async {
            while self.write()? != Written::All {
                self.writable().await?;
            }
            Ok::<(), String>(())
        });
        if !matches!(all.await, Ok(Ok(()))) {
            return;
        }
        if SockRef::from(&self.stream)
            .shutdown(std::net::Shutdown::Write)
            .is_ok()
        {
            drop(tokio::time::timeout(FAREWELL_TIME, self.wait_for_end()).await);
        }
    }

    async fn writable(&self) -> Result<(), String> {
        let writable = self.stream.writable().await;
        writable.map_err(|error| error.to_string())
    }

    async fn wait_for_end(&self) {
        while self.stream.readable().await.is_ok() {
            match self.stream.try_read(&mut self.reactor.buffer()) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }
}

impl Outgoing {
    fn rest(&self) -> &[u8] {
        self.octets.get(self.sent..).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// Makes room for more. What a burst of updates took is given back; what a KEEPALIVE takes stays.
    fn clear(&mut self) {
        if self.octets.capacity() > KEPT_ROOM {
            self.octets = Vec::new();
        }
        self.octets.clear();
        self.sent = 0;
    }
}

const ENDED_BY_US: &str = "this speaker closed the connection";
/// 256 KiB with the reactor's buffer, some milliseconds of work; then others have their turn.
const READS_IN_A_TURN: usize = 4;
/// 1 MiB with the reactor's room.
const WRITES_IN_A_TURN: usize = 16;
const KEPT_ROOM: usize = 4096;
/// A peer that takes nothing for so long does not get our last message.
const FLUSH_TIME: Duration = Duration::from_secs(1);
const FAREWELL_TIME: Duration = Duration::from_secs(1);

//! A download that takes long: an established connection over which octets come all the time.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Serves endless downloads on every address of the calling thread's host until the process ends.
pub(crate) fn serve(port: u16) -> io::Result<()> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)))?;
    thread::Builder::new().spawn(move || {
        for peer in listener.incoming().flatten() {
            // A peer that has no thread has no download, which it notices.
            let _ = thread::Builder::new().spawn(move || feed(peer));
        }
    })?;
    Ok(())
}

/// A download under way.
#[derive(Debug)]
pub(crate) struct Download {
    address: IpAddr,
    octets: Arc<AtomicU64>,
    has_ended: Arc<AtomicBool>,
    connection: TcpStream,
}

impl Download {
    /// Connects from the calling thread's host and reads in the background.
    pub(crate) fn start(address: IpAddr, port: u16, patience: Duration) -> io::Result<Self> {
        let connection = TcpStream::connect_timeout(&(address, port).into(), patience)?;
        let (octets, has_ended) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let mut source = connection.try_clone()?;
        let (count, end) = (Arc::clone(&octets), Arc::clone(&has_ended));
        thread::Builder::new().spawn(move || {
            let mut buffer = [0; PIECE];
            while let Ok(length @ 1..) = source.read(&mut buffer) {
                count.fetch_add(length as u64, Ordering::Relaxed);
            }
            end.store(true, Ordering::Relaxed);
        })?;
        Ok(Self {
            address,
            octets,
            has_ended,
            connection,
        })
    }

    /// Where it comes from.
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// What came so far.
    pub(crate) fn octets(&self) -> u64 {
        self.octets.load(Ordering::Relaxed)
    }

    /// Whether the connection was closed or reset.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.connection.shutdown(std::net::Shutdown::Both);
    }
}

fn feed(mut peer: TcpStream) {
    while peer.write_all(&[b'.'; PIECE]).is_ok() {
        thread::sleep(PAUSE);
    }
}

/// A hundred kilobytes a second: enough to see within a moment that it goes on.
const PIECE: usize = 1_024;
const PAUSE: Duration = Duration::from_millis(10);

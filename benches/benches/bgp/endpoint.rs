//! A plain BGP speaker of the other side: it counts what it is told, or tells what it was given.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use openelb_announce::bgp::message::{
    Capability, DecodeContext, Framer, MessageKind, Open, Update, write_keepalive,
};
use openelb_announce::bgp::{Asn, Family, FamilySet, RouterId};
use openelb_benches::meter::clock;

use super::world::Host;

/// What was counted so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// When the session was up.
    pub(crate) established: Option<Instant>,
    /// When the last route came.
    pub(crate) last: Option<Instant>,
    pub(crate) announced: u64,
    pub(crate) updates: u64,
    pub(crate) octets: u64,
}

/// A session whose routes are counted, on a thread of its own.
pub(crate) struct Sink {
    shared: Arc<(Mutex<Seen>, Condvar)>,
    stream: Arc<Mutex<Option<TcpStream>>>,
}

/// Who a plain speaker is.
#[derive(Clone, Copy)]
pub(crate) struct Identity {
    pub(crate) address: IpAddr,
    pub(crate) asn: u32,
}

impl Sink {
    /// Waits for the other side to connect to `me`.
    pub(crate) fn listen(host: &Host, me: Identity) -> Self {
        let listener = host.run(|| TcpListener::bind(SocketAddr::new(me.address, 179)).unwrap());
        Self::start(me, move || listener.accept().unwrap().0)
    }

    /// Connects to the other side, again and again until that works.
    pub(crate) fn dial(host: &Host, me: Identity, target: IpAddr) -> Self {
        let stream = dial(host, me, target);
        Self::start(me, move || stream)
    }

    fn start(me: Identity, connect: impl FnOnce() -> TcpStream + Send + 'static) -> Self {
        let sink = Self {
            shared: Arc::default(),
            stream: Arc::default(),
        };
        let (shared, stream) = (Arc::clone(&sink.shared), Arc::clone(&sink.stream));
        std::thread::spawn(move || {
            let connection = connect();
            *lock(&stream) = connection.try_clone().ok();
            count(connection, me, &shared);
        });
        sink
    }

    /// Waits until `routes` were announced; what was counted then, or at the end of `patience`.
    pub(crate) fn wait(&self, routes: u64, patience: Duration) -> Result<Seen, Seen> {
        let (seen, changed) = &*self.shared;
        let end = clock() + patience;
        let mut seen = lock(seen);
        while seen.announced < routes {
            let left = end.saturating_duration_since(clock());
            if left.is_zero() {
                return Err(*seen);
            }
            let waited = changed.wait_timeout(seen, left);
            seen = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(*seen)
    }

    /// What was counted so far.
    pub(crate) fn seen(&self) -> Seen {
        *lock(&self.shared.0)
    }
}

impl Drop for Injector {
    fn drop(&mut self) {
        drop(lock(&self.stream).shutdown(std::net::Shutdown::Both));
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(stream) = lock(&self.stream).take() {
            drop(stream.shutdown(std::net::Shutdown::Both));
        }
    }
}

/// A session that tells what it is given.
pub(crate) struct Injector {
    stream: Arc<Mutex<TcpStream>>,
}

impl Injector {
    /// Connects to `target` and opens the session, again and again until that works: a router that
    /// has just started resets connections of peers that it does not know yet.
    pub(crate) fn dial(host: &Host, me: Identity, target: IpAddr) -> Self {
        let stream = loop {
            let mut stream = dial(host, me, target);
            if established(&mut stream, me).is_ok() {
                break stream;
            }
            std::thread::sleep(Duration::from_millis(100));
        };
        let mut reader = stream.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            while reader.read(&mut buffer).is_ok_and(|read| read > 0) {}
        });
        let stream = Arc::new(Mutex::new(stream));
        keep_alive(Arc::clone(&stream));
        Self { stream }
    }

    /// Sends whole messages.
    pub(crate) fn send(&mut self, messages: &[u8]) {
        lock(&self.stream).write_all(messages).unwrap();
    }
}

fn dial(host: &Host, me: Identity, target: IpAddr) -> TcpStream {
    let attempt = || {
        let socket = socket2::Socket::new(socket2::Domain::IPV6, socket2::Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(me.address, 0).into())?;
        let target = SocketAddr::new(target, 179);
        socket.connect_timeout(&target.into(), Duration::from_secs(1))?;
        Ok::<_, std::io::Error>(TcpStream::from(socket))
    };
    host.run(|| {
        loop {
            if let Ok(stream) = attempt() {
                return stream;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    })
}

/// Opens a session and waits for OPEN and KEEPALIVE of the other side.
fn established(stream: &mut TcpStream, me: Identity) -> std::io::Result<()> {
    open(stream, me)?;
    let mut framer = Framer::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        framer.feed(&buffer[..read]);
        while let Some(message) = framer.next_message() {
            if message.unwrap().kind == MessageKind::Keepalive {
                return Ok(());
            }
        }
    }
}

fn open(stream: &mut TcpStream, me: Identity) -> std::io::Result<()> {
    let capabilities = vec![
        Capability::multi_protocol(Family::Ipv6Unicast),
        Capability::FourOctetAs(Asn(me.asn)),
    ];
    let router_id = RouterId::new(me.asn).unwrap();
    let mut out = Vec::new();
    Open::new(Asn(me.asn), HOLD_TIME, router_id, capabilities).write(&mut out);
    write_keepalive(&mut out);
    stream.set_nodelay(true)?;
    stream.write_all(&out)
}

fn count(mut stream: TcpStream, me: Identity, shared: &(Mutex<Seen>, Condvar)) {
    if open(&mut stream, me).is_err() {
        return;
    }
    keep_alive(Arc::new(Mutex::new(stream.try_clone().unwrap())));
    let mut framer = Framer::new();
    let mut buffer = vec![0; 1 << 18];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        let now = clock();
        framer.feed(&buffer[..read]);
        let mut seen = *lock(&shared.0);
        while let Some(Ok(message)) = framer.next_message() {
            hear(&mut seen, message.kind, message.body, now);
        }
        *lock(&shared.0) = seen;
        shared.1.notify_all();
    }
}

/// Says every ten seconds that this side is alive, until the session is gone.
fn keep_alive(stream: Arc<Mutex<TcpStream>>) {
    std::thread::spawn(move || {
        let mut keepalive = Vec::new();
        write_keepalive(&mut keepalive);
        while lock(&stream).write_all(&keepalive).is_ok() {
            std::thread::sleep(Duration::from_secs(10));
        }
    });
}

fn hear(seen: &mut Seen, kind: MessageKind, body: &[u8], now: Instant) {
    match kind {
        MessageKind::Keepalive => {
            seen.established.get_or_insert(now);
        }
        MessageKind::Update => {
            let context = DecodeContext {
                four_octet_as: true,
                families: FamilySet::ALL,
                ebgp: true,
                ..DecodeContext::default()
            };
            let routes = Update::decode(body, &context).unwrap().announced().count();
            if routes > 0 {
                seen.announced += routes as u64;
                seen.updates += 1;
                seen.octets += body.len() as u64 + 19;
                seen.last = Some(now);
            }
        }
        _ => {}
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const HOLD_TIME: u16 = 240;

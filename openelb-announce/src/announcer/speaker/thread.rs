//! The thread of the speaker: carries out what it wants, and reads what its owner leaves.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use caps::Capability;
use tokio::task::{JoinError, JoinSet, LocalSet};

use super::letters::{Letter, Letters};
use super::listener::Listeners;
use super::neighbors::Neighbors;
use super::outbox::Outbox;
use super::reactor::{Order, Reactor};
use super::status::SpeakerStatus;
use super::watch::Watch;
use super::{dial, surroundings};
use crate::announcer::mailbox::Mailbox;
use crate::bgp::peer::Stop;
use crate::bgp::speaker::{Output, Speaker};
use crate::driver::clock;
use crate::driver::privileges::{self, Privileges};
use crate::link::netlink::Monitor;
use crate::link::readiness::Readiness;

/// What the thread needs before it is ready.
pub(super) struct Prepared {
    runtime: tokio::runtime::Runtime,
    monitor: Monitor,
}

impl Prepared {
    /// Cuts the thread's capabilities down to what sockets may need later: `CAP_NET_BIND_SERVICE` for
    /// port 179, `CAP_NET_RAW` for router advertisements and, before Linux 5.7, for binding to an
    /// interface. TCP-MD5, hop limits and DSCP take none. `CAP_SYS_NICE` is for the thread of BFD, which
    /// this one starts: it gets ahead of others with it and drops it.
    pub(super) fn new(privileges: Privileges) -> io::Result<Self> {
        if privileges == Privileges::Drop {
            privileges::keep_only(&[
                Capability::CAP_NET_BIND_SERVICE,
                Capability::CAP_NET_RAW,
                Capability::CAP_SYS_NICE,
            ])
            .map_err(io::Error::other)?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let monitor = Monitor::open()?;
        Ok(Self { runtime, monitor })
    }

    /// Serves until the owner says stop.
    pub(super) fn run(
        self,
        seed: u64,
        mailbox: Arc<Mailbox<Letters>>,
        outbox: Outbox,
    ) -> io::Result<()> {
        let speaker = Speaker::new(seed, clock::now());
        let reactor = Reactor::new(speaker, self.monitor.topology().clone(), outbox);
        let watch = Watch::new(Arc::clone(&mailbox));
        let worker = Worker {
            reactor,
            mailbox,
            listeners: Listeners::default(),
            neighbors: Neighbors::default(),
            watch,
            tasks: JoinSet::new(),
            refused_segments: Rc::default(),
        };
        LocalSet::new().block_on(&self.runtime, worker.serve(self.monitor))
    }
}

struct Worker {
    reactor: Reactor,
    mailbox: Arc<Mailbox<Letters>>,
    listeners: Listeners,
    neighbors: Neighbors,
    watch: Watch,
    tasks: JoinSet<()>,
    refused_segments: Rc<Cell<u64>>,
}

impl Worker {
    async fn serve(mut self, mut monitor: Monitor) -> io::Result<()> {
        let refused = Rc::clone(&self.refused_segments);
        let signatures = surroundings::watch_signatures(self.reactor.clone(), refused);
        self.tasks.spawn_local(signatures);
        let news = Readiness::of(&monitor)?;
        let wake = Readiness::of(self.mailbox.wake())?;
        loop {
            // All are cancel-safe: orders, letters, news and ended tasks stay where they are until
            // taken.
            tokio::select! {
                order = self.reactor.next_order() => self.carry_out(order),
                letters = collect(&wake, &self.mailbox) => {
                    for letter in letters?.0 {
                        if let Letter::Stop(stop) = letter {
                            self.stop(&stop).await;
                            return Ok(());
                        }
                        self.read(letter);
                    }
                }
                () = self.reactor.keep_time() => {}
                Some(ended) = self.tasks.join_next() => survive(ended)?,
                topology = surroundings::changed_links(&mut monitor, &news) => {
                    self.reactor.follow(topology?);
                    self.listeners.retry();
                    self.neighbors.look_again();
                }
            }
        }
    }

    fn carry_out(&mut self, order: Order) {
        let reactor = &self.reactor;
        match order {
            Order::Dial(connection, target, control) => {
                let dial = dial::run(reactor.clone(), connection, target, control);
                self.tasks.spawn_local(dial);
            }
            Order::Serve(connection) => drop(self.tasks.spawn_local(connection)),
            Order::Other(Output::Listen(addresses)) => {
                self.listeners.set(&mut self.tasks, reactor, &addresses);
            }
            Order::Other(Output::Keys(keys)) => self.listeners.set_keys(reactor, keys),
            Order::Other(Output::Discover(interfaces)) => {
                self.neighbors.set(&mut self.tasks, reactor, &interfaces);
            }
            Order::Other(Output::Watch(peers)) => self.watch.set(reactor, peers),
            // The reactor has taken all others itself.
            Order::Other(_) => {}
        }
    }

    fn read(&mut self, letter: Letter) {
        let reactor = &self.reactor;
        match letter {
            Letter::Configure(config, reply) => {
                let applied = reactor.act(|speaker, now| speaker.configure(&config.bgp, now));
                if applied.is_ok() {
                    self.watch.configure(reactor, config.bfd);
                }
                drop(reply.send(applied));
            }
            Letter::Announce(routes) => reactor.act(|speaker, now| speaker.announce(routes, now)),
            Letter::Change { routes, withdrawn } => {
                reactor.act(|speaker, now| speaker.change(routes, &withdrawn, now));
            }
            Letter::Path(session, path) => self.watch.hear(reactor, session, path),
            Letter::Synced => reactor.act(Speaker::synced),
            Letter::Drain(true) => reactor.act(Speaker::drain),
            Letter::Drain(false) => reactor.act(Speaker::undrain),
            Letter::WithdrawAll => reactor.act(Speaker::withdraw_all),
            Letter::Status(reply) => drop(reply.send(self.status())),
            Letter::Learned(reply) => {
                drop(reply.send(reactor.act(|speaker, _| speaker.learned())));
            }
            Letter::Ask(question) => reactor.act(|speaker, now| question(speaker, now)),
            Letter::Stop(_) => {}
        }
    }

    fn status(&self) -> SpeakerStatus {
        SpeakerStatus {
            peers: self.reactor.act(|speaker, now| speaker.status(now)),
            listeners: self.listeners.status(),
            interfaces: self.neighbors.status(),
            refused_segments: self.refused_segments.get(),
            bfd: self.watch.status(),
        }
    }

    /// Ends every session as `stop` says, and waits until the peers were told, as far as they listen.
    ///
    /// BFD says goodbye last. FRR 8.4 and BIRD 2.0 take even `AdminDown` for a failure, reset a session
    /// that still stands and drop what they would keep over a restart; once the session is closed
    /// they no longer ask BFD about it. What was sent may still wait there to be read, and BFD's news
    /// overtake it: hence the pause.
    async fn stop(&mut self, stop: &Stop) {
        self.reactor.act(|speaker, now| speaker.stop(stop, now));
        drop(tokio::time::timeout(STOP_TIME, self.wind_up()).await);
        if self.watch.is_running() {
            tokio::time::sleep(READING_TIME).await;
        }
        self.watch.end();
    }

    /// Goes on until no connection is left.
    async fn wind_up(&mut self) {
        loop {
            tokio::select! {
                () = self.reactor.all_ended() => return,
                order = self.reactor.next_order() => match order {
                    // Nobody is to be watched any more, but not before BGP has ended.
                    Order::Other(Output::Watch(_)) => {}
                    order => self.carry_out(order),
                },
                () = self.reactor.keep_time() => {}
            }
        }
    }
}

async fn collect(wake: &Readiness, mailbox: &Mailbox<Letters>) -> io::Result<Letters> {
    // Reading resets the descriptor; what is left from then on makes it readable again.
    wake.read(|| Ok(mailbox.wake().read()?)).await?;
    Ok(mailbox.collect())
}

/// A task that panicked takes the speaker with it: sessions that only look alive are worse than none,
/// and whoever holds the handle learns of it.
fn survive(ended: Result<(), JoinError>) -> io::Result<()> {
    match ended {
        Err(error) if error.is_panic() => Err(io::Error::other("one of its tasks panicked")),
        _ => Ok(()),
    }
}

/// More than one connection needs for its last words.
const STOP_TIME: Duration = Duration::from_secs(3);
/// More than a router on a busy machine needs to see that a connection was closed.
const READING_TIME: Duration = Duration::from_secs(1);

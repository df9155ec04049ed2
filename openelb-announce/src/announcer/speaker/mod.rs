//! The BGP speaker on real sockets: one thread, the desired state in, status and events out.

mod addresses;
mod connection;
mod control;
mod dial;
mod letters;
mod listener;
mod neighbors;
mod options;
mod outbox;
mod reactor;
mod status;
mod surroundings;
mod thread;
mod transport;
mod watch;

use std::fmt;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub use letters::SpeakerConfig;
pub use options::{ConfigureError, Ended, SpeakerOptions, StartError};
pub use outbox::Event;
pub use status::{InterfaceStatus, ListenerStatus, SpeakerStatus};

use letters::{Letter, Letters};
use outbox::Outbox;
use thread::Prepared;

use super::mailbox::Mailbox;
use crate::bgp;
use crate::bgp::peer::Stop;
use crate::bgp::prefix::Prefix;
use crate::bgp::rib::Learned;
use crate::bgp::route::Route;
use crate::bgp::speaker::Applied;
use crate::driver::clock;
use crate::time::Time;

/// Speaks BGP from this host (from the network namespace of the thread that starts it), on a thread
/// of its own.
///
/// Everything may be called at any time and from any thread, before or after the peers are up.
/// Dropping the handle closes the sessions as [`Stop::Upgrade`] does: peers that keep routes over a
/// restart keep them.
///
/// ```no_run
/// use openelb_announce::announcer::speaker::{Speaker, SpeakerConfig, SpeakerOptions};
/// use openelb_announce::bgp::config::{Config, Peer, Remote, Settings};
/// use openelb_announce::bgp::peer::Stop;
/// use openelb_announce::bgp::route::Route;
/// use openelb_announce::bgp::{Asn, RouterId};
/// use std::net::IpAddr;
///
/// let speaker = Speaker::start(SpeakerOptions::default())?;
/// let mut config = Config::new(Asn(64512), "10.0.0.1".parse()?);
/// let remote = Remote::from("10.0.0.254".parse::<IpAddr>()?);
/// config.peers = vec![Peer { name: "leaf1".into(), remote, settings: Settings::default() }];
/// speaker.configure(SpeakerConfig::from(config))?;
/// speaker.announce(vec![Route::to("192.0.2.10/32".parse()?)])?;
/// speaker.synced()?;
/// for peer in speaker.status()?.peers {
///     println!("{}: {}", peer.name, peer.state);
/// }
/// speaker.stop(Stop::Removal);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Speaker {
    mailbox: Arc<Mailbox<Letters>>,
    events: Mutex<Receiver<Event>>,
    thread: Option<JoinHandle<()>>,
}

impl Speaker {
    /// Starts the thread and returns when it is ready: without configuration, it does nothing yet.
    ///
    /// Needs no capability, but peers and listeners may: port 179 takes `CAP_NET_BIND_SERVICE` and a
    /// peer without configured address `CAP_NET_RAW`. [`status`](Self::status) tells when one lacks.
    pub fn start(options: SpeakerOptions) -> Result<Self, StartError> {
        let mailbox = Arc::new(Mailbox::new()?);
        let (sender, events) = sync_channel(MOST_EVENTS);
        let (proof, outcome) = sync_channel(1);
        let seed = options.seed.unwrap_or_else(|| clock::now().as_nanos());
        let letters = Arc::clone(&mailbox);
        let thread = std::thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(move || {
                let _closer = super::Closer(Arc::clone(&letters));
                let prepared = match Prepared::new(options.privileges) {
                    Ok(prepared) => prepared,
                    Err(error) => return drop(proof.send(Err(error))),
                };
                drop(proof.send(Ok(())));
                let box_of_thread = Arc::clone(&letters);
                if let Err(error) = prepared.run(seed, box_of_thread, Outbox::new(sender)) {
                    letters.close(&error.to_string());
                }
            })?;
        let ended = |_| io::Error::other("it ended early");
        outcome.recv().map_err(ended)??;
        Ok(Self {
            mailbox,
            events: Mutex::new(events),
            thread: Some(thread),
        })
    }

    /// Makes this the configuration, in place of the previous one, and says what that did to each
    /// peer. A session is reset only where it must be; one with a fault changes nothing.
    pub fn configure(&self, config: SpeakerConfig) -> Result<Vec<Applied>, ConfigureError> {
        let applied = self.ask(|reply| Letter::Configure(config, reply))?;
        Ok(applied?)
    }

    /// Makes `routes` the set that is announced, in place of the previous one. What did not change is
    /// not sent again. Returns before it is done; O(n) on the thread.
    pub fn announce(&self, routes: Vec<Route>) -> Result<(), Ended> {
        self.leave(Letter::Announce(routes))
    }

    /// Announces or changes `routes` and withdraws the prefixes `withdrawn`, whatever else is
    /// announced: O(1) for each. A prefix in both is announced.
    pub fn change(&self, routes: Vec<Route>, withdrawn: Vec<Prefix>) -> Result<(), Ended> {
        self.leave(Letter::Change { routes, withdrawn })
    }

    /// Says that the routes given so far are complete: peers are told End-of-RIB, and forget what
    /// they had from a former life of this speaker and did not hear of again (RFC 4724).
    pub fn synced(&self) -> Result<(), Ended> {
        self.leave(Letter::Synced)
    }

    /// Asks all peers to prefer other paths while everything stays announced (RFC 8326): the first
    /// step of taking this node out of service.
    pub fn drain(&self) -> Result<(), Ended> {
        self.leave(Letter::Drain(true))
    }

    /// Takes [`drain`](Self::drain) back.
    pub fn undrain(&self) -> Result<(), Ended> {
        self.leave(Letter::Drain(false))
    }

    /// Withdraws every route; the sessions stay.
    pub fn withdraw_all(&self) -> Result<(), Ended> {
        self.leave(Letter::WithdrawAll)
    }

    /// How the peers, the listeners and the searches for neighbours stand.
    pub fn status(&self) -> Result<SpeakerStatus, Ended> {
        self.ask(Letter::Status)
    }

    /// The best routes that peers announced inside the ranges that their settings
    /// [import](crate::bgp::config::Settings::import): all equally good gateways of each destination.
    ///
    /// Read it again after each [`bgp::speaker::Event::Learned`], and after [`Event::Missed`], in
    /// which such an event may have been lost. `KernelRoutes` installs them; its `synced` is to be
    /// called once [`Learned::is_complete`] is true.
    pub fn learned(&self) -> Result<Learned, Ended> {
        self.ask(Letter::Learned)
    }

    /// Asks the sans-IO speaker something, on its thread: which routes a peer was sent, say. It is
    /// held up meanwhile.
    pub fn query<T: Send + 'static>(
        &self,
        question: impl FnOnce(&bgp::speaker::Speaker, Time) -> T + Send + 'static,
    ) -> Result<T, Ended> {
        self.ask(|reply| {
            Letter::Ask(Box::new(move |speaker, now| {
                drop(reply.send(question(speaker, now)));
            }))
        })
    }

    /// The next event, if there is one already. At most 4,096 wait; then the number of lost ones is
    /// told instead.
    pub fn try_event(&self) -> Result<Event, TryRecvError> {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .try_recv()
    }

    /// The next event, waiting for it no longer than `timeout`.
    pub fn event(&self, timeout: Duration) -> Result<Event, RecvTimeoutError> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.recv_timeout(timeout)
    }

    /// Ends every session as `stop` says and then the thread. Returns when the peers have taken the
    /// last messages, or did not within three seconds.
    pub fn stop(mut self, stop: Stop) {
        self.end(stop);
    }

    fn end(&mut self, stop: Stop) {
        // It fails only when the thread has ended already.
        drop(self.leave(Letter::Stop(stop)));
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so on standard error.
            drop(thread.join());
        }
    }

    fn leave(&self, letter: Letter) -> Result<(), Ended> {
        self.mailbox
            .leave(|letters| letters.push(letter))
            .map_err(|reason| Ended { reason })
    }

    fn ask<T>(&self, letter: impl FnOnce(SyncSender<T>) -> Letter) -> Result<T, Ended> {
        let (reply, answer) = sync_channel(1);
        self.leave(letter(reply))?;
        answer.recv().map_err(|_| Ended {
            reason: "it was stopped".to_owned(),
        })
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.end(Stop::Upgrade);
    }
}

impl fmt::Debug for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Speaker")
            .field("thread", &self.thread)
            .finish_non_exhaustive()
    }
}

const THREAD_NAME: &str = "openelb-bgp";
const MOST_EVENTS: usize = 4096;

//! Keeps BFD sessions on a thread of its own: the wanted neighbours in, what becomes of them out.

mod agenda;
mod entry;
mod listeners;
mod options;
mod status;
mod target;
mod worker;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

pub use super::scheduling::Scheduling;
pub use options::{Options, StartError};
pub use status::{Event, SessionStatus};
pub use target::{SessionId, SetError, Target};

use super::Privileges;
use super::mailbox::Mailbox;
use crate::driver::{self, clock, privileges};
use worker::{Shared, Sink, Worker};

/// Watches neighbours with BFD (RFC 5880, 5881, 5883) from this host, in the network namespace of
/// the thread that starts it.
///
/// The thread waits for nothing but packets and deadlines, so that neither a burst of routes nor a
/// stalled runtime makes a neighbour look dead. Needs no capability (binding sessions to interfaces:
/// Linux 5.7 or later). Dropping the handle tells the neighbours `AdminDown`, as
/// [`stop`](Self::stop) does.
///
/// ```no_run
/// use openelb_announce::announcer::liveness::{Liveness, Options, Target};
/// use openelb_announce::bfd::Settings;
///
/// let liveness = Liveness::start(Options::default(), |event| println!("{event:?}"))?;
/// liveness.set(vec![Target {
///     peer: "192.0.2.1".parse()?,
///     local: None,
///     interface: None,
///     settings: Settings::default(),
///     is_admin_down: false,
/// }])?;
/// for session in liveness.status() {
///     println!("{}: {}", session.id, session.state);
/// }
/// liveness.stop();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Liveness {
    shared: Arc<Shared>,
    scheduling: Scheduling,
    thread: Option<JoinHandle<()>>,
}

impl Liveness {
    /// Starts the thread. It watches nobody yet.
    ///
    /// `sink` is called on that thread with everything that happens, in order. It must not block:
    /// hand the event on, for instance through a channel.
    pub fn start(
        options: Options,
        sink: impl FnMut(Event) + Send + 'static,
    ) -> Result<Self, StartError> {
        let shared = Arc::new(Shared {
            mailbox: Mailbox::new().map_err(StartError::Thread)?,
            heartbeat: AtomicU64::new(clock::now().as_nanos()),
        });
        let (proof, outcome) = sync_channel(1);
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(move || serve(options, &of_thread, Box::new(sink), &proof))
            .map_err(StartError::Thread)?;
        let ended = || std::io::Error::other("the BFD thread ended early");
        let scheduling = outcome.recv().map_err(|_| StartError::Thread(ended()))??;
        Ok(Self {
            shared,
            scheduling,
            thread: Some(thread),
        })
    }

    /// Makes `targets` the neighbours that are watched, in place of the previous ones.
    ///
    /// Sessions that stay are not disturbed; changed settings take effect while they are up, without
    /// a flap, as RFC 5880 section 6.8.3 orders. Sessions that go tell their neighbour `AdminDown`:
    /// the standard says that this is no failure (RFC 5882 section 3.2), but FRR 8.4 and BIRD 2.0 end
    /// a BGP session that relies on it all the same. Also a heartbeat. Returns before any of that is
    /// done.
    pub fn set(&self, targets: Vec<Target>) -> Result<(), SetError> {
        let desired = target::check(targets)?;
        self.heartbeat();
        self.shared
            .mailbox
            .leave(|letters| letters.desired = Some(desired))
            .map_err(|reason| SetError::Ended { reason })
    }

    /// The owner lives. Needed more often than every [`Options::heartbeat`]; some 30 ns.
    ///
    /// After that time without one, sessions are declared down to their neighbours and kept silent:
    /// BFD of a process whose routing hangs must not vouch for it. The next heartbeat ends that.
    pub fn heartbeat(&self) {
        let now = clock::now().as_nanos();
        self.shared.heartbeat.store(now, Ordering::Relaxed);
    }

    /// How every session stands, sorted. Empty once the thread has ended.
    pub fn status(&self) -> Vec<SessionStatus> {
        let (asker, answer) = sync_channel(1);
        self.shared
            .mailbox
            .leave(|letters| letters.questions.push(asker))
            .ok()
            .and_then(|()| answer.recv().ok())
            .unwrap_or_default()
    }

    /// Whether the thread runs ahead of others, or why not.
    pub const fn scheduling(&self) -> &Scheduling {
        &self.scheduling
    }

    /// Why the thread has ended by itself, if it has: nobody is watched any more then.
    pub fn failure(&self) -> Option<String> {
        self.shared.mailbox.leave(|_| {}).err()
    }

    /// Tells every neighbour `AdminDown`, so that none takes the silence for a failure, and ends the
    /// thread. Returns as soon as all neighbours have heard it, after a second at the latest.
    pub fn stop(self) {
        drop(self);
    }
}

impl fmt::Debug for Liveness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Liveness")
            .field("scheduling", &self.scheduling)
            .finish_non_exhaustive()
    }
}

impl Drop for Liveness {
    fn drop(&mut self) {
        // It fails only when the thread has ended already.
        drop(self.shared.mailbox.leave(|letters| letters.stop = true));
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so on standard error.
            drop(thread.join());
        }
    }
}

/// What the thread does from beginning to end.
fn serve(
    options: Options,
    shared: &Arc<Shared>,
    sink: Sink,
    proof: &SyncSender<Result<Scheduling, StartError>>,
) {
    let _closer = Closer(Arc::clone(shared));
    let prepared = prepare(options).and_then(|scheduling| {
        let worker = Worker::new(options, Arc::clone(shared), sink);
        Ok((scheduling, worker.map_err(StartError::Thread)?))
    });
    match prepared {
        Ok((scheduling, (mut worker, mut poller))) => {
            drop(proof.send(Ok(scheduling)));
            if let Err(error) = driver::run(&mut worker, &mut poller) {
                shared.mailbox.close(&error.to_string());
            }
        }
        Err(error) => drop(proof.send(Err(error))),
    }
}

/// Gets ahead of others while that is still permitted, then gives up every capability.
fn prepare(options: Options) -> Result<Scheduling, StartError> {
    let otherwise = "expect detection times below a second to fail on a busy host";
    let scheduling = Scheduling::of_this_thread(options.priority, otherwise);
    if let Scheduling::Refused { reason } = &scheduling {
        tracing::warn!(reason, "BFD does not run ahead of other threads");
    }
    if options.privileges == Privileges::Drop {
        privileges::keep_only(&[])
            .map_err(|error| StartError::Thread(std::io::Error::other(error)))?;
    }
    Ok(scheduling)
}

/// Closes the letter box however the thread ends, so that nobody waits for an answer for ever.
struct Closer(Arc<Shared>);

impl Drop for Closer {
    fn drop(&mut self) {
        let reason = if std::thread::panicking() {
            "its thread panicked"
        } else {
            "it was stopped"
        };
        self.0.mailbox.close(reason);
    }
}

const THREAD_NAME: &str = "openelb-bfd";

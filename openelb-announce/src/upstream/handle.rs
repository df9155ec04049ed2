//! The handle of the threads that hear what the network tells.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use nix::sys::eventfd::{EfdFlags, EventFd};
use thiserror::Error;

use super::opener::Opener;
use super::sighting::{Event, Wanted};
use super::worker::{Shared, Worker};
use crate::driver::privileges::{self, Privileges};

/// What is looked for, and with which rights.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is looked for; events name entries by their index.
    pub wanted: Vec<Wanted>,
    /// What becomes of the capabilities that the threads inherit.
    pub privileges: Privileges,
}

/// Hears what the network tells this host about its IPv6 prefixes, in the network namespace of the
/// thread that starts it, until it is dropped.
///
/// Two threads: one that hears, without any capability; one that opens the sockets for
/// advertisements and keeps `CAP_NET_RAW` for interfaces that come later.
///
/// ```no_run
/// use openelb_announce::upstream::{Options, Upstream, Wanted};
///
/// let interface = "wan0".to_owned();
/// let wanted = vec![Wanted::Advertisements { interface, routers: Vec::new() }];
/// let options = Options { wanted, ..Options::default() };
/// let upstream = Upstream::start(options, |event| println!("{event:?}"))?;
/// # Ok::<(), openelb_announce::upstream::StartError>(())
/// ```
#[derive(Debug)]
pub struct Upstream {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// Why nothing can be heard.
#[derive(Debug, Error)]
pub enum StartError {
    /// A thread could not be started or could not give up its capabilities.
    #[error("starting the thread that hears what the network tells: {0}")]
    Thread(#[source] io::Error),
    /// The kernel does not tell about links, addresses and routes.
    #[error("listening to the kernel's news (rtnetlink): {0}")]
    Kernel(#[source] io::Error),
}

impl Upstream {
    /// Starts the threads. What is there already is told first.
    ///
    /// `sink` is called on a thread of its own with everything that happens, in order. It must not
    /// block: hand the event on, for instance through a channel.
    pub fn start(
        options: Options,
        sink: impl FnMut(Event) + Send + 'static,
    ) -> Result<Self, StartError> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let wake = EventFd::from_flags(flags).map_err(|error| StartError::Thread(error.into()))?;
        let shared = Arc::new(Shared {
            wake: Arc::new(wake),
            stop: AtomicBool::new(false),
        });
        let (opener, opening) = Opener::start(options.privileges, Arc::clone(&shared.wake))
            .map_err(StartError::Thread)?;
        let (proof, outcome) = channel();
        let of_thread = Arc::clone(&shared);
        let hearing = std::thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(move || serve(options, of_thread, opener, Box::new(sink), &proof))
            .map_err(StartError::Thread)?;
        let ended = || StartError::Thread(io::Error::other("it ended early"));
        outcome.recv().map_err(|_| ended())??;
        Ok(Self {
            shared,
            threads: vec![hearing, opening],
        })
    }

    /// Whether nothing is heard any more: the kernel's news broke off. The reason was logged.
    pub fn has_ended(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        let _ = self.shared.wake.write(1);
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so on standard error.
            drop(thread.join());
        }
    }
}

fn serve(
    options: Options,
    shared: Arc<Shared>,
    opener: Opener,
    sink: super::worker::Sink,
    proof: &Sender<Result<(), StartError>>,
) {
    let prepared = match options.privileges {
        Privileges::Drop => privileges::keep_only(&[]),
        Privileges::Keep => Ok(()),
    };
    let worker = prepared
        .map_err(|error| StartError::Thread(io::Error::other(error)))
        .and_then(|()| {
            Worker::new(options.wanted, shared, opener, sink).map_err(StartError::Kernel)
        });
    match worker {
        Ok(mut worker) => {
            drop(proof.send(Ok(())));
            if let Err(error) = worker.run() {
                tracing::error!(%error, "the kernel's news about prefixes broke off");
            }
        }
        Err(error) => drop(proof.send(Err(error))),
    }
}

const THREAD_NAME: &str = "openelb-up";

//! Keeps routes in the kernel's table: the whole wanted set in, what became of each out.
//!
//! ```text
//!   wanted ──resolve──▶ routes with links ──plan──▶ Add, Change, Remove ──▶ rtnetlink
//!              ▲ links, addresses            ▲ what the kernel holds under our protocol number
//! ```
//!
//! What the kernel holds is read, never remembered: a start after a crash, a route that somebody
//! removed, a link that went down and came back, and a new wanted set are all the same comparison.

mod options;
mod plan;
mod resolve;
mod status;
mod sweep;
mod worker;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;

use caps::Capability;

pub use options::{Ended, Ending, Options, StartError};
pub use status::{Event, Refusal, RefusedRoute, Status};
pub use sweep::{SweepError, sweep};

use super::Privileges;
use super::mailbox::Mailbox;
use crate::driver::poller::Poller;
use crate::driver::privileges;
use crate::forwarding::Route;
use options::FIRST_PROTOCOL;
use worker::{Letters, Sink, Wanted, Worker};

/// Keeps a set of routes in one table of the kernel (of the network namespace of the thread that
/// starts it), from a thread of its own.
///
/// Only routes under [`Options::protocol`] in [`Options::table`] are ever touched, never those of
/// others. Dropping the handle leaves the routes in the kernel, as [`Ending::Keep`] does: packets go on
/// while the program is replaced.
///
/// ```no_run
/// use openelb_announce::announcer::kernel_routes::{Ending, KernelRoutes, Options};
/// use openelb_announce::forwarding::{GatewayV4, Route};
///
/// let routes = KernelRoutes::start(Options::default(), |event| println!("{event}"))?;
/// let gateway = GatewayV4::V4("192.0.2.1".parse()?);
/// routes.set(vec![Route::v4("10.244.1.0/24".parse()?, [gateway])])?;
/// routes.synced()?;
/// for refused in routes.status()?.refused {
///     println!("{}: {}", refused.destination, refused.why);
/// }
/// routes.stop(Ending::Remove);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct KernelRoutes {
    mailbox: Arc<Mailbox<Letters>>,
    thread: Option<JoinHandle<()>>,
}

impl KernelRoutes {
    /// Starts the thread, which wants nothing yet: what a former process left under
    /// [`Options::protocol`] stays until [`synced`](Self::synced).
    ///
    /// `sink` is called on that thread with everything that users should see, in order. It must not
    /// block: hand the event on, for instance through a channel. Needs `CAP_NET_ADMIN`; without it
    /// every route is refused and says so.
    pub fn start(
        options: Options,
        sink: impl FnMut(Event) + Send + 'static,
    ) -> Result<Self, StartError> {
        if options.protocol < FIRST_PROTOCOL {
            return Err(StartError::Protocol(options.protocol));
        }
        let mailbox = Arc::new(Mailbox::new()?);
        let (proof, outcome) = sync_channel(1);
        let of_thread = Arc::clone(&mailbox);
        let thread = std::thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(move || {
                let closer = Closer(Arc::clone(&of_thread));
                let (worker, poller) = match prepare(options, of_thread, Box::new(sink)) {
                    Ok(prepared) => prepared,
                    Err(error) => return drop(proof.send(Err(error))),
                };
                drop(proof.send(Ok(())));
                if let Err(error) = worker.serve(poller) {
                    closer.0.close(&error.to_string());
                }
            })?;
        let ended = |_| io::Error::other("it ended early");
        outcome.recv().map_err(ended)??;
        let thread = Some(thread);
        Ok(Self { mailbox, thread })
    }

    /// Makes `routes` the wanted set, in place of the previous one. Of several routes to one
    /// destination the gateways are used together. Returns before it is done; on the thread a route
    /// that is new or changed costs some ten microseconds, all others the comparison.
    ///
    /// As long as the set is not known to be complete, what a former process left is not taken away.
    pub fn set(&self, routes: Vec<Route>) -> Result<(), Ended> {
        let wanted = by_destination(routes);
        self.leave(|letters| letters.wanted = Some(wanted))
    }

    /// Says that the routes given last are all that are wanted: those of a former process that are
    /// not among them are removed. Once is enough.
    pub fn synced(&self) -> Result<(), Ended> {
        self.leave(|letters| letters.is_complete = true)
    }

    /// How the routes stand, after everything that was given before was tried.
    pub fn status(&self) -> Result<Status, Ended> {
        let (asker, answer) = sync_channel(1);
        self.leave(|letters| letters.questions.push(asker))?;
        answer.recv().map_err(|_| Ended {
            reason: "it was stopped".to_owned(),
        })
    }

    /// Ends the thread. Returns when the routes are removed, if that is asked for.
    pub fn stop(mut self, ending: Ending) {
        self.end(ending);
    }

    fn end(&mut self, ending: Ending) {
        // It fails only when the thread has ended already.
        drop(self.leave(|letters| letters.ending = Some(ending)));
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so on standard error.
            drop(thread.join());
        }
    }

    fn leave(&self, write: impl FnOnce(&mut Letters)) -> Result<(), Ended> {
        let left = self.mailbox.leave(write);
        left.map_err(|reason| Ended { reason })
    }
}

impl Drop for KernelRoutes {
    fn drop(&mut self) {
        self.end(Ending::Keep);
    }
}

impl fmt::Debug for KernelRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KernelRoutes")
            .field("thread", &self.thread)
            .finish_non_exhaustive()
    }
}

/// Cuts the thread's capabilities down to the one that routes need.
fn prepare(
    options: Options,
    mailbox: Arc<Mailbox<Letters>>,
    sink: Sink,
) -> io::Result<(Worker, Poller)> {
    if options.privileges == Privileges::Drop {
        privileges::keep_only(&[Capability::CAP_NET_ADMIN]).map_err(io::Error::other)?;
    }
    Worker::new(options, mailbox, sink)
}

fn by_destination(routes: Vec<Route>) -> Wanted {
    let mut wanted = Wanted::new();
    for mut route in routes {
        let there = wanted.remove(&route.destination());
        match (&mut route, there) {
            (Route::V4 { gateways, .. }, Some(Route::V4 { gateways: more, .. })) => {
                gateways.extend(more);
            }
            (Route::V6 { gateways, .. }, Some(Route::V6 { gateways: more, .. })) => {
                gateways.extend(more);
            }
            _ => {}
        }
        wanted.insert(route.destination(), route);
    }
    wanted
}

/// Closes the letter box however the thread ends, so that nobody waits for an answer for ever.
struct Closer(Arc<Mailbox<Letters>>);

impl Drop for Closer {
    fn drop(&mut self) {
        let reason = if std::thread::panicking() {
            "its thread panicked"
        } else {
            "it was stopped"
        };
        self.0.close(reason);
    }
}

const THREAD_NAME: &str = "openelb-fib";

#[cfg(test)]
mod tests;

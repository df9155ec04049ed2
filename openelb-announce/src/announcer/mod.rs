//! The handle of a running announcer: the whole desired set in, status and events out.

mod announcement;
mod component;
mod desired;
mod elections;
pub mod kernel_routes;
pub mod liveness;
mod mailbox;
mod options;
mod outbox;
mod plan;
mod readers;
mod report;
mod routers;
mod scheduling;
#[cfg(feature = "speaker")]
pub mod speaker;
mod station;
mod stations;
mod status;
mod worker;

use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub use announcement::{
    AnnounceError, Announcement, Desired, Election, Owner, RouterName, VirtualRouter,
};
pub use elections::{PermitRequest, SegmentStatus, ShardStatus};
pub use options::{Options, Privileges, StartError};
pub use routers::RouterStatus;
pub use scheduling::Scheduling;
pub use status::{AddressStatus, Event, InterfaceStatus, Place, State, Warning};

pub use crate::driver::port::Counters;

use component::Command;
use desired::DesiredSet;
use mailbox::Mailbox;
use report::Snapshot;
use worker::Worker;

use crate::driver::opener::Opener;
use crate::driver::{self, clock, privileges};
use crate::ownership::{NodeId, Profile, Timing};

/// Announces addresses on the interfaces of this host (of the network namespace of the thread that
/// starts it), from a thread of its own.
///
/// It answers for as long as that thread runs. A thread that is stopped or starved for longer than
/// [`Options::fence`] says nothing stale when it goes on: it starts every address again. Dropping
/// the handle withdraws everything, as [`stop`](Self::stop) does.
///
/// ```no_run
/// use openelb_announce::announcer::{Announcement, Announcer, Options, Owner};
/// use openelb_announce::claim::Probe;
///
/// let announcer = Announcer::start(Options::default())?;
/// announcer.announce(vec![Announcement {
///     address: "192.0.2.10".parse()?,
///     interfaces: "eth0".parse()?,
///     probe: Probe::Standard,
///     owner: Owner::Sole,
/// }])?;
/// for status in announcer.status() {
///     println!("{}: {}", status.address, status.state());
/// }
/// announcer.stop();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Announcer {
    mailbox: Arc<Mailbox>,
    events: Events,
    scheduling: Scheduling,
    is_fenced: bool,
    threads: Vec<JoinHandle<()>>,
}

impl Announcer {
    /// Starts the I/O thread and returns when it is ready to announce.
    ///
    /// Needs `CAP_NET_RAW`; [`Privileges`] says what becomes of it.
    pub fn start(options: Options) -> Result<Self, StartError> {
        Self::launch(options, None)
    }

    /// The same, with an outer fence for elections whose settings have
    /// [`fences`](crate::ownership::Settings::fences): what a node claims then needs a permit.
    ///
    /// Whoever reads `requests` asks beyond the segment for what is wanted, say with a Kubernetes
    /// Lease, answers with [`permit`](Self::permit), and goes on renewing it until it is not wanted
    /// any more. Requests are few: one when a node first wants something of a fence group, and one when
    /// it has nothing of it any more.
    pub fn start_fenced(
        options: Options,
        requests: Sender<PermitRequest>,
    ) -> Result<Self, StartError> {
        Self::launch(options, Some(requests))
    }

    fn launch(
        options: Options,
        requests: Option<Sender<PermitRequest>>,
    ) -> Result<Self, StartError> {
        let is_fenced = requests.is_some();
        let mailbox = Arc::new(Mailbox::new().map_err(StartError::Thread)?);
        let wake = Arc::clone(mailbox.wake());
        let (opener, opener_thread) =
            Opener::start(options.privileges, options.configures_links, wake)
                .map_err(StartError::PacketSocket)?;
        let (sender, events) = sync_channel(MOST_EVENTS);
        let (proof, outcome) = sync_channel(1);
        let mailbox_of_thread = Arc::clone(&mailbox);
        let io_thread = std::thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(move || {
                let _closer = Closer(Arc::clone(&mailbox_of_thread));
                let mailbox = Arc::clone(&mailbox_of_thread);
                let prepared = prepare(options, mailbox, opener, sender, requests);
                let (ready, result) = match prepared {
                    Ok((ready, scheduling)) => (Some(ready), Ok(scheduling)),
                    Err(error) => (None, Err(error)),
                };
                drop(proof.send(result));
                if let Some((mut worker, mut poller)) = ready
                    && let Err(error) = driver::run(&mut worker, &mut poller)
                {
                    mailbox_of_thread.close(&error.to_string());
                }
            })
            .map_err(StartError::Thread)?;
        let ended = || std::io::Error::other("the I/O thread ended early");
        let scheduling = outcome.recv().map_err(|_| StartError::Thread(ended()))??;
        let events = Events {
            receiver: Mutex::new(events),
        };
        Ok(Self {
            mailbox,
            events,
            scheduling,
            is_fenced,
            threads: vec![io_thread, opener_thread],
        })
    }

    /// Makes `announcements` the set of addresses that are announced, in place of the previous one.
    ///
    /// What is new is probed and announced, what is gone is answered for no more, what stays is not
    /// disturbed. Sorting is done here, O(n log n); the I/O thread then walks the set once. Returns
    /// before that: ask [`status`](Self::status) or [`events`](Self::events) for what came of it.
    pub fn announce(&self, announcements: Vec<Announcement>) -> Result<(), AnnounceError> {
        self.set(Desired {
            announcements,
            ..Desired::default()
        })
    }

    /// Makes `desired` the whole of what is announced, and of what decides on it.
    ///
    /// Like [`announce`](Self::announce), which is this without an election and virtual routers.
    pub fn set(&self, desired: Desired) -> Result<(), AnnounceError> {
        if let Some(election) = &desired.election {
            self.check_timing(election.settings.timing)?;
            if let Some(fences) = election.settings.fences.filter(|_| !self.is_fenced) {
                return Err(AnnounceError::NeedsFence { fences });
            }
        }
        let desired = DesiredSet::new(desired)?;
        self.mailbox
            .leave(|letters| letters.desired = Some(desired))
            .map_err(|reason| AnnounceError::Ended { reason })
    }

    /// How every desired address stands, sorted by address. Empty once the I/O thread has ended.
    ///
    /// It already shows the set of the last [`announce`](Self::announce). The I/O thread copies 19
    /// octets for each address and interface; the rest is done here.
    pub fn status(&self) -> Vec<AddressStatus> {
        self.snapshot()
            .map(|snapshot| snapshot.addresses())
            .unwrap_or_default()
    }

    /// How every interface stands on which something is announced, with its counters.
    pub fn interfaces(&self) -> Vec<InterfaceStatus> {
        self.snapshot()
            .map(|snapshot| snapshot.interfaces())
            .unwrap_or_default()
    }

    /// How every virtual router stands, on each interface that it is on.
    pub fn routers(&self) -> Vec<RouterStatus> {
        self.snapshot()
            .map(|snapshot| snapshot.routers)
            .unwrap_or_default()
    }

    /// How the election on every link stands that carries elected addresses.
    pub fn segments(&self) -> Vec<SegmentStatus> {
        self.snapshot()
            .map(|snapshot| snapshot.segments)
            .unwrap_or_default()
    }

    /// Hands over what other nodes can have and takes nothing (`true`), or takes part again. It adds
    /// to [`Election::draining`], and `false` also undoes the order of another node.
    /// [`events`](Self::events) tells when nothing is left. Virtual routers are not concerned: leave
    /// them out of the desired set.
    pub fn drain(&self, drain: bool) {
        self.command(Command::Drain(drain));
    }

    /// Tells another node of the elections to [drain](Self::drain), by the beats of every link.
    /// [`events`](Self::events) tells whether it did.
    pub fn order_drain(&self, node: &NodeId, drain: bool) {
        self.command(Command::Order(node.clone(), drain));
    }

    /// Answers a [`PermitRequest`]: shards of this fence group may be owned on the interface for so long
    /// from now on, or with `None` no longer at all. A later answer replaces an earlier one.
    ///
    /// Nothing is sent for them past that instant unless another answer comes first. A fence that
    /// promises no overlap leaves as much room before anybody else can get the permit as clocks may
    /// differ in rate, and counts from before it asked, not from when it was answered.
    pub fn permit(&self, interface: &str, fence: u16, valid_for: Option<Duration>) {
        let until = valid_for.map(|span| clock::now() + span);
        let interface = interface.into();
        self.command(Command::Permit {
            interface,
            fence,
            until,
        });
    }

    /// What happens, as it happens. At most 4,096 events wait; then the number of missed ones is
    /// told instead.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Whether the I/O thread runs ahead of others, or why not.
    pub const fn scheduling(&self) -> &Scheduling {
        &self.scheduling
    }

    /// Why the I/O thread has ended by itself, if it has: nothing is answered for any more then.
    pub fn failure(&self) -> Option<String> {
        self.mailbox.leave(|_| {}).err()
    }

    /// Stops answering for every address and ends the threads. Returns when they have ended.
    ///
    /// Elected addresses are handed over first: it waits until others have them, 200 ms at most.
    pub fn stop(self) {
        drop(self);
    }

    fn check_timing(&self, timing: Timing) -> Result<(), AnnounceError> {
        let least = Profile::Normal.timing().dead_after();
        let reason = match &self.scheduling {
            _ if timing.dead_after() >= least => return Ok(()),
            Scheduling::Realtime { .. } => return Ok(()),
            Scheduling::Ordinary => "start the announcer with a priority".to_owned(),
            Scheduling::Refused { reason } => reason.clone(),
        };
        Err(AnnounceError::NeedsRealtime {
            dead_after: timing.dead_after(),
            reason,
            least,
        })
    }

    fn command(&self, command: Command) {
        // It fails only when the thread has ended, and then there is nothing left to command.
        drop(self.mailbox.leave(|letters| letters.commands.push(command)));
    }

    fn snapshot(&self) -> Option<Snapshot> {
        let (asker, answer) = sync_channel(1);
        self.mailbox
            .leave(|letters| letters.questions.push(asker))
            .ok()?;
        answer.recv().ok()
    }
}

impl fmt::Debug for Announcer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Announcer")
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        // It fails only when the thread has ended already.
        drop(self.mailbox.leave(|letters| letters.stop = true));
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so on standard error.
            drop(thread.join());
        }
    }
}

/// The events of an announcer, oldest first. One reader at a time: others wait for it.
#[derive(Debug)]
pub struct Events {
    receiver: Mutex<Receiver<Event>>,
}

impl Events {
    /// The next event, if there is one already.
    pub fn try_recv(&self) -> Result<Event, TryRecvError> {
        self.receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .try_recv()
    }

    /// The next event, waiting for it no longer than `timeout`.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Event, RecvTimeoutError> {
        self.receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv_timeout(timeout)
    }
}

/// Closes the letter box however the thread ends, so that nobody waits for an answer for ever.
struct Closer<L: Default = mailbox::Letters>(Arc<Mailbox<L>>);

impl<L: Default> Drop for Closer<L> {
    fn drop(&mut self) {
        let reason = if std::thread::panicking() {
            "its thread panicked"
        } else {
            "it was stopped"
        };
        self.0.close(reason);
    }
}

/// What the I/O thread does before it is ready. Gives up its capabilities as soon as it can do
/// without them.
fn prepare(
    options: Options,
    mailbox: Arc<Mailbox>,
    opener: Opener,
    events: SyncSender<Event>,
    requests: Option<Sender<PermitRequest>>,
) -> Result<((Worker, driver::poller::Poller), Scheduling), StartError> {
    let otherwise = "leave elections and virtual routers at a second and more";
    let scheduling = Scheduling::of_this_thread(options.priority, otherwise);
    if let Scheduling::Refused { reason } = &scheduling {
        tracing::info!(reason, "announcing does not run ahead of other threads");
    }
    if options.privileges == Privileges::Drop {
        privileges::keep_only(&[])
            .map_err(|error| StartError::Thread(std::io::Error::other(error)))?;
    }
    let worker =
        Worker::new(options, mailbox, opener, events, requests).map_err(StartError::Netlink)?;
    Ok((worker, scheduling))
}

const THREAD_NAME: &str = "openelb-io";
const MOST_EVENTS: usize = 4096;

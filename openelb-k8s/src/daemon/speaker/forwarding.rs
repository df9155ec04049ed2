//! Learned routes to pods in the node's kernel: started and stopped as the `PodNetwork` says.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, thread};

use caps::{CapSet, Capability};
use openelb_announce::announcer::kernel_routes::{Ending, KernelRoutes, Options, Status, sweep};
use openelb_announce::announcer::speaker::Speaker;
use tracing::{info, warn};

use crate::pod_network::Kernel;

/// Keeps what peers announced of pods in the kernel, while that is wanted.
#[derive(Debug, Clone)]
pub(super) struct Forwarding {
    opener: Sender<Order>,
    kept: Arc<Mutex<Kept>>,
}

/// What the thread with the capability is to do.
#[derive(Debug)]
enum Order {
    /// Keep routes from now on.
    Open(Options, SyncSender<Result<KernelRoutes, String>>),
    /// Remove what a former process left in other tables than this one.
    Sweep(Option<u32>),
}

#[derive(Debug, Default)]
struct Kept {
    /// What a former process left where nothing is wanted now was looked for.
    is_swept: bool,
    wanted: Option<Kernel>,
    keeper: Option<KernelRoutes>,
    problem: Option<String>,
    is_complete: bool,
}

impl Forwarding {
    /// Starts the thread that may open the kernel's routes, and does nothing else: which table is
    /// wanted is not known before this thread gave its capabilities up.
    pub(super) fn start() -> io::Result<Self> {
        let (opener, asked) = mpsc::channel();
        thread::Builder::new()
            .name("openelb-opener".to_owned())
            .spawn(move || open(&asked))?;
        Ok(Self {
            opener,
            kept: Arc::default(),
        })
    }

    /// Makes this what is wanted; routes of a table that is wanted no more are removed. Call it after
    /// the speaker was told its peers: without them nothing would be missing.
    pub(super) fn want(&self, wanted: Option<Kernel>) {
        let mut kept = self.kept();
        if !std::mem::replace(&mut kept.is_swept, true) {
            // It fails when the thread has ended, which opening tells.
            drop(
                self.opener
                    .send(Order::Sweep(wanted.map(|kernel| kernel.table))),
            );
        }
        if kept.wanted == wanted {
            return;
        }
        if let Some(keeper) = kept.keeper.take() {
            keeper.stop(Ending::Remove);
        }
        *kept = Kept {
            is_swept: true,
            wanted,
            ..Kept::default()
        };
        let Some(kernel) = wanted else { return };
        info!(
            table = kernel.table,
            "learned routes to pods go into the kernel"
        );
        match self.opened(kernel) {
            Ok(keeper) => kept.keeper = Some(keeper),
            Err(problem) => {
                warn!(problem, "routes to pods cannot be kept in the kernel");
                kept.problem = Some(problem);
            }
        }
    }

    /// Takes over what the speaker has learned.
    pub(super) fn refresh(&self, speaker: &Speaker) {
        let mut kept = self.kept();
        let Some(keeper) = &kept.keeper else { return };
        let Ok(learned) = speaker.learned() else {
            return;
        };
        let routes = learned.routes.into_iter().map(|learned| learned.route);
        let mut told = keeper.set(routes.collect());
        // Once for ever: from then on a route that is missing is gone.
        if learned.is_complete && !kept.is_complete {
            told = told.and_then(|()| keeper.synced());
            kept.is_complete = true;
        }
        if let Err(ended) = told {
            kept.problem = Some(ended.to_string());
        }
    }

    /// How the routes stand; `None`: there are to be none.
    pub(super) fn status(&self) -> Option<Status> {
        let kept = self.kept();
        kept.wanted?;
        let status = kept.keeper.as_ref().and_then(|keeper| keeper.status().ok());
        let mut status = status.unwrap_or_default();
        status.problem = status.problem.or_else(|| kept.problem.clone());
        Some(status)
    }

    /// Ends it: the routes stay for a process that comes back at once, or go.
    pub(super) fn end(&self, ending: Ending) {
        if let Some(keeper) = self.kept().keeper.take() {
            keeper.stop(ending);
        }
    }

    fn opened(&self, kernel: Kernel) -> Result<KernelRoutes, String> {
        let options = Options {
            table: kernel.table,
            metric: NonZeroU32::new(kernel.metric).unwrap_or_else(|| Options::default().metric),
            ..Options::default()
        };
        let (reply, answer) = mpsc::sync_channel(1);
        let asked = self.opener.send(Order::Open(options, reply));
        let ended = || "the thread that opens the kernel's routes has ended".to_owned();
        asked.map_err(|_| ended())?;
        answer.recv().map_err(|_| ended())?
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens until nobody can ask any more. The thread keeps the one capability that it is there for.
fn open(asked: &Receiver<Order>) {
    let limit = limit();
    while let Ok(order) = asked.recv() {
        let (options, reply) = match order {
            Order::Open(options, reply) => (options, reply),
            Order::Sweep(kept) => {
                match sweep(Options::default().protocol, kept) {
                    Ok(0) => {}
                    Ok(routes) => info!(routes, "removed from the kernel what nobody wants now"),
                    Err(problem) => warn!("{problem}"),
                }
                continue;
            }
        };
        let opened = limit.clone().and_then(|()| {
            let started = KernelRoutes::start(options, |event| info!("kernel: {event}"));
            started.map_err(|error| error.to_string())
        });
        // Whoever asked may have gone.
        drop(reply.send(opened));
    }
}

/// Keeps `CAP_NET_ADMIN`, as far as it is there, and nothing else.
fn limit() -> Result<(), String> {
    let has = caps::has_cap(None, CapSet::Permitted, Capability::CAP_NET_ADMIN);
    if !has.unwrap_or(false) {
        return Err(
            "there is no CAP_NET_ADMIN for routes in the kernel; install with the protocol `pods`"
                .to_owned(),
        );
    }
    let only = HashSet::from([Capability::CAP_NET_ADMIN]);
    let failed = |error: caps::errors::CapsError| error.to_string();
    for set in [CapSet::Ambient, CapSet::Inheritable] {
        caps::clear(None, set).map_err(failed)?;
    }
    for set in [CapSet::Effective, CapSet::Permitted] {
        caps::set(None, set, &only).map_err(failed)?;
    }
    Ok(())
}

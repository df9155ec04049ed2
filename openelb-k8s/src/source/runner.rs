//! The sources of several prefixes: a thread starts and ends them as they are wanted.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use caps::errors::CapsError;
use caps::{CapSet, Capability, CapsHashSet};
use openelb_announce::announcer::Privileges;
use openelb_ipam::dynamic_prefix::Input;
use openelb_ipam::relative::PrefixName;
use tracing::warn;

use super::Sources;
use crate::prefix::Source;

/// Prefixes by name: those of their sources that are to run, with their places in the specification.
pub type Wanted = BTreeMap<PrefixName, Vec<(usize, Source)>>;

/// Something about the sources of a prefix.
#[derive(Debug)]
pub enum News {
    /// One of them says this.
    Said(PrefixName, Input),
    /// They were ended, to be started anew or not: what they said does not count any more.
    Ended(PrefixName),
}

/// The thread that runs the sources. Dropping it ends them, and waits for that.
///
/// A value by [`default`](Default::default) runs nothing, whatever is wanted.
#[derive(Debug, Default)]
pub struct Runner {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
    wanted: Wanted,
}

/// What the thread acts on.
#[derive(Debug)]
enum Order {
    /// These sources are to run.
    Want(Wanted),
    /// A source has said something.
    Look,
    /// End everything.
    End,
}

impl Runner {
    /// Starts the thread, which runs nothing yet. `hear` is called on it, with what is new, and may wait.
    ///
    /// Router Advertisements take `CAP_NET_RAW`, also those of a prefix that comes later: the thread
    /// keeps this capability of its creator's, and no other.
    pub fn start(hear: impl FnMut(Vec<News>) + Send + 'static) -> io::Result<Self> {
        let (orders, inbox) = channel();
        let wake = orders.clone();
        let thread = std::thread::Builder::new().name("openelb-sources".to_owned());
        let thread = thread.spawn(move || {
            if let Err(error) = keep(|it| *it == Capability::CAP_NET_RAW) {
                warn!(%error, "the sources of prefixes run with more rights than they need");
            }
            obey(&inbox, &wake, hear);
        })?;
        Ok(Self {
            orders: Some(orders),
            thread: Some(thread),
            wanted: Wanted::new(),
        })
    }

    /// Makes these the sources that run; those of prefixes whose sources stay the same go on.
    pub fn want(&mut self, wanted: Wanted) {
        if wanted != self.wanted {
            self.tell(Order::Want(wanted.clone()));
            self.wanted = wanted;
        }
    }

    fn tell(&self, order: Order) {
        // A thread that ended has nobody left to hear it.
        let _ = self.orders.as_ref().map(|orders| orders.send(order));
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.tell(Order::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What runs for a prefix, and what it was started for.
struct Running {
    wanted: Vec<(usize, Source)>,
    sources: Vec<Sources>,
}

fn obey(orders: &Receiver<Order>, wake: &Sender<Order>, mut hear: impl FnMut(Vec<News>)) {
    let mut running: BTreeMap<PrefixName, Running> = BTreeMap::new();
    while let Ok(order) = orders.recv() {
        let mut news = match order {
            Order::Want(wanted) => follow(&mut running, wanted, wake),
            Order::Look => Vec::new(),
            Order::End => return,
        };
        for (name, Running { sources, .. }) in &running {
            let said = sources.iter();
            let said = said.flat_map(|it| std::iter::from_fn(|| it.try_recv()));
            news.extend(said.map(|input| News::Said(name.clone(), input)));
        }
        if !news.is_empty() {
            hear(news);
        }
    }
}

/// Starts and ends sources, so that those that are wanted run.
fn follow(
    running: &mut BTreeMap<PrefixName, Running>,
    wanted: Wanted,
    wake: &Sender<Order>,
) -> Vec<News> {
    let mut news = Vec::new();
    running.retain(|name, it| {
        let stays = wanted.get(name) == Some(&it.wanted);
        if !stays {
            news.push(News::Ended(name.clone()));
        }
        stays
    });
    for (name, wanted) in wanted {
        if running.contains_key(&name) {
            continue;
        }
        let sources = start(wanted.clone(), wake).unwrap_or_else(|why| {
            warn!(%name, why, "the sources of a prefix do not run");
            let failed = wanted.iter().map(|(source, _)| {
                let (source, why) = (*source, why.clone());
                News::Said(name.clone(), Input::Failed { source, why })
            });
            news.extend(failed);
            Vec::new()
        });
        running.insert(name, Running { wanted, sources });
    }
    news
}

/// Starts the sources of a prefix. Only those that hear the network inherit this thread's right to open
/// sockets for that, and give it up where they read; files and servers are read without any.
fn start(wanted: Vec<(usize, Source)>, wake: &Sender<Order>) -> Result<Vec<Sources>, String> {
    let look = || {
        let wake = wake.clone();
        move || {
            // The thread that looks has ended when nobody is left to hear.
            let _ = wake.send(Order::Look);
        }
    };
    let all = wanted.into_iter();
    let (network, others): (Vec<_>, Vec<_>) = all.partition(|(_, it)| hears_network(it));
    let look_at_others = look();
    let others = std::thread::spawn(move || {
        keep(|_| false).map_err(|error| error.to_string())?;
        let started = Sources::start(others, Privileges::Drop, look_at_others);
        started.map_err(|error| error.to_string())
    });
    let network = Sources::start(network, Privileges::Drop, look());
    let network = network.map_err(|error| error.to_string())?;
    let others = others.join();
    let others = others.map_err(|_| "a thread panicked".to_owned())??;
    Ok(vec![network, others])
}

const fn hears_network(source: &Source) -> bool {
    matches!(
        source,
        Source::Address { .. } | Source::Route(_) | Source::RouterAdvertisement { .. }
    )
}

/// Keeps these capabilities, as far as they are there, in this thread and those that it starts.
fn keep(is_kept: impl Fn(&Capability) -> bool) -> Result<(), CapsError> {
    let permitted = caps::read(None, CapSet::Permitted)?;
    let kept: CapsHashSet = permitted.into_iter().filter(is_kept).collect();
    for set in [CapSet::Ambient, CapSet::Inheritable] {
        caps::clear(None, set)?;
    }
    for set in [CapSet::Effective, CapSet::Permitted] {
        caps::set(None, set, &kept)?;
    }
    Ok(())
}

//! The sources of prefixes that this process reads, and what they say now.
//!
//! They run on a thread that starts before the process gives its capabilities up: Router
//! Advertisements take `CAP_NET_RAW`, also for a prefix that comes later.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use caps::errors::CapsError;
use caps::{CapSet, Capability, CapsHashSet};
use ipnet::Ipv6Net;
use openelb_announce::announcer::Privileges;
use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::{Input, Sighting};
use tokio::sync::watch;
use tracing::{error, warn};

use super::clock;
use crate::api::{DynamicPrefix, ObservedPrefix};
use crate::prefix::{Source, followed};
use crate::source::Sources;

/// Prefixes by name: the sources that are read here, with their places in the specification.
pub(super) type Wanted = BTreeMap<String, Vec<(usize, Source)>>;

/// Those of the sources of some prefixes that are to be read here.
pub(super) fn wanted<'a>(
    objects: impl IntoIterator<Item = &'a DynamicPrefix>,
    is_read_here: impl Fn(&Source) -> bool,
) -> Wanted {
    let mut wanted = Wanted::new();
    for object in objects {
        let sources = followed(object).prefix.map(|meant| meant.sources);
        let sources = sources.into_iter().flatten().enumerate();
        let here: Vec<_> = sources.filter(|(_, it)| is_read_here(it)).collect();
        if !here.is_empty() {
            wanted.insert(object.metadata.name.clone(), here);
        }
    }
    wanted
}

/// The running sources. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Upstream {
    orders: Sender<Order>,
    said: watch::Receiver<Vec<ObservedPrefix>>,
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

impl Upstream {
    /// Starts the thread, which reads nothing yet.
    pub(super) fn start() -> Self {
        let (orders, inbox) = channel();
        let (told, said) = watch::channel(Vec::new());
        let wake = orders.clone();
        let thread = std::thread::Builder::new().name("openelb-sources".to_owned());
        let thread = thread.spawn(move || {
            if let Err(error) = keep(|it| *it == Capability::CAP_NET_RAW) {
                warn!(%error, "the sources of prefixes run with more rights than they need");
            }
            obey(&inbox, &wake, &told);
        });
        if let Err(error) = thread {
            error!(%error, "no thread for the sources of prefixes: none is read here");
        }
        Self {
            orders,
            said,
            wanted: Wanted::new(),
        }
    }

    /// Makes these the sources that run; those that run already go on.
    pub(super) fn want(&mut self, wanted: Wanted) {
        if wanted != self.wanted {
            self.tell(Order::Want(wanted.clone()));
            self.wanted = wanted;
        }
    }

    /// What they say, in the order of name, source and origin.
    pub(super) fn said(&mut self) -> Vec<ObservedPrefix> {
        self.said.borrow_and_update().clone()
    }

    /// Comes back when they say something else. Dropping the future loses nothing.
    pub(super) async fn changed(&mut self) {
        if self.said.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn tell(&self, order: Order) {
        // A thread that could not start has said so.
        let _ = self.orders.send(order);
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.tell(Order::End);
    }
}

/// The sources of one prefix, and what they said last.
struct Running {
    wanted: Vec<(usize, Source)>,
    sources: Vec<Sources>,
    seen: BTreeMap<(usize, String, Ipv6Net), Sighting>,
    failing: BTreeMap<usize, String>,
}

fn obey(inbox: &Receiver<Order>, wake: &Sender<Order>, told: &watch::Sender<Vec<ObservedPrefix>>) {
    let mut running: BTreeMap<String, Running> = BTreeMap::new();
    while let Ok(order) = inbox.recv() {
        match order {
            Order::Want(wanted) => follow(&mut running, wanted, wake),
            Order::Look => {}
            Order::End => return,
        }
        let now = clock::now();
        for it in running.values_mut() {
            it.hear(now);
        }
        let said = running.iter().flat_map(|(name, it)| it.said(name));
        let said: Vec<_> = said.collect();
        told.send_if_modified(|before| {
            let is_new = *before != said;
            if is_new {
                *before = said;
            }
            is_new
        });
    }
}

/// Starts and ends sources, so that those that are wanted run.
fn follow(running: &mut BTreeMap<String, Running>, wanted: Wanted, wake: &Sender<Order>) {
    running.retain(|name, it| wanted.get(name) == Some(&it.wanted));
    for (name, wanted) in wanted {
        running
            .entry(name)
            .or_insert_with_key(|name| Running::start(name, wanted, wake));
    }
}

impl Running {
    fn start(name: &str, wanted: Vec<(usize, Source)>, wake: &Sender<Order>) -> Self {
        let mut failing = BTreeMap::new();
        let sources = start(wanted.clone(), wake).unwrap_or_else(|why| {
            warn!(name, why, "the sources of a prefix do not run");
            let all = wanted.iter().map(|(source, _)| (*source, why.clone()));
            failing = all.collect();
            Vec::new()
        });
        Self {
            wanted,
            sources,
            seen: BTreeMap::new(),
            failing,
        }
    }

    fn hear(&mut self, now: Time) {
        let news = self.sources.iter();
        let news: Vec<_> = news
            .flat_map(|it| std::iter::from_fn(|| it.try_recv()))
            .collect();
        for input in news {
            self.note(input, now);
        }
    }

    fn note(&mut self, input: Input, now: Time) {
        match input {
            Input::Seen(sighting) => {
                self.failing.remove(&sighting.source);
                let key = (sighting.source, sighting.origin.clone(), sighting.prefix);
                let known = self.seen.get(&key);
                if known.is_none_or(|known| is_news(known, &sighting, now)) {
                    self.seen.insert(key, sighting);
                }
            }
            Input::Gone {
                source,
                origin,
                prefix,
            } => drop(self.seen.remove(&(source, origin, prefix))),
            Input::Failed { source, why } => drop(self.failing.insert(source, why)),
            Input::Worked { source } => drop(self.failing.remove(&source)),
            // Sources say neither.
            Input::Announced { .. } | Input::Configure(_) => {}
        }
    }

    fn said(&self, name: &str) -> Vec<ObservedPrefix> {
        let word = |source: usize| ObservedPrefix {
            name: name.to_owned(),
            source: u32::try_from(source).unwrap_or(u32::MAX),
            ..ObservedPrefix::default()
        };
        let seen = self.seen.values().map(|it| ObservedPrefix {
            origin: it.origin.clone(),
            prefix: it.prefix.to_string(),
            preferred_until: it.preferred_until.map(|until| until.to_string()),
            valid_until: it.valid_until.map(|until| until.to_string()),
            ..word(it.source)
        });
        let failing = self.failing.iter().map(|(source, why)| ObservedPrefix {
            problem: why.clone(),
            ..word(*source)
        });
        let mut said: Vec<_> = failing.chain(seen).take(MOST_SAID).collect();
        // Stable, so that prefixes of an origin stay in order.
        said.sort_by(|a, b| (a.source, &a.origin).cmp(&(b.source, &b.origin)));
        said
    }
}

/// Whether a source says more than that things go on: a life that ends sooner, or one that was renewed
/// by as much as was left of it. Routers renew lives every few minutes, and each word here is a write.
fn is_news(known: &Sighting, new: &Sighting, now: Time) -> bool {
    let differs = |known: Option<Time>, new: Option<Time>| match (known, new) {
        (None, None) => false,
        (Some(known), Some(new)) => new + SLACK < known || (known - now) * 2 < new - now,
        _ => true,
    };
    differs(known.preferred_until, new.preferred_until)
        || differs(known.valid_until, new.valid_until)
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
    let hears_network = |source: &Source| {
        matches!(
            source,
            Source::Address { .. } | Source::Route(_) | Source::RouterAdvertisement { .. }
        )
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

/// Lives are counted in seconds, and told at slightly different moments.
const SLACK: Duration = Duration::from_secs(2);

/// More than any network that works has to say; the object has a limit of size.
const MOST_SAID: usize = 64;

//! The sources of the prefixes that addresses follow: a thread starts and ends them as the
//! configuration says; what they tell goes to the keeper.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use openelb_announce::announcer::Privileges;
use openelb_ipam::dynamic_prefix::Input;
use openelb_ipam::relative::PrefixName;
use openelb_k8s::prefix::Source;
use openelb_k8s::source::Sources;
use tokio::sync::mpsc;
use tracing::{error, warn};

use super::rights::{give_up_capabilities, keep_net_raw};
use super::speaker::News;
use crate::config::PrefixConfig;
use crate::exit_code::{ExitCode, Failure};

/// Tells the thread what is wanted; dropping it ends the sources.
#[derive(Debug, Default)]
pub(super) struct Upstreams {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread acts on.
#[derive(Debug)]
enum Order {
    /// These prefixes are to have their sources running.
    Want(Vec<PrefixConfig>),
    /// A source has said something.
    Look,
    /// End everything.
    End,
}

impl Upstreams {
    /// Starts the thread, which has no sources yet. It must start while this thread still has
    /// `CAP_NET_RAW`, without which nobody hears Router Advertisements: sources that a later edit
    /// adds need it too.
    pub(super) fn start(news: mpsc::Sender<News>) -> Result<Self, Failure> {
        let (orders, inbox) = channel();
        let wake = orders.clone();
        let thread = std::thread::Builder::new()
            .name("openelb-sources".to_owned())
            .spawn(move || {
                if let Err(failure) = keep_net_raw() {
                    error!(%failure, "the sources of prefixes run with more rights than they need");
                }
                obey(&inbox, &wake, &news);
            });
        let thread = thread.map_err(|error| {
            Failure::new(ExitCode::Failed, format!("cannot start a thread: {error}"))
        })?;
        Ok(Self {
            orders: Some(orders),
            thread: Some(thread),
        })
    }

    /// Makes these the prefixes whose sources run; those that run already go on.
    pub(super) fn want(&self, prefixes: &[PrefixConfig]) {
        self.tell(Order::Want(prefixes.to_vec()));
    }

    fn tell(&self, order: Order) {
        // A thread that ended has said so on standard error.
        let _ = self.orders.as_ref().map(|orders| orders.send(order));
    }
}

impl Drop for Upstreams {
    fn drop(&mut self) {
        self.tell(Order::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What runs for a prefix, and what it was started for.
struct Running {
    wanted: Vec<Source>,
    sources: Vec<Sources>,
}

fn obey(orders: &Receiver<Order>, wake: &Sender<Order>, news: &mpsc::Sender<News>) {
    let mut running: BTreeMap<PrefixName, Running> = BTreeMap::new();
    while let Ok(order) = orders.recv() {
        match order {
            Order::Want(wanted) => follow(&mut running, wanted, wake, news),
            Order::Look => {}
            Order::End => return,
        }
        for (name, Running { sources, .. }) in &running {
            for input in sources
                .iter()
                .flat_map(|it| std::iter::from_fn(|| it.try_recv()))
            {
                tell(news, name, input);
            }
        }
    }
}

/// Starts and ends sources, so that those of the configuration run.
fn follow(
    running: &mut BTreeMap<PrefixName, Running>,
    prefixes: Vec<PrefixConfig>,
    wake: &Sender<Order>,
    news: &mpsc::Sender<News>,
) {
    running.retain(|name, it| {
        let mut same = prefixes.iter().filter(|prefix| prefix.follow.name == *name);
        same.any(|prefix| prefix.sources == it.wanted)
    });
    for PrefixConfig { follow, sources } in prefixes {
        let name = follow.name;
        if running.contains_key(&name) {
            continue;
        }
        let wanted = sources.clone();
        match start(sources, wake) {
            Ok(sources) => drop(running.insert(name, Running { wanted, sources })),
            Err(error) => {
                warn!(%name, %error, "the sources of a prefix do not run");
                for source in 0..wanted.len() {
                    let why = error.clone();
                    tell(news, &name, Input::Failed { source, why });
                }
            }
        }
    }
}

/// Starts the sources of a prefix. Only those that hear the network inherit this thread's right to
/// open sockets for that, and give it up where they read; files and servers are read without any.
fn start(sources: Vec<Source>, wake: &Sender<Order>) -> Result<Vec<Sources>, String> {
    let look = || {
        let wake = wake.clone();
        move || {
            // The thread that looks has ended when nobody is left to hear.
            let _ = wake.send(Order::Look);
        }
    };
    let (network, others): (Vec<_>, Vec<_>) = sources
        .into_iter()
        .enumerate()
        .partition(|(_, source)| hears_network(source));
    let look_at_others = look();
    let others = std::thread::spawn(move || {
        give_up_capabilities().map_err(|failure| failure.message)?;
        let started = Sources::start(others, Privileges::Drop, look_at_others);
        started.map_err(|error| error.to_string())
    });
    let network = Sources::start(network, Privileges::Drop, look());
    let network = network.map_err(|error| error.to_string())?;
    let others = others
        .join()
        .map_err(|_| "a thread panicked".to_owned())??;
    Ok(vec![network, others])
}

fn hears_network(source: &Source) -> bool {
    matches!(
        source,
        Source::Address { .. } | Source::Route(_) | Source::RouterAdvertisement { .. }
    )
}

/// Waits while the keeper has much to do; one that ended needs no news any more.
fn tell(news: &mpsc::Sender<News>, name: &PrefixName, input: Input) {
    let name = name.clone();
    let _ = news.blocking_send(News::Prefix { name, input });
}

//! The sources of prefixes that this process reads, and what they say now.
//!
//! They run on a thread that starts before the process gives its capabilities up: Router
//! Advertisements take `CAP_NET_RAW`, also for a prefix that comes later.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::Ipv6Net;
use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::{Input, Sighting};
use openelb_ipam::relative::PrefixName;
use tokio::sync::watch;
use tracing::error;

use super::clock;
use crate::api::{DynamicPrefix, ObservedPrefix};
use crate::prefix::{Source, followed};
use crate::source::{News, Runner, Wanted};

/// Those of the sources of some prefixes that are to be read here.
pub(super) fn wanted<'a>(
    objects: impl IntoIterator<Item = &'a DynamicPrefix>,
    is_read_here: impl Fn(&Source) -> bool,
) -> Wanted {
    let mut wanted = Wanted::new();
    for object in objects {
        let Ok(name) = object.metadata.name.parse() else {
            continue;
        };
        let sources = followed(object).prefix.map(|meant| meant.sources);
        let sources = sources.into_iter().flatten().enumerate();
        let here: Vec<_> = sources.filter(|(_, it)| is_read_here(it)).collect();
        if !here.is_empty() {
            wanted.insert(name, here);
        }
    }
    wanted
}

/// The running sources. Dropping it ends them.
#[derive(Debug)]
pub(super) struct Upstream {
    runner: Runner,
    said: watch::Receiver<Vec<ObservedPrefix>>,
}

impl Upstream {
    /// Starts the thread, which reads nothing yet.
    pub(super) fn start() -> Self {
        let (told, said) = watch::channel(Vec::new());
        let mut heard: BTreeMap<PrefixName, Heard> = BTreeMap::new();
        let runner = Runner::start(move |news| {
            let now = clock::now();
            for it in news {
                match it {
                    News::Said(name, input) => heard.entry(name).or_default().note(input, now),
                    News::Ended(name) => drop(heard.remove(&name)),
                }
            }
            let said = heard.iter().flat_map(|(name, it)| it.said(name));
            tell(&told, said.collect());
        });
        let runner = runner.unwrap_or_else(|error| {
            error!(%error, "no thread for the sources of prefixes: none is read here");
            Runner::default()
        });
        Self { runner, said }
    }

    /// Makes these the sources that run; those that run already go on.
    pub(super) fn want(&mut self, wanted: Wanted) {
        self.runner.want(wanted);
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
}

fn tell(told: &watch::Sender<Vec<ObservedPrefix>>, said: Vec<ObservedPrefix>) {
    told.send_if_modified(|before| {
        let is_new = *before != said;
        if is_new {
            *before = said;
        }
        is_new
    });
}

/// What the sources of one prefix said last.
#[derive(Default)]
struct Heard {
    seen: BTreeMap<(usize, String, Ipv6Net), Sighting>,
    failing: BTreeMap<usize, String>,
}

impl Heard {
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

/// Lives are counted in seconds, and told at slightly different moments.
const SLACK: Duration = Duration::from_secs(2);

/// More than any network that works has to say; the object has a limit of size.
const MOST_SAID: usize = 64;

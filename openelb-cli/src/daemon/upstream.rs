//! The sources of the prefixes that addresses follow: what they tell goes to the keeper.

use openelb_k8s::source::News as Word;
use openelb_k8s::source::{Runner, Wanted};
use tokio::sync::mpsc;

use super::speaker::News;
use crate::config::PrefixConfig;
use crate::exit_code::{ExitCode, Failure};

/// Starts the thread that runs sources, none yet. It must start while this thread still has
/// `CAP_NET_RAW`, which Router Advertisements take.
pub(super) fn start(news: mpsc::Sender<News>) -> Result<Runner, Failure> {
    let hear = move |words| {
        for word in words {
            // What sources said that the configuration has no longer is taken back by the engine.
            if let Word::Said(name, input) = word {
                // Waits while the keeper has much to do; one that ended needs no news any more.
                let _ = news.blocking_send(News::Prefix { name, input });
            }
        }
    };
    Runner::start(hear)
        .map_err(|error| Failure::new(ExitCode::Failed, format!("cannot start a thread: {error}")))
}

/// The sources of a configuration.
pub(super) fn wanted(prefixes: &[PrefixConfig]) -> Wanted {
    let prefixes = prefixes.iter();
    let sources = prefixes.map(|PrefixConfig { follow, sources }| {
        let sources = sources.iter().cloned().enumerate();
        (follow.name.clone(), sources.collect())
    });
    sources.collect()
}

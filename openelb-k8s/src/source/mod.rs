//! Runs the sources of a `DynamicPrefix`: what they see becomes
//! [`Input`]s of its machine. [`Runner`] does so for several, whose
//! sources may change.
//!
//! | sources | how they are looked at |
//! |---|---|
//! | addresses, routes, advertisements | the kernel and the routers tell ([`openelb_announce::upstream`]) |
//! | lease files, files | the kernel tells when they change (inotify) |
//! | standard input | a line at a time |
//! | web servers, names | they are asked, less often while they fail |

mod asker;
mod clock;
mod files;
mod network;
mod pace;
mod runner;
mod standard_input;
#[cfg(test)]
mod tests;
mod told;

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use openelb_announce::announcer::Privileges;
use openelb_announce::upstream;
use openelb_ipam::dynamic_prefix::Input;
use thiserror::Error;

pub use self::runner::{News, Runner, Wanted};

use self::asker::Asker;
use self::files::Files;
use crate::prefix::Source;

/// The running sources of one prefix. Dropping it stops them.
///
/// Web servers and names are asked on threads of their own, because an answer may take its time; one
/// that is being asked when the handle is dropped ends when its answer or its time-out has come, and
/// is heard no more.
///
/// ```
/// use openelb_ipam::dynamic_prefix::Input;
/// use openelb_k8s::prefix::Source;
/// use openelb_k8s::source::Sources;
///
/// let fixed = Source::Static { prefix: "2001:db8::/56".parse()? };
/// let sources = Sources::start([(0, fixed)], Default::default(), || {})?;
/// assert!(matches!(sources.try_recv(), Some(Input::Seen(seen)) if seen.valid_until.is_none()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Sources {
    inputs: Receiver<Input>,
    _network: Option<upstream::Upstream>,
    _files: Option<Files>,
    _askers: Vec<Asker>,
}

/// Why sources cannot be run.
#[derive(Debug, Error)]
pub enum StartError {
    /// What the network tells cannot be heard.
    #[error(transparent)]
    Network(#[from] upstream::StartError),
    /// A thread or the descriptors that it needs.
    #[error("starting the thread that watches {what}: {why}; raise the limits of the process")]
    Thread {
        /// What would be watched.
        what: &'static str,
        /// The system's reason.
        why: std::io::Error,
    },
}

impl Sources {
    /// Starts all of them. Each comes with its index in `spec.sources`, so that some can be run here
    /// and the others elsewhere: see [`Source::is_of_node`].
    ///
    /// `privileges` says what becomes of the capabilities of the threads that hear the network;
    /// advertisements take `CAP_NET_RAW`, nothing else takes any. `wake` is called after every input,
    /// on other threads, and must not block.
    pub fn start(
        sources: impl IntoIterator<Item = (usize, Source)>,
        privileges: Privileges,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let (sender, inputs) = channel();
        let outbox = Outbox {
            sender,
            wake: Arc::new(wake),
        };
        let (mut network, mut files, mut askers) = (Vec::new(), Vec::new(), Vec::new());
        for (index, source) in sources {
            match source {
                Source::Address { .. } | Source::Route(_) | Source::RouterAdvertisement { .. } => {
                    network.extend(network::wanted(source).map(|wanted| (index, wanted)));
                }
                Source::Lease {
                    format,
                    path,
                    client,
                } => files.push(files::File::lease(index, format, path, client)),
                Source::File { path: Some(path) } => files.push(files::File::text(index, path)),
                Source::File { path: None } => standard_input::start(index, outbox.clone())?,
                Source::Http { .. } | Source::Dns { .. } => {
                    askers.extend(Asker::start(index, source, outbox.clone())?);
                }
                Source::Static { prefix } => {
                    outbox.send([told::Told::new(index, "static").one(prefix)]);
                }
            }
        }
        Ok(Self {
            inputs,
            _network: network::start(network, privileges, outbox.clone())?,
            _files: Files::start(files, outbox)?,
            _askers: askers,
        })
    }

    /// The next thing that a source said, if there is one already.
    pub fn try_recv(&self) -> Option<Input> {
        self.inputs.try_recv().ok()
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

/// Where every source leaves what it has to say.
#[derive(Clone)]
struct Outbox {
    // The owner reads it whenever it is woken, and sources say something only when it changes.
    sender: Sender<Input>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Outbox {
    /// Leaves some inputs. Nothing when the owner is gone.
    fn send(&self, inputs: impl IntoIterator<Item = Input>) {
        let mut is_new = false;
        for input in inputs {
            is_new |= self.sender.send(input).is_ok();
        }
        if is_new {
            (self.wake)();
        }
    }
}

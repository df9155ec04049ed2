//! A host of the lab: a network namespace and the thread that lives in it.
//!
//! A network namespace belongs to a thread, and so does everything the thread opens or starts: its
//! sockets, its threads, its processes. Work is therefore sent to the host as a closure, and no
//! protocol is needed between hosts.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::mpsc;
use std::thread;

use caps::{CapSet, Capability, CapsHashSet};
use nix::sched::{CloneFlags, unshare};

use super::namespace::Isolation;

/// The way into a host's namespace. Dropping it ends the thread; the namespace
/// lasts while something in it does.
#[derive(Debug)]
pub(crate) struct Host {
    namespace: File,
    task: PathBuf,
    work: mpsc::Sender<Job>,
}

/// Why a host did not come up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HostError {
    /// The thread could not enter a namespace of its own.
    #[error("give host {name} a network namespace: {source}")]
    Namespace {
        /// Which host.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
}

/// What a process started on a host may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rights {
    /// Everything that the lab itself may do inside its namespaces.
    Everything,
    /// `CAP_NET_RAW` and nothing else, which is all that announcing on layer 2 needs.
    NetRaw,
    /// `CAP_NET_BIND_SERVICE` too: a BGP speaker listens on port 179.
    Speaker,
    /// What the speaker of a cluster has when it may speak every protocol: `CAP_NET_ADMIN` besides, for
    /// the interfaces of virtual routers.
    ClusterSpeaker,
    /// None, as a controller.
    Nothing,
    /// `CAP_NET_RAW` and `CAP_SYS_NICE`: announcing on layer 2 from a real-time thread.
    Realtime,
}

impl Host {
    /// Starts a host with an empty network: only a loopback interface, down.
    pub(crate) fn start(name: &str) -> Result<Self, HostError> {
        let (work, jobs) = mpsc::channel();
        let (entered, result) = mpsc::channel();
        let failed = |source| HostError::Namespace {
            name: name.to_owned(),
            source,
        };
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let namespace = enter_namespace();
                let up = namespace.is_ok();
                if entered.send(namespace).is_ok() && up {
                    obey(&jobs);
                }
            })
            .map_err(failed)?;
        let (namespace, task) = result
            .recv()
            .map_err(io::Error::other)
            .and_then(|entered| entered)
            .map_err(failed)?;
        Ok(Self {
            namespace,
            task,
            work,
        })
    }

    /// The network namespace, to move an interface into it.
    pub(crate) fn namespace(&self) -> BorrowedFd<'_> {
        self.namespace.as_fd()
    }

    /// The namespace's path under `/proc`, as seen from outside the lab.
    pub(crate) fn namespace_path(&self) -> PathBuf {
        self.task.join("ns/net")
    }

    /// The command with which a person enters the host from outside.
    pub(crate) fn door(&self, isolation: Isolation) -> String {
        let thread = self.task.file_name().unwrap_or_default().display();
        match isolation {
            Isolation::UserNamespace => {
                format!("nsenter --target {thread} --user --net --preserve-credentials")
            }
            Isolation::Privileged => format!("nsenter --target {thread} --net"),
        }
    }

    /// Runs `job` on the host and waits for what it returns.
    ///
    /// # Panics
    ///
    /// When the job panics.
    pub(crate) fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (answer, result) = mpsc::channel();
        let job = Box::new(move || {
            // The receiver is gone only when the caller panicked.
            let _ = answer.send(job());
        });
        self.work
            .send(job)
            .expect("a host's thread ends only after its Host");
        result.recv().expect("the job does not panic")
    }

    /// Starts a process on the host with these rights.
    pub(crate) fn spawn(&self, mut command: Command, rights: Rights) -> io::Result<Child> {
        self.run(move || {
            // Capabilities belong to the thread too: one that starts the process and ends.
            thread::spawn(move || {
                if let Some(kept) = rights.kept() {
                    keep_only(kept).map_err(io::Error::other)?;
                }
                command.spawn()
            })
            .join()
            .map_err(|_| io::Error::other("the thread that starts processes panicked"))?
        })
    }
}

type Job = Box<dyn FnOnce() + Send>;

fn obey(jobs: &mpsc::Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        job();
    }
}

fn enter_namespace() -> io::Result<(File, PathBuf)> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    let namespace = File::open("/proc/thread-self/ns/net")?;
    // /proc was mounted outside of our PID namespace, so it speaks of the numbers used there.
    let task = PathBuf::from("/proc").join(fs::read_link("/proc/thread-self")?);
    Ok((namespace, task))
}

impl Rights {
    /// The capabilities that stay; `None` when all do.
    const fn kept(self) -> Option<&'static [Capability]> {
        match self {
            Self::Everything => None,
            Self::NetRaw => Some(&[Capability::CAP_NET_RAW]),
            Self::Speaker => Some(&[Capability::CAP_NET_RAW, Capability::CAP_NET_BIND_SERVICE]),
            Self::ClusterSpeaker => Some(&[
                Capability::CAP_NET_RAW,
                Capability::CAP_NET_BIND_SERVICE,
                Capability::CAP_NET_ADMIN,
            ]),
            Self::Nothing => Some(&[]),
            Self::Realtime => Some(&[Capability::CAP_NET_RAW, Capability::CAP_SYS_NICE]),
        }
    }
}

/// Reduces this thread, and what it executes, to these capabilities.
///
/// Root inside the namespace regains at exec(2) what the bounding set holds; any other user keeps
/// what the ambient set holds. Both are set, so both end up with the same.
fn keep_only(kept: &[Capability]) -> Result<(), caps::errors::CapsError> {
    for capability in caps::all() {
        if !kept.contains(&capability) && caps::has_cap(None, CapSet::Bounding, capability)? {
            caps::drop(None, CapSet::Bounding, capability)?;
        }
    }
    let only: CapsHashSet = kept.iter().copied().collect();
    caps::set(None, CapSet::Inheritable, &only)?;
    caps::set(None, CapSet::Ambient, &only)?;
    caps::set(None, CapSet::Effective, &only)?;
    caps::set(None, CapSet::Permitted, &only)
}

/// A command that runs this same program.
pub(crate) fn openelb() -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("openelb");
    command
}

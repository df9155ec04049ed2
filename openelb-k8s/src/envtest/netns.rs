//! A network namespace, and the thread in it that starts its processes.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::process::{Child, Command};
use std::sync::mpsc;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};

/// A network namespace; it lasts while this value, or a process in it, does.
///
/// A [`Process`](super::Process) is killed by the kernel when the thread that started it ends, so that
/// nothing outlives a test, however it ends. Hence one thread, and it ends with this value.
#[derive(Debug)]
pub struct Netns {
    namespace: File,
    work: mpsc::Sender<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Netns {
    /// Makes a namespace with a loopback interface that is up. Takes root.
    pub fn create(name: &str) -> io::Result<Self> {
        let made = Self::keep(name, || {
            unshare(CloneFlags::CLONE_NEWNET).map_err(Into::into)
        })?;
        made.ip("link set lo up")?;
        Ok(made)
    }

    /// Keeps a thread in a namespace that somebody else made.
    pub fn enter(name: &str, namespace: BorrowedFd<'_>) -> io::Result<Self> {
        let namespace = namespace.try_clone_to_owned()?;
        Self::keep(name, move || {
            setns(&namespace, CloneFlags::CLONE_NEWNET).map_err(Into::into)
        })
    }

    /// Moves the calling thread here, and what it starts from now on: sockets, threads, processes.
    pub fn enter_with_this_thread(&self) -> io::Result<()> {
        setns(&self.namespace, CloneFlags::CLONE_NEWNET).map_err(Into::into)
    }

    /// Runs `job` in the namespace and waits for what it returns.
    ///
    /// # Panics
    ///
    /// When the job panics.
    pub fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (answer, result) = mpsc::channel();
        let job = Box::new(move || {
            // The receiver is gone only when the caller panicked.
            let _ = answer.send(job());
        });
        let sent = self.work.send(job);
        sent.expect("the thread ends after its namespace only");
        result.recv().expect("the job does not panic")
    }

    /// Starts a process on the thread of the namespace.
    pub(super) fn spawn(&self, mut command: Command) -> io::Result<Child> {
        self.run(move || command.spawn())
    }

    /// Runs `ip` with these words, separated by spaces.
    pub fn ip(&self, words: &str) -> io::Result<()> {
        let mut command = Command::new("ip");
        command.args(words.split_whitespace());
        let output = self.run(move || command.output())?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("ip {words}: {}", said.trim())))
    }

    /// Makes a link to another namespace: an interface here and its other end there, both down.
    pub fn link(&self, here: &str, there: &str, other: &Self) -> io::Result<()> {
        self.ip(&format!("link add {here} type veth peer name {there}"))?;
        let id = std::process::id();
        let place = format!("/proc/{id}/fd/{}", other.namespace.as_raw_fd());
        self.ip(&format!("link set {there} netns {place}"))
    }

    fn keep(
        name: &str,
        enter: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        let (work, jobs) = mpsc::channel::<Job>();
        let (entered, result) = mpsc::channel();
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let namespace = enter().and_then(|()| File::open("/proc/thread-self/ns/net"));
                if entered.send(namespace).is_ok() {
                    for job in jobs {
                        job();
                    }
                }
            })?;
        let namespace = result.recv().map_err(io::Error::other)??;
        Ok(Self { namespace, work })
    }
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.namespace.as_fd()
    }
}

//! A provider's routers and a customer's host on one link, removed when the test ends.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use openelb_announce::announcer::Privileges;
use openelb_ipam::dynamic_prefix::Input;
use openelb_k8s::prefix::Source;
use openelb_k8s::source::Sources;

/// A bridge, and the hosts that are plugged into it, each with one interface.
pub(crate) struct World {
    name: String,
    hosts: Vec<String>,
    folder: tempfile::TempDir,
}

/// One network namespace.
#[derive(Clone)]
pub(crate) struct Host {
    namespace: String,
}

impl World {
    /// A world for this test, or `None` where that is impossible: then it has said so.
    pub(crate) fn new(test: &str, programs: &[&str]) -> Option<Self> {
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        if !nix::unistd::geteuid().is_root() {
            return skip(test, "it takes root");
        }
        let missing = programs.iter().find(|program| !is_installed(program));
        if let Some(program) = missing {
            return skip(test, &format!("{program} is not installed"));
        }
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let mut world = Self {
            name: format!("oes{:x}-{number}", std::process::id()),
            hosts: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        };
        let switch = world.host("sw");
        switch.sh("ip link add br0 type bridge mcast_snooping 0");
        switch.sh("ip link set br0 up");
        Some(world)
    }

    /// A folder of the test's own.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A router with `isp0` on the link, and this link-local address.
    pub(crate) fn router(&mut self, name: &str, link_local: &str) -> Host {
        let router = self.host(name);
        router.sh("sysctl -qw net.ipv6.conf.all.forwarding=1");
        self.plug(&router, name, "isp0");
        router.sh(&format!("ip addr add {link_local}/64 dev isp0 nodad"));
        router
    }

    /// A host with `wan0` on the link.
    pub(crate) fn customer(&mut self) -> Host {
        let customer = self.host("cpe");
        self.plug(&customer, "cpe", "wan0");
        customer
    }

    fn host(&mut self, name: &str) -> Host {
        let namespace = format!("{}-{name}", self.name);
        sh(&format!("ip netns add {namespace}"));
        self.hosts.push(namespace.clone());
        let host = Host { namespace };
        // Addresses can be used at once; all else is as every host has it.
        host.sh("sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0");
        host.sh("ip link set lo up");
        host
    }

    fn plug(&self, host: &Host, name: &str, interface: &str) {
        let (switch, namespace) = (format!("{}-sw", self.name), &host.namespace);
        sh(&format!(
            "ip -n {switch} link add p-{name} type veth peer name {interface} netns {namespace}"
        ));
        sh(&format!("ip -n {switch} link set p-{name} master br0 up"));
        host.sh(&format!("ip link set {interface} up"));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for namespace in &self.hosts {
            let _ = Command::new("ip")
                .args(["netns", "del", namespace])
                .output();
        }
    }
}

impl Host {
    /// Runs a command line here; it must succeed.
    pub(crate) fn sh(&self, line: &str) -> String {
        sh(&format!("ip netns exec {} {line}", self.namespace))
    }

    /// Starts a program here, in a mount namespace of its own, with these words.
    pub(crate) fn start<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Running {
        let child = Command::new("ip")
            .args(["netns", "exec", &self.namespace])
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Running(child.unwrap())
    }

    /// Runs sources here. Threads and sockets that they make belong here too.
    pub(crate) fn watch(&self, sources: Vec<Source>) -> Watched {
        let (sender, wakes) = channel();
        let sender = Mutex::new(sender);
        let wake = move || {
            let _ = sender.lock().unwrap().send(());
        };
        let sources = std::thread::scope(|scope| {
            let inside = || {
                let path = format!("/run/netns/{}", self.namespace);
                let namespace = std::fs::File::open(path).unwrap();
                setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
                let sources = sources.into_iter().enumerate();
                Sources::start(sources, Privileges::Drop, wake).unwrap()
            };
            scope.spawn(inside).join().unwrap()
        });
        Watched { sources, wakes }
    }
}

/// Running sources, and their wake-ups.
pub(crate) struct Watched {
    sources: Sources,
    wakes: Receiver<()>,
}

impl Watched {
    /// Waits for an input that is like this; what comes before it is passed over.
    pub(crate) fn until<T>(&self, what: &str, mut like: impl FnMut(&Input) -> Option<T>) -> T {
        let mut passed = Vec::new();
        loop {
            while let Some(input) = self.sources.try_recv() {
                if let Some(found) = like(&input) {
                    return found;
                }
                passed.push(input);
            }
            let woken = self.wakes.recv_timeout(PATIENCE);
            assert!(woken.is_ok(), "never came: {what}; but {passed:#?}");
        }
    }

    /// Waits until a source tells of a prefix with these lifetimes: how many seconds it is preferred
    /// and valid, the latter as it is told and both of them from one moment. Returns the origin.
    pub(crate) fn seen(&self, source: usize, prefix: &str, lifetimes: Lifetimes) -> String {
        let what = format!("source {source} sees {prefix} {lifetimes:?}");
        self.until(&what, |input| match input {
            Input::Seen(seen)
                if seen.source == source
                    && seen.prefix.to_string() == prefix
                    && Lifetimes::of(seen) == lifetimes =>
            {
                Some(seen.origin.clone())
            }
            _ => None,
        })
    }

    /// Waits until a source takes a prefix back.
    pub(crate) fn gone(&self, source: usize, prefix: &str) {
        let what = format!("source {source} says that {prefix} is gone");
        self.until(&what, |input| match input {
            Input::Gone {
                source: of,
                prefix: gone,
                ..
            } => (*of == source && gone.to_string() == prefix).then_some(()),
            _ => None,
        });
    }

    /// Waits until a source fails, and says why.
    pub(crate) fn failed(&self, source: usize) -> String {
        self.until(&format!("source {source} fails"), |input| match input {
            Input::Failed { source: of, why } if *of == source => Some(why.clone()),
            _ => None,
        })
    }

    /// Waits until a source works.
    pub(crate) fn worked(&self, source: usize) {
        self.until(&format!("source {source} works"), |input| {
            (*input == Input::Worked { source }).then_some(())
        });
    }
}

/// What the lifetimes of a sighting show without a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetimes {
    /// It is valid for so many seconds longer than it is preferred.
    Apart(u64),
    /// It is valid for a time, and not preferred any more: the end of that is not later than now.
    Deprecated,
    /// It has no end.
    Endless,
}

impl Lifetimes {
    pub(crate) fn of(seen: &openelb_ipam::dynamic_prefix::Sighting) -> Self {
        let (preferred, valid) = (seen.preferred_until, seen.valid_until);
        match (preferred, valid) {
            (Some(preferred), _) if preferred <= now() => Self::Deprecated,
            (Some(preferred), Some(valid)) => {
                let apart = valid - preferred;
                Self::Apart(apart.as_millis().div_ceil(1_000).try_into().unwrap())
            }
            _ => Self::Endless,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether a deadline has come is the question"
)]
fn now() -> openelb_ipam::Time {
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    openelb_ipam::Time(since.as_millis().try_into().unwrap())
}

/// A process that is ended with the test.
pub(crate) struct Running(Child);

impl Running {
    /// Sends it a signal by its name.
    pub(crate) fn signal(&self, signal: &str) {
        sh(&format!("kill -{signal} {}", self.0.id()));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A kind word first: some programs have children of their own to end.
        let _ = Command::new("kill").arg(self.0.id().to_string()).output();
        for _ in 0..50 {
            if matches!(self.0.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command line that must succeed.
pub(crate) fn sh(line: &str) -> String {
    let mut words = line.split_whitespace();
    let output = Command::new(words.next().unwrap())
        .args(words)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn is_installed(program: &str) -> bool {
    let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    folders
        .iter()
        .any(|folder| Path::new(folder).join(program).exists())
}

/// Says loudly that a test was skipped; with `CI=true` that is a failure.
fn skip<T>(test: &str, reason: &str) -> Option<T> {
    let message = format!("SKIPPED {test}: not possible here ({reason})\n");
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{message}; with CI=true nothing may be"
    );
    // Past the harness, which hides what passing tests print.
    std::io::stderr().write_all(message.as_bytes()).unwrap();
    None
}

/// Only ever reached by a test that fails.
const PATIENCE: Duration = Duration::from_mins(1);

//! Two hosts on one wire in network namespaces, the processes on them, and a directory; all are
//! removed at the end.

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sched::{CloneFlags, setns};
use openelb_benches::shell::sh;

/// An announcer and those who hear it.
pub(crate) struct World {
    pub(crate) announcer: Host,
    pub(crate) receiver: Host,
    pub(crate) directory: PathBuf,
}

/// A network namespace.
pub(crate) struct Host {
    pub(crate) namespace: String,
}

/// The announcer's address.
pub(crate) const ANNOUNCER: IpAddr = address(1);

/// The address of a receiver; there are some on one host.
pub(crate) const fn receiver(number: u16) -> IpAddr {
    address(1 + number)
}

const fn address(last: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, last))
}

impl World {
    /// Makes the hosts; `None` where that is not allowed.
    pub(crate) fn new() -> Option<Self> {
        let name = format!("oelb-bgp{:x}", std::process::id());
        let host = |part: &str| Host {
            namespace: format!("{name}-{part}"),
        };
        let world = Self {
            announcer: host("a"),
            receiver: host("b"),
            directory: PathBuf::from(format!("/tmp/{name}")),
        };
        for host in [&world.announcer, &world.receiver] {
            let made = Command::new("ip")
                .args(["netns", "add", &host.namespace])
                .output();
            made.ok().filter(|output| output.status.success())?;
            host.sh("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0");
            host.sh("ip link set lo up");
        }
        std::fs::create_dir_all(&world.directory).ok()?;
        let (a, b) = (&world.announcer, &world.receiver);
        let (a_name, b_name) = (&a.namespace, &b.namespace);
        sh(&format!(
            "ip link add eth0 netns {a_name} type veth peer name eth0 netns {b_name}"
        ));
        for host in [a, b] {
            host.sh("ip link set eth0 up");
        }
        a.sh("ip addr add fd77::1/64 dev eth0 nodad");
        for last in 2..10 {
            b.sh(&format!("ip addr add fd77::{last}/64 dev eth0 nodad"));
        }
        Some(world)
    }

    /// Writes a file for a process to read, and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The path of a file in the world's directory.
    pub(crate) fn path(&self, name: &str) -> String {
        self.directory.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for host in [&self.announcer, &self.receiver] {
            let deletion = ["netns", "del", &host.namespace];
            drop(Command::new("ip").args(deletion).output());
        }
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

impl Host {
    /// Runs a command line here that must succeed.
    pub(crate) fn sh(&self, line: &str) -> String {
        sh(&format!("ip netns exec {} {line}", self.namespace))
    }

    /// Runs a command line here; nothing if it fails.
    pub(crate) fn ask(&self, line: &str) -> Option<String> {
        let mut words = line.split_whitespace();
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, words.next()?]);
        let output = command.args(words).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then_some(text)
    }

    /// Starts a process here that ends with the returned value.
    pub(crate) fn spawn(&self, line: &str, log: &str) -> Process {
        let log = std::fs::File::create(log).unwrap();
        let child = Command::new("ip")
            .args(["netns", "exec", &self.namespace])
            .args(line.split_whitespace())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        Process {
            child: child.unwrap(),
        }
    }

    /// Runs `work` on a thread of this host.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let inside = || {
                let namespace = std::fs::File::open(format!("/run/netns/{}", self.namespace));
                setns(namespace.unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
                work()
            };
            scope.spawn(inside).join().unwrap()
        })
    }
}

/// A running program.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Its resident memory in MiB.
    pub(crate) fn resident(&self) -> f64 {
        resident(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The resident memory of a process in MiB.
pub(crate) fn resident(process: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    kibibytes.unwrap().parse::<f64>().unwrap() / 1024.0
}

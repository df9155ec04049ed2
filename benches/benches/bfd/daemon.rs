//! Who is measured: ourselves, FRR's `bfdd`, or BIRD, each with the same sessions.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use openelb_announce::announcer::liveness::{Liveness, Options, Target};
use openelb_announce::bfd::Settings;

use super::world::{Host, neighbor};

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    Frr,
    Bird,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Ours, Self::Frr, Self::Bird];

    /// Can it be started here?
    pub(crate) fn is_installed(self) -> bool {
        match self {
            Self::Ours => true,
            Self::Frr => Path::new(BFDD).exists(),
            Self::Bird => Path::new(BIRD).exists(),
        }
    }
}

/// A running program; ended when dropped.
pub(crate) enum Daemon {
    Ours {
        thread: PathBuf,
        _liveness: Liveness,
    },
    Other {
        children: Vec<Child>,
        files: PathBuf,
    },
}

impl Daemon {
    /// Starts it on `host` with the first `count` neighbours, three times `millis`.
    pub(crate) fn start(kind: Kind, host: &Host, count: u16, millis: u64) -> Self {
        match kind {
            Kind::Ours => ours(host, count, millis),
            Kind::Frr => frr(host, count, millis),
            Kind::Bird => bird(host, count, millis),
        }
    }

    /// Processor time that it has used so far.
    pub(crate) fn processor_time(&self) -> Duration {
        match self {
            Self::Ours { thread, .. } => on_processor(thread),
            Self::Other { children, .. } => {
                let child = children.last().unwrap().id();
                let tasks = std::fs::read_dir(format!("/proc/{child}/task")).unwrap();
                tasks.map(|task| on_processor(&task.unwrap().path())).sum()
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Self::Other { children, files } = self {
            for child in children {
                drop(child.kill());
                drop(child.wait());
            }
            drop(std::fs::remove_dir_all(files));
        }
    }
}

/// Sessions of ours with the first `count` neighbours.
fn ours(host: &Host, count: u16, millis: u64) -> Daemon {
    let targets = (0..count).map(|number| Target {
        peer: neighbor(number).into(),
        local: None,
        interface: Some("eth0".to_owned()),
        settings: every(millis),
        is_admin_down: false,
    });
    let before = bfd_threads();
    let liveness = host.run(|| Liveness::start(Options::default(), |_| {}).unwrap());
    let mut threads = bfd_threads();
    threads.retain(|thread| !before.contains(thread));
    liveness.set(targets.collect()).unwrap();
    Daemon::Ours {
        thread: threads.pop().unwrap(),
        _liveness: liveness,
    }
}

fn frr(host: &Host, count: u16, millis: u64) -> Daemon {
    let mut text = String::from("bfd\n");
    for number in 0..count {
        writeln!(
            text,
            " peer {} interface eth0\n  transmit-interval {millis}\n  receive-interval {millis}",
            neighbor(number)
        )
        .unwrap();
    }
    let files = directory("frr");
    std::fs::write(files.join("bfdd.conf"), text).unwrap();
    let owner = nix::unistd::User::from_name("frr").unwrap().unwrap();
    let (user, group) = (owner.uid.as_raw(), owner.gid.as_raw());
    std::os::unix::fs::chown(&files, Some(user), Some(group)).unwrap();
    let path = files.display();
    let common = |name: &str| {
        format!("-P 0 -A 127.0.0.1 -z {path}/zserv.api -i {path}/{name}.pid --vty_socket {path}")
    };
    let zebra = spawn(host, &format!("{ZEBRA} {} -f /dev/null", common("zebra")));
    while !files.join("zserv.api").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let bfdd = spawn(
        host,
        &format!(
            "{BFDD} {} --bfdctl {path}/bfdd.sock -f {path}/bfdd.conf",
            common("bfdd")
        ),
    );
    Daemon::Other {
        children: vec![zebra, bfdd],
        files,
    }
}

fn bird(host: &Host, count: u16, millis: u64) -> Daemon {
    let mut text = format!(
        "router id 1.1.1.1;\nprotocol device {{}}\nprotocol bfd {{\n\
         interface \"eth0\" {{ interval {millis} ms; multiplier 3; }};\n"
    );
    for number in 0..count {
        writeln!(text, "neighbor {} dev \"eth0\";", neighbor(number)).unwrap();
    }
    text.push_str("}\n");
    let files = directory("bird");
    std::fs::write(files.join("bird.conf"), text).unwrap();
    let path = files.display();
    let line = format!("{BIRD} -f -c {path}/bird.conf -s {path}/bird.ctl");
    Daemon::Other {
        children: vec![spawn(host, &line)],
        files,
    }
}

/// Three times this many milliseconds.
pub(crate) fn every(millis: u64) -> Settings {
    Settings {
        min_tx: Duration::from_millis(millis),
        min_rx: Duration::from_millis(millis),
        ..Settings::default()
    }
}

fn spawn(host: &Host, line: &str) -> Child {
    // `ip netns exec` becomes the program, so that its process is the child.
    Command::new("ip")
        .args(["netns", "exec", &host.namespace])
        .args(line.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("oelb{:x}-{name}", std::process::id()));
    drop(std::fs::remove_dir_all(&path));
    std::fs::create_dir(&path).unwrap();
    path
}

fn bfd_threads() -> Vec<PathBuf> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let tasks = tasks.map(|task| task.unwrap().path());
    let is_bfd = |path: &PathBuf| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "openelb-bfd")
    };
    tasks.filter(is_bfd).collect()
}

/// The first number of schedstat: nanoseconds on a processor.
fn on_processor(task: &Path) -> Duration {
    let text = std::fs::read_to_string(task.join("schedstat")).unwrap_or_default();
    let nanos = text.split_whitespace().next().unwrap_or("0");
    Duration::from_nanos(nanos.parse().unwrap())
}

const ZEBRA: &str = "/usr/lib/frr/zebra";
const BFDD: &str = "/usr/lib/frr/bfdd";
const BIRD: &str = "/usr/sbin/bird";

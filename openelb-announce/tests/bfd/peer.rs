//! The other end: FRR's `bfdd`, or BIRD, on a host of the test.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::world::{self, Host, Running, World, eventually};

/// Runs `body` with hosts where routers can be started, or says why that is impossible here.
pub(crate) fn with_routers<const N: usize, F: FnOnce(&World, [Host; N])>(body: F) {
    let test = world::test_name::<F>();
    for program in [ZEBRA, BFDD, BIRD] {
        if !std::path::Path::new(program).exists() {
            return world::skip(test, &format!("{program} is missing (packages frr, bird2)"));
        }
    }
    let users = std::fs::read_to_string("/proc/self/uid_map").unwrap();
    if !nix::unistd::geteuid().is_root() || users.split_whitespace().nth(2) == Some("1") {
        return world::skip(
            test,
            "routers change to users of their own: it takes the real root",
        );
    }
    world::with_root_and_hosts(body);
}

/// `zebra` and `bfdd`.
pub(crate) struct Frr {
    host: Host,
    directory: Directory,
    pub(crate) bfdd: Running,
    _zebra: Running,
}

impl Frr {
    /// Starts FRR with these lines below `bfd`.
    pub(crate) fn start(host: &Host, lines: &str) -> Self {
        let directory = Directory::new();
        std::fs::write(directory.file("bfdd.conf"), format!("bfd\n{lines}")).unwrap();
        let owner = nix::unistd::User::from_name("frr").unwrap().unwrap();
        let (user, group) = (owner.uid.as_raw(), owner.gid.as_raw());
        std::os::unix::fs::chown(&directory.0, Some(user), Some(group)).unwrap();
        let path = directory.0.display();
        let common = |name: &str| {
            format!(
                "-P 0 -A 127.0.0.1 -z {path}/zserv.api -i {path}/{name}.pid --vty_socket {path}"
            )
        };
        let zebra = host.spawn(&format!("{ZEBRA} {} -f /dev/null", common("zebra")));
        let socket = directory.file("zserv.api");
        eventually("zebra listens", || std::path::Path::new(&socket).exists());
        let bfdd = host.spawn(&format!(
            "{BFDD} {} --bfdctl {path}/bfdd.sock -f {path}/bfdd.conf",
            common("bfdd")
        ));
        let frr = Self {
            host: host.clone(),
            directory,
            bfdd,
            _zebra: zebra,
        };
        eventually("bfdd answers", || frr.peers().is_array());
        frr
    }

    /// What FRR says about the session with `peer`.
    pub(crate) fn peer(&self, peer: &str) -> Value {
        let peers = self.peers();
        let mut peers = peers.as_array().into_iter().flatten();
        let found = peers.find(|it| it["peer"] == peer);
        found.cloned().unwrap_or_default()
    }

    pub(crate) fn until_status(&self, peer: &str, status: &str) {
        eventually(&format!("FRR says that {peer} is {status}"), || {
            self.peer(peer)["status"] == status
        });
    }

    /// Changes the configuration: commands below `bfd`.
    pub(crate) fn configure(&self, commands: &[&str]) {
        let words = ["configure terminal", "bfd"].into_iter();
        let all: Vec<&str> = words.chain(commands.iter().copied()).collect();
        self.vtysh(&all).unwrap();
    }

    fn peers(&self) -> Value {
        let text = self.vtysh(&["show bfd peers json"]).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn vtysh(&self, commands: &[&str]) -> Option<String> {
        let mut command = Command::new("ip");
        let namespace = &self.host.namespace;
        command.args(["netns", "exec", namespace, "vtysh", "--vty_socket"]);
        command.arg(&self.directory.0);
        for line in commands {
            command.args(["-c", line]);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text)
    }
}

/// BIRD 2.
pub(crate) struct Bird {
    host: Host,
    directory: Directory,
    pub(crate) process: Running,
}

impl Bird {
    /// Starts BIRD with these lines in `protocol bfd`.
    pub(crate) fn start(host: &Host, lines: &str) -> Self {
        let directory = Directory::new();
        write_bird(&directory, host, lines);
        let process = host.spawn(&format!(
            "{BIRD} -f -c {} -s {}",
            directory.file("bird.conf"),
            directory.file("bird.ctl")
        ));
        let bird = Self {
            host: host.clone(),
            directory,
            process,
        };
        eventually("BIRD answers", || {
            bird.ask("show status").contains("Daemon")
        });
        bird
    }

    /// Other lines in `protocol bfd`, without a restart.
    pub(crate) fn configure(&self, lines: &str) {
        write_bird(&self.directory, &self.host, lines);
        assert!(self.ask("configure").contains("Reconfigur"));
    }

    /// The line about the session with `peer`: address, interface, state, since, interval, timeout.
    pub(crate) fn session(&self, peer: &str) -> Vec<String> {
        let table = self.ask("show bfd sessions");
        let rows = table.lines().map(|line| line.split_whitespace());
        let mut rows = rows.map(|words| words.map(str::to_owned).collect::<Vec<_>>());
        let named = rows.find(|words| words.first().is_some_and(|word| word == peer));
        named.unwrap_or_default()
    }

    pub(crate) fn until_state(&self, peer: &str, state: &str) {
        eventually(&format!("BIRD says that {peer} is {state}"), || {
            self.session(peer).get(2).is_some_and(|word| word == state)
        });
    }

    fn ask(&self, question: &str) -> String {
        let socket = self.directory.file("bird.ctl");
        let answer = self.host.try_sh(&format!("birdc -s {socket} {question}"));
        String::from_utf8_lossy(&answer.stdout).into_owned()
    }
}

fn write_bird(directory: &Directory, host: &Host, lines: &str) {
    let number = host.number;
    let text = format!(
        "router id 192.0.2.{number};\nprotocol device {{}}\nprotocol bfd {{\n{lines}\n}}\n"
    );
    std::fs::write(directory.file("bird.conf"), text).unwrap();
}

/// A directory of one router, removed with it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Short: paths of sockets have 108 octets.
        let name = format!("oelb{:x}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const ZEBRA: &str = "/usr/lib/frr/zebra";
const BFDD: &str = "/usr/lib/frr/bfdd";
const BIRD: &str = "/usr/sbin/bird";

//! The router of the labs with BGP: FRR on a host, configured by files and asked through `vtysh`.

mod configuration;

use std::fs::{self, File, Permissions};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User};
use serde_json::Value;

use super::clock::Stopwatch;
use super::host::{Host, Rights};

/// FRR on a host: its directory and its daemons.
#[derive(Debug)]
pub(crate) struct Router {
    directory: PathBuf,
    daemons: Vec<Child>,
}

/// A node as the router is told about it.
#[derive(Debug, Clone)]
pub(crate) struct Neighbor {
    /// The address of its end of the session; its family is the one whose routes are exchanged.
    pub(crate) address: IpAddr,
    /// Its AS.
    pub(crate) asn: u32,
    /// Whether BFD watches the path to it.
    pub(crate) bfd: bool,
}

/// What went wrong between the lab and the router.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RouterError {
    /// A file or process could not be handled.
    #[error("{act}: {source}")]
    Io {
        /// What was being done.
        act: String,
        /// What the system said.
        source: io::Error,
    },
    /// It was started and does not answer.
    #[error("FRR does not answer `{question}`: {answer}")]
    Silent {
        /// What it was asked.
        question: String,
        /// What `vtysh` said instead.
        answer: String,
    },
}

/// The first program of FRR that is not installed.
pub(crate) fn missing() -> Option<&'static str> {
    let programs = DAEMONS.into_iter().chain([VTYSH]);
    programs
        .into_iter()
        .find(|program| !Path::new(program).exists())
}

impl Router {
    /// Starts FRR on the host with these neighbours and waits until it answers.
    pub(crate) fn start(
        host: &Host,
        files: &Path,
        neighbors: &[Neighbor],
    ) -> Result<Self, RouterError> {
        let directory = files.join("tor");
        prepare(files, &directory, neighbors).map_err(|source| RouterError::Io {
            act: format!("write FRR's files into {}", directory.display()),
            source,
        })?;
        let mut router = Self {
            directory,
            daemons: Vec::new(),
        };
        for program in DAEMONS {
            let name = program.rsplit('/').next().unwrap_or_default();
            let daemon = router.spawn(host, program, name);
            let daemon = daemon.map_err(|source| RouterError::Io {
                act: format!("start {program}"),
                source,
            })?;
            router.daemons.push(daemon);
            if name == "zebra" {
                // Without its socket the others try again only after ten seconds.
                router.wait_for(ZEBRA_SOCKET);
            }
        }
        let waited = Stopwatch::start();
        while let Err(silent) = router.ask("show bgp summary") {
            if waited.elapsed() > PATIENCE {
                return Err(silent);
            }
            thread::sleep(POLL);
        }
        Ok(router)
    }

    /// Asks for data: `json` is added to the question.
    pub(crate) fn ask(&self, question: &str) -> Result<Value, RouterError> {
        let question = format!("{question} json");
        let asked = Command::new(VTYSH)
            .arg("--vty_socket")
            .arg(&self.directory)
            .args(["-c", &question])
            .output();
        let output = asked.map_err(|source| RouterError::Io {
            act: format!("run {VTYSH}"),
            source,
        })?;
        serde_json::from_slice(&output.stdout).map_err(|_| RouterError::Silent {
            question,
            answer: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }

    /// How many of its sessions of the family of `like` are established.
    pub(crate) fn established(&self, like: IpAddr) -> Result<usize, RouterError> {
        let family = family(like);
        let summary = self.ask(&format!("show bgp {family} unicast summary"))?;
        let peers = summary.get("peers").and_then(Value::as_object);
        let is_up =
            |peer: &&Value| peer.get("state").and_then(Value::as_str) == Some("Established");
        Ok(peers.map_or(0, |peers| peers.values().filter(is_up).count()))
    }

    /// How many BFD sessions are up.
    pub(crate) fn bfd_up(&self) -> Result<usize, RouterError> {
        let peers = self.ask("show bfd peers")?;
        let is_up = |peer: &&Value| peer.get("status").and_then(Value::as_str) == Some("up");
        Ok(peers
            .as_array()
            .map_or(0, |peers| peers.iter().filter(is_up).count()))
    }

    /// How many paths it knows to an address.
    pub(crate) fn paths(&self, to: IpAddr) -> Result<usize, RouterError> {
        let length = if to.is_ipv4() { 32 } else { 128 };
        let route = self.ask(&format!("show bgp {} unicast {to}/{length}", family(to)))?;
        Ok(route
            .get("paths")
            .and_then(Value::as_array)
            .map_or(0, Vec::len))
    }

    /// The last lines that its `bgpd` logged.
    pub(crate) fn last_lines(&self, count: usize) -> Vec<String> {
        let log = fs::read_to_string(self.directory.join("bgpd.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let skipped = lines.len().saturating_sub(count);
        lines.into_iter().skip(skipped).map(str::to_owned).collect()
    }

    /// Ends the daemons in their own way: one that is killed leaves files in `/var/tmp/frr`.
    pub(crate) fn stop(&mut self) {
        for daemon in &self.daemons {
            let pid = i32::try_from(daemon.id()).expect("process numbers fit 22 bits");
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        }
        let waited = Stopwatch::start();
        for daemon in &mut self.daemons {
            while matches!(daemon.try_wait(), Ok(None)) && waited.elapsed() < FAREWELL {
                thread::sleep(POLL);
            }
        }
    }

    fn spawn(&self, host: &Host, program: &str, name: &str) -> io::Result<Child> {
        let log = File::create(self.directory.join(format!("{name}.log")))?;
        let place = |file: &str| self.directory.join(file);
        let mut command = Command::new(program);
        command.args(["-P", "0", "-A", "127.0.0.1", "--log", "stdout"]);
        command.arg("-z").arg(place(ZEBRA_SOCKET));
        command.arg("-i").arg(place(&format!("{name}.pid")));
        command.arg("--vty_socket").arg(&self.directory);
        command.arg("-f").arg(place(&format!("{name}.conf")));
        if name == "bfdd" {
            command.arg("--bfdctl").arg(place("bfdd.sock"));
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?);
        command.stderr(log);
        host.spawn(command, Rights::Everything)
    }

    fn wait_for(&self, file: &str) {
        let waited = Stopwatch::start();
        while !self.directory.join(file).exists() && waited.elapsed() < PATIENCE {
            thread::sleep(POLL);
        }
    }
}

/// Makes a directory that FRR's own user can use, inside one that everybody can pass through.
fn prepare(files: &Path, directory: &Path, neighbors: &[Neighbor]) -> io::Result<()> {
    let owner = User::from_name("frr")?
        .ok_or_else(|| io::Error::other("the package frr makes the user frr, who is not there"))?;
    fs::set_permissions(files, Permissions::from_mode(0o711))?;
    fs::create_dir_all(directory)?;
    for (name, text) in [
        ("zebra.conf", String::new()),
        ("bfdd.conf", configuration::bfdd()),
        ("bgpd.conf", configuration::bgpd(neighbors)),
    ] {
        fs::write(directory.join(name), text)?;
    }
    let (user, group) = (owner.uid.as_raw(), owner.gid.as_raw());
    chown(directory, Some(user), Some(group))
}

const fn family(like: IpAddr) -> &'static str {
    match like {
        IpAddr::V4(_) => "ipv4",
        IpAddr::V6(_) => "ipv6",
    }
}

/// In the order in which they are started.
const DAEMONS: [&str; 3] = [
    "/usr/lib/frr/zebra",
    "/usr/lib/frr/bfdd",
    "/usr/lib/frr/bgpd",
];
const VTYSH: &str = "/usr/bin/vtysh";
const ZEBRA_SOCKET: &str = "zserv.api";

/// FRR takes about a second to start.
const PATIENCE: Duration = Duration::from_secs(20);
const FAREWELL: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(20);

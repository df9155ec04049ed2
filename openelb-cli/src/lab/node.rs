//! The real daemon on a host of the lab: its files, its process, and questions to it.

use std::fs::{self, File};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::clock::Stopwatch;
use super::host::{Host, Rights, openelb};

/// A daemon on a host.
#[derive(Debug)]
pub(crate) struct Node {
    name: String,
    directory: PathBuf,
    daemon: Child,
}

/// What went wrong between the lab and a daemon.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeError {
    /// A file or process could not be handled.
    #[error("{act}: {source}")]
    Io {
        /// What was being done.
        act: String,
        /// What the system said.
        source: io::Error,
    },
    /// The daemon ended by itself.
    #[error("the daemon on {node} ended: {status}")]
    Ended {
        /// Where.
        node: String,
        /// How.
        status: ExitStatus,
    },
    /// A question was answered with a failure.
    #[error("`openelb {question}` on {node}: {answer}")]
    Refused {
        /// Where.
        node: String,
        /// What was asked, as typed.
        question: String,
        /// What came on standard error.
        answer: String,
    },
}

impl Node {
    /// Starts `openelb run` on the host with this configuration.
    pub(crate) fn start(
        name: &str,
        host: &Host,
        files: &Path,
        config: &str,
        rights: Rights,
    ) -> Result<Self, NodeError> {
        let directory = files.join(name);
        let starting = |source| NodeError::Io {
            act: format!("start {name}"),
            source,
        };
        make_private(&directory).map_err(starting)?;
        fs::write(directory.join(CONFIG), config).map_err(starting)?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(directory.join(LOG));
        let log = log.map_err(starting)?;
        let mut command = openelb();
        command.arg("run").arg(directory.join(CONFIG));
        command.arg("--state-dir").arg(&directory);
        // The hosts of the lab share the name of this machine.
        command.args(["--node-name", name]);
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(starting)?)
            .stderr(log);
        let daemon = host.spawn(command, rights).map_err(starting)?;
        Ok(Self {
            name: name.to_owned(),
            directory,
            daemon,
        })
    }

    /// Waits until the daemon listens for questions.
    pub(crate) fn wait_until_it_answers(&mut self) -> Result<(), NodeError> {
        let waited = Stopwatch::start();
        let failed = |source| NodeError::Io {
            act: "wait for the daemon".to_owned(),
            source,
        };
        while !self.directory.join(SOCKET).exists() {
            if let Some(status) = self.daemon.try_wait().map_err(failed)? {
                return Err(NodeError::Ended {
                    node: self.name.clone(),
                    status,
                });
            }
            if waited.elapsed() > PATIENCE {
                return Err(failed(io::ErrorKind::TimedOut.into()));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// The host's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Replaces the configuration, tells the daemon and waits until it is in force.
    pub(crate) fn reload(&self, config: &str) -> Result<(), NodeError> {
        let act = format!("reload the configuration of {}", self.name);
        let failed = |source| NodeError::Io {
            act: act.clone(),
            source,
        };
        // The daemon may read at any moment, so the file is never half written.
        let draft = self.directory.join("config.draft");
        fs::write(&draft, config).map_err(failed)?;
        let before = self.loads()?;
        fs::rename(&draft, self.directory.join(CONFIG)).map_err(failed)?;
        self.signal(Signal::SIGHUP)?;
        let waited = Stopwatch::start();
        while self.loads()? == before {
            if waited.elapsed() > PATIENCE {
                return Err(failed(io::ErrorKind::TimedOut.into()));
            }
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// How many times a configuration was put in force.
    fn loads(&self) -> Result<u64, NodeError> {
        let status = self.ask(&["status"])?;
        Ok(status
            .pointer("/config/loads")
            .and_then(Value::as_u64)
            .unwrap_or_default())
    }

    /// Runs an `openelb` command on the daemon's state and returns what it says, as data.
    pub(crate) fn ask(&self, question: &[&str]) -> Result<Value, NodeError> {
        let asked = openelb()
            .args(question)
            .args(["-o", "json", "--state-dir"])
            .arg(&self.directory)
            .output();
        let words = question.join(" ");
        let failed = |source| NodeError::Io {
            act: format!("run `openelb {words}`"),
            source,
        };
        let output = asked.map_err(failed)?;
        if !output.status.success() {
            let answer = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(NodeError::Refused {
                node: self.name.clone(),
                question: words,
                answer,
            });
        }
        serde_json::from_slice(&output.stdout).map_err(|error| failed(error.into()))
    }

    /// The addresses that an owner of this name holds, IPv4 first.
    pub(crate) fn held_by(&self, owner: &str) -> Result<Vec<IpAddr>, NodeError> {
        let listed = self.ask(&["ip", "ls"])?;
        let holders = list(&listed, "holders");
        let holder = holders
            .iter()
            .find(|holder| text(holder, "owner").ends_with(owner));
        let held = holder.map_or(&[][..], |holder| list(holder, "addresses"));
        let mut addresses: Vec<IpAddr> = held.iter().filter_map(address).collect();
        addresses.sort();
        Ok(addresses)
    }

    /// The addresses that the daemon is announcing, or is about to.
    pub(crate) fn announced(&self) -> Result<Vec<IpAddr>, NodeError> {
        let status = self.ask(&["status"])?;
        Ok(list(&status, "announcements")
            .iter()
            .filter_map(address)
            .collect())
    }

    /// The generation of the allocations: each change makes it greater.
    pub(crate) fn generation(&self) -> Result<u64, NodeError> {
        let status = self.ask(&["status"])?;
        Ok(status
            .get("generation")
            .and_then(Value::as_u64)
            .unwrap_or_default())
    }

    /// How the announcement of an address stands, in words; empty when there is none.
    pub(crate) fn announcement_of(&self, address: IpAddr) -> Result<String, NodeError> {
        let status = self.ask(&["status"])?;
        let mut all = list(&status, "announcements").iter();
        let found = all.find(|found| self::address(found) == Some(address));
        Ok(found.map_or("", |found| text(found, "state")).to_owned())
    }

    /// What the daemon's pool knows of an address, in one word.
    pub(crate) fn state_of(&self, address: IpAddr) -> Result<String, NodeError> {
        let whois = self.ask(&["ip", "whois", &address.to_string()])?;
        Ok(text(&whois, "state").to_owned())
    }

    /// The last lines of the daemon's log.
    pub(crate) fn last_lines(&self, count: usize) -> Vec<String> {
        let log = fs::read_to_string(self.directory.join(LOG)).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let skipped = lines.len().saturating_sub(count);
        lines.into_iter().skip(skipped).map(str::to_owned).collect()
    }

    /// Tells the daemon to end and waits until it has.
    pub(crate) fn end(&mut self, signal: Signal) -> Result<(), NodeError> {
        self.signal(signal)?;
        let ended = self.daemon.wait();
        ended.map(drop).map_err(|source| NodeError::Io {
            act: format!("wait for the daemon on {}", self.name),
            source,
        })
    }

    /// Sends the daemon a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), NodeError> {
        let pid = i32::try_from(self.daemon.id()).expect("process numbers fit 22 bits");
        kill(Pid::from_raw(pid), signal).map_err(|errno| NodeError::Io {
            act: format!("send {signal} to the daemon on {}", self.name),
            source: errno.into(),
        })
    }
}

/// Nobody else looks into a daemon's state, also where others pass through to the router's.
fn make_private(directory: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn address(value: &Value) -> Option<IpAddr> {
    text(value, "address").parse().ok()
}

const CONFIG: &str = "config.yaml";
const LOG: &str = "daemon.log";
const SOCKET: &str = "control.sock";

/// A cold start with a fresh store takes well below a second; a loaded machine takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

const POLL: Duration = Duration::from_millis(5);

//! Our controller and speakers as processes on hosts, each with the token of its own account only.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::lab::host::{Host, Rights};

/// A process of the program `openelb-k8s`, killed with this value.
#[derive(Debug)]
pub(super) struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts the program on a host. What it says is added to a log of that name.
    pub(super) fn start(
        host: &Host,
        program: &Path,
        arguments: &[&str],
        (name, files): (&str, &Path),
        rights: Rights,
    ) -> io::Result<Self> {
        let log = files.join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log)?;
        let mut command = Command::new(program);
        command.args(arguments).env_remove("KUBECONFIG");
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let child = host.spawn(command, rights)?;
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
        })
    }

    /// Tells it to stop, and waits until it has.
    pub(super) fn stop(mut self) -> io::Result<()> {
        let id = i32::try_from(self.child.id()).expect("process numbers fit 22 bits");
        kill(Pid::from_raw(id), Signal::SIGTERM)?;
        self.child.wait().map(drop)
    }

    /// The last lines of its log, its name in front.
    pub(super) fn last_lines(&self, count: usize) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let skipped = lines.len().saturating_sub(count);
        let last = lines.into_iter().skip(skipped);
        last.map(|line| format!("{}: {line}", self.name)).collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! A router's process on a host, with its descendants and its log.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::world::{Host, pause};

/// Ended when dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a command line on `host`; what it writes is appended to `log`.
    pub(crate) fn start(host: &Host, line: &str, log: &Path) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(log);
        let log = log.unwrap();
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &host.namespace])
            .args(line.split_whitespace())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        Self(command.spawn().unwrap())
    }

    /// Sends a signal to it and to all of its descendants, itself first.
    pub(crate) fn signal(&self, signal: &str) {
        for process in family(self.0.id()) {
            send(signal, process);
        }
    }

    /// Sends a signal that ends it, and waits until it and its descendants are gone.
    pub(crate) fn end(mut self, signal: &str) {
        let family = family(self.0.id());
        if signal == "KILL" {
            for process in &family {
                send(signal, *process);
            }
        } else {
            send(signal, self.0.id());
        }
        let _ = self.0.wait();
        for process in family {
            while Path::new(&format!("/proc/{process}/root")).exists() && !is_zombie(process) {
                pause();
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        for process in family(self.0.id()) {
            send("KILL", process);
        }
        let _ = self.0.wait();
    }
}

/// What a program on `host` answers, or nothing while it cannot be asked.
pub(crate) fn ask(host: &Host, words: &[&str]) -> Option<String> {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &host.namespace]).args(words);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(answer)
}

/// The same, read as JSON.
pub(crate) fn ask_json(host: &Host, words: &[&str]) -> serde_json::Value {
    let answer = ask(host, words).unwrap_or_default();
    serde_json::from_str(&answer).unwrap_or_default()
}

fn send(signal: &str, process: u32) {
    let line = ["-s", signal, &process.to_string()];
    // One that has just ended by itself is as good.
    let _ = Command::new("kill")
        .args(line)
        .stderr(Stdio::null())
        .status();
}

/// A process and its descendants.
fn family(process: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let children = children
        .split_whitespace()
        .map(|child| child.parse().unwrap());
    std::iter::once(process)
        .chain(children.flat_map(family))
        .collect()
}

fn is_zombie(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

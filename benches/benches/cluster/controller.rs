//! The controller as a process of its own: this program, started again.

use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The first argument of a process that is a controller.
pub(crate) const ARGUMENT: &str = "controller";

/// A controller; dropping it kills it.
pub(crate) struct Controller(Child);

impl Controller {
    /// Starts one in the network namespace of the calling thread.
    pub(crate) fn start(kubeconfig: &Path, page: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .arg(ARGUMENT)
            .args(["--leader-elect=false", "--log=warn", "--metrics-addr", page])
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// Megabytes (10^6 bytes) of memory that it has now, its program in memory among them, and had at
    /// most.
    pub(crate) fn memory(&self) -> [f64; 2] {
        let path = format!("/proc/{}/status", self.0.id());
        let status = std::fs::read_to_string(path).unwrap();
        ["VmRSS:", "VmHWM:"].map(|key| {
            let line = status.lines().find(|line| line.starts_with(key)).unwrap();
            let kibibytes: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
            kibibytes * 1024.0 / 1e6
        })
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

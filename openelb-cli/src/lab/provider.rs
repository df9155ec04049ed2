//! The router of an Internet provider: radvd on a host, which advertises prefixes that change.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ipnet::Ipv6Net;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::host::{Host, Rights};
use super::station::INTERFACE;

/// radvd on a host.
#[derive(Debug)]
pub(crate) struct Provider {
    configuration: PathBuf,
    log: PathBuf,
    daemon: Child,
}

/// A prefix as it is advertised.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offer {
    /// The prefix.
    pub(crate) prefix: Ipv6Net,
    /// For how long new connections may use it; zero: not any more.
    pub(crate) preferred: Duration,
    /// For how long packets are carried.
    pub(crate) valid: Duration,
}

/// Whether radvd is not installed.
pub(crate) fn is_missing() -> bool {
    !Path::new(RADVD).exists()
}

impl Provider {
    /// Starts radvd on the host with these offers.
    pub(crate) fn start(host: &Host, files: &Path, offers: &[Offer]) -> io::Result<Self> {
        let (configuration, log) = (files.join("radvd.conf"), files.join("radvd.log"));
        fs::write(&configuration, text(offers))?;
        let output = File::create(&log)?;
        let mut command = Command::new(RADVD);
        command
            .arg("--nodaemon")
            .arg("--config")
            .arg(&configuration);
        command.arg("--pidfile").arg(files.join("radvd.pid"));
        command.args(["--logmethod", "stderr_clean"]);
        command.stdin(Stdio::null());
        command.stdout(output.try_clone()?).stderr(output);
        let daemon = host.spawn(command, Rights::Everything)?;
        Ok(Self {
            configuration,
            log,
            daemon,
        })
    }

    /// Advertises these from now on, and at once.
    pub(crate) fn offer(&self, offers: &[Offer]) -> io::Result<()> {
        fs::write(&self.configuration, text(offers))?;
        let pid = i32::try_from(self.daemon.id()).map_err(io::Error::other)?;
        Ok(kill(Pid::from_raw(pid), Signal::SIGHUP)?)
    }

    /// The last lines of its log.
    pub(crate) fn last_lines(&self, count: usize) -> Vec<String> {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().map(str::to_owned).collect();
        let skipped = lines.len().saturating_sub(count);
        lines.into_iter().skip(skipped).collect()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// The shortest intervals that RFC 4861 section 6.2.1 allows.
fn text(offers: &[Offer]) -> String {
    let mut text = format!(
        "interface {INTERFACE} {{\n  AdvSendAdvert on;\n  MinRtrAdvInterval 3;\n  \
         MaxRtrAdvInterval 4;\n  AdvDefaultLifetime 1800;\n"
    );
    for Offer {
        prefix,
        preferred,
        valid,
    } in offers
    {
        let (preferred, valid) = (preferred.as_secs(), valid.as_secs());
        write!(
            text,
            "  prefix {prefix} {{\n    AdvOnLink on;\n    AdvAutonomous on;\n    \
             AdvPreferredLifetime {preferred};\n    AdvValidLifetime {valid};\n  }};\n"
        )
        .expect("writing to memory cannot fail");
    }
    text.push_str("};\n");
    text
}

/// Where Debian's package puts it.
const RADVD: &str = "/usr/sbin/radvd";

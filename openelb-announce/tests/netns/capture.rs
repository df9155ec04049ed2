//! What went over an interface, as `tcpdump` (a packet socket) saw it and `tshark` reads it.

use super::world::{Host, Running, eventually, sh};

/// A capture that is running on a host's `eth0`.
pub(crate) struct Capture {
    process: Running,
    path: String,
}

impl Capture {
    /// Captures what the `filter` of tcpdump lets through, from now on.
    pub(crate) fn start(host: &Host, filter: &str) -> Self {
        let path = format!("/tmp/{}-{}.pcap", host.namespace, filter.len());
        let process = host.spawn(&format!(
            "tcpdump -Z root -U --immediate-mode -i eth0 -w {path} {filter}"
        ));
        // The file has its header once the packet socket is open.
        eventually("tcpdump captures", || {
            std::fs::metadata(&path).is_ok_and(|file| file.len() > 0)
        });
        Self { process, path }
    }

    /// The captured frames that the `display` filter of tshark picks: the named fields of each.
    pub(crate) fn frames(&self, display: &str, fields: &[&str]) -> Vec<Vec<String>> {
        let path = &self.path;
        // Filters hold blanks, so this is no plain command line.
        let mut command = std::process::Command::new("tshark");
        command.args([
            "-r",
            path,
            "-T",
            "fields",
            "-E",
            "separator=|",
            "-Y",
            display,
        ]);
        for field in fields {
            command.args(["-e", field]);
        }
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| line.split('|').map(str::to_owned).collect())
            .collect()
    }

    /// How many captured frames the `display` filter of tshark picks.
    pub(crate) fn count(&self, display: &str) -> usize {
        self.frames(display, &["frame.number"]).len()
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.process.signal("TERM");
        sh(&format!("rm -f {}", self.path));
    }
}

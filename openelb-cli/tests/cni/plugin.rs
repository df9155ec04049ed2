//! Invocations of a plugin: ours, or host-local with the same words.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// The plugin that is tested.
pub(crate) const OURS: &str = env!("CARGO_BIN_EXE_openelb-cni");

/// A data directory, and the plugin that uses it.
pub(crate) struct Network {
    folder: tempfile::TempDir,
    pub(crate) program: PathBuf,
    /// What stands under `ipam`, without `dataDir`.
    pub(crate) ipam: Value,
    pub(crate) version: &'static str,
}

/// What an invocation answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) is_success: bool,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> u64 {
        self.json["code"].as_u64().unwrap_or_default()
    }

    /// The addresses without their lengths.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let ips = self.json["ips"].as_array().cloned().unwrap_or_default();
        let text = |ip: &Value| {
            ip["address"]
                .as_str()
                .unwrap()
                .split('/')
                .next()
                .unwrap()
                .to_owned()
        };
        ips.iter().map(text).collect()
    }
}

impl Network {
    pub(crate) fn new(ipam: Value) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            program: OURS.into(),
            ipam,
            version: "1.1.0",
        }
    }

    /// Both families, as most tests want them.
    pub(crate) fn dual() -> Self {
        Self::new(json!({"ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00:1::/64"}]]}))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("data/pods").join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The configuration with some more keys beside `ipam`.
    pub(crate) fn config(&self, more: &Value) -> Value {
        let mut config = json!({"cniVersion": self.version, "name": "pods", "type": "bridge", "ipam": self.ipam});
        config["ipam"]["type"] = "openelb-cni".into();
        config["ipam"]["dataDir"] = self.data().to_str().unwrap().into();
        for (key, value) in more.as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        config
    }

    pub(crate) fn add(&self, container: &str) -> Answer {
        self.run("ADD", container, &json!({}), "")
    }

    pub(crate) fn del(&self, container: &str) -> Answer {
        self.run("DEL", container, &json!({}), "")
    }

    pub(crate) fn status(&self) -> Answer {
        self.run("STATUS", "x", &json!({}), "")
    }

    /// GC that keeps these containers on `eth0`.
    pub(crate) fn gc(&self, keep: &[&str]) -> Answer {
        let valid: Vec<_> = keep
            .iter()
            .map(|id| json!({"containerID": id, "ifname": "eth0"}))
            .collect();
        self.run("GC", "x", &json!({"cni.dev/valid-attachments": valid}), "")
    }

    pub(crate) fn run(
        &self,
        command: &str,
        container: &str,
        more: &Value,
        arguments: &str,
    ) -> Answer {
        let started = self.start(command, container, more, arguments);
        finish(started)
    }

    /// An invocation that is under way.
    pub(crate) fn start(
        &self,
        command: &str,
        container: &str,
        more: &Value,
        arguments: &str,
    ) -> Child {
        let mut prepared = Command::new(&self.program);
        environment(&mut prepared, command, container).env("CNI_ARGS", arguments);
        feed(prepared, &self.config(more))
    }

    /// An invocation in a mount namespace of its own: `script` mounts something and ends with
    /// `"$PLUGIN"`. It also finds `variable`, a name and a path.
    pub(crate) fn run_on_mount(
        &self,
        verb: &str,
        container: &str,
        script: &str,
        variable: (&str, &Path),
    ) -> Answer {
        let mut command = Command::new("/usr/bin/unshare");
        command.args(["--mount", "--propagation", "private"]);
        command.args(["/bin/sh", "-ec", script]);
        environment(&mut command, verb, container)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env(variable.0, variable.1)
            .env("PLUGIN", OURS);
        finish(feed(command, &self.config(&json!({}))))
    }

    /// Who holds which address, out of the address files themselves.
    pub(crate) fn leases(&self) -> BTreeMap<String, String> {
        let mut leases = BTreeMap::new();
        for entry in fs::read_dir(self.path("")).into_iter().flatten() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.parse::<std::net::IpAddr>().is_ok() {
                let content = fs::read_to_string(self.path(&name)).unwrap();
                leases.insert(name, content.split("\r\n").next().unwrap().to_owned());
            }
        }
        leases
    }
}

/// The variables that every runtime sets.
pub(crate) fn environment<'a>(
    command: &'a mut Command,
    verb: &str,
    container: &str,
) -> &'a mut Command {
    command
        .env_clear()
        .env("CNI_COMMAND", verb)
        .env("CNI_CONTAINERID", container)
        .env("CNI_IFNAME", "eth0")
        .env("CNI_NETNS", "/proc/self/ns/none")
        .env("CNI_PATH", Path::new(OURS).parent().unwrap())
}

/// Starts a plugin and writes its configuration.
pub(crate) fn feed(mut command: Command, config: &Value) -> Child {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A plugin that is killed meanwhile does not read it.
    let _ = child
        .stdin
        .take()
        .unwrap()
        .write_all(config.to_string().as_bytes());
    child
}

pub(crate) fn finish(child: Child) -> Answer {
    let output = child.wait_with_output().unwrap();
    Answer {
        is_success: output.status.success(),
        json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
    }
}

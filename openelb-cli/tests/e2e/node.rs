//! The daemon on a node of the stage.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::cli::{answer, holdings};
use crate::ledger::Holdings;
use crate::stage::{Stage, eventually, openelb};

/// A node of the stage that runs `openelb run`.
#[derive(Debug)]
pub(crate) struct Node {
    name: &'static str,
    files: PathBuf,
}

impl Node {
    /// Starts the daemon on a node with `CAP_NET_RAW` alone, and waits until it answers.
    pub(crate) fn start(stage: &mut Stage, name: &'static str, config: &str) -> Self {
        let node = Self {
            name,
            files: stage.files().join(name),
        };
        fs::create_dir_all(&node.files).unwrap();
        fs::write(node.config(), config).unwrap();
        node.restart(stage);
        node
    }

    /// Starts the daemon again on the state that it left.
    pub(crate) fn restart(&self, stage: &mut Stage) {
        let config = self.config();
        stage.request(&json!({
            "do": "start", "host": self.name, "process": self.name, "rights": "net-raw",
            "argv": ["openelb", "run", config, "--state-dir", self.files, "--node-name", self.name],
            "log": self.files.join("daemon.log"),
        }));
        eventually("the daemon answers", || self.try_ask(&["status"]));
    }

    /// Replaces the configuration and tells the daemon.
    pub(crate) fn reload(&self, stage: &mut Stage, config: &str) {
        self.edit(config);
        self.signal(stage, "SIGHUP");
    }

    /// Replaces the configuration without a word.
    pub(crate) fn edit(&self, config: &str) {
        let draft = self.files.join("draft.yaml");
        fs::write(&draft, config).unwrap();
        fs::rename(draft, self.config()).unwrap();
    }

    /// Sends the daemon a signal.
    pub(crate) fn signal(&self, stage: &mut Stage, signal: &str) {
        stage.request(&json!({ "do": "signal", "process": self.name, "signal": signal }));
    }

    /// Waits for the daemon to end: its exit code, or the signal that killed it.
    pub(crate) fn wait(&self, stage: &mut Stage) -> Value {
        stage.request(&json!({ "do": "wait", "process": self.name, "patience_ms": 20_000 }))
    }

    /// What `openelb` answers about this daemon; fails the test with the daemon's log.
    pub(crate) fn ask(&self, question: &[&str]) -> Value {
        self.try_ask(question)
            .unwrap_or_else(|| panic!("{question:?}; {}", self.log()))
    }

    fn try_ask(&self, question: &[&str]) -> Option<Value> {
        answer(&self.command(question).output().unwrap())
    }

    fn command(&self, question: &[&str]) -> Command {
        let mut command = openelb();
        command
            .args(question)
            .args(["-o", "json", "--state-dir"])
            .arg(&self.files);
        command
    }

    /// The failure that `openelb` answers with about this daemon.
    pub(crate) fn refused(&self, question: &[&str]) -> Value {
        let output = self.command(question).output().unwrap();
        assert!(!output.status.success(), "{question:?} was not refused");
        serde_json::from_slice(&output.stderr).unwrap()
    }

    /// Its name.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Who answers for the first address of each service, as this node has it; without those that
    /// nobody answers for.
    pub(crate) fn owners(&self) -> BTreeMap<String, String> {
        let report = self.ask(&["l2", "owners"]);
        let units = report["units"].as_array().unwrap().iter();
        let owned = units.filter_map(|unit| {
            let owner = unit["owner"].as_str()?.to_owned();
            Some((unit["addresses"][0].as_str()?.to_owned(), owner))
        });
        owned.collect()
    }

    /// Who holds what.
    pub(crate) fn holdings(&self) -> Holdings {
        holdings(&self.ask(&["ip", "ls"]))
    }

    /// How the announcement of `address` stands; empty when there is none.
    pub(crate) fn state(&self, address: &str) -> String {
        let status = self.ask(&["status"]);
        let all = status["announcements"].as_array().unwrap();
        let found = all
            .iter()
            .find(|announcement| announcement["address"] == address);
        found.map_or(String::new(), |found| {
            found["state"].as_str().unwrap().to_owned()
        })
    }

    /// Waits until all of them are announced.
    pub(crate) fn announces(&self, addresses: &[&str]) {
        for address in addresses {
            eventually(&format!("{} announces {address}", self.name), || {
                (self.state(address) == "announced").then_some(())
            });
        }
    }

    /// Everything that the daemon logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.files.join("daemon.log")).unwrap_or_default()
    }

    fn config(&self) -> PathBuf {
        self.files.join("config.yaml")
    }
}

/// A pool on layer 2, and services: their names with the lines of their specifications.
pub(crate) fn config(services: &[(&str, &str)]) -> String {
    let services = services.iter().map(|(name, lines)| {
        format!(
            "---\n\
             apiVersion: openelb.io/v1\n\
             kind: Service\n\
             metadata: {{namespace: shop, name: {name}}}\n\
             spec: {{ipFamilyPolicy: RequireDualStack, {lines}}}\n"
        )
    });
    std::iter::once(POOL.to_owned()).chain(services).collect()
}

const POOL: &str = "\
apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata: {name: lab}
spec:
  address: 192.0.2.240/28, 2001:db8::f0/124
  protocol: layer2
  interface: eth0
  probe: Fast
  autoAssign: true
";

/// The pair that the first service gets.
pub(crate) const FIRST: [&str; 2] = ["192.0.2.241", "2001:db8::f1"];

/// The pair that the second service gets.
pub(crate) const SECOND: [&str; 2] = ["192.0.2.242", "2001:db8::f2"];

//! The command on a state directory, and its answers as data.

use std::path::PathBuf;
use std::process::{Child, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::ledger::Holdings;
use crate::stage::openelb;

/// A state directory with a configuration beside it, gone with this value.
#[derive(Debug)]
pub(crate) struct Place {
    files: TempDir,
}

impl Place {
    /// An empty state directory, and this configuration.
    pub(crate) fn new(config: &str) -> Self {
        let place = Self {
            files: TempDir::with_prefix("openelb-e2e-").unwrap(),
        };
        std::fs::write(place.config(), config).unwrap();
        place
    }

    /// The configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.files.path().join("config.yaml")
    }

    /// The state directory.
    pub(crate) fn state(&self) -> PathBuf {
        self.files.path().join("state")
    }

    /// Starts `openelb` with these arguments on the state, answering in JSON.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        openelb()
            .args(arguments)
            .args(["-o", "json", "--state-dir"])
            .arg(self.state())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs `openelb` to its end and returns its answer; anything but success fails the test.
    pub(crate) fn run(&self, arguments: &[&str]) -> Value {
        let output = self.start(arguments).wait_with_output().unwrap();
        answer(&output).unwrap_or_else(|| panic!("{arguments:?}: {output:?}"))
    }

    /// Who holds what.
    pub(crate) fn holdings(&self) -> Holdings {
        holdings(&self.run(&["ip", "ls"]))
    }
}

/// The answer of a command that succeeded.
pub(crate) fn answer(output: &Output) -> Option<Value> {
    output
        .status
        .success()
        .then(|| serde_json::from_slice(&output.stdout).unwrap())
}

/// The owners, by name, and the addresses in an answer.
pub(crate) fn holdings(answer: &Value) -> Holdings {
    let mut found = Holdings::new();
    collect(answer, &mut found);
    found
}

fn collect(value: &Value, found: &mut Holdings) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => match (fields.get("owner"), fields.get("addresses")) {
            (Some(owner), Some(addresses)) => {
                let name = owner.as_str().unwrap().rsplit('/').next().unwrap();
                let addresses = addresses.as_array().unwrap().iter();
                let addresses = addresses.map(|held| held["address"].as_str().unwrap());
                let addresses = addresses.map(|address| address.parse().unwrap()).collect();
                found.insert(name.to_owned(), addresses);
            }
            _ => fields.values().for_each(|field| collect(field, found)),
        },
        _ => {}
    }
}

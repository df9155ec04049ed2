//! Runs the programs of other people that build a bench's network.

use std::process::Command;

/// Runs a command line, split at white space, that must succeed; returns what it printed.
pub fn sh(line: &str) -> String {
    let mut words = line.split_whitespace();
    let program = words.next().expect("a command line names a program");
    let output = Command::new(program).args(words).output();
    let output = output.unwrap_or_else(|error| panic!("{line}: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {text}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

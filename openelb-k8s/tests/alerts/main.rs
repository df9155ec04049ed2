//! The alerts beside Prometheus' own reading of them: `promtool` checks their syntax and plays series
//! of metrics to them.
//!
//! Where `promtool` is missing (Debian: `prometheus`) the test says loudly that it was skipped, and
//! fails when the environment says `CI=true`.
#![cfg(feature = "schema")]
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected fails, wherever its code stands"
)]

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::{Command, Output};

use openelb_k8s::manifests::{Options, Part, part_of, yaml};

#[test]
fn every_alert_fires_when_it_should_and_not_before() {
    let rules = part_of(Part::Monitoring, &Options::default());
    let rules = rules.iter().find(|it| it["kind"] == "PrometheusRule");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("alerts");
    fs::create_dir_all(&folder).unwrap();
    let rules = yaml(&[rules.unwrap()["spec"].clone()]);
    fs::write(folder.join("rules.yaml"), &rules).unwrap();
    fs::write(folder.join("series.yaml"), SERIES).unwrap();
    for arguments in [
        ["check", "rules", "rules.yaml"],
        ["test", "rules", "series.yaml"],
    ] {
        let Some(output) = promtool(&folder, &arguments) else {
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
    // Every alert is played at least once.
    for line in rules.lines() {
        if let Some(name) = line.trim_start_matches([' ', '-']).strip_prefix("alert: ") {
            assert!(SERIES.contains(&format!("alertname: {name}")), "{name}");
        }
    }
}

fn promtool(folder: &Path, arguments: &[&str]) -> Option<Output> {
    let output = Command::new("promtool")
        .args(arguments)
        .current_dir(folder)
        .output();
    match output {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let message = "SKIPPED the alerts: promtool is not installed (Debian: prometheus)\n";
            let is_ci = std::env::var("CI").as_deref() == Ok("true");
            assert!(!is_ci, "{message}; with CI=true nothing may be");
            // Past the harness, which hides what passing tests print.
            std::io::stderr().write_all(message.as_bytes()).unwrap();
            None
        }
        output => Some(output.unwrap()),
    }
}

const SERIES: &str = include_str!("../data/alerts.yaml");

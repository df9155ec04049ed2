//! The same requests to this server and to a real one: what the answers differ in is listed with its
//! reason, or is a fault of this server.
//!
//! What the real API server answers is recorded in `tests/data/api-server.jsonl`, so that the fake is
//! held against it in every run, also where no control plane can be had. With the feature `envtest`
//! the recording itself is held against a real one; `OPENELB_RECORD=1` makes it anew.

mod accepted;
mod answer;
mod player;
#[cfg(feature = "envtest")]
mod real;
mod script;

use std::collections::BTreeMap;
use std::path::Path;

use answer::Answer;

use crate::server::Fake;

#[tokio::test(start_paused = true)]
async fn the_fake_answers_as_the_real_server_does_but_for_what_is_listed() {
    let recorded = recorded();
    let answers = player::play(&Fake::new().client("script")).await;
    let mut used = BTreeMap::new();
    let mut differences = Vec::new();
    for (answer, real) in answers.iter().zip(&recorded) {
        for difference in real.differences(answer) {
            match accepted::reason(&answer.step, &difference.path) {
                Some(reason) => *used.entry(reason).or_insert(0) += 1,
                None => differences.push(format!("{}: {difference}", answer.step)),
            }
        }
    }
    assert!(
        differences.is_empty(),
        "recorded (real) against fake:\n{}",
        differences.join("\n")
    );
    let steps: Vec<&str> = answers.iter().map(|answer| answer.step.as_str()).collect();
    let real: Vec<&str> = recorded.iter().map(|answer| answer.step.as_str()).collect();
    assert_eq!(steps, real, "the recording is of another script");
    let unused: Vec<&str> = accepted::reasons()
        .filter(|reason| !used.contains_key(reason))
        .collect();
    assert!(unused.is_empty(), "no longer a difference: {unused:?}");
}

/// What the real server answered when it was recorded.
fn recorded() -> Vec<Answer> {
    let text = std::fs::read_to_string(recording()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn recording() -> impl AsRef<Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/api-server.jsonl")
}

//! The recording held against a real control plane.

use std::fmt::Write as _;
use std::io::Write as _;

use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use openelb_k8s::envtest::{Binaries, ControlPlane, Options, Release, User};

use super::answer::Answer;
use super::player;

#[test]
fn the_recording_is_what_a_real_api_server_answers() {
    let plane = match Binaries::find(Release::Current) {
        Ok(binaries) => ControlPlane::start(&binaries, &Options::default()).unwrap(),
        Err(missing) => {
            let skipped = format!(
                "\nSKIPPED: the recording is not held against a real API server: {missing}\n"
            );
            let _ = std::io::stderr().write_all(skipped.as_bytes());
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            return;
        }
    };
    let definitions = openelb_k8s::crd::definitions();
    plane
        .define(&openelb_k8s::manifests::yaml(&definitions))
        .unwrap();
    let kubeconfig = plane.kubeconfig(User::Admin).unwrap();
    let answers = plane.netns().run(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let file = Kubeconfig::read_from(kubeconfig).unwrap();
            let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await;
            let mut config = config.unwrap();
            config.default_retry = false;
            let client = kube::Client::try_from(config).unwrap();
            player::play(&client).await
        })
    });
    if std::env::var_os("OPENELB_RECORD").is_some() {
        record(&answers);
    }
    let recorded = super::recorded();
    let differences: Vec<String> = answers
        .iter()
        .zip(&recorded)
        .flat_map(|(real, recorded)| {
            real.differences(recorded)
                .into_iter()
                .map(|difference| format!("{}: {difference}", real.step))
        })
        .collect();
    assert!(
        differences.is_empty(),
        "real against recorded:\n{}",
        differences.join("\n")
    );
    assert_eq!(
        answers.len(),
        recorded.len(),
        "the script has changed; OPENELB_RECORD=1 records it anew"
    );
}

fn record(answers: &[Answer]) {
    let mut lines = String::new();
    for answer in answers {
        writeln!(lines, "{}", serde_json::to_string(answer).unwrap()).unwrap();
    }
    std::fs::write(super::recording(), lines).unwrap();
}

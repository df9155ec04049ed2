//! `openelb validate`.

use crate::testenv::{Env, POOL};

#[test]
fn a_valid_file_is_said_to_be_valid() {
    let env = Env::new();
    env.write("a.yaml", POOL);
    let ran = env.run(&["validate", "a.yaml"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "valid: 1 pool, 0 services\n"),
        "{ran:?}"
    );
    assert_eq!(env.json(&["validate", "a.yaml"])["valid"], true);
}

#[test]
fn every_fault_is_shown_with_its_line_and_the_next_step() {
    let env = Env::new();
    env.write(
        "a.yaml",
        &POOL.replace("address: 192.0.2.0/24", "adress: 192.0.2.0/33"),
    );
    env.write(
        "b.yaml",
        "apiVersion: openelb.io/v1\nkind: Service\nmetadata: {name: web}\nspec: {pool: egde, announce: always}\n",
    );
    let ran = env.run(&["validate", "a.yaml", "b.yaml", "missing.yaml"]);
    assert_eq!(ran.code, 3);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn faults_as_data_have_file_line_column_key_and_help() {
    let env = Env::new();
    env.write("a.yaml", &POOL.replace("192.0.2.0/24", "192.0.2.0/33"));
    let ran = env.run(&["validate", "a.yaml", "-o", "json"]);
    assert_eq!(ran.code, 3);
    let answer: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(answer["valid"], false);
    let remark = &answer["remarks"][0];
    assert_eq!(
        (
            &remark["file"],
            &remark["line"],
            &remark["column"],
            &remark["key"]
        ),
        (
            &"a.yaml".into(),
            &5.into(),
            &12.into(),
            &"spec.address".into()
        )
    );
    assert!(
        remark["help"].is_string() && remark["severity"] == "error",
        "{remark}"
    );
}

#[test]
fn pools_of_several_files_must_not_overlap() {
    let env = Env::new();
    env.write("a.yaml", POOL);
    env.write(
        "b.yaml",
        &POOL
            .replace("name: edge", "name: other")
            .replace("192.0.2.0/24", "192.0.2.128/25"),
    );
    let ran = env.run(&["validate", "a.yaml", "b.yaml"]);
    assert_eq!(ran.code, 3);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn the_configuration_of_the_user_guide_is_valid_and_gives_what_it_says() {
    let guide = include_str!("../../../docs/standalone.md");
    let block = |start: &str| {
        let (_, rest) = guide.split_once(start).unwrap();
        rest.split_once("```").unwrap().0
    };
    let env = Env::new();
    env.write("openelb.yaml", block("```yaml\n"));
    let session = block("```console\n$ openelb validate");
    let valid = env.run(&["validate", "openelb.yaml"]);
    let rehearsal = env.run(&["run", "openelb.yaml", "--dry-run"]);
    for line in [valid.out, rehearsal.out].concat().lines() {
        assert!(session.contains(line), "the guide lacks this line: {line}");
    }
}

//! The control socket: who may speak, and what it makes of nonsense.

use std::os::unix::fs::PermissionsExt;

use crate::testenv::{Env, POOL};

#[test]
fn only_the_owner_may_connect() {
    let env = Env::new();
    env.write("openelb.yaml", POOL);
    let daemon = env.daemon(&[]);
    let mode = std::fs::metadata(daemon.socket())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let mode = std::fs::metadata(env.state()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn nonsense_is_answered_and_the_conversation_goes_on() {
    let env = Env::new();
    env.write("openelb.yaml", POOL);
    let daemon = env.daemon(&[]);
    let replies = daemon.converse(&[
        b"",
        b"hello",
        b"\xff\xfe",
        br#"{"version":2,"question":{"ask":"pools"}}"#,
        br#"{"version":1,"question":{"ask":"dropEverything"}}"#,
        br#"{"version":1,"question":{"ask":"whois","address":"1.2.3"}}"#,
        br#"{"version":1,"question":{"ask":"pools"}}"#,
    ]);
    let (last, nonsense) = replies.split_last().unwrap();
    for reply in nonsense {
        assert_eq!(reply["failure"]["code"], "Invalid", "{reply}");
        assert!(reply["failure"]["next"].is_string(), "{reply}");
    }
    assert_eq!(last["answer"]["pools"]["pools"][0]["name"], "edge");
    assert_eq!(last["version"], 1);
}

#[test]
fn a_request_longer_than_the_bound_is_refused_and_others_are_served() {
    let env = Env::new();
    env.write("openelb.yaml", POOL);
    let daemon = env.daemon(&[]);
    let long = vec![b' '; (32 << 20) + 1];
    let replies = daemon.converse(&[&long]);
    assert!(
        replies[0]["failure"]["message"]
            .as_str()
            .unwrap()
            .contains("longer than"),
        "{}",
        replies[0]
    );
    assert_eq!(env.run(&["pool", "ls"]).code, 0);
}

#[test]
fn a_service_of_the_configuration_is_not_released_by_hand() {
    let env = Env::new();
    env.write(
        "openelb.yaml",
        &format!("{POOL}---\napiVersion: openelb.io/v1\nkind: Service\nmetadata: {{name: web}}\n"),
    );
    let _daemon = env.daemon(&[]);
    let ran = env.run(&["ip", "release", "service/default/web"]);
    assert_eq!(ran.code, 4);
    insta::assert_snapshot!(ran.err);
}

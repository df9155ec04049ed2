//! What survives the end of a daemon.

use crate::testenv::{Env, POOL, addresses};

fn services(count: usize) -> String {
    (1..=count)
        .map(|number| {
            format!(
                "---\napiVersion: openelb.io/v1\nkind: Service\nmetadata: {{name: web-{number}}}\n\
                 spec: {{ipFamilyPolicy: RequireDualStack}}\n"
            )
        })
        .collect()
}

#[test]
fn every_service_has_the_same_addresses_after_a_restart_in_another_order() {
    let env = Env::new();
    env.write("openelb.yaml", &format!("{POOL}{}", services(50)));
    let daemon = env.daemon(&[]);
    let before = env.json(&["ip", "ls"]);
    assert_eq!(addresses(&before).len(), 100);
    assert_eq!(daemon.stop(), Some(0));

    let reversed: String = services(50)
        .split("---\n")
        .skip(1)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .map(|document| format!("---\n{document}"))
        .collect();
    env.write("openelb.yaml", &format!("{POOL}{reversed}"));
    let daemon = env.daemon(&[]);
    assert_eq!(env.json(&["ip", "ls"]), before);
    daemon.kill();
    let _daemon = env.daemon(&[]);
    assert_eq!(env.json(&["ip", "ls"]), before);
}

#[test]
fn an_address_that_cools_down_still_does_after_a_restart() {
    let env = Env::new();
    let cooling = POOL.replace("  autoAssign: true", "  autoAssign: true\n  coolDown: 1h");
    env.write("openelb.yaml", &format!("{cooling}{}", services(1)));
    let daemon = env.daemon(&[]);
    daemon.stop();
    env.write("openelb.yaml", &cooling);
    let daemon = env.daemon(&[]);
    assert!(
        env.run(&["ip", "whois", "192.0.2.1"])
            .out
            .contains("cooling down until")
    );
    daemon.stop();
    let whois = env.json(&["ip", "whois", "192.0.2.1"]);
    assert_eq!(whois["state"], "Cooling");
    let other = env.json(&["ip", "alloc", "other"]);
    assert_eq!(
        addresses(&other),
        ["192.0.2.2"],
        "somebody else does not get it"
    );
    let back = env.json(&["ip", "alloc", "service/default/web-1"]);
    assert_eq!(
        addresses(&back),
        ["192.0.2.1"],
        "its last owner gets it back"
    );
}

#[test]
fn a_state_directory_that_was_copied_holds_everything() {
    let env = Env::with_pools(POOL);
    let given = addresses(&env.json(&["ip", "alloc", "x", "--count", "20"]));
    let copy = env.path("copy");
    std::fs::create_dir(&copy).unwrap();
    std::fs::copy(env.state().join("state.redb"), copy.join("state.redb")).unwrap();
    let listed = env.json(&["ip", "ls", "--state-dir", copy.to_str().unwrap()]);
    assert_eq!(addresses(&listed), given);
}

#[test]
fn a_damaged_state_is_refused_and_left_alone() {
    let env = Env::with_pools(POOL);
    env.run(&["ip", "alloc", "x"]);
    let file = env.state().join("state.redb");
    let mut bytes = std::fs::read(&file).unwrap();
    let found = bytes
        .windows(9)
        .position(|bytes| bytes == b"192.0.2.1")
        .expect("rows are readable");
    bytes[found + 8] = b'9';
    std::fs::write(&file, &bytes).unwrap();
    let ran = env.run(&["ip", "ls"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("the store is damaged"), "{ran:?}");
    assert!(
        ran.err
            .contains("restore the state directory from a backup"),
        "{ran:?}"
    );
}

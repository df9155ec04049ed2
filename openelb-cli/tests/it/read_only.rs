//! A disk that is full while the daemon runs.

use crate::testenv::{Env, POOL, addresses, free_port, page};

#[test]
fn a_full_disk_stops_acknowledging_and_is_said_everywhere() {
    let env = Env::with_pools(POOL);
    let given = addresses(&env.json(&["ip", "alloc", "early"]));
    let size = std::fs::metadata(env.state().join("state.redb"))
        .unwrap()
        .len();
    let at = format!("127.0.0.1:{}", free_port());
    // The limit on file sizes makes writes fail as a full disk does, once its signal is ignored.
    let script = format!("trap \"\" XFSZ; ulimit -f {}; exec \"$@\"", size / 512 + 64);
    let daemon = env.daemon_through(&["sh", "-c", &script, "sh"], &["--metrics", &at]);
    assert_eq!(page(&at, "/healthz").0, 200);

    let ran = env.run(&[
        "ip",
        "alloc",
        "bulk",
        "--count",
        "100000",
        "--families",
        "v6",
    ]);
    assert_eq!(ran.code, 8, "{ran:?}");
    assert!(ran.err.contains("cannot write to the store"), "{ran:?}");
    let again = env.run(&["ip", "alloc", "one-more"]);
    assert_eq!(again.code, 8);
    assert!(
        again
            .err
            .contains("free the disk or mend it, then restart the daemon"),
        "{again:?}"
    );
    assert_eq!(env.run(&["ip", "release", "early"]).code, 8);

    let status = daemon.status();
    assert!(
        status["readOnly"]
            .as_str()
            .unwrap()
            .contains("cannot write"),
        "{status}"
    );
    let (code, body) = page(&at, "/healthz");
    assert_eq!(code, 503, "{body}");
    assert!(
        page(&at, "/metrics")
            .1
            .contains("openelb_store_read_only 1")
    );
    assert_eq!(
        env.run(&["ip", "whois", &given[0]]).code,
        0,
        "looking is still possible"
    );
    daemon.stop();

    let listed = addresses(&env.json(&["ip", "ls"]));
    assert!(
        listed.contains(&given[0]),
        "what was acknowledged is there: {} rows",
        listed.len()
    );
    let after = env.run(&["ip", "alloc", "one-more"]);
    assert_eq!(after.code, 0, "with room it goes on: {after:?}");
}

//! `openelb announce`: addresses on the wire without a configuration.

use serde_json::json;

use crate::node::FIRST;
use crate::stage::{Stage, eventually};

#[test]
fn addresses_are_announced_from_the_foreground_until_the_command_ends() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let log = stage.files().join("announce.log");
    let [v4, v6] = FIRST;
    stage.request(&json!({
        "do": "start", "host": "node-b", "process": "announce", "rights": "net-raw",
        "argv": ["openelb", "announce", v4, v6, "--dev", "eth0", "--no-probe"], "log": log,
    }));
    for address in FIRST {
        eventually("the address resolves", || {
            (stage.resolve(address).as_deref() == Some("node-b")).then_some(())
        });
        assert_eq!(stage.ask(address).as_deref(), Some("node-b"));
    }
    stage.request(&json!({ "do": "signal", "process": "announce", "signal": "SIGINT" }));
    let ended =
        stage.request(&json!({ "do": "wait", "process": "announce", "patience_ms": 20_000 }));
    assert_eq!(
        ended["code"],
        0,
        "{ended}: {:?}",
        std::fs::read_to_string(log)
    );
    for address in FIRST {
        assert_eq!(stage.resolve(address), None);
    }
}

//! A health check decides whether an address is announced; the allocation stays.

use serde_json::json;

use crate::node::{FIRST, Node, config};
use crate::stage::{Stage, eventually};

#[test]
fn a_service_that_stops_answering_is_withdrawn_and_announced_again_when_it_returns() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    start_backend(&mut stage);
    let check = "healthCheck: {protocol: TCP, port: 9999, intervalSeconds: 1, failureThreshold: 2}";
    let node = Node::start(&mut stage, "node-a", &config(&[("web", check)]));
    node.announces(&FIRST);
    let held = node.holdings();

    stage.request(&json!({ "do": "signal", "process": "backend", "signal": "SIGKILL" }));
    for address in FIRST {
        eventually("it is withdrawn", || {
            node.state(address).is_empty().then_some(())
        });
        assert_eq!(stage.resolve(address), None);
    }
    assert_eq!(node.holdings(), held, "the allocation stays");

    start_backend(&mut stage);
    for address in FIRST {
        node.announces(&[address]);
        assert_eq!(stage.resolve(address).as_deref(), Some("node-a"));
    }
}

/// Something on node A that accepts connections on port 9999: another daemon, for its `/healthz`.
fn start_backend(stage: &mut Stage) {
    let files = stage.files().join("backend");
    std::fs::create_dir_all(&files).unwrap();
    let file = files.join("config.yaml");
    std::fs::write(&file, config(&[])).unwrap();
    stage.request(&json!({
        "do": "start", "host": "node-a", "process": "backend", "rights": "net-raw",
        "argv": ["openelb", "run", file, "--no-announce", "--metrics", "127.0.0.1:9999",
                 "--state-dir", files],
        "log": files.join("log"),
    }));
}

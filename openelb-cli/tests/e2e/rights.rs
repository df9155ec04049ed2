//! How little the daemon may do.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::node::{FIRST, Node, config};
use crate::stage::Stage;

#[test]
fn an_ordinary_user_with_net_raw_announces_and_only_the_openers_of_sockets_keep_it() {
    let Some(mut stage) = Stage::open_as(ORDINARY) else {
        return;
    };
    let node = Node::start(&mut stage, "node-a", &config(&[("web", "")]));
    for address in FIRST {
        node.announces(&[address]);
        assert_eq!(stage.resolve(address).as_deref(), Some("node-a"));
    }
    let pid = u32::try_from(node.ask(&["status"])["pid"].as_u64().unwrap()).unwrap();
    let hosts = stage.request(&json!({ "do": "hosts" }));
    let is_node = |host: &&serde_json::Value| host["name"] == "node-a";
    let host = hosts.as_array().unwrap().iter().find(is_node).unwrap();
    let process = process(Path::new(host["namespace"].as_str().unwrap()), pid);
    let tasks: Vec<_> = fs::read_dir(process.join("task")).unwrap().collect();
    assert!(tasks.len() > 1, "the daemon has an I/O thread");
    for task in tasks {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        let held = if OPENERS.contains(&field(&status, "Name")) {
            NET_RAW
        } else {
            NOTHING
        };
        for set in ["CapPrm", "CapEff"] {
            assert_eq!(field(&status, set), held, "{set} of {status}");
        }
        for set in ["CapInh", "CapAmb"] {
            assert_eq!(field(&status, set), NOTHING, "{set} of {status}");
        }
    }
}

/// The process in that network namespace which calls itself `pid`, as it is called out here.
fn process(namespace: &Path, pid: u32) -> PathBuf {
    let wanted = fs::read_link(namespace).unwrap();
    let all = fs::read_dir("/proc")
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut there = all.filter(|process| {
        let is_in =
            fs::read_link(process.join("ns/net")).is_ok_and(|namespace| namespace == wanted);
        let status = fs::read_to_string(process.join("status")).unwrap_or_default();
        is_in && field(&status, "NSpid").rsplit('\t').next() == Some(&pid.to_string())
    });
    there.next().expect("the daemon is somewhere in /proc")
}

fn field<'s>(status: &'s str, name: &str) -> &'s str {
    let mut lines = status.lines().filter_map(|line| line.split_once(":\t"));
    lines
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
        .unwrap_or_default()
}

const ORDINARY: u32 = 1000;

/// The threads that open sockets later: for interfaces that appear, for BGP peers and listeners that
/// an edit adds, and for links on which a prefix that an edit adds is to be heard.
const OPENERS: [&str; 3] = ["openelb-opener", "openelb-bgp", "openelb-sources"];

const NET_RAW: &str = "0000000000002000";

const NOTHING: &str = "0000000000000000";

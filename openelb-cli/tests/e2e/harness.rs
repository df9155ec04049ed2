//! The network itself, without a daemon: what the other tests rely on.

use crate::stage::Stage;
use serde_json::json;

#[test]
fn an_address_of_the_kernel_is_resolved_and_reached_over_both_families() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    for (prefix, address) in [
        ("192.0.2.241/32", "192.0.2.241"),
        ("2001:db8::f1/128", "2001:db8::f1"),
    ] {
        stage.request(&json!({ "do": "own", "host": "node-a", "address": prefix }));
        assert_eq!(stage.resolve(address).as_deref(), Some("node-a"));
        assert_eq!(stage.ask(address).as_deref(), Some("node-a"));
    }
}

#[test]
fn an_address_that_is_only_delivered_is_resolved_by_nobody() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    assert_eq!(stage.resolve("192.0.2.241"), None);
    assert_eq!(stage.resolve("2001:db8::f1"), None);
}

#[test]
fn a_steady_stream_of_questions_counts_every_answer_of_either_family() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    stage.request(&json!({
        "do": "stream", "host": "client", "addresses": ["192.0.2.10", "2001:db8::a"],
        "port": 8080, "interval_us": 1000,
    }));
    // The time of a hundred connections, whatever that is here.
    for _ in 0..100 {
        assert_eq!(stage.ask("192.0.2.10").as_deref(), Some("node-a"));
    }
    let streams = stage.request(&json!({ "do": "finish" }));
    for stream in streams.as_array().unwrap() {
        assert!(stream["sent"].as_u64().unwrap() > 0, "{stream}");
        assert_eq!(stream["lost"], 0, "{stream}");
        assert_eq!(stream["answers"][0]["host"], "node-a", "{stream}");
    }
}

#[test]
fn the_client_hears_who_asks_and_who_answers() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    stage.capture();
    stage.resolve("192.0.2.10");
    stage.resolve("2001:db8::a");
    let heard = stage.sightings();
    for address in ["192.0.2.10", "2001:db8::a"] {
        for (from, message) in [("client", "question"), ("node-a", "answer")] {
            let is_it = |sighting: &&crate::stage::Sighting| {
                (sighting.from.as_str(), sighting.message.as_str()) == (from, message)
                    && sighting.address == address.parse::<std::net::IpAddr>().unwrap()
            };
            assert!(
                heard.iter().any(|s| is_it(&s)),
                "no {message} about {address}: {heard:?}"
            );
        }
    }
}

#[test]
fn hosts_that_are_split_off_reach_each_other_and_nobody_else_until_it_is_healed() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    stage.request(&json!({ "do": "group", "hosts": ["client", "node-a"] }));
    assert_eq!(stage.resolve("192.0.2.11").as_deref(), Some("node-b"));
    stage.request(&json!({ "do": "split" }));
    for (a, b) in [("192.0.2.10", "192.0.2.11"), ("2001:db8::a", "2001:db8::b")] {
        assert_eq!(stage.resolve(a).as_deref(), Some("node-a"));
        assert_eq!(stage.resolve(b), None);
    }
    stage.request(&json!({ "do": "heal" }));
    assert_eq!(stage.resolve("192.0.2.11").as_deref(), Some("node-b"));
    stage.request(&json!({ "do": "cut", "host": "node-b" }));
    assert_eq!(stage.resolve("192.0.2.11"), None);
    stage.request(&json!({ "do": "mend", "host": "node-b" }));
    assert_eq!(stage.resolve("192.0.2.11").as_deref(), Some("node-b"));
}

#[test]
fn a_census_finds_everybody_who_answers_for_an_address_and_changes_no_table() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    // The kernels of both have the first pair, only one has the second.
    let both = ["192.0.2.241", "2001:db8::f1"];
    let one = ["192.0.2.242", "2001:db8::f2"];
    for (pair, hosts) in [(both, &["node-a", "node-b"][..]), (one, &["node-a"])] {
        for host in hosts {
            for address in pair {
                let length = if address.contains(':') { 128 } else { 32 };
                let address = format!("{address}/{length}");
                stage.request(&json!({ "do": "own", "host": host, "address": address }));
            }
        }
    }
    let addresses = [both, one].concat();
    stage.request(&json!({ "do": "census", "host": "client", "addresses": addresses }));
    // The time of a hundred connections, whatever that is here.
    for _ in 0..100 {
        assert_eq!(stage.ask("192.0.2.10").as_deref(), Some("node-a"));
    }
    let told = stage.request(&json!({ "do": "tally", "host": "client" }));
    let told = told.as_array().unwrap();
    assert_eq!(told.len(), 4);
    for address in told {
        let overlaps = address["overlaps_at_us"].as_array().unwrap();
        let is_shared = both.contains(&address["address"].as_str().unwrap());
        assert_eq!(!overlaps.is_empty(), is_shared, "{address}");
        assert!(address["asked"].as_u64().unwrap() > 0, "{address}");
    }
    let known = stage.request(&json!({ "do": "known", "host": "client", "address": one[0] }));
    assert_eq!(known["host"], serde_json::Value::Null, "{known}");
}

#[test]
fn an_interrupted_lab_removes_its_files() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let hosts = stage.request(&json!({ "do": "hosts" }));
    assert_eq!(
        std::fs::read_dir(stage.scratch()).unwrap().count(),
        1,
        "the lab's own directory"
    );
    assert_eq!(hosts.as_array().unwrap().len(), 6);
    let scratch = stage.interrupt();
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn nothing_of_the_network_outlives_its_owner() {
    let Some(mut stage) = Stage::open() else {
        return;
    };
    let log = stage.files().join("sleeper.log");
    stage.request(&json!({
        "do": "start", "host": "node-a", "process": "sleeper", "rights": "everything",
        "argv": ["sleep", "1000"], "log": log,
    }));
    let hosts = stage.request(&json!({ "do": "hosts" }));
    let namespace = std::path::PathBuf::from(hosts[0]["namespace"].as_str().unwrap());
    assert!(namespace.exists());
    drop(stage);
    crate::stage::eventually("the namespace goes away", || {
        (!namespace.exists()).then_some(())
    });
}

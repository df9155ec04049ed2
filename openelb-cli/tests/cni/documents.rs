//! The configurations in the guide work as they stand there.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::plugin::Network;

#[test]
fn every_configuration_of_the_guide_is_served() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cni.md");
    let guide = fs::read_to_string(guide).unwrap();
    let blocks = guide
        .split("```json\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let mut served = 0;
    for block in blocks {
        let whole: Value =
            serde_json::from_str(block).unwrap_or_else(|error| panic!("{error}:\n{block}"));
        let plugins = whole["plugins"].as_array().cloned().unwrap_or_default();
        for plugin in plugins
            .iter()
            .filter(|plugin| plugin["ipam"]["type"] == "openelb-cni")
        {
            let network = Network::new(plugin["ipam"].clone());
            let answer = network.add("a");
            assert!(answer.is_success, "{answer:?}\n{block}");
            assert!(network.status().is_success && network.del("a").is_success);
            served += 1;
        }
    }
    assert!(
        served >= 3,
        "the guide shows {served} configurations; was its form changed?"
    );
}

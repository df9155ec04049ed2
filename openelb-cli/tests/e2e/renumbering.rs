//! What a home-cluster owner sees: `openelb lab prefix-change`, with radvd as the provider's router.

use std::io::{self, Write as _};

use serde_json::Value;

use crate::stage::openelb;

/// The old address lives through the grace period, the new one is there first, the flap before cost
/// nothing, the pin was a host part.
#[test]
fn metallb_76_and_79_a_download_lives_through_a_change_of_prefix_and_a_pin_follows_it() {
    let output = openelb()
        .args(["lab", "prefix-change", "-o", "json"])
        .output()
        .unwrap();
    if [NOT_FOUND, NOT_PERMITTED].contains(&output.status.code()) {
        let said = String::from_utf8_lossy(&output.stderr);
        let is_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
        assert!(!is_ci, "nothing is skipped: {said}");
        // Past the test runner, which swallows what passing tests print.
        let skipped = format!("\nSKIPPED: no change of prefix here: {said}\n");
        return io::stderr().write_all(skipped.as_bytes()).unwrap();
    }
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert!(output.status.success(), "{:#}", report["failure"]);
    let steps = report["steps"].as_array().unwrap();
    let names: Vec<_> = steps
        .iter()
        .map(|step| step["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "learned",
            "downloading",
            "flapped",
            "changed",
            "graced",
            "left"
        ]
    );
    for name in names {
        let row = format!("| `{name}` |");
        assert!(GUIDE.contains(&row), "docs/lab.md lacks the row {row}");
    }
    let facts = |index: usize| &steps[index]["facts"];
    assert_eq!(facts(0)["address"], "2001:db8:a::1000");
    assert_eq!(facts(2)["renumbered"], 0);
    assert_eq!(facts(3)["address"], "2001:db8:b::1000");
    assert_eq!(
        facts(3)["generation"],
        facts(2)["generation"],
        "the ledger was not written"
    );
    assert!(
        facts(4)["octets"].as_u64() > facts(3)["octets"].as_u64(),
        "the download went on"
    );
    assert_eq!(facts(5)["gone"], "2001:db8:a::1000");
}

const GUIDE: &str = include_str!("../../../docs/lab.md");

/// `ExitCode::NotFound` and `ExitCode::NotPermitted` of the command.
const NOT_FOUND: Option<i32> = Some(5);
const NOT_PERMITTED: Option<i32> = Some(7);

//! A reboot, as far as a process can see one: another boot ID in `/proc`.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::plugin::{Answer, Network};
use crate::skip;

/// An invocation in a boot with this ID.
fn in_boot(network: &Network, boot: &Path, verb: &str, container: &str) -> Answer {
    let script = r#"mount --bind "$BOOT" /proc/sys/kernel/random/boot_id; exec "$PLUGIN""#;
    network.run_on_mount(verb, container, script, ("BOOT", boot))
}

#[test]
fn nothing_that_was_held_before_a_reboot_is_lost_for_ever() {
    if !skip::is_root() {
        return;
    }
    let network =
        Network::new(json!({"ranges": [[{"subnet": "10.1.0.0/29"}], [{"subnet": "fd00:1::/64"}]]}));
    fs::create_dir_all(network.data()).unwrap();
    let boots = tempfile::tempdir().unwrap();
    let boot = |name: &str| {
        let path = boots.path().join(name);
        fs::write(&path, format!("{name}\n")).unwrap();
        path
    };
    let (first, second) = (boot("first"), boot("second"));
    for container in ["a", "b", "c", "d"] {
        assert!(in_boot(&network, &first, "ADD", container).is_success);
    }
    fs::write(network.path("10.1.0.6"), "printer").unwrap();
    assert_eq!(in_boot(&network, &first, "ADD", "e").code(), 100, "full");
    // The kubelet starts new sandboxes and deletes the old ones, in any order.
    let new = in_boot(&network, &second, "ADD", "a2");
    assert!(new.is_success, "{new:?}");
    assert!(in_boot(&network, &second, "DEL", "a").is_success);
    let leases = network.leases();
    assert_eq!(
        leases.get("10.1.0.6").map(String::as_str),
        Some("printer"),
        "what people keep free stays free"
    );
    assert_eq!(leases.len(), 3, "{leases:?}");
    for address in new.addresses() {
        assert_eq!(leases.get(&address).map(String::as_str), Some("a2"));
    }
    for container in ["b2", "c2", "d2"] {
        let answer = in_boot(&network, &second, "ADD", container);
        assert!(answer.is_success, "{container}: {answer:?}");
    }
    // A container that keeps its ID over a reboot, as with podman, is added again.
    assert!(in_boot(&network, &boot("third"), "ADD", "b2").is_success);
}

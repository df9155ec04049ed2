//! Disks that are full, read-only or full of nonsense.

use std::fs;
use std::path::Path;

use crate::plugin::{Answer, Network};
use crate::skip;

/// An invocation whose data directory is on a file system made for it: `script` mounts it at `$DATA`.
fn on_mount(network: &Network, verb: &str, container: &str, script: &str) -> Answer {
    fs::create_dir_all(network.data()).unwrap();
    network.run_on_mount(verb, container, script, ("DATA", &network.data()))
}

#[test]
fn a_read_only_directory_is_named_with_what_to_do() {
    if !skip::is_root() {
        return;
    }
    let network = Network::dual();
    assert!(network.add("a").is_success);
    let read_only =
        r#"mount --bind "$DATA" "$DATA"; mount -o remount,bind,ro "$DATA"; exec "$PLUGIN""#;
    for verb in ["ADD", "DEL"] {
        let container = if verb == "ADD" { "b" } else { "a" };
        let refused = on_mount(&network, verb, container, read_only);
        assert_eq!(
            (refused.is_success, refused.code()),
            (false, 5),
            "{refused:?}"
        );
        let next = refused.json["details"].as_str().unwrap();
        assert!(
            next.contains("mount this file system for writing"),
            "{refused:?}"
        );
    }
    assert_eq!(on_mount(&network, "STATUS", "x", read_only).code(), 50);
    assert!(
        on_mount(&network, "CHECK", "a", read_only).is_success,
        "reading is still possible"
    );
    assert!(
        on_mount(&network, "DEL", "unknown", read_only).is_success,
        "there is nothing to write"
    );
    assert_eq!(network.leases().len(), 2);
}

#[test]
fn a_full_disk_refuses_and_takes_nothing_whichever_file_is_the_last() {
    if !skip::is_root() {
        return;
    }
    // Inodes run out first on real nodes, too; on tmpfs a second name counts as one. What the plugin leaves of an
    // address is printed, and the answer no longer JSON.
    let script = r#"mount -t tmpfs -o nr_inodes=INODES none "$DATA"; mkdir -p "$DATA/pods"; touch "$DATA/pods/lock"
        "$PLUGIN" || { ls "$DATA/pods" | grep -E "^(10|fd)"; exit 1; }"#;
    let mut refusals = 0;
    for inodes in 3..=20 {
        let network = Network::dual();
        let script = script.replace("INODES", &inodes.to_string());
        let answer = on_mount(&network, "ADD", "a", &script);
        if answer.is_success {
            assert_eq!(answer.addresses().len(), 2, "{inodes} inodes");
            continue;
        }
        refusals += 1;
        assert_eq!(answer.code(), 5, "{inodes} inodes: {answer:?}");
        assert!(
            answer.json["details"]
                .as_str()
                .unwrap()
                .contains("free space or inodes"),
            "{answer:?}"
        );
    }
    assert!((3..18).contains(&refusals), "{refusals} of 18 were refused");
    let full = script.replace("INODES", "3");
    assert_eq!(on_mount(&Network::dual(), "STATUS", "a", &full).code(), 50);
}

#[test]
fn nonsense_in_every_file_of_the_store_is_survived() {
    let cache = |network: &Network, name: &str| network.data().join(".openelb-cni/pods").join(name);
    for content in [
        &b""[..],
        b"\0",
        b"nonsense",
        &[0xff; 7_000],
        b"OEAH\x01\0\0\0",
        b"OEAI",
    ] {
        let network = Network::dual();
        assert!(network.add("a").is_success);
        fs::write(network.path("last_reserved_ip.0"), content).unwrap();
        fs::write(network.path("lock"), content).unwrap();
        for name in ["summary", "attachments", "draft", "reboot"] {
            fs::write(cache(&network, name), content).unwrap();
        }
        let second = network.add("b");
        assert!(second.is_success, "{second:?}");
        assert_eq!(network.leases().len(), 4, "nobody lost an address");
        assert!(network.del("a").is_success && network.del("b").is_success);
        assert!(network.leases().is_empty());
    }
}

#[test]
fn folders_where_files_belong_cost_time_and_nothing_else() {
    let network = Network::dual();
    let cache = network.data().join(".openelb-cni/pods");
    for name in ["summary", "attachments", "draft", "reboot"] {
        fs::create_dir_all(cache.join(name).join("deep")).unwrap();
    }
    assert!(network.add("a").is_success && network.add("b").is_success);
    assert!(network.del("a").is_success && network.gc(&["b"]).is_success);
    assert_eq!(network.leases().len(), 2);
    let beside = Network::dual();
    fs::create_dir_all(beside.data()).unwrap();
    fs::write(beside.data().join(".openelb-cni"), "a file").unwrap();
    assert!(beside.add("a").is_success && beside.del("a").is_success);
    assert!(beside.leases().is_empty());
}

#[test]
fn a_link_in_place_of_a_file_is_not_followed() {
    let network = Network::dual();
    let target = network.data().join("target");
    fs::create_dir_all(network.path("")).unwrap();
    fs::write(&target, "precious").unwrap();
    for name in ["10.1.0.2", "last_reserved_ip.0", "last_reserved_ip.1"] {
        std::os::unix::fs::symlink(&target, network.path(name)).unwrap();
    }
    assert_eq!(
        network.add("a").addresses()[0],
        "10.1.0.3",
        "a link is not free"
    );
    assert!(network.del("a").is_success && network.gc(&[]).is_success);
    assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    fs::remove_file(network.path("lock")).unwrap();
    std::os::unix::fs::symlink(Path::new("/nowhere"), network.path("lock")).unwrap();
    assert_eq!(network.add("b").code(), 5);
}

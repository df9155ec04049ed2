//! Tests that need more than this machine has say so aloud, and fail where everything has to be there.

use std::io::Write;
use std::path::{Path, PathBuf};

/// Debian's plugin of this name.
pub(crate) fn debian(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/lib/cni", "/opt/cni/bin"];
    let found = folders
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.exists());
    if found.is_none() {
        skipped(&format!(
            "no {name} in {} (Debian: containernetworking-plugins)",
            folders.join(" or ")
        ));
    }
    found
}

/// Whether namespaces and mounts can be made.
pub(crate) fn is_root() -> bool {
    let is_root = nix::unistd::geteuid().is_root();
    if !is_root {
        skipped("network namespaces and mounts need root");
    }
    is_root
}

fn skipped(why: &str) {
    // Not `eprintln!`: what a passing test prints that way is not shown.
    let _ = std::io::stderr().write_all(format!("\nSKIPPED cni: {why}\n").as_bytes());
    let must_run = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!must_run, "with CI=true nothing may be skipped: {why}");
}

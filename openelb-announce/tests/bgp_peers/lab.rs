//! Where a test of routers takes place: hosts on a bridge, and a directory for files and sockets.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::router::Kind;
use crate::world::{self, Host, World};

/// Runs `body`, a closure in a test, with as many hosts as it takes, or says why that is impossible
/// here. `kinds` are the routers that it is going to start.
pub(crate) fn with_lab<const N: usize, F: FnOnce(&World, [Host; N])>(kinds: &[Kind], body: F) {
    let test = world::test_name::<F>();
    let users = std::fs::read_to_string("/proc/self/uid_map").unwrap();
    if !nix::unistd::geteuid().is_root() || users.split_whitespace().nth(2) == Some("1") {
        return world::skip(
            test,
            "routers change to users of their own: it takes the real root",
        );
    }
    for (program, package) in kinds.iter().flat_map(|kind| kind.programs()) {
        if !is_installed(program) {
            return world::skip(test, &format!("{program} is missing (package {package})"));
        }
    }
    world::with_root_and_hosts(|world, hosts: [Host; N]| {
        for host in &hosts {
            // FRR sends router advertisements where it has unnumbered peers. Another address would
            // then be the source of connections, which the other side does not know.
            host.sh("sysctl -qw net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.eth0.accept_ra=0");
        }
        body(world, hosts);
    });
}

/// A directory of this test, removed with it.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Short: paths of sockets have 108 octets.
        let path = std::env::temp_dir().join(format!("oel{:x}-{number}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file here, as text for configurations and command lines.
    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn is_installed(program: &str) -> bool {
    if program.starts_with('/') {
        return Path::new(program).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|directory| directory.join(program).exists())
}

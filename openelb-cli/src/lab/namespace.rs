//! Entering namespaces of our own, as an ordinary user where the system allows it and as root.

use std::fs;
use std::io;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

/// How the namespaces came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Isolation {
    /// A user namespace in which we are root and outside of which we can do nothing new.
    UserNamespace,
    /// Only a network and a PID namespace, made with the caller's own privileges.
    Privileged,
}

/// Why no namespaces could be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnterError {
    /// The kernel refused the namespaces themselves.
    #[error(
        "create a user and a network namespace: {user}; a network namespace alone: {privileged}"
    )]
    Refused {
        /// What the kernel said to a user namespace.
        user: Errno,
        /// What it said to a network namespace alone.
        privileged: Errno,
    },
    /// The user namespace exists but gives no rights, which is how `AppArmor` restricts it.
    #[error("become root inside the new user namespace: write {file}: {source}")]
    Map {
        /// Which file of `/proc/self` could not be written.
        file: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
}

/// Moves this process into a new network namespace, and its future children into a new PID
/// namespace, preferably owned by a new user namespace.
///
/// The kernel only allows it while the process has a single thread, so this comes before any
/// runtime. The first child becomes the init of the PID namespace: when it ends, the kernel kills
/// everything else in there and the network goes with the last process.
pub(crate) fn enter() -> Result<Isolation, EnterError> {
    let (user_id, group_id) = (geteuid(), getegid());
    let ours = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWPID;
    let Err(user) = unshare(CloneFlags::CLONE_NEWUSER | ours) else {
        // One identity may be mapped without help, and only with setgroups(2) denied first.
        write("setgroups", "deny")?;
        write("uid_map", &format!("0 {user_id} 1"))?;
        write("gid_map", &format!("0 {group_id} 1"))?;
        return Ok(Isolation::UserNamespace);
    };
    unshare(ours).map_err(|privileged| EnterError::Refused { user, privileged })?;
    Ok(Isolation::Privileged)
}

fn write(file: &'static str, text: &str) -> Result<(), EnterError> {
    fs::write(format!("/proc/self/{file}"), text).map_err(|source| EnterError::Map { file, source })
}

/// What can be done about a refusal: the switches of this machine that forbid namespaces, each with
/// the command that turns it, and what works without them.
pub(crate) fn advice() -> String {
    let forbidding = SWITCHES.iter().filter(|switch| switch.forbids_now());
    let mut ways: Vec<String> = forbidding
        .map(
            |Switch {
                 name,
                 forbids,
                 allows,
             }| {
                format!("{name} is {forbids}: `sudo sysctl -w {name}={allows}` allows it")
            },
        )
        .collect();
    if ways.is_empty() {
        let sandbox = "no sysctl of this machine forbids it, so a sandbox does: a container needs \
                       `--security-opt seccomp=unconfined`";
        ways.push(sandbox.to_owned());
    }
    ways.push("or run it as root: `sudo openelb lab`".to_owned());
    ways.join("\n       ")
}

/// A sysctl that forbids user namespaces at one of its values.
struct Switch {
    name: &'static str,
    forbids: &'static str,
    allows: &'static str,
}

impl Switch {
    fn forbids_now(&self) -> bool {
        let file = format!("/proc/sys/{}", self.name.replace('.', "/"));
        fs::read_to_string(file).is_ok_and(|value| value.trim() == self.forbids)
    }
}

const SWITCHES: [Switch; 3] = [
    // Debian's own switch, gone from mainline.
    Switch {
        name: "kernel.unprivileged_userns_clone",
        forbids: "0",
        allows: "1",
    },
    // Ubuntu 23.10 and later: the namespace is created but holds no capability.
    Switch {
        name: "kernel.apparmor_restrict_unprivileged_userns",
        forbids: "1",
        allows: "0",
    },
    Switch {
        name: "user.max_user_namespaces",
        forbids: "0",
        allows: "10000",
    },
];

//! Entering namespaces of our own, as an ordinary user where the system allows it and as root.

#[cfg(test)]
mod tests;

use std::fs;
use std::io;

use caps::CapSet;
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, getegid, geteuid};

/// How the namespaces came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Isolation {
    /// A user namespace in which we have every right and outside of which we have none more.
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
    #[error("become user {user} inside the new user namespace: {source}")]
    Become {
        /// Which user.
        user: u32,
        /// What the kernel said.
        source: io::Error,
    },
}

/// Moves this process into a new network namespace, and its future children into a new PID
/// namespace, preferably owned by a new user namespace in which it is `user`.
///
/// The kernel only allows it while the process has a single thread, so this comes before any
/// runtime. The first child becomes the init of the PID namespace: when it ends, the kernel kills
/// everything else in there and the network goes with the last process.
pub(crate) fn enter(user: u32) -> Result<Isolation, EnterError> {
    let identity = (geteuid(), getegid());
    let ours = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWPID;
    let Err(refused) = unshare(CloneFlags::CLONE_NEWUSER | ours) else {
        become_user(user, identity).map_err(|source| EnterError::Become { user, source })?;
        return Ok(Isolation::UserNamespace);
    };
    unshare(ours).map_err(|privileged| EnterError::Refused {
        user: refused,
        privileged,
    })?;
    Ok(Isolation::Privileged)
}

/// Moves this process into a new network namespace, and its future children into a new PID
/// namespace, with root's own privileges: for programs that change their user, which a user
/// namespace with one identity does not allow.
pub(crate) fn enter_as_root() -> Result<Isolation, Errno> {
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWPID)?;
    Ok(Isolation::Privileged)
}

fn become_user(user: u32, (user_id, group_id): (Uid, Gid)) -> io::Result<()> {
    // One identity may be mapped without help, and only with setgroups(2) denied first.
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user_id} 1"))?;
    fs::write("/proc/self/gid_map", format!("{user} {group_id} 1"))?;
    // What is executed next keeps the rights of the namespace only as root, or when told so.
    let every = caps::read(None, CapSet::Permitted).map_err(io::Error::other)?;
    caps::set(None, CapSet::Inheritable, &every).map_err(io::Error::other)?;
    caps::set(None, CapSet::Ambient, &every).map_err(io::Error::other)
}

/// What can be done about a refusal: the switches of this machine that forbid namespaces, each with
/// the command that turns it, and what works without them.
pub(crate) fn advice() -> String {
    advice_from(|name| fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))).ok())
}

fn advice_from(value: impl Fn(&str) -> Option<String>) -> String {
    let forbids =
        |switch: &&Switch| value(switch.name).is_some_and(|value| value.trim() == switch.forbids);
    let mut ways: Vec<String> = SWITCHES
        .iter()
        .filter(forbids)
        .map(Switch::advice)
        .collect();
    if ways.is_empty() {
        let sandbox = "no sysctl of this machine forbids it, so a sandbox does: a container needs \
                       `--privileged`";
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
    fn advice(&self) -> String {
        let Self {
            name,
            forbids,
            allows,
        } = self;
        format!("{name} is {forbids}: `sudo sysctl -w {name}={allows}` allows it")
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

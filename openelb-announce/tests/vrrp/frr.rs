//! The other end: FRR's `vrrpd` on a host of the test.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use openelb_announce::vrrp::Family;
use serde_json::Value;

use crate::node::{VRID, addresses};
use crate::other::Other;
use crate::world::{Host, Running, eventually};

/// `zebra` and `vrrpd`.
pub(crate) struct Frr {
    host: Host,
    family: Family,
    directory: Directory,
    vrrpd: Running,
    _zebra: Running,
}

impl Frr {
    /// Starts FRR with one virtual router of version 3, adverts every tenth of a second, and these
    /// lines more.
    pub(crate) fn start(host: &Host, family: Family, priority: u8, more: &[&str]) -> Self {
        let directory = Directory::new();
        prepare_link(host, family);
        std::fs::write(
            directory.file("vrrpd.conf"),
            configuration(family, priority, more),
        )
        .unwrap();
        let owner = nix::unistd::User::from_name("frr").unwrap().unwrap();
        let (user, group) = (owner.uid.as_raw(), owner.gid.as_raw());
        std::os::unix::fs::chown(&directory.0, Some(user), Some(group)).unwrap();
        let path = directory.0.display();
        let common = |name: &str| {
            format!(
                "-P 0 -A 127.0.0.1 -z {path}/zserv.api -i {path}/{name}.pid --vty_socket {path}"
            )
        };
        let zebra = host.spawn(&format!("{ZEBRA} {} -f /dev/null", common("zebra")));
        let socket = directory.file("zserv.api");
        eventually("zebra listens", || std::path::Path::new(&socket).exists());
        let vrrpd = host.spawn(&format!("{VRRPD} {} -f {path}/vrrpd.conf", common("vrrpd")));
        let frr = Self {
            host: host.clone(),
            family,
            directory,
            vrrpd,
            _zebra: zebra,
        };
        let listens = |state: &Value| state == "Backup" || state == "Master";
        eventually("vrrpd listens", || listens(&frr.router()["status"]));
        frr
    }

    fn router(&self) -> Value {
        let text = self.vtysh(&["show vrrp json"]).unwrap_or_default();
        let all: Value = serde_json::from_str(&text).unwrap_or_default();
        let family = match self.family {
            Family::Ipv4 => "v4",
            Family::Ipv6 => "v6",
        };
        all[0][family].clone()
    }

    fn vtysh(&self, commands: &[&str]) -> Option<String> {
        let mut command = Command::new("ip");
        let namespace = &self.host.namespace;
        command.args(["netns", "exec", namespace, "vtysh", "--vty_socket"]);
        command.arg(&self.directory.0);
        for line in commands {
            command.args(["-c", line]);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text)
    }
}

impl Other for Frr {
    fn is_active(&self) -> bool {
        self.router()["status"] == "Master"
    }

    fn signal(&self, signal: &str) {
        self.vrrpd.signal(signal);
        if signal == "KILL" {
            // Whoever supervises it takes its link away, which answers for the addresses else.
            self.host
                .sh(&format!("ip link del {}", link_name(self.family)));
        }
    }
}

impl Drop for Frr {
    fn drop(&mut self) {
        let name = link_name(self.family);
        let _ = self.host.try_sh(&format!("ip link del {name}"));
    }
}

/// FRR wants a macvlan with the virtual MAC and the addresses, made beforehand.
fn prepare_link(host: &Host, family: Family) {
    let name = link_name(family);
    let (number, length) = match family {
        Family::Ipv4 => (1, 24),
        Family::Ipv6 => (2, 64),
    };
    // Else the kernel answers for what is on the macvlan, whatever FRR says.
    host.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1");
    host.sh(&format!(
        "ip link add {name} link eth0 type macvlan mode bridge"
    ));
    host.sh(&format!(
        "ip link set {name} address 00:00:5e:00:0{number}:{VRID:02x}"
    ));
    for address in addresses(family) {
        host.sh(&format!("ip addr add {address}/{length} dev {name}"));
    }
    host.sh(&format!("ip link set {name} up"));
}

fn link_name(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "vrrp4-2-1",
        Family::Ipv6 => "vrrp6-2-1",
    }
}

fn configuration(family: Family, priority: u8, more: &[&str]) -> String {
    let mut text = format!(
        "interface eth0\n vrrp {VRID} version 3\n vrrp {VRID} priority {priority}\n \
         vrrp {VRID} advertisement-interval 100\n"
    );
    let word = match family {
        Family::Ipv4 => "ip",
        Family::Ipv6 => "ipv6",
    };
    for address in addresses(family) {
        writeln!(text, " vrrp {VRID} {word} {address}").unwrap();
    }
    for line in more {
        writeln!(text, " {line}").unwrap();
    }
    text
}

/// A directory of one router, removed with it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Short: paths of sockets have 108 octets.
        let name = format!("oelv{:x}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) const ZEBRA: &str = "/usr/lib/frr/zebra";
pub(crate) const VRRPD: &str = "/usr/lib/frr/vrrpd";

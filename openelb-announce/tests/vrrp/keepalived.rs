//! The other end: keepalived 2.2.7 on a host of the test.

use std::fmt::Write as _;

use openelb_announce::vrrp::Family;

use crate::node::{VRID, addresses, vip};
use crate::other::Other;
use crate::world::{Host, Running, eventually};

/// How an instance is set up.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) family: Family,
    pub(crate) version: u8,
    pub(crate) priority: u8,
    /// In seconds, as keepalived writes it.
    pub(crate) interval: &'static str,
    pub(crate) addresses: Vec<String>,
    /// Further lines of the instance.
    pub(crate) more: String,
}

impl Instance {
    /// Version 3, with adverts every tenth of a second.
    pub(crate) fn new(family: Family, priority: u8) -> Self {
        Self {
            family,
            version: 3,
            priority,
            interval: "0.1",
            addresses: addresses(family).iter().map(|&it| it.to_owned()).collect(),
            more: String::new(),
        }
    }

    fn text(&self, path: &str) -> String {
        let Self {
            version,
            priority,
            interval,
            more,
            ..
        } = self;
        let mut text = format!(
            "global_defs {{\n vrrp_version {version}\n vrrp_garp_master_delay 1\n \
             script_user root\n}}\n\
             vrrp_instance V {{\n state BACKUP\n interface eth0\n virtual_router_id {VRID}\n \
             priority {priority}\n advert_int {interval}\n {more}\n \
             notify_backup \"/usr/bin/touch {path}.backup\"\n virtual_ipaddress {{\n"
        );
        let length = length(self.family);
        for address in &self.addresses {
            writeln!(text, "  {address}/{length}").unwrap();
        }
        text + " }\n}\n"
    }
}

/// A running keepalived.
pub(crate) struct Keepalived {
    host: Host,
    family: Family,
    path: String,
    process: Running,
}

impl Keepalived {
    /// Starts keepalived on `host` with one instance, and waits until it listens.
    pub(crate) fn start(host: &Host, instance: &Instance) -> Self {
        let path = format!("/tmp/{}-{}", host.namespace, instance.family);
        std::fs::write(format!("{path}.conf"), instance.text(&path)).unwrap();
        // Another process would stay behind when this one is killed.
        let process = host.spawn(&format!(
            "{KEEPALIVED} --dont-fork --vrrp -f {path}.conf \
             -p {path}.pid -r {path}.vrrp.pid"
        ));
        eventually("keepalived listens", || {
            std::fs::exists(format!("{path}.backup")).unwrap()
        });
        Self {
            host: host.clone(),
            family: instance.family,
            path,
            process,
        }
    }

    /// The process that speaks VRRP, by its number.
    fn speaker(&self) -> String {
        let path = format!("{}.vrrp.pid", self.path);
        eventually("keepalived runs", || {
            std::fs::read_to_string(&path).is_ok_and(|text| text.ends_with('\n'))
        });
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    }
}

impl Other for Keepalived {
    /// It has the address then.
    fn is_active(&self) -> bool {
        let addresses = self.host.sh("ip -brief addr show dev eth0");
        addresses.contains(&format!("{}/", vip(self.family)))
    }

    fn signal(&self, signal: &str) {
        let speaker = self.speaker();
        // First the one that speaks: it would say farewell if it saw the other one go.
        let own = self.process.0.id();
        let _ = self.host.try_sh(&format!("kill -{signal} {speaker} {own}"));
        if signal == "KILL" {
            // Whoever supervises it takes its addresses away.
            let length = length(self.family);
            for address in addresses(self.family) {
                let line = format!("ip addr del {address}/{length} dev eth0");
                let _ = self.host.try_sh(&line);
            }
        }
    }
}

impl Drop for Keepalived {
    fn drop(&mut self) {
        let own = self.process.0.id().to_string();
        let file = format!("{}.vrrp.pid", self.path);
        if let Ok(speaker) = std::fs::read_to_string(file)
            && speaker.trim() != own
        {
            let _ = self.host.try_sh(&format!("kill -KILL {}", speaker.trim()));
        }
        for suffix in ["conf", "pid", "vrrp.pid", "backup"] {
            let _ = std::fs::remove_file(format!("{}.{suffix}", self.path));
        }
    }
}

fn length(family: Family) -> u8 {
    match family {
        Family::Ipv4 => 24,
        Family::Ipv6 => 64,
    }
}

pub(crate) const KEEPALIVED: &str = "/usr/sbin/keepalived";

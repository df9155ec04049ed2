//! keepalived on a node, with one VRRP version 3 router for each family.

use std::fs::File;
use std::path::Path;

use nix::sys::stat::Mode;

use super::contender::{Adverts, REAL_TIME, VRID, priority};
use super::process::{Journal, Process};
use super::world::{ADDRESSES, Host, World};

/// Can it be started here?
pub(crate) fn is_installed() -> bool {
    Path::new(PROGRAM).exists()
}

/// Starts it; `journal` hears of every change of state.
pub(crate) fn start(world: &World, host: &Host, adverts: Adverts, journal: &Journal) -> Process {
    // One that was killed has left its addresses behind.
    for address in ADDRESSES {
        host.try_sh(&format!("ip addr del {address} dev eth0"));
        let family = if address.is_ipv4() { "-4" } else { "-6" };
        host.try_sh(&format!("ip {family} route add local {address} dev lo"));
    }
    host.try_sh(&format!("ip addr del {LINK_LOCAL}/64 dev eth0"));
    let file = |name: &str| world.directory.join(format!("{}-{name}", host.number));
    let states = file("states");
    for stale in ["pid", "vrrp", "states"] {
        drop(std::fs::remove_file(file(stale)));
    }
    nix::unistd::mkfifo(&states, Mode::from_bits_truncate(0o600)).unwrap();
    let source = states.clone();
    // To open it takes until keepalived does.
    journal.follow(|| File::open(source).unwrap());
    let text = configuration(host, adverts, &states);
    std::fs::write(file("conf"), text).unwrap();
    let path = |name: &str| file(name).display().to_string();
    let (conf, pid, vrrp) = (path("conf"), path("pid"), path("vrrp"));
    Process::start(
        host,
        &format!("{PROGRAM} -n -P -f {conf} -p {pid} -r {vrrp} --no-syslog"),
    )
}

fn configuration(host: &Host, adverts: Adverts, states: &Path) -> String {
    let priority = priority(host.number);
    let seconds = f64::from(adverts.centiseconds) / 100.0;
    let [four, six] = ADDRESSES;
    let real_time = if adverts.real_time {
        format!(" vrrp_rt_priority {REAL_TIME}\n vrrp_no_swap\n")
    } else {
        String::new()
    };
    let instance = |name: &str, addresses: &str| {
        format!(
            "vrrp_instance {name} {{\n state BACKUP\n interface eth0\n virtual_router_id {VRID}\n \
             priority {priority}\n advert_int {seconds}\n nopreempt\n \
             virtual_ipaddress {{\n{addresses} }}\n}}\n"
        )
    };
    format!(
        "global_defs {{\n vrrp_version 3\n vrrp_notify_fifo {}\n{real_time}}}\n{}{}",
        states.display(),
        instance("four", &format!("  {four}/32 dev eth0\n")),
        instance(
            "six",
            &format!("  {LINK_LOCAL}/64 dev eth0\n  {six}/128 dev eth0\n")
        ),
    )
}

/// What the line holds that says that a virtual router became Active.
pub(crate) const ACQUIRED: &str = "\" MASTER ";
const PROGRAM: &str = "/usr/sbin/keepalived";
/// The first address of an IPv6 virtual router is link-local (RFC 9568 section 5.2.9).
pub(crate) const LINK_LOCAL: &str = "fe80::51";

//! FRR's `vrrpd` on a node, with the interfaces that it needs.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::contender::{Adverts, VRID, priority};
use super::keepalived::LINK_LOCAL;
use super::process::Process;
use super::world::{ADDRESSES, Host, World};

/// Can it be started here?
pub(crate) fn is_installed() -> bool {
    Path::new(VRRPD).exists() && Path::new(ZEBRA).exists()
}

/// Starts `zebra`, and then `vrrpd`, which is the last.
pub(crate) fn start(world: &World, host: &Host, adverts: Adverts) -> [Process; 2] {
    make_interfaces(host);
    let directory = world.directory.join(format!("frr-{}", host.number));
    drop(std::fs::remove_dir_all(&directory));
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("vrrpd.conf"), configuration(host, adverts)).unwrap();
    let path = directory.display();
    openelb_benches::shell::sh(&format!("chown -R frr:frr {path}"));
    let common = |name: &str| {
        format!(
            "-P 0 -A 127.0.0.1 -z {path}/zserv.api -i {path}/{name}.pid --vty_socket {path} \
             --log stdout"
        )
    };
    let zebra = format!("{ZEBRA} {} -f /dev/null", common("zebra"));
    let zebra = Process::start(host, &zebra);
    while UnixStream::connect(directory.join("zserv.api")).is_err() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let vrrpd = format!("{VRRPD} {} -f {path}/vrrpd.conf", common("vrrpd"));
    [zebra, Process::start(host, &vrrpd)]
}

/// One macvlan for each family, with the virtual router's hardware address and its addresses.
fn make_interfaces(host: &Host) {
    for (name, family, address) in [("vrrp4", 1, ADDRESSES[0]), ("vrrp6", 2, ADDRESSES[1])] {
        // One whose router was killed is still up.
        host.try_sh(&format!("ip link del {name}"));
        host.sh(&format!(
            "ip link add {name} link eth0 type macvlan mode bridge"
        ));
        host.sh(&format!(
            "ip link set {name} address 00:00:5e:00:0{family}:{VRID:02x}"
        ));
        let is_ipv6 = address.is_ipv6();
        let suffix = if is_ipv6 { "/128" } else { "/32" };
        host.sh(&format!("ip addr add {address}{suffix} dev {name}"));
        if is_ipv6 {
            host.sh(&format!("ip addr add {LINK_LOCAL}/64 dev {name}"));
        }
        host.sh(&format!("ip link set {name} up"));
    }
}

fn configuration(host: &Host, adverts: Adverts) -> String {
    let (priority, millis) = (priority(host.number), adverts.interval().as_millis());
    let [four, six] = ADDRESSES;
    format!(
        "interface eth0\n vrrp {VRID} version 3\n vrrp {VRID} priority {priority}\n \
         no vrrp {VRID} preempt\n vrrp {VRID} advertisement-interval {millis}\n \
         vrrp {VRID} ip {four}\n vrrp {VRID} ipv6 {LINK_LOCAL}\n vrrp {VRID} ipv6 {six}\n"
    )
}

const ZEBRA: &str = "/usr/lib/frr/zebra";
const VRRPD: &str = "/usr/lib/frr/vrrpd";

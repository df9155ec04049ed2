//! Two hosts in network namespaces with one link between them, removed at the end.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::process::Command;

use nix::sched::{CloneFlags, setns};
use openelb_benches::shell::sh;

/// The host that is measured, and the one with all its neighbours.
pub(crate) struct World {
    pub(crate) measured: Host,
    pub(crate) neighbors: Host,
}

/// A namespace with `eth0`.
pub(crate) struct Host {
    pub(crate) namespace: String,
}

impl World {
    /// Makes the hosts; `None` where that is not allowed.
    pub(crate) fn new() -> Option<Self> {
        let name = format!("oelb{:x}", std::process::id());
        let host = |letter| Host {
            namespace: format!("{name}-{letter}"),
        };
        let world = Self {
            measured: host('m'),
            neighbors: host('n'),
        };
        let (one, two) = (&world.measured.namespace, &world.neighbors.namespace);
        let made = Command::new("ip").args(["netns", "add", one]).output();
        made.ok().filter(|output| output.status.success())?;
        sh(&format!("ip netns add {two}"));
        sh(&format!(
            "ip -n {one} link add eth0 type veth peer name eth0 netns {two}"
        ));
        for host in [&world.measured, &world.neighbors] {
            host.sh("ip link set lo up");
            host.sh("ip link set eth0 up");
        }
        world
            .measured
            .sh(&format!("ip addr add {MEASURED}/16 dev eth0"));
        let mac = world.neighbors.sh("cat /sys/class/net/eth0/address");
        let (mut addresses, mut neighbors) = (String::new(), String::new());
        for number in 0..MOST {
            let address = neighbor(number);
            writeln!(addresses, "addr add {address}/16 dev eth0").unwrap();
            // Permanent: a thousand are as many as the kernel's table holds of others by default.
            let mac = mac.trim();
            writeln!(
                neighbors,
                "neigh add {address} lladdr {mac} dev eth0 nud permanent"
            )
            .unwrap();
        }
        world.neighbors.batch(&addresses);
        world.measured.batch(&neighbors);
        Some(world)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for host in [&self.measured, &self.neighbors] {
            let mut command = Command::new("ip");
            drop(command.args(["netns", "del", &host.namespace]).output());
        }
    }
}

impl Host {
    /// Runs a command line here.
    pub(crate) fn sh(&self, line: &str) -> String {
        sh(&format!("ip netns exec {} {line}", self.namespace))
    }

    /// Runs many lines of `ip` here.
    fn batch(&self, lines: &str) {
        let path = format!("/tmp/{}.batch", self.namespace);
        std::fs::write(&path, lines).unwrap();
        self.sh(&format!("ip -batch {path}"));
        std::fs::remove_file(&path).unwrap();
    }

    /// Moves the calling thread here.
    pub(crate) fn enter(&self) {
        let namespace = std::fs::File::open(format!("/run/netns/{}", self.namespace));
        setns(namespace.unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
    }

    /// Runs `work` on a thread of this host.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let inside = || {
                self.enter();
                work()
            };
            scope.spawn(inside).join().unwrap()
        })
    }
}

/// The address of the host that is measured.
pub(crate) const MEASURED: Ipv4Addr = Ipv4Addr::new(10, 200, 255, 1);

/// How many neighbours there are at most.
pub(crate) const MOST: u16 = 1000;

/// The address of a neighbour.
pub(crate) fn neighbor(number: u16) -> Ipv4Addr {
    let [third, fourth] = [number / 250, number % 250 + 1];
    let octet = |part| u8::try_from(part).unwrap();
    Ipv4Addr::new(10, 200, octet(third), octet(fourth))
}

//! A bridge with three nodes and a client on it, in network namespaces, removed at the end.

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sched::{CloneFlags, setns};
use openelb_announce::wire::Mac;
use openelb_benches::shell::sh;

/// One segment. Several may exist at once; they know nothing of each other.
pub(crate) struct World {
    pub(crate) nodes: [Host; 3],
    pub(crate) client: Host,
    pub(crate) directory: PathBuf,
    switch: String,
}

/// A namespace with `eth0`, `192.0.2.N/24` and `2001:db8::N/64`.
pub(crate) struct Host {
    pub(crate) namespace: String,
    pub(crate) number: u8,
}

impl World {
    /// Makes the hosts; `None` where that is not allowed.
    pub(crate) fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("oelbf{:x}-{count}", std::process::id());
        let host = |number| Host {
            namespace: format!("{name}-h{number}"),
            number,
        };
        let world = Self {
            nodes: [host(1), host(2), host(3)],
            client: host(9),
            directory: std::env::temp_dir().join(&name),
            switch: format!("{name}-sw"),
        };
        let made = Command::new("ip")
            .args(["netns", "add", &world.switch])
            .output();
        made.ok().filter(|output| output.status.success())?;
        std::fs::create_dir_all(&world.directory).ok()?;
        sh(&format!("ip -n {} link add br0 type bridge", world.switch));
        sh(&format!("ip -n {} link set br0 up", world.switch));
        for host in world.hosts() {
            world.wire(host);
        }
        // As kube-proxy would: a node forwards for the address whoever answers for it.
        for node in &world.nodes {
            node.sh(&format!("ip -4 route add local {} dev lo", ADDRESSES[0]));
            node.sh(&format!("ip -6 route add local {} dev lo", ADDRESSES[1]));
        }
        Some(world)
    }

    /// Takes a node's port off the bridge: nothing reaches it any more, and its carrier stays.
    pub(crate) fn cut(&self, node: &Host) {
        let (switch, number) = (&self.switch, node.number);
        sh(&format!("ip -n {switch} link set p{number} nomaster"));
    }

    /// Puts it back.
    pub(crate) fn mend(&self, node: &Host) {
        let (switch, number) = (&self.switch, node.number);
        sh(&format!("ip -n {switch} link set p{number} master br0"));
    }

    fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.nodes.iter().chain([&self.client])
    }

    fn wire(&self, host: &Host) {
        let (switch, Host { namespace, number }) = (&self.switch, host);
        sh(&format!("ip netns add {namespace}"));
        host.sh("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.accept_ra=0");
        host.sh("ip link set lo up");
        sh(&format!(
            "ip -n {switch} link add p{number} type veth peer name eth0 netns {namespace}"
        ));
        sh(&format!("ip -n {switch} link set p{number} master br0 up"));
        host.sh("ip link set eth0 up");
        host.sh(&format!("ip addr add 192.0.2.{number}/24 dev eth0"));
        host.sh(&format!("ip addr add 2001:db8::{number}/64 dev eth0 nodad"));
        host.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let hosts = self.hosts().map(|host| &host.namespace);
        for namespace in hosts.chain([&self.switch]) {
            let mut command = Command::new("ip");
            drop(command.args(["netns", "del", namespace]).output());
        }
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

impl Host {
    /// Runs a command line here.
    pub(crate) fn sh(&self, line: &str) -> String {
        sh(&format!("ip netns exec {} {line}", self.namespace))
    }

    /// Runs a command line here whose failure does not matter.
    pub(crate) fn try_sh(&self, line: &str) {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace]);
        drop(command.args(line.split_whitespace()).output());
    }

    /// The hardware address of `eth0`.
    pub(crate) fn mac(&self) -> Mac {
        let text = self.sh("cat /sys/class/net/eth0/address");
        text.trim().parse().unwrap()
    }

    /// The kernel's number of `eth0`.
    pub(crate) fn index(&self) -> u32 {
        let text = self.sh("cat /sys/class/net/eth0/ifindex");
        text.trim().parse().unwrap()
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

/// The address that is watched, in each family.
pub(crate) const ADDRESSES: [IpAddr; 2] = [
    IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 100)),
    IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x100)),
];

//! A bridge and three hosts in network namespaces, removed at the end.

use std::process::{Command, ExitCode};

use nix::sched::{CloneFlags, setns};
use openelb_announce::announcer::{Announcement, Announcer, Options, Owner};
use openelb_announce::claim::Probe;
use openelb_announce::wire::Mac;
use openelb_benches::shell::sh;

/// Two nodes and a client on one bridge.
pub(crate) struct World {
    pub(crate) node: Host,
    pub(crate) other: Host,
    pub(crate) client: Host,
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
        let name = format!("oelb{:x}", std::process::id());
        let switch = format!("{name}-sw");
        let host = |number| Host {
            namespace: format!("{name}-h{number}"),
            number,
        };
        let world = Self {
            node: host(1),
            other: host(2),
            client: host(3),
            switch,
        };
        let made = Command::new("ip")
            .args(["netns", "add", &world.switch])
            .output();
        made.ok().filter(|output| output.status.success())?;
        sh(&format!("ip -n {} link add br0 type bridge", world.switch));
        sh(&format!("ip -n {} link set br0 up", world.switch));
        for host in [&world.node, &world.other, &world.client] {
            world.plug(host);
        }
        Some(world)
    }

    fn plug(&self, host: &Host) {
        let (switch, Host { namespace, number }) = (&self.switch, host);
        sh(&format!("ip netns add {namespace}"));
        host.sh("sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.ip_nonlocal_bind=1");
        host.sh("ip link set lo up");
        sh(&format!(
            "ip -n {switch} link add p{number} type veth peer name eth0 netns {namespace}"
        ));
        sh(&format!("ip -n {switch} link set p{number} master br0 up"));
        host.sh("ip link set eth0 up");
        host.sh(&format!("ip addr add 192.0.2.{number}/24 dev eth0"));
        host.sh(&format!("ip addr add 2001:db8::{number}/64 dev eth0 nodad"));
        host.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let hosts = [&self.node, &self.other, &self.client].map(|host| &host.namespace);
        for namespace in hosts.into_iter().chain([&self.switch]) {
            drop(
                Command::new("ip")
                    .args(["netns", "del", namespace])
                    .output(),
            );
        }
    }
}

impl Host {
    /// Runs a command line here.
    pub(crate) fn sh(&self, line: &str) -> String {
        sh(&format!("ip netns exec {} {line}", self.namespace))
    }

    /// Runs `work` on a thread of this host.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let inside = || {
                let namespace = std::fs::File::open(format!("/run/netns/{}", self.namespace));
                setns(namespace.unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
                work()
            };
            scope.spawn(inside).join().unwrap()
        })
    }

    /// Starts an announcer here that announces nothing yet.
    pub(crate) fn announcer(&self, options: Options) -> Announcer {
        self.run(|| Announcer::start(options).unwrap())
    }

    /// The hardware address of `eth0`.
    pub(crate) fn mac(&self) -> Mac {
        self.sh("cat /sys/class/net/eth0/address")
            .trim()
            .parse()
            .unwrap()
    }

    /// The kernel's number of `eth0`.
    pub(crate) fn index(&self) -> u32 {
        self.sh("cat /sys/class/net/eth0/ifindex")
            .trim()
            .parse()
            .unwrap()
    }
}

/// Announcements of `addresses` on `eth0`, not probed.
pub(crate) fn on_eth0(addresses: impl IntoIterator<Item = std::net::IpAddr>) -> Vec<Announcement> {
    let announcement = |address| Announcement {
        address,
        interfaces: "eth0".parse().unwrap(),
        probe: Probe::Skip,
        owner: Owner::Sole,
    };
    addresses.into_iter().map(announcement).collect()
}

/// Waits until everything that was asked for is announced.
pub(crate) fn until_announced(announcer: &Announcer) {
    use openelb_announce::announcer::State;
    let is_announced = |state| matches!(state, State::Announced { .. });
    while !announcer
        .status()
        .iter()
        .all(|status| is_announced(status.state()))
    {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Starts this program again as root of new namespaces, where it may make further ones.
pub(crate) fn run_again_in_user_namespace() -> ExitCode {
    let script = "mount -t tmpfs none /run && mkdir -p /run/netns && exec \"$0\" \"$@\"";
    let program = std::env::current_exe().unwrap();
    let status = Command::new("unshare")
        .args(["-Urnm", "--fork", "sh", "-c", script])
        .arg(program)
        .status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        _ => {
            eprintln!("SKIPPED l2: neither root nor user namespaces here");
            skipped()
        }
    }
}

/// Nothing may be skipped where `CI=true`.
pub(crate) fn skipped() -> ExitCode {
    let is_ci = std::env::var("CI").as_deref() == Ok("true");
    if is_ci {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

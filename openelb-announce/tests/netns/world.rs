//! Hosts in network namespaces around a bridge, removed when the test ends.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sched::{CloneFlags, setns};

/// A bridge in a namespace of its own, and the hosts that are plugged into it.
pub(crate) struct World {
    name: String,
    hosts: Vec<String>,
}

/// A host: one namespace with the interface `eth0` on the bridge.
///
/// Host number N has the addresses `192.0.2.N/24` and `2001:db8::N/64`.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) namespace: String,
    pub(crate) number: u8,
}

/// Runs `body`, a closure in a test, in a world with that many hosts, or says why that is
/// impossible here.
pub(crate) fn with_hosts<const N: usize, F: FnOnce(&World, [Host; N])>(body: F) {
    let test = test_name::<F>();
    if !nix::unistd::geteuid().is_root() {
        return run_again_in_user_namespace(test);
    }
    match World::new() {
        Ok(mut world) => {
            let hosts =
                std::array::from_fn(|place| world.add_host(u8::try_from(place).unwrap() + 1));
            body(&world, hosts);
        }
        Err(reason) => skip(test, &reason),
    }
}

/// The same for a test that captures or changes users: `tcpdump` and `setpriv` need more users than
/// the one that a new user namespace has.
pub(crate) fn with_root_and_hosts<const N: usize, F: FnOnce(&World, [Host; N])>(body: F) {
    let users = std::fs::read_to_string("/proc/self/uid_map").unwrap();
    let count = users.split_whitespace().nth(2).unwrap();
    if nix::unistd::geteuid().is_root() && count == "1" {
        return skip(test_name::<F>(), "it takes the real root");
    }
    with_hosts(body);
}

/// Waits until `check` holds, for as long as it takes on a machine that is busy with other work.
pub(crate) fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    for _ in 0..PATIENCE {
        if check() {
            return;
        }
        pause();
    }
    panic!("never happened: {what}");
}

/// Lets others run for a moment; no test depends on how long it is.
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

impl World {
    fn new() -> Result<Self, String> {
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let name = format!("oel{:x}-{number}", std::process::id());
        let world = Self {
            name,
            hosts: Vec::new(),
        };
        let switch = world.switch();
        let made = Command::new("ip").args(["netns", "add", &switch]).output();
        match made {
            Ok(output) if output.status.success() => {}
            Ok(output) => return Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => return Err(format!("running ip (iproute2): {error}")),
        }
        // A bridge without an IPv6 address of its own is no MLD querier.
        world.on_switch("sysctl -qw net.ipv6.conf.default.accept_dad=0");
        world.on_switch("ip link add br0 type bridge");
        world.on_switch("ip link set br0 up");
        Ok(world)
    }

    fn add_host(&mut self, number: u8) -> Host {
        let namespace = format!("{}-h{number}", self.name);
        sh(&format!("ip netns add {namespace}"));
        self.hosts.push(namespace.clone());
        let host = Host { namespace, number };
        host.sh("sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0");
        host.sh("ip link set lo up");
        self.plug(&host, "eth0");
        host.sh(&format!("ip addr add 192.0.2.{number}/24 dev eth0"));
        host.sh(&format!("ip addr add 2001:db8::{number}/64 dev eth0 nodad"));
        host
    }

    /// Gives `host` one more interface on the bridge, and puts it up.
    pub(crate) fn plug(&self, host: &Host, interface: &str) {
        let port = format!("p{}{interface}", host.number);
        let (switch, namespace) = (self.switch(), &host.namespace);
        sh(&format!(
            "ip -n {switch} link add {port} type veth peer name {interface} netns {namespace}"
        ));
        self.on_switch(&format!("ip link set {port} master br0 up"));
        host.sh(&format!("ip link set {interface} up"));
    }

    /// Runs a command line in the bridge's namespace.
    pub(crate) fn on_switch(&self, line: &str) -> String {
        sh(&format!("ip netns exec {} {line}", self.switch()))
    }

    fn switch(&self) -> String {
        format!("{}-sw", self.name)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.hosts.push(self.switch());
        for namespace in &self.hosts {
            let _ = Command::new("ip")
                .args(["netns", "del", namespace])
                .output();
        }
    }
}

impl Host {
    /// Runs a command line here; it must succeed. Returns its standard output.
    pub(crate) fn sh(&self, line: &str) -> String {
        sh(&format!("ip netns exec {} {line}", self.namespace))
    }

    /// Runs a command line here, whatever comes of it.
    pub(crate) fn try_sh(&self, line: &str) -> Output {
        output(&format!("ip netns exec {} {line}", self.namespace))
    }

    /// Starts a command line here.
    pub(crate) fn spawn(&self, line: &str) -> Running {
        let mut words = line.split_whitespace();
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.namespace])
            .args(&mut words);
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        Running(command.spawn().unwrap())
    }

    /// Runs `work` on a thread of this host. Threads and sockets that it makes belong here too.
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

    /// The hardware address of an interface.
    pub(crate) fn mac(&self, interface: &str) -> String {
        self.sh(&format!("cat /sys/class/net/{interface}/address"))
            .trim()
            .to_owned()
    }

    /// The neighbour cache's line about `address`, empty when there is none.
    pub(crate) fn neighbor(&self, address: &str) -> String {
        self.sh(&format!("ip neigh show {address} dev eth0"))
    }

    /// Sends one datagram to `address`, which makes the kernel look for its neighbour.
    pub(crate) fn poke(&self, address: &str) {
        let target = std::net::SocketAddr::new(address.parse().unwrap(), 9);
        self.run(|| {
            let any = if target.is_ipv4() {
                "0.0.0.0:0"
            } else {
                "[::]:0"
            };
            let _ = std::net::UdpSocket::bind(any)
                .unwrap()
                .send_to(b"?", target);
        });
    }

    /// Does anybody but this host answer `arping` or `ndisc6` for `address`?
    pub(crate) fn finds(&self, address: &str) -> bool {
        self.resolve(address).is_some()
    }

    /// The hardware address that `arping` or `ndisc6` gets for `address`.
    pub(crate) fn resolve(&self, address: &str) -> Option<String> {
        let line = if address.contains(':') {
            format!("ndisc6 -q1 -r 1 -w 300 {address} eth0")
        } else {
            format!("arping -c 1 -w 1 -I eth0 {address}")
        };
        let text = String::from_utf8(self.try_sh(&line).stdout)
            .unwrap()
            .to_lowercase();
        let is_mac = |word: &&str| word.len() == 17 && word.matches(':').count() == 5;
        text.split(|letter: char| letter.is_whitespace() || "[]".contains(letter))
            .find(is_mac)
            .map(str::to_owned)
    }
}

/// A process that is ended with the test.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// Sends it a signal by its number or name.
    pub(crate) fn signal(&self, signal: &str) {
        sh(&format!("kill -{signal} {}", self.0.id()));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command line that must succeed.
pub(crate) fn sh(line: &str) -> String {
    let output = output(line);
    assert!(
        output.status.success(),
        "{line}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn output(line: &str) -> Output {
    let mut words = line.split_whitespace();
    let program = words.next().unwrap();
    match Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .output()
    {
        Ok(output) => output,
        Err(error) => panic!("{line}: {error}"),
    }
}

/// The name by which the test harness knows the function that `F` is a closure of.
pub(crate) fn test_name<F>() -> &'static str {
    let path = std::any::type_name::<F>().split_once("::").unwrap().1;
    path.split_once("::{{closure}}").unwrap().0
}

fn run_again_in_user_namespace(test: &str) {
    let mut script = String::from("mount -t tmpfs none /run && mkdir -p /run/netns && exec ");
    write!(script, "\"$0\" --exact {test} --nocapture").unwrap();
    let output = Command::new("unshare")
        .args(["-Urnm", "--fork", "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            said.lines()
                .filter(|line| line.starts_with("SKIPPED"))
                .for_each(say);
        }
        Ok(output) if String::from_utf8_lossy(&output.stdout).contains("running 1 test") => {
            panic!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )
        }
        Ok(output) => skip(test, &String::from_utf8_lossy(&output.stderr)),
        Err(error) => skip(test, &format!("running unshare: {error}")),
    }
}

/// Says loudly that `test` was skipped; with `CI=true` that is a failure.
pub(crate) fn skip(test: &str, reason: &str) {
    let message = format!("SKIPPED {test}: not possible here ({})", reason.trim());
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{message}; with CI=true nothing may be"
    );
    say(&message);
}

/// Writes past the harness, which hides what passing tests print.
fn say(line: &str) {
    let line = format!("{line}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

// Times 20 ms and what the check takes; only ever reached by a test that fails.
const PATIENCE: u32 = 1000;

//! A node and a router (FRR) on one wire, each in a network namespace of its own.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::stage::{eventually, signal};

/// The node's addresses on the wire.
pub(crate) const NODE: [&str; 2] = ["10.77.0.1", "fd77::1"];

/// A node that runs `openelb`, and a router that runs FRR. Everything is gone with this value.
pub(crate) struct Fabric {
    number: String,
    files: TempDir,
    router: Vec<Child>,
    daemon: Option<Child>,
}

impl Fabric {
    /// Both, connected, with the router up: AS 64513, which expects AS 64512 at the node. `extra` are
    /// more lines about the neighbour, such as its password. `None` after saying loudly that this
    /// machine cannot do it; with `CI=true` that is a failure.
    pub(crate) fn open(extra: &str) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let is_possible = nix::unistd::geteuid().is_root() && Path::new(BGPD).exists();
        if !is_possible || !works(&["ip", "netns", "list"]) {
            assert!(
                std::env::var_os("CI").is_none_or(|ci| ci != "true"),
                "nothing is skipped: it takes root and FRR"
            );
            // Past the test runner, which swallows what passing tests print.
            let _ = io::stderr().write_all(b"\nSKIPPED: it takes root and the package frr\n");
            return None;
        }
        let mut fabric = Self {
            number: format!("{:x}-{number}", std::process::id()),
            files: TempDir::with_prefix("oel").unwrap(),
            router: Vec::new(),
            daemon: None,
        };
        fabric.connect();
        fabric.start_router(extra);
        Some(fabric)
    }

    fn connect(&self) {
        let (node, router) = (self.namespace("n"), self.namespace("r"));
        for namespace in [&node, &router] {
            run(&format!("ip netns add {namespace}"));
            run(&format!("ip -n {namespace} link set lo up"));
            // FRR sends router advertisements where it has unnumbered peers.
            let quiet = "net.ipv6.conf.default.accept_ra=0 net.ipv6.conf.default.accept_dad=0";
            run(&format!("ip netns exec {namespace} sysctl -qw {quiet}"));
        }
        run(&format!(
            "ip -n {node} link add eth0 type veth peer name eth0 netns {router}"
        ));
        for (namespace, end) in [(&node, 1), (&router, 2)] {
            run(&format!(
                "ip -n {namespace} address add 10.77.0.{end}/24 dev eth0"
            ));
            run(&format!(
                "ip -n {namespace} address add fd77::{end}/64 dev eth0 nodad"
            ));
            run(&format!("ip -n {namespace} link set eth0 up"));
        }
    }

    fn start_router(&mut self, extra: &str) {
        let folder = self.files.path().join("frr");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("bgpd.conf"), router_configuration(extra)).unwrap();
        let owner = nix::unistd::User::from_name("frr").unwrap();
        let owner = owner.expect("the package frr makes the user frr");
        for path in [self.files.path(), &folder] {
            let (user, group) = (owner.uid.as_raw(), owner.gid.as_raw());
            std::os::unix::fs::chown(path, Some(user), Some(group)).unwrap();
        }
        let folder = folder.display();
        let common = |name: &str| {
            format!(
                "-P 0 -A 127.0.0.1 -z {folder}/zserv.api -i {folder}/{name}.pid \
                 --vty_socket {folder} --log stdout"
            )
        };
        let zebra = format!("{ZEBRA} {} -s 90000000 -f /dev/null", common("zebra"));
        self.spawn_router(&zebra);
        let socket = self.files.path().join("frr/zserv.api");
        eventually("zebra listens", || socket.exists().then_some(()));
        if extra.contains("bfd") {
            let control = format!("--bfdctl {folder}/bfdd.sock -f /dev/null");
            self.spawn_router(&format!("{BFDD} {} {control}", common("bfdd")));
        }
        let bgpd = format!("{BGPD} {} -f {folder}/bgpd.conf", common("bgpd"));
        self.spawn_router(&bgpd);
        eventually("bgpd answers", || {
            self.vtysh("show bgp summary json")
                .filter(|answer| answer.contains('{'))
        });
    }

    fn spawn_router(&mut self, line: &str) {
        let log = fs::File::create(self.files.path().join(format!("{}.log", self.router.len())));
        let log = log.unwrap();
        let mut command = self.command("r");
        command.args(line.split_whitespace()).stdin(Stdio::null());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn();
        self.router.push(child.unwrap());
    }

    /// Starts the daemon on the node with this configuration, and waits until it answers.
    pub(crate) fn start(&mut self, config: &str) {
        self.edit(config);
        self.restart();
    }

    /// Starts the daemon without any capability but the one for BGP's port, and the one by which it
    /// reaches the test's files.
    pub(crate) fn start_with_port_alone(&mut self, config: &str) {
        self.edit(config);
        self.restart_through(&[
            "setpriv",
            "--bounding-set",
            "-all,+net_bind_service,+dac_override",
        ]);
    }

    /// Starts the daemon again on the state that it left.
    pub(crate) fn restart(&mut self) {
        self.restart_through(&[]);
    }

    fn restart_through(&mut self, program: &[&str]) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path());
        let mut command = self.command("n");
        command
            .args(program)
            .arg(env!("CARGO_BIN_EXE_openelb"))
            .arg("run")
            .arg(self.config())
            .arg("--state-dir")
            .arg(self.state())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap());
        self.daemon = Some(command.spawn().unwrap());
        eventually("the daemon answers", || self.try_ask(&["bgp", "peers"]));
    }

    /// Replaces the configuration; the daemon notices by itself.
    pub(crate) fn edit(&self, config: &str) {
        let draft = self.files.path().join("draft.yaml");
        fs::write(&draft, config).unwrap();
        fs::rename(draft, self.config()).unwrap();
    }

    /// Writes a file beside the configuration.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.files.path().join(name), text).unwrap();
    }

    /// Sends the daemon a signal and waits for its end.
    pub(crate) fn end(&mut self, how: Signal) {
        let mut daemon = self.daemon.take().expect("it runs");
        signal(&daemon, how);
        daemon.wait().unwrap();
    }

    /// What `openelb` answers as JSON; fails the test with the daemon's log.
    pub(crate) fn ask(&self, words: &[&str]) -> Value {
        self.try_ask(words)
            .unwrap_or_else(|| panic!("{words:?}; {}", self.log()))
    }

    fn try_ask(&self, words: &[&str]) -> Option<Value> {
        let output = self.run(&[words, &["-o", "json"]].concat());
        let answer = serde_json::from_slice(&output.stdout).ok()?;
        output.status.success().then_some(answer)
    }

    /// Runs `openelb` on the node.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        let mut command = self.command("n");
        command.arg(env!("CARGO_BIN_EXE_openelb")).args(words);
        let takes_place = !words.contains(&"announce");
        if takes_place {
            command.arg("--state-dir").arg(self.state());
        }
        command.output().unwrap()
    }

    /// The metrics of the daemon.
    pub(crate) fn metrics(&self) -> String {
        let script = "exec 3<>/dev/tcp/127.0.0.1/7480; \
                      printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3";
        let mut command = self.command("n");
        let output = command.args(["bash", "-c", script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The only peer of the daemon.
    pub(crate) fn peer(&self) -> Value {
        self.ask(&["bgp", "peers"])["peers"][0].clone()
    }

    /// Waits until the session is up.
    pub(crate) fn established(&self) {
        eventually(&format!("the session comes up; {}", self.log()), || {
            (self.peer()["state"] == "Established").then_some(())
        });
    }

    /// The router's path to a prefix, as FRR describes it; `Null` while it has none.
    pub(crate) fn path(&self, prefix: &str) -> Value {
        let family = if prefix.contains(':') { "ipv6" } else { "ipv4" };
        let answer = self.vtysh(&format!("show bgp {family} unicast {prefix} json"));
        let answer: Value = serde_json::from_str(&answer.unwrap_or_default()).unwrap_or_default();
        answer["paths"][0].clone()
    }

    /// Waits until the router has a path to a prefix for which `holds` is true.
    pub(crate) fn hears(&self, prefix: &str, holds: impl Fn(&Value) -> bool) -> Value {
        eventually(
            &format!("the router hears of {prefix}; {}", self.log()),
            || Some(self.path(prefix)).filter(|path| !path.is_null() && holds(path)),
        )
    }

    /// Waits until the router has no path to a prefix.
    pub(crate) fn forgets(&self, prefix: &str) {
        eventually(&format!("the router forgets {prefix}"), || {
            self.path(prefix).is_null().then_some(())
        });
    }

    /// Stops every process of the router where it is: its connections stay, and it is silent.
    pub(crate) fn freeze_router(&self) {
        for process in &self.router {
            signal(process, Signal::SIGSTOP);
        }
    }

    /// Whether the router's kernel forwards to a prefix.
    pub(crate) fn forwards(&self, prefix: &str) -> bool {
        let family = if prefix.contains(':') { "-6" } else { "-4" };
        let mut command = self.command("r");
        let words = ["ip", family, "route", "show", "proto", "bgp", prefix];
        let output = command.args(words).output().unwrap();
        !output.stdout.is_empty()
    }

    /// Notes every change of the router's forwarding until the note is read.
    pub(crate) fn watch_forwarding(&self) -> Note {
        let path = self.files.path().join("forwarding");
        let file = fs::File::create(&path).unwrap();
        let mut command = self.command("r");
        let child = command
            .args(["stdbuf", "-oL", "ip", "monitor", "route"])
            .stdout(file)
            .spawn()
            .unwrap();
        let note = Note { child, path };
        // It watches once it has noted a change that is none of ours.
        let route = format!("ip -n {} route", self.namespace("r"));
        eventually("the watch begins", || {
            run(&format!("{route} replace 203.0.113.1/32 dev eth0"));
            run(&format!("{route} delete 203.0.113.1/32 dev eth0"));
            note.text().contains("203.0.113.1").then_some(())
        });
        note
    }

    /// What FRR answers to a command.
    pub(crate) fn vtysh(&self, command: &str) -> Option<String> {
        let folder = self.files.path().join("frr");
        let output = Command::new("vtysh")
            .arg("--vty_socket")
            .arg(folder)
            .args(["-c", command])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text)
    }

    /// Everything that the daemon logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.files.path().join("daemon.log")
    }

    fn config(&self) -> PathBuf {
        self.files.path().join("openelb.yaml")
    }

    fn state(&self) -> PathBuf {
        self.files.path().join("state")
    }

    fn namespace(&self, end: &str) -> String {
        format!("oel{}{end}", self.number)
    }

    /// A program in a namespace. `ip` becomes the program, so that its child is the program itself.
    fn command(&self, end: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace(end)]);
        for variable in ["OPENELB_STATE_DIR", "OPENELB_SOCKET", "OPENELB_LOG"] {
            command.env_remove(variable);
        }
        command
    }
}

impl Drop for Fabric {
    fn drop(&mut self) {
        let children = self.router.iter_mut().chain(self.daemon.as_mut());
        for child in children {
            let _ = child.kill();
            let _ = child.wait();
        }
        for end in ["n", "r"] {
            run(&format!("ip netns delete {}", self.namespace(end)));
        }
    }
}

/// Changes of forwarding, noted until they are read.
pub(crate) struct Note {
    child: Child,
    path: PathBuf,
}

impl Note {
    /// The prefixes of ours that the kernel stopped forwarding to.
    pub(crate) fn lost(mut self) -> Vec<String> {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let text = self.text();
        let lines = text.lines().filter(|line| line.starts_with("Deleted"));
        let lines = lines.filter(|line| line.contains("proto bgp"));
        lines.map(str::to_owned).collect()
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap_or_default()
    }
}

fn router_configuration(extra: &str) -> String {
    let lines = extra
        .lines()
        .map(|line| format!(" neighbor 10.77.0.1 {line}"));
    let lines = lines.collect::<Vec<_>>().join("\n");
    format!(
        "router bgp 64513\n bgp router-id 10.255.0.2\n no bgp ebgp-requires-policy\n \
         no bgp default ipv4-unicast\n bgp graceful-restart\n bgp graceful-restart notification\n \
         neighbor 10.77.0.1 remote-as 64512\n neighbor 10.77.0.1 timers connect 1\n{lines}\n \
         address-family ipv4 unicast\n  neighbor 10.77.0.1 activate\n exit-address-family\n \
         address-family ipv6 unicast\n  neighbor 10.77.0.1 activate\n exit-address-family\n"
    )
}

fn works(words: &[&str]) -> bool {
    let mut command = Command::new(words[0]);
    let status = command.args(&words[1..]).stdout(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn run(line: &str) {
    let mut words = line.split_whitespace();
    let output = Command::new(words.next().unwrap())
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}: {output:?}");
}

const ZEBRA: &str = "/usr/lib/frr/zebra";
const BGPD: &str = "/usr/lib/frr/bgpd";
const BFDD: &str = "/usr/lib/frr/bfdd";

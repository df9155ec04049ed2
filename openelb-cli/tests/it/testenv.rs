//! A directory of its own for each test, the binary, and daemons that end with the test.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// A pool of both families and nothing else.
pub(crate) const POOL: &str = "apiVersion: network.kubesphere.io/v1alpha2
kind: Eip
metadata: {name: edge}
spec:
  address: 192.0.2.0/24, 2001:db8::/64
  protocol: layer2
  interface: eth0
  autoAssign: true
";

/// A directory with a configuration and a state directory.
pub(crate) struct Env {
    directory: tempfile::TempDir,
}

/// What came of a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Env {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// With this configuration, applied to the state directory by the binary itself.
    pub(crate) fn with_pools(config: &str) -> Self {
        let env = Self::new();
        env.write("openelb.yaml", config);
        let ran = env.run(&["pool", "plan", "openelb.yaml", "--apply"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        env
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// Writes a file whole, as an editor does: beside it, then in its place.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let draft = self.path("draft");
        fs::write(&draft, text).unwrap();
        fs::rename(draft, self.path(name)).unwrap();
    }

    /// The binary, in the directory, with the state directory in its environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.prepare(Command::new(env!("CARGO_BIN_EXE_openelb")));
        command.args(args);
        command
    }

    /// A program in the directory that sees nothing of the tester's environment.
    pub(crate) fn prepare(&self, mut command: Command) -> Command {
        command
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("OPENELB_STATE_DIR", self.state())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.ran(self.command(args).output().unwrap())
    }

    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Ran {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        self.ran(child.wait_with_output().unwrap())
    }

    /// Runs it with `-o json` and reads what it says; it must succeed.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["-o", "json"]].concat());
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        serde_json::from_str(&ran.out).unwrap()
    }

    fn ran(&self, output: Output) -> Ran {
        let text = |bytes: Vec<u8>| self.without_paths(&String::from_utf8(bytes).unwrap());
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// The text with the test's own directory written as `DIR`.
    pub(crate) fn without_paths(&self, text: &str) -> String {
        text.replace(&self.directory.path().display().to_string(), "DIR")
    }

    /// Starts the daemon on `openelb.yaml` and waits until it answers.
    pub(crate) fn daemon(&self, more: &[&str]) -> Daemon<'_> {
        self.daemon_through(&[], more)
    }

    /// The same by way of a program that is given the command line of the daemon.
    pub(crate) fn daemon_through(&self, program: &[&str], more: &[&str]) -> Daemon<'_> {
        let binary = [
            env!("CARGO_BIN_EXE_openelb"),
            "run",
            "openelb.yaml",
            "--no-announce",
        ];
        let metrics: &[&str] = if more.contains(&"--metrics") {
            &[]
        } else {
            &["--metrics", "off"]
        };
        let words = [program, &binary, more, metrics].concat();
        let (first, rest) = words.split_first().unwrap();
        let log = fs::File::create(self.path("log")).unwrap();
        let child = self
            .prepare(Command::new(first))
            .args(rest)
            .stderr(log)
            .stdout(Stdio::null())
            .spawn();
        let mut daemon = Daemon {
            env: self,
            child: child.unwrap(),
        };
        daemon.wait_until_it_answers();
        daemon
    }

    /// Waits for something that will happen; panics with what is there instead if it does not.
    pub(crate) fn until<T>(&self, what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
        let mut last = String::new();
        // A bound for a broken program, not an expectation: 60 s on a loaded machine.
        for _ in 0..3_000 {
            match look() {
                Ok(found) => return found,
                Err(seen) => last = seen,
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        panic!("{what} never came; instead: {last}\nlog:\n{log}");
    }
}

/// A running daemon; killed when it is dropped.
pub(crate) struct Daemon<'a> {
    env: &'a Env,
    child: Child,
}

impl Daemon<'_> {
    fn wait_until_it_answers(&mut self) {
        let socket = self.socket();
        let child = &mut self.child;
        self.env.until("an answer on the control socket", || {
            if let Some(status) = child.try_wait().unwrap() {
                return Err(format!("it ended: {status}"));
            }
            UnixStream::connect(&socket)
                .map(drop)
                .map_err(|error| error.to_string())
        });
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.env.state().join("control.sock")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(
            Pid::from_raw(i32::try_from(self.child.id()).unwrap()),
            signal,
        )
        .unwrap();
    }

    /// Tells it to stop and returns its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.signal(Signal::SIGTERM);
        self.child.wait().unwrap().code()
    }

    /// Kills it without a chance to tidy up.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.env.path("log")).unwrap()
    }

    pub(crate) fn status(&self) -> Value {
        self.env.json(&["status"])
    }

    /// Sends lines to the control socket and returns the answers.
    pub(crate) fn converse(&self, lines: &[&[u8]]) -> Vec<Value> {
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        let mut answers = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut replies = Vec::new();
        for line in lines {
            stream.write_all(line).unwrap();
            stream.write_all(b"\n").unwrap();
            replies.push(serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap());
        }
        replies
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        // It has ended already when the test stopped it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One HTTP page of a server on loopback: status code and body.
pub(crate) fn page(at: &str, path: &str) -> (u16, String) {
    let mut stream = std::net::TcpStream::connect(at).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (
        head.split(' ').nth(1).unwrap().parse().unwrap(),
        body.to_owned(),
    )
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Every address in an answer, sorted.
pub(crate) fn addresses(answer: &Value) -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value {
                        Value::String(address) if name == "address" => found.push(address.clone()),
                        _ => collect(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(answer, &mut found);
    found.sort();
    found
}

/// The names of the files in a directory, sorted.
pub(crate) fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

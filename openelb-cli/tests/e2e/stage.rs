//! The network that a test plays in: `openelb lab --script`, spoken to line by line.

use std::io::{self, BufRead, BufReader, Write};
use std::net::IpAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A network with a client and two nodes, gone with this value.
pub(crate) struct Stage {
    lab: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    files: TempDir,
    scratch: Option<TempDir>,
}

/// What a host heard about an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// When, since the capture began.
    pub(crate) at: Duration,
    /// The host that sent it.
    pub(crate) from: String,
    /// `probe`, `question`, `answer` or `announcement`.
    pub(crate) message: String,
    /// About which address.
    pub(crate) address: IpAddr,
}

impl Stage {
    /// A network of one's own, or `None` after saying loudly that this machine allows none. With
    /// `CI=true` that is a failure.
    pub(crate) fn open() -> Option<Self> {
        Self::open_as(0)
    }

    /// The same as another user than root inside the namespaces.
    pub(crate) fn open_as(user: u32) -> Option<Self> {
        let scratch = TempDir::with_prefix("openelb-e2e-").unwrap();
        let mut lab = openelb()
            .args(["lab", "--script", "--user"])
            .arg(user.to_string())
            .env("TMPDIR", scratch.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let requests = lab.stdin.take().unwrap();
        let answers = BufReader::new(lab.stdout.take().unwrap());
        let files = TempDir::with_prefix("openelb-e2e-").unwrap();
        let mut stage = Self {
            lab,
            requests,
            answers,
            files,
            scratch: Some(scratch),
        };
        if stage.exchange(&json!({ "do": "hosts" })).is_err() {
            stage.explain();
            return None;
        }
        Some(stage)
    }

    fn explain(&mut self) {
        let code = self.lab.wait().unwrap().code();
        let said = io::read_to_string(self.lab.stderr.take().unwrap()).unwrap();
        assert_eq!(code, Some(NOT_PERMITTED), "the lab did not start: {said}");
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "nothing is skipped: {said}"
        );
        // Past the test runner, which swallows what passing tests print.
        let skipped = format!("\nSKIPPED: no network namespaces here: {said}\n");
        io::stderr().write_all(skipped.as_bytes()).unwrap();
    }

    /// Sends a request and returns what it led to.
    pub(crate) fn request(&mut self, request: &Value) -> Value {
        match self.try_request(request) {
            Ok(seen) => seen,
            Err(error) => panic!("{request}: {error}"),
        }
    }

    /// Sends a request that may fail.
    pub(crate) fn try_request(&mut self, request: &Value) -> Result<Value, String> {
        let answer = self.exchange(request).unwrap();
        match answer.get("ok") {
            Some(seen) => Ok(seen.clone()),
            None => Err(answer["error"].to_string()),
        }
    }

    fn exchange(&mut self, request: &Value) -> io::Result<Value> {
        writeln!(self.requests, "{request}")?;
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&line)?)
    }

    /// A place for the test's files.
    pub(crate) fn files(&self) -> &Path {
        self.files.path()
    }

    /// Where the lab keeps its own files.
    pub(crate) fn scratch(&self) -> &Path {
        self.scratch
            .as_ref()
            .expect("it is taken at the end only")
            .path()
    }

    /// Interrupts the lab as Ctrl-C does, and returns what it leaves of its files.
    pub(crate) fn interrupt(mut self) -> TempDir {
        self.end(Signal::SIGINT);
        self.scratch.take().expect("it is taken here only")
    }

    fn end(&mut self, signal: Signal) {
        // Once it is waited for, its number may belong to another process.
        if let Ok(None) = self.lab.try_wait() {
            self::signal(&self.lab, signal);
            let _ = self.lab.wait();
        }
    }

    /// Which host the client's question about `address` leads to, asking the network anew.
    pub(crate) fn resolve(&mut self, address: &str) -> Option<String> {
        let seen = self.request(&json!({
            "do": "resolve", "host": "client", "address": address, "patience_ms": 4000,
        }));
        seen["host"].as_str().map(str::to_owned)
    }

    /// Which host answers a connection of the client to `address`.
    pub(crate) fn ask(&mut self, address: &str) -> Option<String> {
        let seen = self.try_request(&json!({
            "do": "ask", "host": "client", "address": address, "port": 8080, "patience_ms": 2000,
        }));
        Some(seen.ok()?["answer"].as_str()?.to_owned())
    }

    /// Starts to note what the client hears.
    pub(crate) fn capture(&mut self) {
        self.request(&json!({ "do": "capture", "host": "client" }));
    }

    /// What the client heard since [`Stage::capture`], which goes on.
    pub(crate) fn heard(&mut self) -> Vec<Sighting> {
        sightings(&self.request(&json!({ "do": "heard", "host": "client" })))
    }

    /// What the client heard since [`Stage::capture`], which ends.
    pub(crate) fn sightings(&mut self) -> Vec<Sighting> {
        sightings(&self.request(&json!({ "do": "sightings", "host": "client" })))
    }
}

fn sightings(seen: &Value) -> Vec<Sighting> {
    let read = |sighting: &Value| Sighting {
        at: Duration::from_micros(sighting["at_us"].as_u64().unwrap()),
        from: sighting["from"].as_str().unwrap_or("a stranger").to_owned(),
        message: sighting["message"].as_str().unwrap().to_owned(),
        address: sighting["address"].as_str().unwrap().parse().unwrap(),
    };
    seen.as_array().unwrap().iter().map(read).collect()
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.end(Signal::SIGTERM);
    }
}

/// The binary under test.
pub(crate) fn openelb() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_openelb"));
    for variable in ["OPENELB_STATE_DIR", "OPENELB_SOCKET", "OPENELB_LOG"] {
        command.env_remove(variable);
    }
    command
}

/// Sends a signal to a process that was not waited for yet.
pub(crate) fn signal(process: &Child, signal: Signal) {
    let pid = i32::try_from(process.id()).expect("process numbers fit 22 bits");
    kill(Pid::from_raw(pid), signal)
        .expect("a child of ours keeps its number until it is waited for");
}

/// Waits until `condition` gives a value; fails with `what` when it takes unreasonably long.
pub(crate) fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = now() + UNREASONABLE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(now() < deadline, "{what}: not within {UNREASONABLE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The time, for deadlines and for moments chosen at random; never for what a test asserts.
#[expect(
    clippy::disallowed_methods,
    reason = "real processes on a real network take real time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// `ExitCode::NotPermitted` of the command.
const NOT_PERMITTED: i32 = 7;

/// Far above what any step takes, also on a machine that builds something else meanwhile.
const UNREASONABLE: Duration = Duration::from_mins(2);

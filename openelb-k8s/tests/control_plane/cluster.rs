//! The control plane that the tests share, and what they do with it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use openelb_k8s::envtest::{Binaries, ControlPlane, Options, Release};
use serde_json::Value;

use crate::objects;

/// A Kubernetes namespace of the shared control plane, for one test.
#[derive(Debug)]
pub(crate) struct Cluster {
    plane: &'static ControlPlane,
    /// The namespace of the test's objects.
    pub(crate) namespace: String,
}

impl Cluster {
    /// A namespace of one's own in the control plane that all tests share, or `None` after saying
    /// loudly that there is none here.
    pub(crate) fn open() -> Option<Self> {
        static TESTS: AtomicU32 = AtomicU32::new(0);
        let plane = match &*SHARED {
            Ok(plane) => plane,
            Err(reason) => return skip(reason),
        };
        let number = TESTS.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("test-{number}");
        plane.kubectl(&["create", "namespace", &namespace]).unwrap();
        Some(Self { plane, namespace })
    }

    pub(crate) fn plane(&self) -> &'static ControlPlane {
        self.plane
    }

    /// Runs kubectl in the test's namespace.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments)
            .unwrap_or_else(|said| panic!("{said}"))
    }

    /// The same when it may fail: then with what kubectl says.
    pub(crate) fn try_kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        let all = [&["--namespace", self.namespace.as_str()], arguments].concat();
        self.plane.kubectl(&all).map_err(|error| error.to_string())
    }

    /// Applies objects to the test's namespace.
    pub(crate) fn apply(&self, yaml: &str) {
        self.try_apply(yaml).unwrap_or_else(|said| panic!("{said}"));
    }

    /// The same when it may fail.
    pub(crate) fn try_apply(&self, yaml: &str) -> Result<String, String> {
        let namespace = self.namespace.as_str();
        let arguments = [
            "--namespace",
            namespace,
            "apply",
            "--server-side",
            "-f",
            "-",
        ];
        self.plane
            .kubectl_with(&arguments, yaml)
            .map_err(|error| error.to_string())
    }

    /// Reads an object, or a list of them.
    pub(crate) fn read(&self, what: &[&str]) -> Value {
        let arguments = [&["get", "-o", "json"], what].concat();
        serde_json::from_str(&self.kubectl(&arguments)).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if thread::panicking() {
            let folder = self.plane.keep_files().display();
            say(&format!("the logs of the control plane are in {folder}"));
        }
    }
}

/// A control plane for one test, or `None` after saying loudly that there is none here.
pub(crate) fn own(release: Release) -> Option<ControlPlane> {
    start(release).map_or_else(|reason| skip(&reason), Some)
}

/// What `make envtest` puts beside the control planes, by its name.
pub(crate) fn built(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/envtest/beside")
        .join(name)
}

/// Waits until `check` gives a value, for as long as it takes on a machine that is busy with other work.
pub(crate) fn eventually<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    for _ in 0..PATIENCE {
        if let Some(value) = check() {
            return value;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("never happened: {what}");
}

fn start(release: Release) -> Result<ControlPlane, String> {
    if !nix::unistd::geteuid().is_root() {
        return Err("a network namespace takes root".to_owned());
    }
    let binaries = Binaries::find(release).map_err(|missing| missing.to_string())?;
    let options = Options {
        controllers: true,
        ..Options::default()
    };
    // One that is there and does not start is a failure, not a reason to skip.
    Ok(ControlPlane::start(&binaries, &options).unwrap())
}

/// Whether a program is missing; then it is said loudly that the test was skipped.
pub(crate) fn skip_without(program: &str) -> bool {
    let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    let is_there = folders
        .iter()
        .any(|it| Path::new(it).join(program).exists());
    !is_there && skip::<()>(&format!("{program} is not installed")).is_none()
}

/// Says loudly that a test was skipped; with `CI=true` that is a failure.
pub(crate) fn skip<T>(reason: &str) -> Option<T> {
    let test = thread::current().name().unwrap_or_default().to_owned();
    let message = format!("SKIPPED {test}: {reason}");
    let is_ci = std::env::var("CI").as_deref() == Ok("true");
    assert!(!is_ci, "{message}; with CI=true nothing may be");
    say(&message);
    None
}

/// Writes past the harness, which hides what passing tests print.
fn say(line: &str) {
    let line = format!("{line}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

static SHARED: LazyLock<Result<ControlPlane, String>> =
    LazyLock::new(|| start(Release::Current).inspect(objects::define));

/// Times 100 ms and what the check takes; only ever reached by a test that fails.
const PATIENCE: u32 = 600;

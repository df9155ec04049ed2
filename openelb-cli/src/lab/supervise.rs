//! The outer process of the lab: it makes the namespaces, waits, and leaves nothing behind.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::io;
use std::path::Path;
use std::process::ExitStatus;

use nix::sys::resource::{Resource, getrlimit};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::args::{LabArgs, Scene};
use super::namespace::{self, Isolation};
use super::{provider, router};
use crate::exit_code::{ExitCode, Failure};

/// Enters the namespaces that the scene needs, runs this same command again inside of them and
/// removes its files.
pub(crate) fn supervise(args: &LabArgs) -> Result<ExitCode, Failure> {
    let failed =
        |error: io::Error| Failure::new(ExitCode::Failed, format!("start the lab: {error}"));
    if args.scene.has_router() {
        check_router()?;
    }
    if args.scene == Scene::PrefixChange {
        check_provider()?;
    }
    let files = TempDir::with_prefix("openelb-lab-").map_err(failed)?;
    let isolation = isolate(args)?;
    // Only now may there be threads.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .map_err(failed)?
        .block_on(watch(files.path(), isolation))
        .map_err(failed)?
}

fn isolate(args: &LabArgs) -> Result<Isolation, Failure> {
    let failed = |error: &dyn Display, advice: String| {
        let message = format!("start the lab: {error}");
        Err(Failure::new(ExitCode::NotPermitted, message).next(advice))
    };
    let needs_root = if args.scene.has_router() {
        Some("run it as root: FRR changes its user, which only root can let it do")
    } else if args.needs_realtime() && !may_be_realtime() {
        Some("run it as root, which may have real-time threads, or with `--profile normal`")
    } else {
        None
    };
    if let Some(advice) = needs_root {
        return namespace::enter_as_root().or_else(|error| {
            let error = format!("create a network namespace: {error}");
            failed(&error, advice.to_owned())
        });
    }
    namespace::enter(args.user).or_else(|error| failed(&error, namespace::advice()))
}

/// Whether anybody may have a real-time thread, up to the limit that a login sets. A user namespace
/// gives no such right, but what the limit allows outside it allows inside too.
fn may_be_realtime() -> bool {
    let limit = getrlimit(Resource::RLIMIT_RTPRIO);
    limit.is_ok_and(|(soft, _)| soft >= REALTIME)
}

/// Says beforehand what a lab with a router lacks.
fn check_router() -> Result<(), Failure> {
    let Some(program) = router::missing() else {
        return Ok(());
    };
    let message = format!("start the lab: its router is FRR, and {program} is not there");
    let advice = "install the Debian package `frr`: `sudo apt-get install frr`";
    Err(Failure::new(ExitCode::NotFound, message).next(advice))
}

/// Says beforehand what a lab with a provider lacks.
fn check_provider() -> Result<(), Failure> {
    if !provider::is_missing() {
        return Ok(());
    }
    let message = "start the lab: its provider is radvd, which is not there";
    let advice = "install the Debian package `radvd`: `sudo apt-get install radvd`";
    Err(Failure::new(ExitCode::NotFound, message).next(advice))
}

/// What the inner process leaves for the outer when it stays until it is interrupted: an empty
/// file that says that everything went well.
pub(crate) fn success_mark(files: &Path) -> std::path::PathBuf {
    files.join("succeeded")
}

async fn watch(files: &Path, isolation: Isolation) -> io::Result<Result<ExitCode, Failure>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut inner = start(files, isolation)?;
    // Every branch can be dropped without loss: a signal stays noted, a child stays waitable.
    tokio::select! {
        ended = inner.wait() => {
            return Ok(Ok(code(ended?)));
        }
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    // It is the init of the PID namespace: with it goes every process in there.
    inner.kill().await?;
    if fs::exists(success_mark(files))? {
        return Ok(Ok(ExitCode::Success));
    }
    Ok(Err(Failure::new(
        ExitCode::Failed,
        "the lab was interrupted and removed",
    )))
}

/// What the inner process ended with, such as what it did not find.
fn code(ended: ExitStatus) -> ExitCode {
    let mut all = ExitCode::ALL.into_iter();
    let code = all.find(|code| ended.code() == Some(code.number().into()));
    code.unwrap_or(ExitCode::Failed)
}

fn start(files: &Path, isolation: Isolation) -> io::Result<Child> {
    let typed: Vec<OsString> = std::env::args_os().skip(1).collect();
    Command::new("/proc/self/exe")
        .arg0("openelb")
        .args(typed)
        .arg("--inside")
        .arg(files)
        .args((isolation == Isolation::Privileged).then_some("--privileged"))
        .kill_on_drop(true)
        .spawn()
}

/// The highest priority that a daemon inside may give its thread.
const REALTIME: u64 = 50;

//! Reaches the state wherever it is: behind a running daemon, or in its directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::args::PlaceArgs;
use crate::clock;
use crate::control::{self, Connection};
use crate::engine::{Answer, Engine, Question};
use crate::exit_code::{ExitCode, Failure};
use crate::store::{DirectoryLock, LockError, RedbStore};

/// Asks the daemon of this place, or the state directory when no daemon runs.
///
/// Another process that uses the directory for a moment is waited for.
pub(crate) fn ask(place: &PlaceArgs, question: Question) -> Result<Answer, Failure> {
    match reach(place, &question)? {
        Reached::Daemon(mut daemon) => daemon.ask(question),
        Reached::Directory(_lock) => ask_directory(&place.state_dir, question),
    }
}

/// Asks a running daemon; there must be one.
pub(crate) fn ask_daemon(place: &PlaceArgs, question: Question) -> Result<Answer, Failure> {
    let socket = socket_path(place);
    let Some(mut daemon) = control::connect(&socket)? else {
        let message = format!("no daemon answers on {}", socket.display());
        return Err(Failure::new(ExitCode::Unreachable, message)
            .next("start one with `openelb run CONFIG`, or name its --state-dir or --socket"));
    };
    daemon.ask(question)
}

/// The control socket of a place.
pub(crate) fn socket_path(place: &PlaceArgs) -> PathBuf {
    place
        .socket
        .clone()
        .unwrap_or_else(|| place.state_dir.join("control.sock"))
}

/// The failure to get hold of a state directory, as the user sees it.
pub(crate) fn lock_failure(error: &LockError) -> Failure {
    let (code, next) = match error {
        LockError::Held { .. } => (
            ExitCode::Busy,
            "stop that process, or name another --state-dir",
        ),
        LockError::Missing(_) => (
            ExitCode::NotFound,
            "name the --state-dir of a daemon, or make one with `openelb pool plan FILE --apply`",
        ),
        LockError::Io { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => (
            ExitCode::NotPermitted,
            "run as the owner of the directory, or name another --state-dir",
        ),
        LockError::Io { .. } => (
            ExitCode::Failed,
            "check the path, or name another --state-dir",
        ),
    };
    Failure::new(code, error).next(next)
}

enum Reached {
    Daemon(Connection),
    Directory(DirectoryLock),
}

/// Finds whoever owns the state. The socket is tried before the lock every time, because a daemon
/// that is just starting holds the lock first and listens a moment later.
fn reach(place: &PlaceArgs, question: &Question) -> Result<Reached, Failure> {
    let socket = socket_path(place);
    let deadline = clock::now() + PATIENCE;
    let makes_directory = matches!(question, Question::Apply { .. });
    loop {
        if let Some(daemon) = control::connect(&socket)? {
            return Ok(Reached::Daemon(daemon));
        }
        let lock = if makes_directory {
            DirectoryLock::create
        } else {
            DirectoryLock::take
        };
        match lock(&place.state_dir, "openelb ip") {
            Ok(lock) => return Ok(Reached::Directory(lock)),
            Err(LockError::Held { .. }) if clock::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => return Err(lock_failure(&error)),
        }
    }
}

fn ask_directory(directory: &Path, question: Question) -> Result<Answer, Failure> {
    let creates = matches!(question, Question::Apply { .. });
    if !creates && !RedbStore::exists(directory) {
        return Err(lock_failure(&LockError::Missing(directory.to_owned())));
    }
    let store = RedbStore::open(directory).map_err(|error| crate::engine::store_failure(&error))?;
    let mut engine = Engine::open(Box::new(store))?;
    let answer = engine.answer(question, clock::now())?;
    engine.commit()?;
    Ok(answer)
}

/// How long another process may use the directory before the user is told: many times what one
/// request takes, and not longer than a person waits without asking why.
const PATIENCE: Duration = Duration::from_secs(20);

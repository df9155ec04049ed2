//! The daemon's end of the control socket.

use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::path::Path;

use nix::sys::stat::{Mode, umask};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tracing::debug;

use super::keeper::Keeper;
use crate::control::{MAX_REQUEST_BYTES, parse_question, reply_line};
use crate::exit_code::{ExitCode, Failure};

/// Listens on a socket that only its owner may connect to.
///
/// The caller holds the lock of the state directory, so a file left at the path belongs to nobody.
pub(super) fn listen(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // By umask rather than a later chmod: there is no moment at which others could connect.
    let before = umask(Mode::from_bits_truncate(0o177));
    let listener = StdListener::bind(path);
    umask(before);
    let listener = listener?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

/// Serves every connection until the task is dropped.
pub(super) async fn serve(listener: UnixListener, keeper: Keeper) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(converse(stream, keeper.clone()));
            }
            Err(error) => {
                debug!(%error, "accepting a control connection");
                // Out of file descriptors: others have to close theirs before it helps to go on.
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn converse(stream: UnixStream, keeper: Keeper) {
    let (reading, mut writing) = stream.into_split();
    let mut lines = BufReader::new(reading);
    let mut line = Vec::new();
    loop {
        line.clear();
        // One octet more than allowed tells a line that is too long from one that just fits.
        let limit = u64::try_from(MAX_REQUEST_BYTES)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        match (&mut lines).take(limit).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(length) if length > MAX_REQUEST_BYTES => {
                let message = format!("the request is longer than {MAX_REQUEST_BYTES} bytes");
                let failure = Failure::new(ExitCode::Invalid, message).next("split it");
                let _ = writing.write_all(&reply_line(Err(failure))).await;
                return;
            }
            Ok(_) => {}
        }
        let outcome = match parse_question(&line) {
            Ok(question) => keeper.ask(question).await,
            Err(failure) => Err(failure),
        };
        if writing.write_all(&reply_line(outcome)).await.is_err() {
            return;
        }
    }
}

//! The client's end of the control socket.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::{Envelope, Outcome, Reply};
use crate::engine::{Answer, PROTOCOL, Question};
use crate::exit_code::{ExitCode, Failure};

/// A connection to a daemon.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<UnixStream>,
}

/// Connects to the daemon behind a socket; `None` when no daemon listens there.
pub(crate) fn connect(socket: &Path) -> Result<Option<Connection>, Failure> {
    match UnixStream::connect(socket) {
        Ok(stream) => Ok(Some(Connection {
            stream: BufReader::new(stream),
        })),
        // A socket file that nobody listens on is what a killed daemon leaves behind.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            Ok(None)
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let message = format!("may not connect to the daemon at {}", socket.display());
            Err(Failure::new(ExitCode::NotPermitted, message)
                .next("run the command as the user the daemon runs as"))
        }
        Err(error) => {
            let message = format!(
                "cannot connect to the daemon at {}: {error}",
                socket.display()
            );
            Err(Failure::new(ExitCode::Unreachable, message).next("check --socket and --state-dir"))
        }
    }
}

impl Connection {
    /// Asks one question and waits for its answer.
    pub(crate) fn ask(&mut self, question: Question) -> Result<Answer, Failure> {
        let mut line = serde_json::to_vec(&Envelope {
            version: PROTOCOL,
            question,
        })
        .expect("questions have text keys and no failing serialiser");
        line.push(b'\n');
        let mut answer = String::new();
        self.stream
            .get_mut()
            .write_all(&line)
            .and_then(|()| self.stream.read_line(&mut answer))
            .map_err(|error| lost(&error.to_string()))?;
        if answer.is_empty() {
            return Err(lost("it closed the connection"));
        }
        let reply: Reply = serde_json::from_str(&answer).map_err(|error| {
            Failure::new(
                ExitCode::Failed,
                format!("the daemon's answer is not understood: {error}"),
            )
            .next("use the openelb command of the daemon's version")
        })?;
        match reply.outcome {
            Outcome::Answer(answer) => Ok(answer),
            Outcome::Failure(failure) => Err(failure),
        }
    }
}

fn lost(why: &str) -> Failure {
    let message =
        format!("the daemon did not answer: {why}; the request may or may not have been done");
    Failure::new(ExitCode::Unreachable, message)
        .next("ask again: the same request is done only once")
}

//! Exit codes of the command, and the failure that carries one to the user.

use std::fmt;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// What the exit status says to a script. The numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum ExitCode {
    /// Everything asked for was done.
    Success = 0,
    /// Something outside the other codes went wrong, such as a failing disk or a broken protocol.
    Failed = 1,
    /// The command line was not understood.
    Usage = 2,
    /// A file or value given by the user is invalid; nothing was changed.
    Invalid = 3,
    /// The allocator refused; the message names the reason and the nearest change that would help.
    Refused = 4,
    /// The owner, pool, address or state directory named does not exist.
    NotFound = 5,
    /// Another process holds the state directory.
    Busy = 6,
    /// A capability or file permission is missing.
    NotPermitted = 7,
    /// The store cannot be written: nothing was acknowledged.
    ReadOnly = 8,
    /// No daemon answers on the control socket.
    Unreachable = 9,
    /// `pool plan --exit-code` found changes.
    Changes = 10,
    /// `bgp check` found something to mend, `doctor` a leak, or `import` lost something.
    Problems = 11,
}

impl ExitCode {
    /// Every code, in numeric order.
    pub(crate) const ALL: [Self; 12] = [
        Self::Success,
        Self::Failed,
        Self::Usage,
        Self::Invalid,
        Self::Refused,
        Self::NotFound,
        Self::Busy,
        Self::NotPermitted,
        Self::ReadOnly,
        Self::Unreachable,
        Self::Changes,
        Self::Problems,
    ];

    /// The number the shell sees.
    pub(crate) fn number(self) -> u8 {
        self as u8
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}

/// A failure as the user sees it: the act and the facts, then the next step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// What the process exits with.
    pub(crate) code: ExitCode,
    /// The act and the facts, without a full stop.
    pub(crate) message: String,
    /// What the user can do about it.
    pub(crate) next: Option<String>,
}

impl Failure {
    /// A failure that exits with `code`.
    pub(crate) fn new(code: ExitCode, message: impl fmt::Display) -> Self {
        Self {
            code,
            message: message.to_string(),
            next: None,
        }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub(crate) fn next(mut self, step: impl fmt::Display) -> Self {
        self.next = Some(step.to_string());
        self
    }

    /// Writes the failure to standard error, as one JSON object when the user asked for data.
    ///
    /// A closed standard error is ignored: there is nobody left to tell.
    pub(crate) fn report(&self, as_data: bool) {
        let mut err = io::stderr().lock();
        let _ = if as_data {
            writeln!(err, "{}", self.to_json())
        } else {
            writeln!(err, "{self}")
        };
    }

    fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "error": {
                "code": self.code,
                "exit": self.code.number(),
                "message": self.message,
                "next": self.next,
            }
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.next {
            Some(step) => write!(f, "\n next: {step}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ExitCode, Failure};

    #[test]
    fn every_code_is_its_own_number_in_order() {
        for (expected, code) in (0_u8..).zip(ExitCode::ALL) {
            assert_eq!(code.number(), expected, "{code:?}");
        }
    }

    #[test]
    fn usage_is_the_number_clap_exits_with() {
        assert_eq!(ExitCode::Usage.number(), 2);
    }

    #[test]
    fn a_failure_shows_the_next_step_below_the_message() {
        let failure =
            Failure::new(ExitCode::NotFound, "no pool `edge`").next("see `openelb pool ls`");
        assert_eq!(
            failure.to_string(),
            "error: no pool `edge`\n next: see `openelb pool ls`"
        );
        assert_eq!(failure.to_json()["error"]["exit"], 5);
        assert_eq!(failure.to_json()["error"]["code"], "NotFound");
    }

    #[test]
    fn the_user_guide_lists_every_code() {
        let guide = include_str!("../../docs/standalone.md");
        for code in ExitCode::ALL {
            let row = format!("| {} | {code:?} |", code.number());
            assert!(
                guide.contains(&row),
                "docs/standalone.md lacks the row {row}"
            );
        }
    }
}

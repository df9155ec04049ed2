//! What the runtime is told when something went wrong: a code of the specification, the fact, the next step.

use std::fmt;

use serde_json::{Value, json};

use super::version::Version;

/// An error as the CNI specification wants it on standard output.
///
/// ```
/// use openelb_cli::cni::{Code, Error, Version};
///
/// let error = Error::new(Code::Exhausted, "no address is free in 10.0.0.0/30").next("widen the subnet");
/// let json = error.to_json(Version::V1_1_0);
/// assert_eq!(json["code"], 100);
/// assert_eq!(json["details"], "widen the subnet");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: String,
    next: String,
}

/// What kind of fault it is. Numbers below 100 are the specification's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The version of the configuration is not known, or does not have the command.
    Version = 1,
    /// An environment variable of the runtime is missing or wrong.
    Environment = 4,
    /// A file could not be read or written.
    Io = 5,
    /// Standard input is not JSON.
    Decode = 6,
    /// The configuration is JSON and means nothing.
    Configuration = 7,
    /// ADD cannot be served.
    Unavailable = 50,
    /// ADD cannot be served, and what running containers hold cannot be told.
    Limited = 51,
    /// Every address of a range set is held.
    Exhausted = 100,
    /// The address that was asked for cannot be given.
    NotAvailable = 101,
    /// The container already holds an address on this interface.
    AlreadyHeld = 102,
    /// The container does not hold the address that it should.
    NotHeld = 103,
}

impl Error {
    /// An error with the act and the fact, without a next step.
    pub fn new(code: Code, message: impl fmt::Display) -> Self {
        Self {
            code,
            message: message.to_string(),
            next: String::new(),
        }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn next(mut self, step: impl fmt::Display) -> Self {
        self.next = step.to_string();
        self
    }

    /// The kind of fault.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The act and the fact.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn next_step(&self) -> &str {
        &self.next
    }

    /// The same fault with another code: STATUS has codes of its own.
    #[must_use]
    pub(crate) fn with_code(mut self, code: Code) -> Self {
        self.code = code;
        self
    }

    /// As the runtime reads it.
    pub fn to_json(&self, version: Version) -> Value {
        json!({
            "cniVersion": version.name(),
            "code": self.code as u32,
            "msg": self.message,
            "details": self.next,
        })
    }
}

/// As runtimes print it: the fact, then the next step.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if self.next.is_empty() {
            return Ok(());
        }
        write!(f, "; {}", self.next)
    }
}

impl std::error::Error for Error {}

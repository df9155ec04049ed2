//! What is wrong with an object, or worth a word: the condition that its owner is shown.

use std::fmt::Display;

use thiserror::Error;

use crate::names;

/// One remark about an object: an error keeps it from being used, a warning does not.
///
/// Errors become the condition `Accepted=False` with [`Reason`] as its reason; the text holds no
/// password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind} {name}, {key}: {message}; {next}")]
pub struct Problem {
    /// Kind of the object.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What kind of remark it is.
    pub reason: Reason,
    /// Path of the key, such as `spec.conf.vrf`.
    pub key: String,
    /// What is wrong, with the value.
    pub message: String,
    /// What to write instead.
    pub next: String,
}

impl Problem {
    /// Whether the object cannot be used because of it.
    pub fn is_error(&self) -> bool {
        !matches!(
            self.reason,
            Reason::Ignored | Reason::Waiting | Reason::Insecure
        )
    }
}

/// What kind of remark a [`Problem`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The field, or its value, is one of OpenELB or GoBGP that this speaker does not have.
    UnsupportedField,
    /// The value cannot be right.
    Invalid,
    /// What the field names does not exist: it may come to exist without an edit of the object.
    Unresolved,
    /// The field has no effect. Only a warning.
    Ignored,
    /// The object is right and has to wait for another one. Only a warning.
    Waiting,
    /// The object is used, and gives up a protection. Only a warning.
    Insecure,
}

impl Reason {
    /// The word of the condition.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnsupportedField => "UnsupportedField",
            Self::Invalid => "Invalid",
            Self::Unresolved => "Unresolved",
            Self::Ignored => "Ignored",
            Self::Waiting => "Waiting",
            Self::Insecure => "Insecure",
        }
    }
}

/// Collects remarks about one object.
#[derive(Debug)]
pub(crate) struct Remarks {
    kind: &'static str,
    name: String,
    pub(crate) found: Vec<Problem>,
}

impl Remarks {
    pub(crate) fn about_peer(name: &str) -> Self {
        Self::about(names::BGP_PEER_KIND, name)
    }

    pub(crate) fn about(kind: &'static str, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            found: Vec::new(),
        }
    }

    pub(crate) fn add(
        &mut self,
        reason: Reason,
        key: impl Into<String>,
        message: impl Display,
        next: impl Into<String>,
    ) {
        self.found.push(Problem {
            kind: self.kind,
            name: self.name.clone(),
            reason,
            key: key.into(),
            message: message.to_string(),
            next: next.into(),
        });
    }

    /// The value cannot be right.
    pub(crate) fn invalid(
        &mut self,
        key: impl Into<String>,
        message: impl Display,
        next: impl Into<String>,
    ) {
        self.add(Reason::Invalid, key, message, next);
    }

    /// A field that this speaker does not have, unless it holds its default.
    pub(crate) fn unsupported(
        &mut self,
        is_default: bool,
        key: &str,
        value: impl Display,
        next: &str,
    ) {
        if !is_default {
            let field = key.rsplit('.').next().unwrap_or(key);
            let message = format!("{field} `{value}` is not supported");
            self.add(Reason::UnsupportedField, key, message, next);
        }
    }

    /// A field without effect, unless it holds its default.
    pub(crate) fn ignored(&mut self, is_default: bool, key: impl Into<String>, why: &str) {
        if !is_default {
            self.add(Reason::Ignored, key, format!("ignored: {why}"), "remove it");
        }
    }

    pub(crate) fn has_error(&self) -> bool {
        self.found.iter().any(Problem::is_error)
    }

    /// An error whose text is a fact, and after the last `; ` what to do about it.
    pub(crate) fn invalid_text(&mut self, key: impl Into<String>, error: impl Display) {
        let text = error.to_string();
        let (fact, next) = text
            .rsplit_once("; ")
            .unwrap_or((&text, "correct the value"));
        self.invalid(key, fact, next);
    }
}

//! A remark about a configuration file that points at the place it speaks of.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// A place in a file; line and column start at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Place {
    /// Line.
    pub(crate) line: usize,
    /// Column, in characters.
    pub(crate) column: usize,
    /// How many characters are meant; at least 1 when shown.
    pub(crate) width: usize,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// The file cannot be used.
    Error,
    /// The file is used, but probably not the way it was meant.
    Warning,
}

/// One remark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Diagnostic {
    /// How bad it is.
    pub(crate) severity: Severity,
    /// The file.
    pub(crate) file: PathBuf,
    /// Line, from 1; 0 when the file could not be read at all.
    pub(crate) line: usize,
    /// Column in characters, from 1.
    pub(crate) column: usize,
    /// The object, `Kind/name`, where it is known.
    pub(crate) object: Option<String>,
    /// The key as a path, such as `spec.address`.
    pub(crate) key: String,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) help: Option<String>,
    /// The line itself.
    pub(crate) source: Option<String>,
    #[serde(skip)]
    width: usize,
}

impl Diagnostic {
    /// An error about a file as a whole.
    pub(crate) fn file(file: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: file.into(),
            line: 0,
            column: 0,
            object: None,
            key: String::new(),
            message: message.into(),
            help: None,
            source: None,
            width: 0,
        }
    }

    /// Points at a place of the file, whose whole text is `text`.
    #[must_use]
    pub(crate) fn at(mut self, place: Place, text: &str) -> Self {
        self.line = place.line;
        self.column = place.column;
        self.width = place.width;
        self.source = text
            .lines()
            .nth(place.line.saturating_sub(1))
            .map(str::to_owned);
        self
    }

    /// Names the object and the key within it.
    #[must_use]
    pub(crate) fn about(mut self, object: Option<String>, key: impl Into<String>) -> Self {
        self.object = object;
        self.key = key.into();
        self
    }

    /// Says what to do next.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Makes it a warning.
    #[must_use]
    pub(crate) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Whether it stops the file from being used.
    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// One line: file, place and message, for logs and status.
    pub(crate) fn brief(&self) -> String {
        format!(
            "{}:{}:{}: {}",
            self.file.display(),
            self.line,
            self.column,
            self.message
        )
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_error() { "error" } else { "warning" };
        write!(f, "{kind}: {}\n  --> {}", self.message, self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        match (&self.object, self.key.is_empty()) {
            (Some(object), true) => write!(f, " ({object})")?,
            (Some(object), false) => write!(f, " ({object}, {})", self.key)?,
            (None, false) => write!(f, " ({})", self.key)?,
            (None, true) => {}
        }
        let margin = " ".repeat(self.line.to_string().len());
        if let Some(source) = &self.source {
            let blank: String = source
                .chars()
                .take(self.column.saturating_sub(1))
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            // A value may go on below; the marks stay within the line that is shown.
            let room = source
                .chars()
                .count()
                .saturating_sub(self.column.saturating_sub(1));
            let marks = "^".repeat(self.width.min(room).max(1));
            write!(
                f,
                "\n{margin} |\n{} | {source}\n{margin} | {blank}{marks}",
                self.line
            )?;
        }
        match &self.help {
            Some(help) => write!(f, "\n{margin} = help: {help}"),
            None => Ok(()),
        }
    }
}

//! Colour, only where a person looks and did not refuse it.

use std::fmt::Display;

/// Colours text, or leaves it alone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// Colour when standard output is a terminal and `NO_COLOR` is not set (<https://no-color.org>).
    pub(crate) fn new(is_terminal: bool, no_color: bool) -> Self {
        Self {
            on: is_terminal && !no_color,
        }
    }

    /// Something as it should be.
    pub(crate) fn good(self, text: impl Display) -> String {
        self.wrap("32", text)
    }

    /// Something to look at.
    pub(crate) fn warn(self, text: impl Display) -> String {
        self.wrap("33", text)
    }

    /// Something wrong.
    pub(crate) fn bad(self, text: impl Display) -> String {
        self.wrap("31", text)
    }

    /// A heading.
    pub(crate) fn strong(self, text: impl Display) -> String {
        self.wrap("1", text)
    }

    fn wrap(self, code: &str, text: impl Display) -> String {
        if self.on {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_string()
        }
    }
}

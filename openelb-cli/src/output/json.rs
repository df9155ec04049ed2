//! Answers as JSON.

use std::io::{self, Write};

use serde::Serialize;

/// Writes one indented document and a line break.
pub(super) fn write<T: Serialize>(value: &T, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

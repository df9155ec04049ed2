//! Answers as YAML.

use std::io::{self, Write};

use serde::Serialize;

/// Writes one document; ends with a line break.
pub(super) fn write<T: Serialize>(value: &T, out: &mut dyn Write) -> io::Result<()> {
    // By way of JSON's data model, so that both formats show the same names and the same values.
    let value = serde_json::to_value(value)?;
    let text = serde_saphyr::to_string(&value).map_err(io::Error::other)?;
    out.write_all(text.as_bytes())?;
    if text.ends_with('\n') {
        Ok(())
    } else {
        writeln!(out)
    }
}

//! Answers on standard output: a table for people, JSON or YAML for machines.

mod json;
mod paint;
mod table;
#[cfg(test)]
mod tests;
mod yaml;

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::exit_code::{ExitCode, Failure};

pub(crate) use paint::Paint;
pub(crate) use table::Table;

/// How an answer is written (`-o`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document, with stable field names.
    Json,
    /// The same as YAML.
    Yaml,
}

impl Format {
    /// Whether a machine reads the answer.
    pub(crate) fn is_data(self) -> bool {
        self != Self::Table
    }
}

/// An answer that can be shown to people and serialised for machines.
pub(crate) trait Report: Serialize {
    /// Writes what a person reads; ends with a line break.
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()>;
}

/// Writes the answer to standard output in the format asked for.
///
/// A reader that went away (`| head`) is no failure.
pub(crate) fn print<R: Report>(report: &R, format: Format) -> Result<(), Failure> {
    let stdout = io::stdout();
    let paint = Paint::new(stdout.is_terminal(), std::env::var_os("NO_COLOR").is_some());
    let mut out = io::BufWriter::new(stdout.lock());
    outcome(write(report, format, &mut out, paint).and_then(|()| out.flush()))
}

/// Writes text that is the same in every format, such as a man page.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    outcome(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

fn write<R: Report>(
    report: &R,
    format: Format,
    out: &mut dyn Write,
    paint: Paint,
) -> io::Result<()> {
    match format {
        Format::Table => report.write_human(out, paint),
        Format::Json => json::write(report, out),
        Format::Yaml => yaml::write(report, out),
    }
}

fn outcome(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            ExitCode::Failed,
            format!("cannot write to standard output: {error}"),
        )
        .next("check the disk or program that reads the output")),
        _ => Ok(()),
    }
}

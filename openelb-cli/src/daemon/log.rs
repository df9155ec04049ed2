//! The daemon's log, on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;
use crate::exit_code::{ExitCode, Failure};

/// Starts logging, once per process.
pub(super) fn start(format: LogFormat, filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::new(ExitCode::Usage, format!("--log {filter}: {error}"))
            .next("write a level such as info, or openelb=debug")
    })?;
    let is_coloured = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(is_coloured)
        .with_target(false);
    // It fails only when a log was started before, which then is the one to use.
    let _ = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    Ok(())
}

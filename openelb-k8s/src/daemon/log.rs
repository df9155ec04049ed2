//! The log, on standard error.

use std::io::stderr;

use tracing_subscriber::EnvFilter;

use super::Failure;
use super::args::{LogArgs, LogFormat};

/// Starts logging, once per process.
pub(super) fn start(args: &LogArgs) -> Result<(), Failure> {
    let unreadable = |source| Failure::Log {
        filter: args.log.clone(),
        source,
    };
    // kube logs every refused request as an error of its own; here each is told with its meaning.
    let filter = format!("{},{QUIET}", args.log);
    let filter = EnvFilter::try_new(filter).map_err(unreadable)?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(false);
    // It fails only when a log was started before, which then is the one to use.
    let _ = match args.log_format {
        LogFormat::Text => lines.with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}

const QUIET: &str = "kube_client=off,kube_runtime=off,tower=warn,kube_lease_manager=warn";

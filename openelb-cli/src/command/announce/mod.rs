//! `openelb announce`: an ad hoc speaker in the foreground.

mod bgp;
mod link;

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::args::AnnounceArgs;
use crate::exit_code::{ExitCode, Failure};

pub(super) fn run(args: &AnnounceArgs) -> Result<ExitCode, Failure> {
    match &args.dev {
        Some(interface) => link::run(args, interface),
        None => bgp::run(args),
    }
}

/// Until Ctrl-C, SIGTERM or the end of the duration.
fn wait(duration: Option<Duration>) -> Result<(), Failure> {
    let failed = |error| {
        Failure::new(
            ExitCode::Failed,
            format!("cannot wait for signals: {error}"),
        )
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let end = tokio::time::sleep(duration.unwrap_or(A_LONG_TIME));
        // Whatever comes first ends it, so nothing can be lost.
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = end => {}
        }
        Ok(())
    })
}

const A_LONG_TIME: Duration = Duration::from_hours(100 * 365 * 24);

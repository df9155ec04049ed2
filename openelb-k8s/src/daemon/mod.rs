//! The processes of a cluster: the controller and the speaker.
//!
//! Each is one loop that owns its machine: watches and answers go in, writes come out. Everything that
//! decides is in the machines; here are connections, clocks, signals and pages.

mod args;
mod clock;
mod controller;
mod http;
mod log;
mod metrics;
mod speaker;
mod stop;
mod upstream;
mod webhook;

use std::process::ExitCode;

use clap::Parser;
use thiserror::Error;
use tokio::runtime;

use args::{Args, Command};
pub use controller::control;
pub use speaker::speak;

/// Runs what the arguments of the process say, until it is told to stop.
pub fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure);
            ExitCode::FAILURE
        }
    }
}

/// Why a process ends that was not told to.
#[derive(Debug, Error)]
enum Failure {
    #[error("--log {filter}: {source}; write a level such as info, or openelb_k8s=debug")]
    Log {
        filter: String,
        source: tracing_subscriber::filter::ParseError,
    },
    #[error("cannot start: {0}")]
    Runtime(#[source] std::io::Error),
    #[error("{0}; the kubelet starts it again")]
    Ended(String),
    #[error(transparent)]
    Connect(#[from] crate::client::ConnectError),
    #[error("cannot listen at {address}: {source}; choose another with {flag}")]
    Listen {
        address: std::net::SocketAddr,
        flag: &'static str,
        source: std::io::Error,
    },
    #[error("no TLS for the webhook: {0}")]
    Tls(#[source] rustls::Error),
}

fn run(args: &Args) -> Result<(), Failure> {
    if matches!(args.command, Command::Version) {
        version();
        return Ok(());
    }
    log::start(&args.log)?;
    // One thread: the work is waiting for the API server. Memory stays small and order is plain.
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    match &args.command {
        Command::Controller(controller) => runtime.block_on(controller::run(args, controller)),
        Command::Speaker(speaker) => runtime.block_on(speaker::run(args, speaker)),
        Command::Version => Ok(()),
    }
}

#[expect(clippy::print_stdout, reason = "it is what the user asked for")]
fn version() {
    println!("openelb-k8s {}", env!("CARGO_PKG_VERSION"));
}

fn report(failure: &Failure) {
    eprintln!("openelb-k8s: {failure}");
}

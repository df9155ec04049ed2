//! `openelb lab`: a small network on this machine in which the real daemon can be watched at work.
//!
//! The outer process enters namespaces of its own and starts itself again inside. The inner
//! process builds the hosts, plays the scenario and says what it saw. Nothing outlives it.

pub(crate) mod args;
mod capture;
mod clock;
mod greeter;
mod host;
mod namespace;
mod neighbor;
mod network;
mod plan;
mod probe;
mod script;
mod supervise;

use std::fmt::Display;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

use self::args::LabArgs;
use self::network::Network;
use crate::exit_code::{ExitCode, Failure};

/// Runs the lab, as the outer or as the inner process.
pub(crate) fn run(args: &LabArgs) -> Result<ExitCode, Failure> {
    match &args.inside {
        None => supervise::supervise(),
        Some(_) => inside(args),
    }
}

fn inside(args: &LabArgs) -> Result<ExitCode, Failure> {
    // Whatever happens to the outer process, this one and its network do not stay behind.
    set_pdeathsig(Signal::SIGKILL).map_err(failed)?;
    let network = Network::build(plan::stations()).map_err(failed)?;
    plan::furnish(&network).map_err(failed)?;
    if args.script {
        script::obey(&network).map_err(failed)?;
        return Ok(ExitCode::Success);
    }
    Err(failed("the scenario is not part of this build"))
}

fn failed(error: impl Display) -> Failure {
    Failure::new(ExitCode::Failed, format!("build the lab: {error}"))
}

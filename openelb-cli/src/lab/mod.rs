//! `openelb lab`: a small network on this machine in which the real daemon can be watched at work.
//!
//! The outer process enters namespaces of its own and starts itself again inside. The inner
//! process builds the hosts, plays the scenario and says what it saw. Nothing outlives it.

pub(crate) mod args;
mod capture;
mod census;
mod clock;
mod cluster;
mod download;
mod fabric;
mod fib;
mod greeter;
mod host;
mod kubernetes;
mod namespace;
mod neighbor;
mod netlink;
mod network;
mod node;
mod plan;
mod probe;
mod provider;
mod report;
mod router;
mod scenario;
mod script;
mod station;
mod supervise;
mod timeline;

use std::fmt::Display;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::pause;

use self::args::{LabArgs, Scene};
use self::clock::{Stopwatch, micros};
use self::namespace::Isolation;
use self::netlink::NetworkError;
use self::network::Network;
use self::report::{HostReport, LabReport};
use self::scenario::Scenario;
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint};

/// Runs the lab, as the outer or as the inner process.
pub(crate) fn run(args: &LabArgs, format: Format) -> Result<ExitCode, Failure> {
    if let Some(option) = args.idle_option() {
        let message = format!("{option} means nothing to `{}`", args.scene.command());
        let advice = "`openelb lab --help` says which scenes it is for";
        return Err(Failure::new(ExitCode::Usage, message).next(advice));
    }
    match &args.inside {
        None => supervise::supervise(args),
        Some(files) => inside(args, files, format),
    }
}

fn inside(args: &LabArgs, files: &Path, format: Format) -> Result<ExitCode, Failure> {
    // Whatever happens to the outer process, this one and its network do not stay behind.
    set_pdeathsig(Signal::SIGKILL).map_err(failed)?;
    let began = Stopwatch::start();
    if args.scene.is_cluster() {
        return kubernetes::run(args, files, began, format);
    }
    let network = build(args).map_err(failed)?;
    if args.script {
        script::obey(&network).map_err(failed)?;
        return Ok(ExitCode::Success);
    }
    let report = play(args, &network, files, began, format)?;
    if !args.keep {
        return Ok(if report.ok {
            ExitCode::Success
        } else {
            ExitCode::Failed
        });
    }
    if report.ok {
        fs::write(supervise::success_mark(files), "").map_err(failed)?;
    }
    timeline::write_doors(&network, report.isolation, files, &mut io::stderr()).map_err(failed)?;
    loop {
        pause();
    }
}

fn build(args: &LabArgs) -> Result<Network, NetworkError> {
    let scene = args.scene;
    if scene.has_router() {
        let network = Network::build(fabric::stations(scene.nodes()))?;
        fabric::furnish(&network)?;
        return Ok(network);
    }
    let hosts = if args.script {
        plan::EVERYBODY
    } else {
        scene.hosts()
    };
    let network = Network::build(plan::stations(hosts))?;
    plan::furnish(&network)?;
    if scene == Scene::PrefixChange && !args.script {
        scenario::renumbering::furnish(&network)?;
    }
    Ok(network)
}

/// Plays the scenario: people watch it happen, machines get it in one piece.
fn play(
    args: &LabArgs,
    network: &Network,
    files: &Path,
    began: Stopwatch,
    format: Format,
) -> Result<LabReport, Failure> {
    let isolation = if args.privileged {
        Isolation::Privileged
    } else {
        Isolation::UserNamespace
    };
    let hosts = HostReport::all(network, plan::role);
    let (mut out, live) = (io::stdout(), !format.is_data());
    let paint = Paint::new(out.is_terminal(), std::env::var_os("NO_COLOR").is_some());
    if live {
        timeline::write_network(&hosts, &mut out, paint).map_err(failed)?;
    }
    let mut scenario = Scenario::new(network, files, args, began).map_err(failed)?;
    let tell = |step: &_| {
        if live {
            timeline::write_step(step, &mut out, paint)
        } else {
            Ok(())
        }
    };
    let (steps, failure) = scenario.play(args.keep, tell).map_err(failed)?;
    let elapsed_us = micros(began.elapsed());
    if !args.keep {
        scenario.end();
    }
    let ok = failure.is_none();
    let report = LabReport {
        ok,
        isolation,
        elapsed_us,
        hosts,
        steps,
        failure,
    };
    if live {
        timeline::write_end(&report, &mut out, paint).map_err(failed)?;
        if report.ok && !args.keep {
            let command = args.scene.command();
            writeln!(out, "To look around in it: {command} --keep").map_err(failed)?;
        }
    } else {
        output::print(&report, format)?;
    }
    Ok(report)
}

fn failed(error: impl Display) -> Failure {
    Failure::new(ExitCode::Failed, format!("run the lab: {error}"))
}

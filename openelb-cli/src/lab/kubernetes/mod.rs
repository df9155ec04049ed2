//! `openelb lab cluster`: a Kubernetes cluster without kubelets, in which our controller and speakers
//! serve real traffic through real kube-proxies.

mod daemon;
mod objects;
mod plan;
mod play;
mod pod;
mod stage;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use openelb_k8s::envtest::{Binaries, Release};
use serde::Serialize;

pub(super) use self::plan::NODES;
use self::stage::Stage;
use super::args::{LabArgs, Play};
use super::clock::{Stopwatch, micros};
use super::network::Network;
use super::report::{HostReport, Step, StepFailure};
use super::scenario::trouble::Trouble;
use super::timeline;
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report};

/// Everything that `openelb lab cluster -o json` prints.
#[derive(Debug, Serialize)]
struct ClusterReport {
    /// Whether every play went as expected.
    ok: bool,
    /// From the beginning to the end, in microseconds.
    elapsed_us: u64,
    /// The hosts on the switch.
    hosts: Vec<HostReport>,
    /// What was played.
    plays: Vec<PlayReport>,
}

/// How a play went.
#[derive(Debug, Serialize)]
struct PlayReport {
    /// Its name, as it is typed.
    play: String,
    /// What the client lost, in milliseconds; absent where it asked nothing.
    loss_ms: Option<u64>,
    /// The steps that went as expected, in order.
    steps: Vec<Step>,
    /// The step that did not, which is then the last.
    failure: Option<StepFailure>,
}

/// Builds the cluster and plays in it what was asked for.
pub(super) fn run(
    args: &LabArgs,
    files: &Path,
    began: Stopwatch,
    format: Format,
) -> Result<ExitCode, Failure> {
    let binaries = Binaries::find(Release::Current)
        .map_err(|missing| Failure::new(ExitCode::NotFound, format!("start the lab: {missing}")))?;
    let program = program(args)?;
    let network = Network::build(plan::stations()).map_err(failed)?;
    let hosts = HostReport::all(&network, plan::role);
    let mut show = Show::new(format);
    show.network(&hosts).map_err(failed)?;
    let stage = Stage::build(&network, &binaries, program, files, began);
    let mut stage = stage.map_err(|trouble| failed(with_expectation(&trouble)))?;
    let mut plays = Vec::new();
    for &play in args.plays() {
        plays.push(perform(play, &mut stage, &mut show).map_err(failed)?);
        // What one left behind would make the next fail for another reason than its own.
        if plays.last().is_some_and(|report| report.failure.is_some()) {
            break;
        }
    }
    stage.router.stop();
    let ok = plays.iter().all(|report| report.failure.is_none());
    let report = ClusterReport {
        ok,
        elapsed_us: micros(began.elapsed()),
        hosts,
        plays,
    };
    if format.is_data() {
        output::print(&report, format)?;
    }
    Ok(if ok {
        ExitCode::Success
    } else {
        ExitCode::Failed
    })
}

/// Plays the steps until one fails.
fn perform(play: Play, stage: &mut Stage<'_>, show: &mut Show) -> io::Result<PlayReport> {
    let name = play
        .to_possible_value()
        .expect("no play is hidden")
        .get_name()
        .to_owned();
    show.title(&name)?;
    stage.loss = None;
    let mut report = PlayReport {
        play: name,
        loss_ms: None,
        steps: Vec::new(),
        failure: None,
    };
    for (step, act) in play::acts(play) {
        let took = Stopwatch::start();
        match act(stage) {
            Ok(outcome) => {
                let step = Step {
                    name: step,
                    at_us: micros(stage.clock.elapsed()),
                    took_us: micros(took.elapsed()),
                    summary: outcome.summary,
                    details: outcome.details,
                    facts: outcome.facts,
                };
                show.step(&step)?;
                report.steps.push(step);
            }
            Err(trouble) => {
                report.failure = Some(StepFailure {
                    step,
                    expected: trouble.expected(),
                    seen: trouble.to_string(),
                    log: stage.last_lines(LOG_LINES),
                });
                break;
            }
        }
    }
    report.loss_ms = stage.loss;
    show.end(&report)?;
    Ok(report)
}

/// People watch it happen, machines get it in one piece.
struct Show {
    is_live: bool,
    paint: Paint,
}

impl Show {
    fn new(format: Format) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let paint = Paint::new(is_terminal, std::env::var_os("NO_COLOR").is_some());
        Self {
            is_live: !format.is_data(),
            paint,
        }
    }

    fn network(&mut self, hosts: &[HostReport]) -> io::Result<()> {
        if self.is_live {
            timeline::write_network(hosts, &mut io::stdout(), self.paint)?;
        }
        Ok(())
    }

    fn title(&mut self, play: &str) -> io::Result<()> {
        if self.is_live {
            writeln!(io::stdout(), "\n{}", self.paint.strong(play))?;
        }
        Ok(())
    }

    fn step(&mut self, step: &Step) -> io::Result<()> {
        if self.is_live {
            timeline::write_step(step, &mut io::stdout(), self.paint)?;
        }
        Ok(())
    }

    fn end(&mut self, report: &PlayReport) -> io::Result<()> {
        if self.is_live {
            write_end(report, &mut io::stdout(), self.paint)
        } else {
            Ok(())
        }
    }
}

impl Report for ClusterReport {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        timeline::write_network(&self.hosts, out, paint)?;
        for report in &self.plays {
            for step in &report.steps {
                timeline::write_step(step, out, paint)?;
            }
            write_end(report, out, paint)?;
        }
        Ok(())
    }
}

fn write_end(report: &PlayReport, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    if let Some(failure) = &report.failure {
        return timeline::write_failure(failure, out, paint);
    }
    let loss = report
        .loss_ms
        .map(|loss| format!(": the client lost {loss} ms"));
    let done = format!("{} as expected{}", report.play, loss.unwrap_or_default());
    writeln!(out, "{}", paint.good(done))
}

/// The program of controller and speaker.
fn program(args: &LabArgs) -> Result<PathBuf, Failure> {
    let beside = || {
        let own = std::env::current_exe().ok()?;
        Some(own.parent()?.join("openelb-k8s"))
    };
    let program = args.openelb_k8s.clone().or_else(beside).unwrap_or_default();
    if program.exists() {
        return Ok(program);
    }
    let message = format!("start the lab: {} is not there", program.display());
    let advice = "build it with `cargo build -p openelb-k8s --features daemon`, or name it with --openelb-k8s";
    Err(Failure::new(ExitCode::NotFound, message).next(advice))
}

fn with_expectation(trouble: &Trouble) -> String {
    format!("{}; seen: {trouble}", trouble.expected())
}

fn failed(error: impl Display) -> Failure {
    Failure::new(ExitCode::Failed, format!("run the lab: {error}"))
}

/// Of each process, when a step fails.
const LOG_LINES: usize = 12;

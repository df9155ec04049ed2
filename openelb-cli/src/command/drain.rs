//! `openelb drain`: takes this node out of service for its BGP peers without losing a packet.

use std::time::Duration;

use super::bgp::report;
use crate::args::DrainArgs;
use crate::engine::{BgpReport, DrainState, DrainStep, PeerReport, Question};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format};

pub(super) fn run(args: &DrainArgs, format: Format) -> Result<ExitCode, Failure> {
    if args.undo {
        let report = step(args, DrainStep::Undo)?;
        return finish(
            &report,
            "in service again: every route is announced as before",
            format,
        );
    }
    let report = step(args, DrainStep::Announce)?;
    let count = report
        .peers
        .iter()
        .filter(|peer| peer.is_established())
        .count();
    say(
        &format!("asked {count} peers to prefer other paths (GRACEFUL_SHUTDOWN, RFC 8326)"),
        format,
    )?;
    settle(args)?;
    let wait = args.wait;
    say(
        &format!("waiting {wait:?} for their routes to move"),
        format,
    )?;
    std::thread::sleep(wait);
    // Somebody may have taken it back meanwhile: then nothing is withdrawn.
    if report_now(args)?.drain == DrainState::No {
        let message = "the drain was taken back while waiting; nothing was withdrawn";
        return Err(Failure::new(ExitCode::Refused, message).next("start it again"));
    }
    step(args, DrainStep::Withdraw)?;
    let report = settle(args)?;
    finish(
        &report,
        "drained: every route is withdrawn, the sessions stay",
        format,
    )
}

fn step(args: &DrainArgs, step: DrainStep) -> Result<BgpReport, Failure> {
    report(&args.place, Question::Drain { step })
}

fn report_now(args: &DrainArgs) -> Result<BgpReport, Failure> {
    report(&args.place, Question::Bgp)
}

/// Until every session has been given what it should know.
fn settle(args: &DrainArgs) -> Result<BgpReport, Failure> {
    let is_pending =
        |peer: &PeerReport| peer.is_established() && peer.total(|family| family.pending) > 0;
    // Bounded, because a peer that takes nothing from TCP would otherwise be waited for until it is
    // given up.
    for _ in 0..LOOKS {
        let report = report_now(args)?;
        if !report.peers.iter().any(is_pending) {
            return Ok(report);
        }
        std::thread::sleep(PAUSE);
    }
    report_now(args)
}

fn finish(report: &BgpReport, text: &str, format: Format) -> Result<ExitCode, Failure> {
    if format.is_data() {
        output::print(report, format)?;
    } else {
        output::print_text(&format!("{text}\n"))?;
    }
    Ok(ExitCode::Success)
}

/// Progress is for people; whoever reads data gets the end alone.
fn say(text: &str, format: Format) -> Result<(), Failure> {
    if format.is_data() {
        return Ok(());
    }
    output::print_text(&format!("{text}\n"))
}

const PAUSE: Duration = Duration::from_millis(100);

/// Ten seconds: a peer that takes longer is in trouble of its own.
const LOOKS: u32 = 100;

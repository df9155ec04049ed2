//! `openelb drain`: takes a node out of service without losing a packet.

use std::io::{self, Write};
use std::time::Duration;

use crate::args::DrainArgs;
use crate::client;
use crate::engine::{Answer, BgpReport, DrainReport, DrainState, DrainStep, PeerReport, Question};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format, Paint, Report};

pub(super) fn run(args: &DrainArgs, format: Format) -> Result<ExitCode, Failure> {
    let (step, is_done): (_, fn(&DrainReport) -> bool) = if args.undo {
        (DrainStep::Undo, |report| !report.draining)
    } else {
        (DrainStep::Announce, is_settled)
    };
    let report = ask(args, Some(step))?;
    say(&progress(&report, args.undo), format)?;
    let report = settle(args, is_done)?;
    if args.undo || !has_peers(&report) {
        return finish(args, &report, is_done, format);
    }
    let wait = args.wait;
    say(
        &format!("waiting {wait:?} for the routes of BGP peers to move"),
        format,
    )?;
    std::thread::sleep(wait);
    // Somebody may have taken it back meanwhile: then nothing is withdrawn.
    if !ask(args, None)?.draining {
        let message = "the drain was taken back while waiting; nothing was withdrawn";
        return Err(Failure::new(ExitCode::Refused, message).next("start it again"));
    }
    ask(args, Some(DrainStep::Withdraw))?;
    let report = settle(args, is_done)?;
    finish(args, &report, is_done, format)
}

fn ask(args: &DrainArgs, step: Option<DrainStep>) -> Result<DrainReport, Failure> {
    let node = args.node.clone();
    match client::ask_daemon(&args.place, Question::Drain { step, node })? {
        Answer::Drain(report) => Ok(*report),
        _ => Err(super::unexpected()),
    }
}

/// Looks until it is done, or has taken unreasonably long.
fn settle(args: &DrainArgs, is_done: fn(&DrainReport) -> bool) -> Result<DrainReport, Failure> {
    // Bounded, because a peer that takes nothing from TCP, or a node that is gone, would otherwise be
    // waited for without end.
    for _ in 0..LOOKS {
        let report = ask(args, None)?;
        if is_done(&report) {
            return Ok(report);
        }
        std::thread::sleep(PAUSE);
    }
    ask(args, None)
}

/// Nothing is left that somebody else can have, and every BGP peer was told what it should know.
fn is_settled(report: &DrainReport) -> bool {
    let is_pending =
        |peer: &PeerReport| peer.is_established() && peer.total(|family| family.pending) > 0;
    let peers = report.bgp.iter().flat_map(|bgp| &bgp.peers);
    let active = report.active.unwrap_or_default();
    report.draining
        && report.owned <= report.unwanted
        && active == 0
        && !peers.into_iter().any(is_pending)
}

fn has_peers(report: &DrainReport) -> bool {
    report.bgp.as_ref().is_some_and(|bgp| established(bgp) > 0)
}

fn established(bgp: &BgpReport) -> usize {
    let peers = bgp.peers.iter();
    peers.filter(|peer| peer.is_established()).count()
}

fn finish(
    args: &DrainArgs,
    report: &DrainReport,
    is_done: fn(&DrainReport) -> bool,
    format: Format,
) -> Result<ExitCode, Failure> {
    output::print(report, format)?;
    if is_done(report) {
        return Ok(ExitCode::Success);
    }
    let verb = if args.undo {
        "takes part again"
    } else {
        "is drained"
    };
    let message = format!("{} was not done within ten seconds", subject(report));
    let next = format!("see `openelb l2 owners` whether it {verb} yet, and its log if not");
    Err(Failure::new(ExitCode::Refused, message).next(next))
}

/// Without an election a node has no name that others know.
fn subject(report: &DrainReport) -> String {
    match report.node.as_str() {
        "" => "this node".to_owned(),
        name => format!("node {name}"),
    }
}

/// What was set in motion.
fn progress(report: &DrainReport, is_undone: bool) -> String {
    if is_undone {
        return format!("told {} to take part again", subject(report));
    }
    let mut acts = Vec::new();
    let movable = report.owned.saturating_sub(report.unwanted);
    if movable > 0 {
        acts.push(format!("handing {movable} shards over to other nodes"));
    }
    if let Some(bgp) = report.bgp.as_ref().filter(|bgp| established(bgp) > 0) {
        let count = established(bgp);
        acts.push(format!(
            "asked {count} peers to prefer other paths (GRACEFUL_SHUTDOWN, RFC 8326)"
        ));
    }
    if acts.is_empty() {
        acts.push("told it to hand everything over".to_owned());
    }
    format!("{}: {}", subject(report), acts.join("; "))
}

impl Report for DrainReport {
    fn write_human(&self, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
        let subject = subject(self);
        if !self.draining {
            return writeln!(out, "{subject} is {}", paint.good("in service"));
        }
        let withdrawn = self.bgp.as_ref().map(|bgp| bgp.drain);
        match (self.owned, self.unwanted, withdrawn) {
            (0, _, Some(DrainState::Withdrawn)) => writeln!(
                out,
                "{subject} is {}: every route is withdrawn, the sessions stay",
                paint.good("drained")
            ),
            (0, ..) => writeln!(out, "{subject} is {}", paint.good("drained")),
            (owned, unwanted, _) if owned <= unwanted => writeln!(
                out,
                "{subject} keeps {owned} shards until it ends: no other node is there to take them"
            ),
            (owned, ..) => {
                let state = paint.warn("draining");
                writeln!(out, "{subject} is {state}: {owned} shards are left")
            }
        }
    }
}

/// Progress is for people; whoever reads data gets the end alone.
fn say(text: &str, format: Format) -> Result<(), Failure> {
    if format.is_data() {
        return Ok(());
    }
    output::print_text(&format!("{text}\n"))
}

const PAUSE: Duration = Duration::from_millis(100);

/// Ten seconds: what takes longer is in trouble of its own.
const LOOKS: u32 = 100;

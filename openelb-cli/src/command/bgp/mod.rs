//! `openelb bgp …`: the peers, the routes and the events of a running daemon, and what is wrong.

mod check;
mod monitor;
mod peers;
mod routes;

use crate::args::{BgpVerb, PlaceArgs};
use crate::client;
use crate::engine::{Answer, BgpReport, PeerReport, Question};
use crate::exit_code::{ExitCode, Failure};
use crate::output::Format;

pub(super) fn run(verb: BgpVerb, format: Format) -> Result<ExitCode, Failure> {
    match verb {
        BgpVerb::Peers(args) => peers::run(&args, format),
        BgpVerb::Routes(args) => routes::run(&args, format),
        BgpVerb::Monitor(args) => monitor::run(&args, format),
        BgpVerb::Check(args) => check::run(&args, format),
    }
}

/// The speaker of a daemon.
pub(super) fn report(place: &PlaceArgs, question: Question) -> Result<BgpReport, Failure> {
    match client::ask_daemon(place, question)? {
        Answer::Bgp(report) => Ok(*report),
        _ => Err(super::unexpected()),
    }
}

/// The speaker with one of its peers, or with all of them.
fn report_of(place: &PlaceArgs, name: Option<&str>) -> Result<BgpReport, Failure> {
    let mut report = report(place, Question::Bgp)?;
    let Some(name) = name else {
        return Ok(report);
    };
    let is_meant = |peer: &PeerReport| peer.name == name || peer.remote == name;
    report.peers.retain(is_meant);
    if report.peers.is_empty() {
        let message = format!("there is no BGP peer `{name}`");
        return Err(Failure::new(ExitCode::NotFound, message).next("see `openelb bgp peers`"));
    }
    Ok(report)
}

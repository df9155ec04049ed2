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

/// `3d4h`, `2h5m`, `4m7s` or `12s`: two units tell enough.
fn span(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{}s", seconds % 60),
        (0, _, _) => format!("{hours}h{}m", minutes % 60),
        (_, _, _) => format!("{days}d{}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::span;

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        let spans = [0, 59, 60, 3_599, 3_600, 86_399, 90_000].map(span);
        assert_eq!(
            spans,
            ["0s", "59s", "1m0s", "59m59s", "1h0m", "23h59m", "1d1h"]
        );
    }
}

//! `openelb bgp monitor`: what happens to the peers, line by line, until Ctrl-C.

use std::time::Duration;

use crate::args::BgpMonitorArgs;
use crate::client;
use crate::engine::{Answer, EventReport, EventsReport, Question};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format};

pub(super) fn run(args: &BgpMonitorArgs, format: Format) -> Result<ExitCode, Failure> {
    // From the first event that is still kept: what led here is usually what is looked for.
    let mut from = if args.new { None } else { Some(0) };
    loop {
        let report = ask(args, from)?;
        for event in &report.events {
            if args.peer.is_none() || args.peer == event.peer {
                output::print_text(&line(event, format))?;
            }
        }
        if args.once {
            return Ok(ExitCode::Success);
        }
        from = Some(report.next);
        std::thread::sleep(PAUSE);
    }
}

fn ask(args: &BgpMonitorArgs, from: Option<u64>) -> Result<EventsReport, Failure> {
    match client::ask_daemon(&args.place, Question::BgpEvents { from })? {
        Answer::BgpEvents(events) => Ok(events),
        _ => Err(super::super::unexpected()),
    }
}

/// One event a line, also as data: whoever reads it need not wait for the end.
fn line(event: &EventReport, format: Format) -> String {
    if format.is_data() {
        let json = serde_json::to_string(event).expect("an event is plain data");
        return format!("{json}\n");
    }
    format!("{}  {}\n", event.at, event.text)
}

/// Soon enough for eyes.
const PAUSE: Duration = Duration::from_millis(200);

//! Events as they happen: what the `monitor` verbs have in common.

use std::time::Duration;

use crate::engine::{EventReport, EventsReport};
use crate::exit_code::{ExitCode, Failure};
use crate::output::{self, Format};

/// How events are followed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Follow {
    /// Only what happens from now on.
    pub(super) only_new: bool,
    /// What is remembered, and no more.
    pub(super) once: bool,
    /// How they are shown.
    pub(super) format: Format,
}

/// Shows the events that are meant, until Ctrl-C or, with `once`, until there are no more.
pub(super) fn run(
    follow: Follow,
    ask: impl Fn(Option<u64>) -> Result<EventsReport, Failure>,
    is_meant: impl Fn(&EventReport) -> bool,
) -> Result<ExitCode, Failure> {
    // From the first event that is still kept: what led here is usually what is looked for.
    let mut from = if follow.only_new { None } else { Some(0) };
    loop {
        let report = ask(from)?;
        for event in report.events.iter().filter(|event| is_meant(event)) {
            output::print_text(&line(event, follow.format))?;
        }
        if follow.once {
            return Ok(ExitCode::Success);
        }
        from = Some(report.next);
        std::thread::sleep(PAUSE);
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

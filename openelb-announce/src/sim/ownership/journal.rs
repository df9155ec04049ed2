//! What happened in a run, as lines that a person can follow.

use super::judge::Change;
use super::scenario::letter;
use crate::ownership::Event;
use crate::sim::trace::{asserted, describe};
use crate::sim::{Action, Record, datagram};
use crate::time::Time;

/// Lines of text, oldest first. Traffic and questions of clients are left out.
#[derive(Debug, Default)]
pub(super) struct Journal {
    lines: Vec<String>,
}

impl Journal {
    pub(super) fn line(&mut self, at: Time, what: &str) {
        let millis = (at - Time::ZERO).as_secs_f64() * 1e3;
        self.lines.push(format!("{millis:>12.3} ms  {what}"));
    }

    pub(super) fn into_lines(self) -> Vec<String> {
        self.lines
    }

    /// Who hears whom now, and did not before, or the other way round.
    pub(super) fn changes(&mut self, changes: &[Change]) {
        for change in changes {
            let (listener, speaker) = (letter(change.listener), letter(change.speaker));
            let hears = if change.hears { "hears" } else { "has lost" };
            self.line(change.at, &format!("    {listener} {hears} {speaker}"));
        }
    }

    /// What a node did; `standing` says how many shards it owns and until when, by its own clock.
    pub(super) fn record(
        &mut self,
        node: usize,
        record: &Record,
        standing: Option<(usize, Option<Time>)>,
    ) {
        let name = letter(node);
        match &record.action {
            Action::Sent(frame) if datagram::is_beat(frame) => {
                let (owns, until) = standing.unwrap_or((0, None));
                let until =
                    until.map_or_else(String::new, |until| format!(", valid until its {until}"));
                self.line(record.at, &format!("{name}   beats, owning {owns}{until}"));
            }
            Action::Sent(frame) if asserted(frame).is_some_and(|(to, _)| to.is_group()) => {
                self.line(record.at, &format!("{name}   {}", describe(frame)));
            }
            Action::Owned(event) => self.line(record.at, &format!("{name} {}", in_words(event))),
            Action::Reported(event) => self.line(record.at, &format!("{name}   {event:?}")),
            _ => {}
        }
    }
}

fn in_words(event: &Event) -> String {
    match event {
        Event::Acquired { shard, how, .. } => format!("ACQUIRES {shard} ({how:?})"),
        Event::Lost { shard, why } => format!("LOSES    {shard} ({why:?})"),
        other => format!("{other:?}"),
    }
}

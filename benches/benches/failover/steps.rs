//! What the election costs without sockets: a beat sent, a beat heard, a death among eight nodes.

use std::sync::Arc;
use std::time::Duration;

use openelb_announce::ownership::{Event, Input, Machine as Election, Output, Profile};
use openelb_announce::{Machine, Time};
use openelb_benches::meter::clock;

use super::desired;
use super::table::{Spread, Table};

/// Measures and prints them.
pub(crate) fn measure(table: &mut Table) {
    let mut segment = Segment::new();
    segment.run(SETTLE);
    segment.sent.clear();
    segment.heard.clear();
    segment.run(SPAN);
    let row = |samples: &[f64]| [Spread::of(samples), None, None];
    table.add_spread("sending a beat", None, row(&segment.sent));
    table.add_spread("hearing a beat", None, row(&segment.heard));
    let mut deaths = Vec::new();
    for _ in 0..DEATHS {
        let mut segment = Segment::new();
        segment.run(SETTLE);
        segment.machines.remove(0);
        segment.run(Profile::Normal.timing().dead_after() * 2);
        deaths.extend(&segment.deaths);
    }
    table.add_spread(
        "noticing a death, and ranking anew",
        Some(50.0),
        row(&deaths),
    );
    table.print(&format!(
        "The machine among {NODES} nodes with 256 shards, us p50 / p99 / longest"
    ));
}

/// Eight nodes that hear each other at once; what each step took, in microseconds.
struct Segment {
    machines: Vec<Election>,
    now: Time,
    sent: Vec<f64>,
    heard: Vec<f64>,
    deaths: Vec<f64>,
}

impl Segment {
    fn new() -> Self {
        let machine = |number| {
            let election = desired::election(Profile::Normal, number, 0);
            let mut machine = Election::new();
            machine.handle_input(Input::Link { up: true }, Time::ZERO);
            let configuration = Input::Configure(&election.settings, &election.groups);
            machine.handle_input(configuration, Time::ZERO);
            machine
        };
        Self {
            machines: (1..=NODES).map(machine).collect(),
            now: Time::ZERO,
            sent: Vec::new(),
            heard: Vec::new(),
            deaths: Vec::new(),
        }
    }

    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            let deadlines = self.machines.iter().map(Election::poll_timeout);
            let next = deadlines
                .enumerate()
                .filter_map(|(at, time)| Some((time?, at)));
            let Some((time, at)) = next.min().filter(|(time, _)| *time <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(time);
            self.step(at);
        }
    }

    fn step(&mut self, at: usize) {
        let now = self.now;
        let (beats, is_death, took) = timed(&mut self.machines[at], |it| it.handle_timeout(now));
        if is_death {
            self.deaths.push(took);
        } else if !beats.is_empty() {
            self.sent.push(took);
        }
        self.deliver(at, beats);
    }

    fn deliver(&mut self, from: usize, beats: Vec<Arc<[u8]>>) {
        let mut waiting: Vec<_> = beats.into_iter().map(|beat| (from, beat)).collect();
        while let Some((from, beat)) = waiting.pop() {
            for to in (0..self.machines.len()).filter(|to| *to != from) {
                let input = Input::Datagram {
                    octets: &beat,
                    hop_limit: 255,
                    received: self.now,
                };
                let now = self.now;
                let machine = &mut self.machines[to];
                let (answers, _, took) = timed(machine, |it| it.handle_input(input, now));
                self.heard.push(took);
                waiting.extend(answers.into_iter().map(|answer| (to, answer)));
            }
        }
    }
}

/// What a step brought about: beats, whether a node was found dead, and how long it took.
fn timed(machine: &mut Election, step: impl FnOnce(&mut Election)) -> (Vec<Arc<[u8]>>, bool, f64) {
    let start = clock();
    step(machine);
    let mut outputs = Vec::new();
    while let Some(output) = machine.poll_output() {
        outputs.push(output);
    }
    let took = (clock() - start).as_secs_f64() * 1e6;
    let is_down = |output: &Output| matches!(output, Output::Event(Event::NodeDown(_)));
    let is_death = outputs.iter().any(is_down);
    let beats = outputs.into_iter().filter_map(|output| match output {
        Output::Transmit(beat) => Some(beat),
        _ => None,
    });
    (beats.collect(), is_death, took)
}

const NODES: u8 = 8;
const SETTLE: Duration = Duration::from_secs(10);
const SPAN: Duration = Duration::from_mins(1);
const DEATHS: u32 = 20;

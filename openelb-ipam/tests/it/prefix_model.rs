//! The prefix machine beside a plain model: whatever is told, in whatever order, both agree.
//!
//! The model remembers what the sources told and what was shown before, and checks the invariants
//! after every step. Steps are six bytes each, so that property tests and the fuzzer speak the same
//! language.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::Ipv6Net;
use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::{
    Derivation, Event, Generations, Input, Machine, Part, Settings, Sighting, State,
};

/// One step: a kind and five choices.
pub(crate) type Step = [u8; 6];

/// What one source tells of one prefix.
type Key = (usize, u8, Ipv6Net);

/// A machine, its twin, and what they were told.
pub(crate) struct PrefixModel {
    machine: Machine,
    /// Restored from its own state after every decision, and told of each instant in reverse.
    twin: Machine,
    /// What is noted and not decided on yet, all of one instant.
    batch: Vec<Input>,
    /// The end of each prefix's valid lifetime as it was told last, by delegated prefix.
    told: BTreeMap<Key, Option<Time>>,
    ends: BTreeMap<Ipv6Net, Option<Time>>,
    /// When each prefix was replaced.
    replaced: BTreeMap<Ipv6Net, Time>,
    withdrawn: Vec<Ipv6Net>,
    now: Time,
    /// Whether the machine was woken whenever it asked: bounds in time are meaningless otherwise.
    is_monotonic: bool,
}

impl PrefixModel {
    pub(crate) fn new() -> Self {
        Self {
            machine: Machine::new(settings(0)),
            twin: Machine::new(settings(0)),
            batch: Vec::new(),
            told: BTreeMap::new(),
            ends: BTreeMap::new(),
            replaced: BTreeMap::new(),
            withdrawn: Vec::new(),
            now: Time(1_000_000),
            is_monotonic: true,
        }
    }

    /// Carries a step out and checks everything.
    pub(crate) fn step(&mut self, [kind, source, prefix, lasts, valid, wait]: Step) {
        let (source, prefix) = (usize::from(source % 3), delegated(prefix));
        let origin = prefix_origin(kind);
        match kind % 16 {
            0..=6 => {
                let until =
                    |x: u8| (x != 0).then(|| self.now + Duration::from_secs(u64::from(x) * 7));
                let (preferred_until, valid_until) = (until(lasts), until(valid));
                self.note(Input::Seen(Sighting {
                    source,
                    origin: origin.to_string(),
                    prefix,
                    preferred_until,
                    valid_until,
                }));
            }
            7..=9 => self.note(Input::Gone {
                source,
                origin: origin.to_string(),
                prefix,
            }),
            10 => self.note(Input::Failed {
                source,
                why: "refused".into(),
            }),
            11 => self.note(Input::Worked { source }),
            12 => {
                let preferred = self.machine.generations().preferred.as_ref();
                if let Some(prefix) = preferred.map(|generation| generation.prefix) {
                    self.note(Input::Announced { prefix });
                }
            }
            13 => self.note(Input::Configure(settings(lasts))),
            14 if valid % 8 == 0 => {
                self.decide();
                self.is_monotonic = false;
                self.now = Time(self.now.0.saturating_sub(u64::from(lasts) * 1_000));
            }
            14 => {
                // A host that slept: every deadline on the way is seen too late.
                self.decide();
                self.is_monotonic = false;
                self.now = Time(self.now.0 + u64::from(lasts) * 7_000);
            }
            _ => self.pass(u64::from(wait) * 200),
        }
        if wait % 3 == 0 {
            self.decide();
        }
    }

    /// What is kept of everything.
    pub(crate) fn state(&mut self) -> &State {
        self.decide();
        self.machine.state()
    }

    /// One instant may hold one word of each source only: two that contradict have an order.
    fn note(&mut self, input: Input) {
        let source = |input: &Input| match input {
            Input::Seen(Sighting { source, .. })
            | Input::Gone { source, .. }
            | Input::Failed { source, .. }
            | Input::Worked { source } => Some(*source),
            Input::Announced { .. } => Some(usize::MAX),
            Input::Configure(_) => None,
        };
        let mut earlier = self.batch.iter().map(source);
        if earlier.any(|earlier| earlier == source(&input)) {
            self.decide();
        }
        match &input {
            Input::Seen(s) => {
                let origin = s.origin.len().try_into().unwrap_or(0);
                self.told
                    .insert((s.source, origin, s.prefix), s.valid_until);
            }
            Input::Gone {
                source,
                origin,
                prefix,
            } => {
                let origin = origin.len().try_into().unwrap_or(0);
                self.told.remove(&(*source, origin, *prefix));
            }
            _ => {}
        }
        self.batch.push(input);
    }

    /// Lets time pass, waking the machine exactly when it asks.
    fn pass(&mut self, millis: u64) {
        self.decide();
        let end = Time(self.now.0 + millis);
        let mut wakes = 0;
        while let Some(due) = self.machine.poll_timeout().filter(|&due| due <= end) {
            self.undisturbed_until(due);
            self.now = self.now.max(due);
            self.decide();
            wakes += 1;
            assert!(wakes < 1_000, "the machine wakes without end");
        }
        self.now = end;
    }

    /// Nothing may change before the machine asks to be woken.
    fn undisturbed_until(&self, due: Time) {
        if due > self.now {
            let mut early = self.machine.clone();
            early.handle_timeout(Time(due.0 - 1));
            assert_eq!(
                early.generations(),
                self.machine.generations(),
                "changed before {due:?}"
            );
        }
    }

    fn decide(&mut self) {
        let before = self.machine.generations().clone();
        let now = self.now;
        for input in &self.batch {
            self.machine.handle_input(input.clone(), now);
        }
        for input in self.batch.drain(..).rev() {
            self.twin.handle_input(input, now);
        }
        self.machine.handle_timeout(now);
        self.twin.handle_timeout(now);
        assert_eq!(
            self.machine.state(),
            self.twin.state(),
            "order or a restart mattered"
        );
        assert_eq!(self.machine.generations(), self.twin.generations());
        assert_eq!(
            self.machine.generations(),
            &self.machine.state().generations()
        );

        let mut said = Vec::new();
        while let Some(event) = self.machine.poll_event() {
            assert_eq!(self.twin.poll_event().as_ref(), Some(&event));
            said.push(event);
        }
        self.renew();
        self.follow(&said);
        self.check(&before);
        self.restart();
    }

    /// The machine's own words about its life have to be what is shown.
    fn follow(&mut self, said: &[Event]) {
        for event in said {
            match event {
                Event::Detected { prefix } => self.withdrawn.retain(|gone| gone != prefix),
                Event::Renumbered { from, to } => {
                    self.withdrawn.retain(|gone| gone != to);
                    self.replaced.insert(*from, self.now);
                }
                Event::Withdrawn { prefix } => self.withdrawn.push(*prefix),
                _ => {}
            }
        }
    }

    /// The valid lifetime of every derived prefix: the longest that is told, or was told last.
    fn renew(&mut self) {
        let now = self.now;
        self.told.retain(|_, end| end.is_none_or(|end| end > now));
        let mut ends: BTreeMap<Ipv6Net, Option<Time>> = BTreeMap::new();
        for ((.., delegated), end) in &self.told {
            if let Ok(prefix) = self.machine.settings().derivation.derive(*delegated) {
                ends.entry(prefix)
                    .and_modify(|longest| *longest = longest.zip(*end).map(|(a, b)| a.max(b)))
                    .or_insert(*end);
            }
        }
        self.ends.extend(ends);
    }

    fn check(&self, before: &Generations) {
        let (generations, settings) = (self.machine.generations(), self.machine.settings());
        let shown: Vec<Ipv6Net> = generations
            .iter()
            .map(|generation| generation.prefix)
            .collect();
        assert!(
            generations.deprecated.len() <= settings.generations,
            "too many: {shown:?}"
        );
        assert!(
            generations.preferred.is_some() || shown.is_empty(),
            "only leaving ones: {shown:?}"
        );
        let is_over = |prefix: &Ipv6Net| {
            let end = self.ends.get(prefix).copied().flatten();
            end.is_some_and(|end| end <= self.now)
        };
        for (at, prefix) in shown.iter().enumerate() {
            assert!(!shown[..at].contains(prefix), "{prefix} is shown twice");
            assert!(!self.withdrawn.contains(prefix), "{prefix} was withdrawn");
            assert!(!is_over(prefix), "{prefix} is beyond its valid lifetime");
        }
        if shown.is_empty() {
            for generation in before.iter() {
                assert!(
                    is_over(&generation.prefix),
                    "{} was given up while valid",
                    generation.prefix
                );
            }
        }
        for generation in generations.deprecated.iter().filter(|_| self.is_monotonic) {
            let replaced = self.replaced[&generation.prefix];
            let latest = replaced + LONGEST_CONFIRM + LONGEST_GRACE;
            assert!(
                self.now < latest,
                "{} overstays its grace",
                generation.prefix
            );
        }
    }

    /// A twin that lost everything but its state must not be told apart.
    fn restart(&mut self) {
        let json = serde_json::to_string(self.machine.state()).unwrap();
        let state: State = serde_json::from_str(&json).unwrap();
        assert_eq!(&state, self.machine.state());
        self.twin = Machine::restore(self.machine.settings().clone(), state, self.now);
        assert_eq!(self.twin.generations(), self.machine.generations());
        let explanation = self.machine.explain(self.now).to_string();
        assert!(!explanation.is_empty());
    }
}

/// Few prefixes, so that they meet; one is of another scope, one cannot be used.
fn delegated(choice: u8) -> Ipv6Net {
    let text = match choice % 8 {
        0..=4 => format!("2001:db8:{}::/56", choice % 5),
        5 => "2001:db8:0::/64".into(),
        6 => "fd00:1::/56".into(),
        _ => "2001:db8:f::/72".into(),
    };
    text.parse().unwrap()
}

/// Two origins, told apart by their length.
const fn prefix_origin(kind: u8) -> &'static str {
    if kind < 128 { "wan0" } else { "router" }
}

fn settings(choice: u8) -> Settings {
    let number = u128::from(choice % 2);
    Settings {
        derivation: Derivation {
            length: 64,
            part: if choice % 4 < 2 {
                Part::Whole
            } else {
                Part::Number(number)
            },
        },
        hold_down: Duration::from_secs(u64::from(choice % 3) * 15),
        grace: Duration::from_secs(u64::from(choice % 5) * 60).min(LONGEST_GRACE),
        generations: usize::from(choice % 4),
        minimum_dwell: Duration::from_secs(u64::from(choice % 7) * 10),
        confirm_within: LONGEST_CONFIRM,
        ..Settings::default()
    }
}

const LONGEST_CONFIRM: Duration = Duration::from_mins(1);
const LONGEST_GRACE: Duration = Duration::from_mins(4);

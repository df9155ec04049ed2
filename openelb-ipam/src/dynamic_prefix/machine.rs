//! The life of a prefix: tentative, preferred, deprecated, withdrawn.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::mem;

use ipnet::Ipv6Net;

use super::choose::{self, Candidate, candidates, half_of, usable};
use super::generation::{Generation, Generations};
use super::input::{Event, Input, Sighting};
use super::settings::{MOST_GENERATIONS, Settings};
use super::state::{Held, Known, State, earlier, is_after, later};
use crate::time::Time;

/// Follows one prefix through everything that its sources tell.
///
/// Whoever drives it hands over inputs, calls [`handle_timeout`](Self::handle_timeout) whenever
/// [`poll_timeout`](Self::poll_timeout) has come (after an input that is at once), then drains
/// [`poll_event`](Self::poll_event) and shows [`generations`](Self::generations) if they changed. The
/// example is at the [module](super).
///
/// Times may go back from call to call: that delays what is due, it never breaks an invariant.
#[derive(Clone, Debug)]
pub struct Machine {
    settings: Settings,
    state: State,
    /// Invariant: `state.generations()` as of the last decision.
    shown: Generations,
    events: VecDeque<Event>,
    /// When an input came that was not decided on.
    noted: Option<Time>,
    /// When the last decision was made.
    decided: Option<Time>,
}

impl Machine {
    /// A machine that knows nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self::restore(settings, State::default(), Time(0))
    }

    /// A machine that goes on from where another was, at `now`.
    ///
    /// Any state will do: prefixes that appear twice and rows beyond the limits are left out.
    pub fn restore(settings: Settings, mut state: State, now: Time) -> Self {
        mend(&mut state);
        Self {
            shown: state.generations(),
            settings,
            state,
            events: VecDeque::new(),
            noted: Some(now),
            decided: None,
        }
    }

    /// What the user says.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Everything to keep for [`restore`](Self::restore).
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The prefixes in use, as of the last [`handle_timeout`](Self::handle_timeout).
    pub const fn generations(&self) -> &Generations {
        &self.shown
    }

    /// Notes what happened. What follows from it is decided in
    /// [`handle_timeout`](Self::handle_timeout), which is due at once.
    pub fn handle_input(&mut self, input: Input, now: Time) {
        match input {
            Input::Seen(sighting) => self.note(sighting, now),
            Input::Gone {
                source,
                origin,
                prefix,
            } => {
                let (origin, prefix) = (excerpt(origin), prefix.trunc());
                let gone = (source, prefix, origin.as_str());
                self.state.sightings.retain(|known| known.key() != gone);
            }
            Input::Failed { source, why } => {
                self.state.failing.insert(source, excerpt(why));
                // Whoever counts sources from elsewhere must not fill the memory of this one.
                while self.state.failing.len() > MOST_SIGHTINGS {
                    self.state.failing.pop_last();
                }
            }
            Input::Worked { source } => {
                self.state.failing.remove(&source);
            }
            Input::Announced { prefix } => {
                let preferred = self.state.preferred.as_mut();
                if let Some(held) = preferred.filter(|held| held.prefix() == prefix) {
                    held.is_announced = true;
                }
            }
            Input::Configure(settings) => {
                self.settings = settings;
                for known in &mut self.state.sightings {
                    known.is_refused = false;
                }
            }
        }
        self.noted.get_or_insert(now);
    }

    /// Decides what follows from everything that was noted, as of `now`. Calling it early or often
    /// is harmless. O(sightings²), of which there are at most 64.
    pub fn handle_timeout(&mut self, now: Time) {
        self.noted = None;
        self.decided = Some(now);
        self.forget(now);
        self.renew(now);
        self.choose(now);
        self.leave(now);
        self.judge(now);
        self.show(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called next; it may lie in the past.
    /// `None` when only an input can change anything. It may be earlier than needed, never later.
    pub fn poll_timeout(&self) -> Option<Time> {
        if self.noted.is_some() {
            return self.noted;
        }
        let decided = self.decided?;
        let ahead = self.deadlines(decided).into_iter();
        ahead.filter(|&deadline| deadline > decided).min()
    }

    /// The next thing that was done or learned, oldest first. Only the latest 64 are kept for those
    /// who never ask.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Adds or renews a sighting; of too many the worst goes.
    fn note(&mut self, sighting: Sighting, now: Time) {
        let sighting = Sighting {
            origin: excerpt(sighting.origin),
            prefix: sighting.prefix.trunc(),
            ..sighting
        };
        self.state.failing.remove(&sighting.source);
        let mut known = Known {
            sighting,
            first_seen: now,
            last_seen: now,
            is_refused: false,
        };
        let rows = &mut self.state.sightings;
        match rows.binary_search_by(|row| row.key().cmp(&known.key())) {
            Ok(at) => {
                let Some(row) = rows.get_mut(at) else { return };
                if row.is_preferred(now) {
                    known.first_seen = row.first_seen;
                }
                known.is_refused = row.is_refused;
                *row = known;
            }
            Err(at) => rows.insert(at, known),
        }
        if rows.len() > MOST_SIGHTINGS {
            // A source told of last loses first; within one, what counts least and is newest.
            let settings = &self.settings;
            let worst = rows.iter().enumerate().max_by_key(|(_, row)| {
                let is_useless = usable(settings, row).is_err() || !row.is_preferred(now);
                (
                    is_useless,
                    row.sighting.source,
                    row.first_seen,
                    row.sighting.prefix,
                )
            });
            if let Some(worst) = worst.map(|(at, _)| at) {
                rows.remove(worst);
            }
        }
    }

    /// Drops what is valid no more, and says once of what cannot be used.
    fn forget(&mut self, now: Time) {
        let (settings, events) = (&self.settings, &mut self.events);
        self.state.sightings.retain_mut(|known| {
            if let Err(why) = usable(settings, known)
                && !mem::replace(&mut known.is_refused, true)
            {
                let (prefix, origin) = (known.sighting.prefix, known.sighting.origin.clone());
                let why = why.to_string();
                say(
                    events,
                    Event::Refused {
                        prefix,
                        origin,
                        why,
                    },
                );
            }
            known.is_valid(now)
        });
    }

    /// Takes over the lifetimes that were told last. What nobody tells of keeps those told before.
    fn renew(&mut self, now: Time) {
        let State {
            preferred,
            deprecated,
            sightings,
            ..
        } = &mut self.state;
        for held in preferred.iter_mut().chain(deprecated) {
            let ends = sightings.iter().filter(|known| {
                usable(&self.settings, known).is_ok_and(|(prefix, _)| prefix == held.prefix())
                    && known.is_valid(now)
            });
            if let Some(end) = ends.map(|known| known.sighting.valid_until).reduce(later) {
                held.valid_until = end;
            }
        }
    }

    /// Prefers the best prefix that has been told of long enough, if there is reason for a change.
    fn choose(&mut self, now: Time) {
        let sightings = mem::take(&mut self.state.sightings);
        let all = candidates(&self.settings, &sightings, now);
        let preferred = self.state.preferred.as_ref();
        let preferred = preferred.filter(|held| held.is_valid(now));
        let winner = choose::challenger(&self.settings, &sightings, &all, preferred, now, true);
        if let Some((winner, _)) = winner {
            self.prefer(winner, &sightings, now);
        }
        self.state.sightings = sightings;
    }

    fn prefer(&mut self, winner: &Candidate<'_>, sightings: &[Known], now: Time) {
        let to = winner.prefix;
        let mut leaving = self.state.deprecated.iter();
        let returning = leaving.position(|held| held.prefix() == to);
        let returning = returning.map(|at| self.state.deprecated.remove(at));
        let told = sightings.iter().filter(|known| {
            known.is_valid(now) && usable(&self.settings, known).is_ok_and(|(p, _)| p == to)
        });
        let valid_until = told.map(|known| known.sighting.valid_until).reduce(later);
        let valid_until = valid_until.flatten();
        let held = Held {
            generation: Generation {
                delegated: winner.best.sighting.prefix,
                valid_until,
                source: winner.best.sighting.source,
                origin: winner.best.sighting.origin.clone(),
                ..Generation::new(to, now)
            },
            valid_until,
            grace_until: None,
            // What is leaving is still announced.
            is_announced: returning.is_some(),
        };
        match self.state.preferred.replace(held) {
            Some(old) if old.prefix() == to => {}
            Some(old) => {
                let from = old.prefix();
                self.state.deprecated.insert(0, old);
                self.state.renumbered = self.state.renumbered.saturating_add(1);
                // Who was missed has a successor, and did not come back.
                self.state.lost_since = None;
                say(&mut self.events, Event::Renumbered { from, to });
            }
            None => say(&mut self.events, Event::Detected { prefix: to }),
        }
    }

    /// Ends what is over: the valid lifetime of any, the grace of the deprecated.
    fn leave(&mut self, now: Time) {
        let mut ended = self.end(|held| !held.is_valid(now));
        if let Some(old) = self.state.preferred.take_if(|held| !held.is_valid(now)) {
            // Nothing better is there, so that who was leaving stays. Whoever wakes late must not
            // end its grace before.
            self.stay(old.prefix(), now);
            ended.push(old);
        }
        self.begin_grace(now);
        ended.extend(self.end(|held| !is_after(held.grace_until, now)));
        let room = self.settings.generations.min(MOST_GENERATIONS);
        let room = room.min(self.state.deprecated.len());
        ended.extend(self.state.deprecated.split_off(room));
        for held in ended {
            let prefix = held.prefix();
            say(&mut self.events, Event::Withdrawn { prefix });
        }
    }

    /// Takes those out of the deprecated that are over.
    fn end(&mut self, is_over: impl Fn(&Held) -> bool) -> Vec<Held> {
        let all = mem::take(&mut self.state.deprecated).into_iter();
        let (over, staying) = all.partition(is_over);
        self.state.deprecated = staying;
        over
    }

    /// Prefers the latest of the deprecated again, if there is any.
    fn stay(&mut self, from: Ipv6Net, now: Time) {
        if self.state.deprecated.is_empty() {
            return;
        }
        let mut held = self.state.deprecated.remove(0);
        held.grace_until = None;
        held.is_announced = true;
        held.generation.until = None;
        held.generation.since = now;
        let to = held.prefix();
        self.state.preferred = Some(held);
        self.state.renumbered = self.state.renumbered.saturating_add(1);
        say(&mut self.events, Event::Renumbered { from, to });
    }

    /// Once the preferred prefix is announced, those before it have their grace.
    fn begin_grace(&mut self, now: Time) {
        let Some(preferred) = &mut self.state.preferred else {
            return;
        };
        preferred.is_announced |= now >= preferred.generation.since + self.settings.confirm_within;
        if !preferred.is_announced {
            return;
        }
        let end = now + self.settings.grace;
        let waiting = self.state.deprecated.iter_mut();
        for held in waiting.filter(|held| held.grace_until.is_none()) {
            held.grace_until = Some(end);
            let (prefix, until) = (held.prefix(), earlier(Some(end), held.valid_until));
            say(&mut self.events, Event::Deprecated { prefix, until });
        }
    }

    /// Whether anybody who works tells of the preferred prefix, and for how long nobody has.
    fn judge(&mut self, now: Time) {
        let state = &mut self.state;
        let Some(held) = &state.preferred else {
            (state.lost_since, state.degraded) = (None, None);
            return;
        };
        let prefix = held.prefix();
        let mut tell = state.sightings.iter().filter(|known| {
            known.is_preferred(now)
                && usable(&self.settings, known).is_ok_and(|(told, _)| told == prefix)
        });
        let first = tell.next();
        let is_sound = |known: &Known| !state.failing.contains_key(&known.sighting.source);
        if first.into_iter().chain(tell).any(is_sound) {
            let was_lost = state.lost_since.take().is_some();
            if state.degraded.take().is_some() {
                say(&mut self.events, Event::Recovered);
            } else if was_lost {
                say(&mut self.events, Event::Returned { prefix });
            }
            return;
        }
        let since = *state.lost_since.get_or_insert(now);
        if state.degraded.is_none() && now >= since + self.settings.hold_down {
            let why = lost(
                held,
                first.and_then(|known| state.failing.get(&known.sighting.source)),
            );
            state.degraded = Some(why.clone());
            say(&mut self.events, Event::Degraded { why });
        }
    }

    /// Takes over into what is shown only what matters to those who read it.
    fn show(&mut self, now: Time) {
        let State {
            preferred,
            deprecated,
            ..
        } = &mut self.state;
        for held in preferred.iter_mut().chain(deprecated) {
            if misleads(held.generation.valid_until, held.valid_until, now) {
                held.generation.valid_until = held.valid_until;
            }
            let valid_until = held.generation.valid_until;
            let leaves = held.grace_until;
            held.generation.until =
                leaves.map(|end| valid_until.map_or(end, |valid| end.min(valid)));
        }
        self.shown = self.state.generations();
    }

    /// Every moment at which time alone may change a decision.
    fn deadlines(&self, now: Time) -> Vec<Time> {
        let (settings, state) = (&self.settings, &self.state);
        let mut all = Vec::new();
        for known in &state.sightings {
            all.push(known.first_seen + settings.hold_down);
            all.extend(known.sighting.preferred_until);
            all.extend(known.sighting.valid_until);
        }
        for held in state.preferred.iter().chain(&state.deprecated) {
            all.extend(held.valid_until);
            all.extend(held.grace_until);
            let renewed = held.generation.valid_until.zip(held.valid_until);
            all.extend(renewed.map(|(shown, real)| half_of(shown, real)));
        }
        if let Some(held) = &state.preferred {
            all.push(held.generation.since + settings.confirm_within);
            all.push(held.generation.since + settings.minimum_dwell);
            let told = candidates(settings, &state.sightings, now);
            if let Some(own) = told.iter().find(|c| c.prefix == held.prefix()) {
                let others = told.iter().filter(|c| c.prefix != own.prefix);
                all.extend(others.filter_map(|other| choose::outlives_from(other, own)));
            }
        }
        all.extend(state.lost_since.map(|since| since + settings.hold_down));
        all
    }
}

/// Leaves out what a machine would never have written.
fn mend(state: &mut State) {
    state.sightings.sort_by(|a, b| a.key().cmp(&b.key()));
    state.sightings.dedup_by(|a, b| a.key() == b.key());
    state.sightings.truncate(MOST_SIGHTINGS);
    let mut seen: Vec<_> = state.preferred.iter().map(Held::prefix).collect();
    state.deprecated.retain(|held| {
        let is_new = !seen.contains(&held.prefix());
        seen.push(held.prefix());
        is_new
    });
    if state.preferred.is_none() && !state.deprecated.is_empty() {
        state.preferred = Some(state.deprecated.remove(0));
    }
    if let Some(held) = &mut state.preferred {
        held.grace_until = None;
    }
    state.deprecated.truncate(MOST_GENERATIONS);
}

/// What to say of a prefix that nobody vouches for.
fn lost(held: &Held, failing: Option<&String>) -> String {
    let prefix = held.prefix();
    let kept = match held.valid_until {
        Some(until) => alloc::format!("{prefix} is kept until {until}"),
        None => alloc::format!("{prefix} is kept, it was told to be valid for ever"),
    };
    match failing {
        Some(why) => alloc::format!("{kept}, but its source fails: {why}"),
        None => alloc::format!("{kept}, but no source tells of it any more"),
    }
}

/// Whether a shown end is later than the truth, or so early that readers would give up too soon.
fn misleads(shown: Option<Time>, real: Option<Time>, now: Time) -> bool {
    match (shown, real) {
        (Some(shown), Some(real)) => {
            shown.0 > real.0.saturating_add(JITTER) || real > shown && now >= half_of(shown, real)
        }
        (shown, real) => shown != real,
    }
}

/// Keeps the queue of those who never ask short.
fn say(events: &mut VecDeque<Event>, event: Event) {
    if events.len() >= MOST_EVENTS {
        events.pop_front();
    }
    events.push_back(event);
}

/// Enough of a text to recognise it.
fn excerpt(text: String) -> String {
    if text.len() <= LONGEST_TEXT {
        return text;
    }
    text.chars().take(LONGEST_TEXT).collect()
}

/// More than routers times prefixes of any link; floods end here.
const MOST_SIGHTINGS: usize = 64;
const MOST_EVENTS: usize = 64;
/// A kernel counts lifetimes in whole seconds, so that each report of the same end differs by one.
const JITTER: u64 = 2_000;
/// An error of a web client with its URL.
const LONGEST_TEXT: usize = 500;

//! Why a prefix is the preferred one, and why the others are not.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use ipnet::Ipv6Net;

use super::choose::{self, candidates, usable};
use super::generation::Generations;
use super::input::Sighting;
use super::machine::Machine;
use super::state::{Held, Known};
use crate::time::Time;

impl Machine {
    /// The prefix that will be preferred next if it is told of long enough.
    pub fn tentative(&self, now: Time) -> Option<Tentative> {
        let (settings, state) = (self.settings(), self.state());
        let all = candidates(settings, &state.sightings, now);
        let preferred = state.preferred.as_ref();
        let preferred = preferred.filter(|held| held.is_valid(now));
        let found = choose::challenger(settings, &state.sightings, &all, preferred, now, false);
        let (candidate, due) = found?;
        Some(Tentative {
            prefix: candidate.prefix,
            delegated: candidate.best.sighting.prefix,
            source: candidate.best.sighting.source,
            origin: candidate.best.sighting.origin.clone(),
            since: candidate.since,
            due,
        })
    }

    /// Everything that decides, in words. Nothing is changed.
    pub fn explain(&self, now: Time) -> Explanation {
        let state = self.state();
        let tentative = self.tentative(now);
        let told = state.sightings.iter();
        let told = told.map(|known| self.explain_one(known, tentative.as_ref(), now));
        let sightings = told.collect();
        Explanation {
            generations: self.generations().clone(),
            tentative,
            sightings,
            failing: state.failing.clone().into_iter().collect(),
            degraded: state.degraded.clone(),
            renumbered: state.renumbered,
            next: self.poll_timeout(),
        }
    }

    fn explain_one(&self, known: &Known, tentative: Option<&Tentative>, now: Time) -> Told {
        let derived = usable(self.settings(), known);
        let verdict = match derived {
            Err(why) => Verdict::Refused {
                why: why.to_string(),
            },
            Ok((prefix, rank)) => self.verdict(known, (prefix, rank), tentative, now),
        };
        Told {
            sighting: known.sighting.clone(),
            derived: derived.ok().map(|(prefix, _)| prefix),
            first_seen: known.first_seen,
            last_seen: known.last_seen,
            verdict,
        }
    }

    fn verdict(
        &self,
        known: &Known,
        (prefix, rank): (Ipv6Net, u8),
        tentative: Option<&Tentative>,
        now: Time,
    ) -> Verdict {
        let state = self.state();
        let preferred = state.preferred.as_ref();
        if preferred.is_some_and(|held| held.prefix() == prefix) {
            return Verdict::Preferred;
        }
        let leaving = state.deprecated.iter().find(|held| held.prefix() == prefix);
        if let Some(next) = tentative.filter(|next| next.prefix == prefix) {
            return Verdict::Tentative { due: next.due };
        }
        if let Some(held) = leaving {
            return Verdict::Deprecated {
                until: held.generation.until,
            };
        }
        if !known.is_preferred(now) {
            return Verdict::Over {
                at: known.sighting.preferred_until,
            };
        }
        Verdict::NotBetter {
            why: self.not_better(known, rank, preferred, tentative),
        }
    }

    /// The first rule by which a sighting lost.
    fn not_better(
        &self,
        known: &Known,
        rank: u8,
        preferred: Option<&Held>,
        tentative: Option<&Tentative>,
    ) -> String {
        let winner = preferred.map(|held| {
            let generation = &held.generation;
            (generation.source, generation.delegated)
        });
        let winner = winner.or_else(|| tentative.map(|next| (next.source, next.delegated)));
        let Some((source, delegated)) = winner else {
            return "it has not been told of long enough".into();
        };
        let other_rank = self.settings().scope.rank(delegated).unwrap_or(u8::MAX);
        if known.sighting.source > source {
            let own = known.sighting.source;
            alloc::format!("source {own} comes after source {source}, which tells of {delegated}")
        } else if rank > other_rank {
            alloc::format!("{delegated} is a global prefix")
        } else if preferred.is_some() {
            alloc::format!("{delegated} is in use and still told of")
        } else {
            alloc::format!("{delegated} lasts longer, or has been told of longer")
        }
    }
}

/// A prefix that is told of, and not yet for long enough.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Tentative {
    /// The prefix that pools would use.
    pub prefix: Ipv6Net,
    /// The prefix that the network gave.
    pub delegated: Ipv6Net,
    /// Index of the source that tells of it.
    pub source: usize,
    /// Where that source has it from.
    pub origin: String,
    /// Since when.
    pub since: Time,
    /// When it becomes preferred, if nothing happens before.
    pub due: Time,
}

/// Everything that decides which prefix is preferred.
///
/// Its text is what a user is shown:
///
/// ```
/// # use openelb_ipam::Time;
/// # use openelb_ipam::dynamic_prefix::{Input, Machine, Settings, Sighting};
/// let mut machine = Machine::new(Settings::default());
/// # let seen = |source, origin: &str, prefix: &str| Input::Seen(Sighting {
/// #     source, origin: origin.into(), prefix: prefix.parse().unwrap(), preferred_until: None, valid_until: None,
/// # });
/// machine.handle_input(seen(0, "wan0", "2001:db8:a::/64"), Time(0));
/// machine.handle_input(seen(1, "wan1", "2001:db8:b::/64"), Time(0));
/// machine.handle_timeout(Time(0));
/// assert_eq!(
///     machine.explain(Time(0)).to_string(),
///     "no prefix is known yet\n\
///      next: 2001:db8:a::/64 at 1970-01-01T00:00:15Z\n\
///      - source 0, wan0: 2001:db8:a::/64 is tentative until 1970-01-01T00:00:15Z\n\
///      - source 1, wan1: 2001:db8:b::/64 is not better: source 1 comes after source 0, which tells of 2001:db8:a::/64",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Explanation {
    /// What is in use.
    pub generations: Generations,
    /// What will be in use next.
    pub tentative: Option<Tentative>,
    /// What every source tells, in the order of the sources.
    pub sightings: Vec<Told>,
    /// The sources that fail, and how.
    pub failing: Vec<(usize, String)>,
    /// What is missing to the preferred prefix.
    pub degraded: Option<String>,
    /// How often the preferred prefix was replaced.
    pub renumbered: u64,
    /// When time alone may change something.
    pub next: Option<Time>,
}

/// A sighting and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Told {
    /// What the source told last.
    pub sighting: Sighting,
    /// The prefix that pools would use; `None` when the rule does not fit.
    pub derived: Option<Ipv6Net>,
    /// Since when it has been told.
    pub first_seen: Time,
    /// When it was told last.
    pub last_seen: Time,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a sighting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
#[non_exhaustive]
pub enum Verdict {
    /// Its prefix is the preferred one.
    Preferred,
    /// Its prefix is leaving.
    Deprecated {
        /// When; `None` while its successor is not announced.
        until: Option<Time>,
    },
    /// Its prefix will be preferred.
    Tentative {
        /// When.
        due: Time,
    },
    /// Its preferred lifetime ended; it is only valid.
    Over {
        /// When.
        at: Option<Time>,
    },
    /// Another is preferred.
    NotBetter {
        /// By which rule.
        why: String,
    },
    /// It cannot be used.
    Refused {
        /// What is wrong with it.
        why: String,
    },
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.generations.preferred {
            Some(held) => write!(f, "{} is preferred since {}", held.prefix, held.since)?,
            None => f.write_str("no prefix is known yet")?,
        }
        for leaving in &self.generations.deprecated {
            match leaving.until {
                Some(until) => write!(f, "\n{} leaves at {until}", leaving.prefix)?,
                None => write!(
                    f,
                    "\n{} leaves once its successor is announced",
                    leaving.prefix
                )?,
            }
        }
        if let Some(next) = &self.tentative {
            write!(f, "\nnext: {} at {}", next.prefix, next.due)?;
        }
        if let Some(why) = &self.degraded {
            write!(f, "\ndegraded: {why}")?;
        }
        for told in &self.sightings {
            write!(f, "\n- {told}")?;
        }
        for (source, why) in &self.failing {
            write!(f, "\n- source {source} fails: {why}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sighting {
            source,
            origin,
            prefix,
            ..
        } = &self.sighting;
        write!(f, "source {source}, {origin}: {prefix} {}", self.verdict)?;
        match self.derived {
            Some(derived) if derived != *prefix => write!(f, " (used: {derived})"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preferred => f.write_str("is preferred"),
            Self::Deprecated { until: Some(until) } => write!(f, "leaves at {until}"),
            Self::Deprecated { until: None } => {
                f.write_str("leaves once its successor is announced")
            }
            Self::Tentative { due } => write!(f, "is tentative until {due}"),
            Self::Over { at: Some(at) } => {
                write!(f, "is no longer for new connections, since {at}")
            }
            Self::Over { at: None } => f.write_str("is no longer for new connections"),
            Self::NotBetter { why } => write!(f, "is not better: {why}"),
            Self::Refused { why } => write!(f, "is not usable: {why}"),
        }
    }
}

//! What a machine remembers: enough to go on after a restart as if nothing had happened.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use ipnet::Ipv6Net;

use super::generation::{Generation, Generations};
use super::input::Sighting;
use crate::time::Time;

/// Everything that a [`Machine`](super::Machine) knows, apart from its settings.
///
/// Any value can be restored: what contradicts itself is mended. A value with the generations alone
/// ([`From<Generations>`](#impl-From<Generations>-for-State)) is enough to renumber nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase", default))]
pub struct State {
    /// The preferred prefix.
    pub preferred: Option<Held>,
    /// Those that are leaving, the latest first.
    pub deprecated: Vec<Held>,
    /// What the sources told and have not taken back.
    pub sightings: Vec<Known>,
    /// The sources that fail, and how.
    pub failing: BTreeMap<usize, String>,
    /// How often the preferred prefix was replaced by another.
    pub renumbered: u64,
    /// Since when nobody vouches for the preferred prefix.
    pub lost_since: Option<Time>,
    /// What was said about that, once it lasted.
    pub degraded: Option<String>,
}

impl State {
    /// What is shown of it.
    pub fn generations(&self) -> Generations {
        let shown = |held: &Held| held.generation.clone();
        Generations {
            preferred: self.preferred.as_ref().map(shown),
            deprecated: self.deprecated.iter().map(shown).collect(),
        }
    }
}

/// Generations as they were shown, by a store that keeps nothing else.
impl From<Generations> for State {
    fn from(shown: Generations) -> Self {
        Self {
            preferred: shown.preferred.map(Held::from),
            deprecated: shown.deprecated.into_iter().map(Held::from).collect(),
            ..Self::default()
        }
    }
}

/// A generation, and what is not shown of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Held {
    /// As it is shown.
    pub generation: Generation,
    /// When it ends to be valid, to the second.
    #[cfg_attr(feature = "serde", serde(default))]
    pub valid_until: Option<Time>,
    /// When its grace ends; `None` for the preferred one, and while that is not announced.
    #[cfg_attr(feature = "serde", serde(default))]
    pub grace_until: Option<Time>,
    /// Whether its addresses were announced.
    #[cfg_attr(feature = "serde", serde(default))]
    pub is_announced: bool,
}

impl From<Generation> for Held {
    fn from(generation: Generation) -> Self {
        Self {
            valid_until: generation.valid_until,
            grace_until: generation.until,
            is_announced: false,
            generation,
        }
    }
}

impl Held {
    pub(super) const fn prefix(&self) -> Ipv6Net {
        self.generation.prefix
    }

    pub(super) fn is_valid(&self, now: Time) -> bool {
        is_after(self.valid_until, now)
    }
}

/// A sighting, and when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "camelCase"))]
pub struct Known {
    /// What was told last.
    pub sighting: Sighting,
    /// Since when it has been told without a break.
    pub first_seen: Time,
    /// When it was told last.
    pub last_seen: Time,
    /// Whether it was refused already, so that this is said once.
    #[cfg_attr(feature = "serde", serde(default))]
    pub is_refused: bool,
}

impl Known {
    /// Orders sightings; two with one key are one.
    pub(super) fn key(&self) -> (usize, Ipv6Net, &str) {
        let Sighting {
            source,
            prefix,
            origin,
            ..
        } = &self.sighting;
        (*source, *prefix, origin)
    }

    pub(super) fn is_preferred(&self, now: Time) -> bool {
        is_after(self.sighting.preferred_until, now) && self.is_valid(now)
    }

    pub(super) fn is_valid(&self, now: Time) -> bool {
        is_after(self.sighting.valid_until, now)
    }
}

/// Whether an end, if there is one, lies ahead.
pub(super) fn is_after(end: Option<Time>, now: Time) -> bool {
    end.is_none_or(|end| end > now)
}

/// `None` is for ever: later than any time.
pub(super) fn later(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    a.zip(b).map(|(a, b)| a.max(b))
}

/// `None` is for ever: the other comes first.
pub(super) fn earlier(a: Option<Time>, b: Option<Time>) -> Option<Time> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) | (None, one) => one,
    }
}

//! Which prefix is the best one: what counts, in which order, and when a better one replaces another.

use alloc::vec::Vec;
use core::cmp::Reverse;

use ipnet::Ipv6Net;
use thiserror::Error;

use super::derivation::DeriveError;
use super::settings::{Scope, Settings};
use super::state::{Held, Known};
use crate::time::Time;

/// A prefix that may be preferred, by the best of the sightings that tell of it.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a> {
    pub prefix: Ipv6Net,
    pub rank: u8,
    /// The best of its sightings.
    pub best: &'a Known,
    /// Since when any of them has told of it without a break.
    pub since: Time,
}

impl Candidate<'_> {
    /// What no lifetime changes: the order of the configuration, then the scope.
    const fn class(&self) -> (usize, u8) {
        (self.best.sighting.source, self.rank)
    }
}

/// What is wrong with a sighting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum Unusable {
    #[error("it is no {0} unicast prefix; change the scope if it is meant")]
    Scope(Scope),
    #[error(transparent)]
    Derive(#[from] DeriveError),
}

/// The prefix that pools would use, and its rank by scope.
pub(super) fn usable(settings: &Settings, known: &Known) -> Result<(Ipv6Net, u8), Unusable> {
    let delegated = known.sighting.prefix;
    let rank = settings.scope.rank(delegated);
    let rank = rank.ok_or(Unusable::Scope(settings.scope))?;
    Ok((settings.derivation.derive(delegated)?, rank))
}

/// Every prefix that may be preferred now, the best first.
///
/// Source order, then scope, then the longest preferred lifetime, then the longest known, then the
/// lower prefix: a total order, so that no history of arrivals decides.
pub(super) fn candidates<'a>(
    settings: &Settings,
    sightings: &'a [Known],
    now: Time,
) -> Vec<Candidate<'a>> {
    let live = sightings.iter().filter(|known| known.is_preferred(now));
    let mut all: Vec<Candidate<'a>> = live
        .filter_map(|best| {
            let (prefix, rank) = usable(settings, best).ok()?;
            let since = best.first_seen;
            Some(Candidate {
                prefix,
                rank,
                best,
                since,
            })
        })
        .collect();
    all.sort_by_key(|candidate| {
        let longest = Reverse(lasts(candidate.best.sighting.preferred_until));
        let origin = candidate.best.sighting.origin.as_str();
        (
            candidate.class(),
            longest,
            candidate.since,
            candidate.prefix,
            origin,
        )
    });
    let mut distinct: Vec<Candidate<'a>> = Vec::with_capacity(all.len());
    for candidate in all {
        let same = distinct.iter_mut().find(|d| d.prefix == candidate.prefix);
        match same {
            Some(better) => better.since = better.since.min(candidate.since),
            None => distinct.push(candidate),
        }
    }
    distinct
}

/// Who would replace the preferred prefix if it had been told of long enough, and from when on; the
/// best candidate when nothing is preferred.
///
/// `candidates` are those of [`candidates`], the best first.
pub(super) fn challenger<'c, 'a>(
    settings: &Settings,
    sightings: &[Known],
    candidates: &'c [Candidate<'a>],
    preferred: Option<&Held>,
    now: Time,
    must_be_due: bool,
) -> Option<(&'c Candidate<'a>, Time)> {
    let own = preferred.and_then(|held| {
        let own = candidates.iter().find(|c| c.prefix == held.prefix());
        own.map(|own| (own, held.generation.since + settings.minimum_dwell))
    });
    let due = |candidate: &Candidate<'_>| {
        let matured = candidate.since + settings.hold_down;
        own.map_or(matured, |(_, dwelt)| matured.max(dwelt))
    };
    let held = preferred.map(Held::prefix);
    let mut others = candidates.iter().filter(|c| Some(c.prefix) != held);
    let found = others.find(|candidate| {
        let is_better = own.is_none_or(|(own, _)| {
            candidate.class() < own.class()
                || candidate.class() == own.class()
                    && (supersedes(settings, sightings, candidate, own, now)
                        || outlives(candidate, own, now))
        });
        is_better && (!must_be_due || due(candidate) <= now)
    })?;
    Some((found, due(found)))
}

/// When [`outlives`] may begin to hold.
pub(super) fn outlives_from(candidate: &Candidate<'_>, own: &Candidate<'_>) -> Option<Time> {
    let own = own.best.sighting.preferred_until?;
    let other = lasts(candidate.best.sighting.preferred_until);
    Some(half_of(own, Time(other)))
}

/// The moment after which `short` has less than half as much left as `long`.
pub(super) const fn half_of(short: Time, long: Time) -> Time {
    let between = long.0.saturating_sub(short.0);
    Time(short.0.saturating_sub(between).saturating_add(1))
}

/// Whether all who told of the one now tell of the other instead, with a longer lifetime: what a
/// router does after a flash renumbering, which announces no end of the former prefix (RFC 8978).
fn supersedes(
    settings: &Settings,
    sightings: &[Known],
    candidate: &Candidate<'_>,
    own: &Candidate<'_>,
    now: Time,
) -> bool {
    let of = |prefix: Ipv6Net| {
        let live = sightings
            .iter()
            .filter(move |known| known.is_preferred(now));
        live.filter(move |known| usable(settings, known).is_ok_and(|(p, _)| p == prefix))
    };
    of(own.prefix).all(|old| {
        of(candidate.prefix).any(|new| {
            let (new_one, old_one) = (&new.sighting, &old.sighting);
            (new_one.source, &new_one.origin) == (old_one.source, &old_one.origin)
                && lasts(new_one.preferred_until) > lasts(old_one.preferred_until)
                && new.last_seen > old.last_seen
                && new.last_seen - old.last_seen >= settings.hold_down
        })
    })
}

/// Whether one has more than twice as much of its preferred lifetime left. Two routers that renew
/// theirs in turn, as often as RFC 4861 asks, never come near that.
fn outlives(candidate: &Candidate<'_>, own: &Candidate<'_>, now: Time) -> bool {
    outlives_from(candidate, own).is_some_and(|from| now >= from)
}

/// The end of a lifetime; the end of time for one without an end.
fn lasts(until: Option<Time>) -> u64 {
    until.map_or(u64::MAX, |until| until.0)
}

//! What a census says: who answered when, whether two hosts did at the same time, and when nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use openelb_announce::wire::Mac;

use super::Answer;

/// Every question and every answer of a census.
#[derive(Debug)]
pub(crate) struct Tally {
    addresses: Vec<IpAddr>,
    /// When each round was asked.
    asked: Vec<Duration>,
    /// In the order of their arrival.
    answers: Vec<Answer>,
}

/// An answer of a host whose address another had already answered for when the question was asked.
/// That a host answers a question late, which its successor finds in its sockets too, is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overlap {
    /// What was asked for.
    pub(crate) address: IpAddr,
    /// When.
    pub(crate) asked: Duration,
}

/// A host that answered for an address, until another did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tenure {
    /// Whose answers they are.
    pub(crate) host: Mac,
    /// When its first question was asked.
    pub(crate) since: Duration,
}

impl Tally {
    /// What was asked and answered: each of `addresses` at each time of `asked`.
    pub(crate) fn new(addresses: Vec<IpAddr>, asked: Vec<Duration>, answers: Vec<Answer>) -> Self {
        Self {
            addresses,
            asked,
            answers,
        }
    }

    /// How many questions were asked for each address.
    pub(crate) fn rounds(&self) -> usize {
        self.asked.len()
    }

    /// The answers in the order of their arrival.
    pub(crate) fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// The answers that show two hosts answering at the same time, among those to questions whose
    /// time `counts` together with that of the answer.
    pub(crate) fn overlaps(&self, counts: impl Fn(Duration, Duration) -> bool) -> Vec<Overlap> {
        let mut overlaps = Vec::new();
        for &address in &self.addresses {
            // Who answers now, and since when each of those before has been succeeded.
            let (mut current, mut succeeded) = (None, BTreeMap::new());
            for answer in self.answers.iter().filter(|one| one.address == address) {
                let Some(asked) = self.asked_at(answer) else {
                    continue;
                };
                if !counts(asked, answer.at) || current == Some(answer.from) {
                    continue;
                }
                match succeeded.get(&answer.from) {
                    Some(since) if asked > *since => overlaps.push(Overlap { address, asked }),
                    Some(_) => {}
                    None => {
                        let before = current.replace(answer.from);
                        succeeded.extend(before.map(|host| (host, answer.at)));
                    }
                }
            }
        }
        overlaps
    }

    /// The longest time for which nobody answered, from the first question without an answer to the
    /// next that got one, or to the last of all.
    pub(crate) fn longest_silence(&self, address: IpAddr) -> Duration {
        let (mut longest, mut silent_since) = (Duration::ZERO, None);
        for (at, hosts) in self.by_round(address) {
            let since = *silent_since.get_or_insert(at);
            longest = longest.max(at.saturating_sub(since));
            if !hosts.is_empty() {
                silent_since = None;
            }
        }
        longest
    }

    /// Who answered for an address, one after the other.
    pub(crate) fn tenures(&self, address: IpAddr) -> Vec<Tenure> {
        let mut tenures: Vec<Tenure> = Vec::new();
        for (since, hosts) in self.by_round(address) {
            for host in hosts {
                if tenures.last().is_none_or(|last| last.host != host) {
                    tenures.push(Tenure { host, since });
                }
            }
        }
        tenures
    }

    /// When the question of an answer was asked.
    fn asked_at(&self, answer: &Answer) -> Option<Duration> {
        let round = usize::try_from(answer.round).ok()?;
        self.asked.get(round).copied()
    }

    /// Each question for an address: when it was asked, and who answered.
    fn by_round(&self, address: IpAddr) -> Vec<(Duration, BTreeSet<Mac>)> {
        let mut rounds: Vec<_> = self.asked.iter().map(|at| (*at, BTreeSet::new())).collect();
        for answer in self.answers.iter().filter(|one| one.address == address) {
            let round = usize::try_from(answer.round).unwrap_or(usize::MAX);
            if let Some((_, hosts)) = rounds.get_mut(round) {
                hosts.insert(answer.from);
            }
        }
        rounds
    }
}

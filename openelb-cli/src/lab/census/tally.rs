//! What a census says: who answered when, which questions two hosts answered, and which nobody.

use std::collections::BTreeMap;
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

/// A question that two hosts answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Double {
    /// What was asked for.
    pub(crate) address: IpAddr,
    /// When.
    pub(crate) asked: Duration,
    /// When the last host to answer did so.
    pub(crate) answered: Duration,
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

    /// The questions that two hosts answered.
    pub(crate) fn doubles(&self) -> Vec<Double> {
        let mut doubles = Vec::new();
        for &address in &self.addresses {
            let rounds = self.by_round(address).into_iter();
            let of_two = rounds.filter(|(_, hosts)| hosts.len() > 1);
            doubles.extend(of_two.map(|(asked, hosts)| Double {
                address,
                asked,
                answered: hosts.into_values().max().unwrap_or(asked),
            }));
        }
        doubles
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
            for host in hosts.into_keys() {
                if tenures.last().is_none_or(|last| last.host != host) {
                    tenures.push(Tenure { host, since });
                }
            }
        }
        tenures
    }

    /// Each question for an address: when it was asked, and who answered first when.
    fn by_round(&self, address: IpAddr) -> Vec<(Duration, BTreeMap<Mac, Duration>)> {
        let mut rounds: Vec<_> = self.asked.iter().map(|at| (*at, BTreeMap::new())).collect();
        for answer in self.answers.iter().filter(|one| one.address == address) {
            let round = usize::try_from(answer.round).unwrap_or(usize::MAX);
            if let Some((_, hosts)) = rounds.get_mut(round) {
                hosts.entry(answer.from).or_insert(answer.at);
            }
        }
        rounds
    }
}

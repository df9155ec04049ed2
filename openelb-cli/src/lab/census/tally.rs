//! What a census says: who answered when, which questions two hosts answered, and which nobody.

use std::collections::BTreeSet;
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

    /// The questions that two hosts answered: the address, and when it was asked.
    pub(crate) fn doubles(&self) -> Vec<(IpAddr, Duration)> {
        let all = self.addresses.iter();
        all.flat_map(|&address| {
            self.by_round(address)
                .into_iter()
                .filter(|(_, hosts)| hosts.len() > 1)
                .map(move |(at, _)| (address, at))
        })
        .collect()
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

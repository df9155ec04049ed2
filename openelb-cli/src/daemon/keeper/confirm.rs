//! Telling the prefixes that their addresses are announced: only then do those that they replaced begin
//! to leave.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::Ipv6Net;
use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::Input;
use openelb_ipam::relative::PrefixName;

use super::Keeping;

/// Which prefix of each name is known to be announced.
#[derive(Debug, Default)]
pub(super) struct Confirmed {
    prefixes: BTreeMap<PrefixName, Ipv6Net>,
    /// Since when some are not yet; `None` while all are.
    open_since: Option<Time>,
}

impl Confirmed {
    /// How soon to look again; `None` while everything is confirmed.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.open_since.map(|_| LOOK_AGAIN)
    }
}

impl Keeping {
    /// Looks which preferred prefixes are announced since the last time.
    ///
    /// Where nothing is to be announced there is nothing to wait for; what the network refuses is not
    /// waited for either, and the machine itself gives up waiting after a while.
    pub(super) fn confirm(&mut self, now: Time) {
        let preferred = self.engine.prefixes().filter_map(|(name, generations)| {
            let preferred = generations.preferred.as_ref()?;
            let is_new = self.confirmed.prefixes.get(name) != Some(&preferred.prefix);
            is_new.then(|| (name.clone(), preferred.prefix))
        });
        let preferred: Vec<_> = preferred.collect();
        if preferred.is_empty() {
            self.confirmed.open_since = None;
            return;
        }
        let since = *self.confirmed.open_since.get_or_insert(now);
        let gives_up = now - since > PATIENCE;
        let unfinished = self.speaker.unfinished();
        for (name, prefix) in preferred {
            let is_in = |address: &IpAddr| matches!(address, IpAddr::V6(it) if prefix.contains(it));
            let is_announced = !unfinished.iter().any(is_in);
            if is_announced || gives_up {
                self.confirmed.prefixes.insert(name.clone(), prefix);
            }
            if is_announced {
                self.engine
                    .hear_prefix(&name, Input::Announced { prefix }, now);
            }
        }
    }
}

/// As long as a probe takes is seconds; a fifth of one more is not seen beside it.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Twice as long as the machine itself waits for the word.
const PATIENCE: Duration = Duration::from_mins(2);

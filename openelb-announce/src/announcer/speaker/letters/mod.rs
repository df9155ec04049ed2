//! What the handle leaves for the thread of the speaker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use super::status::SpeakerStatus;
use crate::announcer::liveness::SessionId;
use crate::bfd::{self, PathState};
use crate::bgp::config::{Config, ConfigError};
use crate::bgp::peer::Stop;
use crate::bgp::prefix::Prefix;
use crate::bgp::rib::Learned;
use crate::bgp::route::{PeerName, Route};
use crate::bgp::speaker::{Applied, Speaker};
use crate::time::Time;

/// What a speaker is and how its peers are watched.
#[derive(Clone, Debug)]
pub struct SpeakerConfig {
    /// The BGP configuration.
    pub bgp: Arc<Config>,
    /// How BFD watches the peers whose settings ask for it, and the members of groups of dynamic
    /// neighbours by the name of their group; those that are not named here are watched with the
    /// defaults.
    pub bfd: BTreeMap<PeerName, bfd::Settings>,
}

impl From<Config> for SpeakerConfig {
    /// Without settings of BFD: peers that ask for it are watched with the defaults.
    fn from(bgp: Config) -> Self {
        Self {
            bgp: Arc::new(bgp),
            bfd: BTreeMap::new(),
        }
    }
}

/// Everything that was left since the box was last emptied, in order.
#[derive(Default)]
pub(super) struct Letters(pub(super) Vec<Letter>);

/// One thing that was left.
pub(super) enum Letter {
    Configure(SpeakerConfig, SyncSender<Result<Vec<Applied>, ConfigError>>),
    Announce(Vec<Route>),
    Change {
        routes: Vec<Route>,
        withdrawn: Vec<Prefix>,
    },
    Synced,
    /// What BFD sees.
    Path(SessionId, PathState),
    Drain(bool),
    WithdrawAll,
    Status(SyncSender<SpeakerStatus>),
    Learned(SyncSender<Learned>),
    /// A question to the speaker that answers itself.
    Ask(Question),
    Stop(Stop),
}

pub(super) type Question = Box<dyn FnOnce(&Speaker, Time) + Send>;

impl Letters {
    /// Leaves one more thing. A whole set of routes takes the place of whatever was left about routes
    /// and not read yet, so that a slow thread does not pile them up.
    pub(super) fn push(&mut self, letter: Letter) {
        if matches!(letter, Letter::Announce(_) | Letter::WithdrawAll) {
            let is_other = |left: &Letter| {
                !matches!(
                    left,
                    Letter::Announce(_) | Letter::Change { .. } | Letter::WithdrawAll
                )
            };
            self.0.retain(is_other);
        }
        self.0.push(letter);
    }
}

#[cfg(test)]
mod tests;

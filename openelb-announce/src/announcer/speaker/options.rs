//! How the thread of a speaker behaves, and what can go wrong with it.

use std::io;

use crate::bgp::config::ConfigError;
use crate::driver::privileges::Privileges;

/// The behaviour of a [`Speaker`](super::Speaker)'s thread. Start from `SpeakerOptions::default()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpeakerOptions {
    /// What the timers' jitter follows from. Default `None`: from the clock, so that two lives of one
    /// program never share it.
    pub seed: Option<u64>,
    /// What becomes of capabilities. Default: the thread keeps `CAP_NET_BIND_SERVICE`, `CAP_NET_RAW`
    /// and `CAP_SYS_NICE`, if its creator has them, and nothing else.
    pub privileges: Privileges,
}

/// Why a speaker did not start.
#[derive(Debug, thiserror::Error)]
#[error("starting the BGP thread: {0}")]
pub struct StartError(#[from] pub(super) io::Error);

/// The thread has ended; sessions are closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the BGP speaker has ended ({reason}); start it again")]
pub struct Ended {
    /// Why it ended.
    pub reason: String,
}

/// Why a configuration was not taken. The previous one stays in force.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigureError {
    /// It has faults.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no speaker any more.
    #[error(transparent)]
    Ended(#[from] Ended),
}

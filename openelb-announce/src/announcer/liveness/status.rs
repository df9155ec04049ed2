//! How sessions stand, and what happens to them.

use std::time::Duration;

use super::target::SessionId;
use crate::bfd::{Change, Diagnostic, PathState, State};

/// How one session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SessionStatus {
    /// Which session.
    pub id: SessionId,
    /// Its state.
    pub state: State,
    /// What that means for whoever relies on the path.
    pub path: PathState,
    /// Why it last changed state.
    pub diagnostic: Diagnostic,
    /// The neighbour's state and reason, as last heard.
    pub remote_state: State,
    /// The neighbour's reason for its state.
    pub remote_diagnostic: Diagnostic,
    /// Our name for the session.
    pub discriminator: u32,
    /// The neighbour's name for it; `None` while it is not heard.
    pub remote_discriminator: Option<u32>,
    /// The interval between packets before jitter; `None` while none are sent periodically.
    pub transmit_interval: Option<Duration>,
    /// How long the neighbour may be silent.
    pub detection_time: Duration,
    /// For how long it has been in its state.
    pub since: Duration,
    /// How often it has been up and was so no longer.
    pub flaps: u64,
    /// Packets sent.
    pub sent: u64,
    /// Packets received and accepted.
    pub received: u64,
    /// Packets received for this session and not accepted.
    pub discarded: u64,
    /// Why the last of them was not.
    pub last_discard: Option<String>,
    /// What keeps packets from being sent or received, in words; `None` when nothing does.
    pub problem: Option<String>,
}

/// What happens, as it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A session changed its state or what it says about the path.
    Session {
        /// Which.
        id: SessionId,
        /// How.
        change: Change,
    },
    /// The owner gave no sign of life for that long: its sessions were declared down and are silent.
    HeartbeatLost {
        /// For how long.
        silence: Duration,
    },
    /// The owner is back, and so are its sessions.
    HeartbeatBack,
    /// The thread did not run for that long (stopped, starved, suspended).
    Paused {
        /// For how long.
        pause: Duration,
    },
}

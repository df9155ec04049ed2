//! Whether a thread runs ahead of others.

use crate::link::scheduling::become_realtime;

/// How a thread is scheduled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Scheduling {
    /// As any other, as was asked for.
    Ordinary,
    /// Ahead of ordinary threads.
    Realtime {
        /// With this priority.
        priority: u8,
    },
    /// As any other, because more was not permitted.
    Refused {
        /// What the system said, and what to grant.
        reason: String,
    },
}

impl Scheduling {
    /// Gets the calling thread ahead of others, if there is a `priority` and it is permitted. Must
    /// come before capabilities are given up. `otherwise` says what to expect when it is not.
    pub(crate) fn of_this_thread(priority: Option<u8>, otherwise: &str) -> Self {
        let Some(priority) = priority else {
            return Self::Ordinary;
        };
        let Err(error) = become_realtime(priority) else {
            return Self::Realtime { priority };
        };
        let reason = format!(
            "SCHED_FIFO {priority}: {error}; grant CAP_SYS_NICE or raise RLIMIT_RTPRIO, or {otherwise}"
        );
        Self::Refused { reason }
    }
}

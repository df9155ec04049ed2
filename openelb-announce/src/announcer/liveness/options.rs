//! How the thread that keeps BFD sessions behaves.

use std::io;
use std::time::Duration;

use crate::driver::privileges::Privileges;

/// The behaviour of a [`Liveness`](super::Liveness). Start from `Options::default()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Run ahead of all ordinary threads (`SCHED_FIFO`) with this priority, 1 to 99, if that is
    /// permitted; [`Liveness::scheduling`](super::Liveness::scheduling) tells. On an overloaded
    /// machine ordinary threads were seen to stall for 740 ms, five times as long as 3 x 50 ms.
    /// Default 10: above ordinary threads, below the kernel's own.
    pub priority: Option<u8>,
    /// How long the owner may go without [`Liveness::heartbeat`](super::Liveness::heartbeat) before
    /// its sessions are declared down: a routing process that hangs must not look alive. Default
    /// `None`: it is not watched.
    pub heartbeat: Option<Duration>,
    /// What becomes of capabilities. Default: the thread has none.
    pub privileges: Privileges,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            priority: Some(10),
            heartbeat: None,
            privileges: Privileges::default(),
        }
    }
}

/// Why BFD did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The thread could not be prepared.
    #[error("starting the BFD thread: {0}")]
    Thread(#[source] io::Error),
}

//! What can be chosen for an election, and what a node offers.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::keys::KeyRing;
use super::name::{GroupName, NodeId};

/// What a node brings into the election of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its name, which no other node of the segment may have.
    pub node: NodeId,
    /// A number that rises with every start of the node: nanoseconds of the wall clock at the start.
    /// Changing it starts the machine anew.
    pub boot: u64,
    /// How often it beats and when it counts as dead. Should be the same on every node.
    pub timing: Timing,
    /// What signs and verifies beats.
    pub keys: KeyRing,
    /// How long another node must have been there without a break before it is handed what it
    /// ranks first for: a node that comes and goes moves nothing.
    pub hold: Duration,
    /// How long a shard stays with this node before it may move on.
    pub dwell: Duration,
    /// Is a shard handed over to a node that ranks higher, when this one could as well keep it?
    pub preempt: bool,
    /// Where the jitter comes from; should differ from node to node.
    pub seed: u64,
    /// Fence shards off from outside, in this many groups (see [`fence`](super::fence)), the same number on
    /// all nodes; `None`: not at all.
    pub fences: Option<u16>,
}

impl Settings {
    /// The defaults: normal timing, hold 30 s, dwell 10 s, handing over, no fence.
    pub fn new(node: NodeId, boot: u64, keys: KeyRing) -> Self {
        let seed = node.key().0 ^ boot;
        Self {
            node,
            boot,
            timing: Profile::default().timing(),
            keys,
            hold: Duration::from_secs(30),
            dwell: Duration::from_secs(10),
            preempt: true,
            seed,
            fences: None,
        }
    }
}

/// How often a node beats, and when it counts as dead.
///
/// ```
/// use openelb_announce::ownership::{Profile, Timing};
/// use std::time::Duration;
///
/// let timing = Timing::new(Duration::from_millis(200), Duration::from_millis(600))?;
/// assert_eq!(timing.interval(), Duration::from_millis(200));
/// assert!(Timing::new(Duration::from_millis(200), Duration::from_millis(300)).is_err());
/// assert_eq!(Profile::Calm.timing().dead_after(), Duration::from_millis(3300));
/// # Ok::<(), openelb_announce::ownership::TimingError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    interval: Duration,
    dead_after: Duration,
}

impl Timing {
    /// Takes over an interval between beats (20 ms to 10 s) and the silence after which a node counts
    /// as dead (three intervals to 60 s), both in whole milliseconds.
    pub fn new(interval: Duration, dead_after: Duration) -> Result<Self, TimingError> {
        let timing = Self {
            interval,
            dead_after,
        };
        if !(LEAST_INTERVAL..=MOST_INTERVAL).contains(&interval) {
            return Err(TimingError::Interval(interval));
        }
        if dead_after < interval * 3 || dead_after > MOST_DEAD_AFTER {
            return Err(TimingError::DeadAfter(timing));
        }
        if [interval, dead_after]
            .iter()
            .any(|it| it.subsec_nanos() % 1_000_000 != 0)
        {
            return Err(TimingError::Fraction(timing));
        }
        Ok(timing)
    }

    /// The time between two beats, T.
    pub const fn interval(self) -> Duration {
        self.interval
    }

    /// The silence after which a node counts as dead, D.
    pub const fn dead_after(self) -> Duration {
        self.dead_after
    }

    /// How long a node may speak after a beat that it sent: nine tenths of D, so that its own clock
    /// may run 5 % slower and another's 5 % faster and it still falls silent before it counts as dead.
    pub fn valid_for(self) -> Duration {
        self.dead_after * 9 / 10
    }
}

impl Default for Timing {
    fn default() -> Self {
        Profile::default().timing()
    }
}

/// Why two spans make no timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// The interval is too short or too long.
    #[error("a beat interval of {0:?} is outside 20 ms to 10 s; choose one within")]
    Interval(Duration),
    /// Dead too soon, or too late.
    #[error(
        "a node that beats every {:?} cannot count as dead after {:?}; allow three intervals, and 60 s at most",
        .0.interval, .0.dead_after
    )]
    DeadAfter(Timing),
    /// Beats carry milliseconds.
    #[error("{:?} and {:?} are not whole milliseconds; round them", .0.interval, .0.dead_after)]
    Fraction(Timing),
}

/// Timings that were measured and written down (docs/failover.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "PascalCase"))]
pub enum Profile {
    /// A beat every second, dead after 3.3 s: for hosts that stall.
    Calm,
    /// Three beats a second, dead after 1 s.
    #[default]
    Normal,
    /// Ten beats a second, dead after 0.3 s: only where the I/O thread has real-time priority.
    Fast,
}

impl Profile {
    /// The two spans of the profile.
    pub const fn timing(self) -> Timing {
        let (interval, dead_after) = match self {
            Self::Calm => (1000, 3300),
            Self::Normal => (333, 1000),
            Self::Fast => (100, 300),
        };
        Timing {
            interval: Duration::from_millis(interval),
            dead_after: Duration::from_millis(dead_after),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Calm => "Calm",
            Self::Normal => "Normal",
            Self::Fast => "Fast",
        })
    }
}

impl FromStr for Profile {
    type Err = ParseProfileError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Calm, Self::Normal, Self::Fast]
            .into_iter()
            .find(|profile| profile.to_string().eq_ignore_ascii_case(text))
            .ok_or_else(|| ParseProfileError(text.to_owned()))
    }
}

/// A text names no profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no timing profile; use Calm, Normal or Fast")]
pub struct ParseProfileError(String);

/// A group as a node sees it: how it is cut up, and what the node offers for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name, the same on every node.
    pub name: GroupName,
    /// Into how many shards it is cut, 1 to 1024 (others are brought into that range): the same on every node.
    pub shards: u16,
    /// Whether and how gladly this node serves it.
    pub standing: Standing,
}

/// Whether and how gladly a node serves a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not at all: unhealthy, without endpoints, or not chosen.
    Excluded,
    /// As one of those that share the group.
    Eligible {
        /// Its share in proportion to the others' weights, 1 to 1000.
        weight: u16,
        /// Nodes with a higher preference come first, whatever the weights.
        preference: u8,
    },
}

impl Default for Standing {
    fn default() -> Self {
        Self::Eligible {
            weight: 100,
            preference: 0,
        }
    }
}

/// More shards would make every beat longer and balance nothing better.
pub(super) const MOST_SHARDS: u16 = 1024;

const LEAST_INTERVAL: Duration = Duration::from_millis(20);
const MOST_INTERVAL: Duration = Duration::from_secs(10);
const MOST_DEAD_AFTER: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests;

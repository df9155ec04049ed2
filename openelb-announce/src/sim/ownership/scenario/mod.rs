//! What happens to a cluster: its nodes, its network and, one after another, the faults.

mod fault;
mod generate;
mod shrink;

pub use fault::Fault;
pub(super) use fault::letter;

use crate::ownership::Profile;
use crate::sim::{Clock, Impairment};
use std::fmt;
use std::time::Duration;

/// A history to run. All of it follows from the seed when it comes from [`Scenario::random`].
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Seeds everything that the network and the machines draw.
    pub seed: u64,
    /// How often nodes beat, and after which silence one is dead.
    pub profile: Profile,
    /// How long a returning node must live before shards move back to it.
    pub hold: Duration,
    /// How long a node keeps a shard at least.
    pub dwell: Duration,
    /// Do shards move back to whom they belong to?
    pub preempt: bool,
    /// Are the beats signed?
    pub is_signed: bool,
    /// A process that did not run for longer fences itself off; `None`: it does not notice.
    pub fence_after: Option<Duration>,
    /// The nodes, eight at most. None runs before its [`Fault::Start`].
    pub nodes: Vec<Node>,
    /// How many shards each group has; each shard has one address of one family or of both.
    pub groups: Vec<u16>,
    /// How many hosts send traffic to the addresses.
    pub clients: usize,
    /// What all cables do to frames from beginning to end.
    pub cable: Impairment,
    /// What happens, in this order.
    pub steps: Vec<Step>,
    /// How long to watch after the last step.
    pub quiet: Duration,
}

/// One node of a [`Scenario`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its share of the shards.
    pub weight: u16,
    /// Its tier: nodes of the highest own all.
    pub preference: u8,
    /// How its clock runs.
    pub clock: Clock,
    /// The groups that it cannot serve at first, as a bit set.
    pub excluded: u8,
}

/// Something that happens, some time after what happened before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The time since the step before.
    pub after: Duration,
    /// What happens.
    pub fault: Fault,
}

impl Scenario {
    /// How long all of it takes.
    pub fn duration(&self) -> Duration {
        self.steps.iter().map(|step| step.after).sum::<Duration>() + self.quiet
    }

    /// The longest time that a frame takes which is not lost.
    pub fn delay(&self) -> Duration {
        2 * (self.cable.delay + self.cable.jitter)
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}: {:?}, hold {:?}, dwell {:?}, preempt {}, signed {}, fence after {:?}, groups of {:?} \
             shards, {} clients, {:?}",
            self.seed,
            self.profile,
            self.hold,
            self.dwell,
            self.preempt,
            self.is_signed,
            self.fence_after,
            self.groups,
            self.clients,
            self.cable,
        )?;
        for (number, node) in self.nodes.iter().enumerate() {
            writeln!(
                f,
                "  {}: weight {}, preference {}, excluded {:#b}, clock {:+} ppm",
                letter(number),
                node.weight,
                node.preference,
                node.excluded,
                node.clock.skew_ppm
            )?;
        }
        let mut at = Duration::ZERO;
        for step in &self.steps {
            at += step.after;
            writeln!(f, "  {:>9.3} ms: {}", at.as_secs_f64() * 1e3, step.fault)?;
        }
        write!(f, "  then {:?} of quiet", self.quiet)
    }
}

//! The goals, each measured beside the machine's floor and the baselines.

pub mod compact;
pub mod index;
pub mod instructions;
pub mod ledger;
pub mod table;

use std::time::Duration;

use crate::floor::Floor;

/// One goal and what was found.
#[derive(Clone, Debug)]
pub struct Row {
    /// What is done, on what.
    pub operation: String,
    /// What was measured, in the unit.
    pub measured: f64,
    /// The goal on the machine it was set for, in the unit; `None` for what is only shown.
    pub goal: Option<f64>,
    /// The unit of both.
    pub unit: Unit,
    /// What bounds it.
    pub bound: Bound,
    /// Instructions for one operation under callgrind.
    pub instructions: Option<f64>,
    /// The same operation done by others, in the unit.
    pub baselines: Vec<(&'static str, f64)>,
}

impl Row {
    /// A row without baselines.
    pub fn new(
        operation: String,
        measured: f64,
        goal: impl Into<Option<f64>>,
        unit: Unit,
        bound: Bound,
    ) -> Self {
        Self {
            operation,
            measured,
            goal: goal.into(),
            unit,
            bound,
            instructions: None,
            baselines: Vec::new(),
        }
    }

    /// The goal as it would have been set on this machine.
    pub fn scaled_goal(&self, floor: &Floor) -> Option<f64> {
        self.goal
            .map(|goal| goal * self.bound.of(floor) / self.bound.of(&Floor::REFERENCE))
    }
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds; tables show micro- and milliseconds where they read better.
    Nanoseconds,
    /// Bytes.
    Bytes,
}

/// The machine's primitive that bounds an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Loads from the first-level cache.
    L1,
    /// Loads from 1 MiB.
    Mebibyte,
    /// Loads from memory.
    Dram,
    /// Nothing: a size is the same everywhere.
    None,
}

impl Bound {
    /// What tables call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::L1 => "L1 load",
            Self::Mebibyte => "1 MiB load",
            Self::Dram => "DRAM load",
            Self::None => "none",
        }
    }

    /// Its cost on a machine, in nanoseconds.
    pub const fn of(self, floor: &Floor) -> f64 {
        match self {
            Self::L1 => floor.l1,
            Self::Mebibyte => floor.mebibyte,
            Self::Dram => floor.dram,
            Self::None => 1.0,
        }
    }
}

/// How long one figure is measured.
const BUDGET: Duration = Duration::from_millis(60);

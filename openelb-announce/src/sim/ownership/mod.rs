//! Whole clusters that elect who answers, under random faults, with every invariant checked.
//!
//! ```
//! use openelb_announce::sim::ownership::{Cluster, Scenario};
//!
//! let scenario = Scenario::random(7);
//! let verdict = Cluster::run(&scenario);
//! assert_eq!(verdict.violation, None, "{scenario}");
//! // The same seed again, with every line of what happened.
//! assert!(!Cluster::explain(&scenario).journal.is_empty());
//! ```

mod cluster;
mod journal;
mod judge;
mod scenario;

pub use cluster::{Cluster, Verdict};
pub use judge::{Figures, Invariant, Violation};
pub use scenario::{Fault, Node, Scenario, Step};

//! The texts of Events: one for each decision about a Service.

use openelb_ipam::Family;
use openelb_ipam::ipam::Assigned;

use super::Refusal;

/// What was decided about a Service.
#[derive(Debug, Clone, Copy)]
pub enum Decision<'a> {
    /// It has addresses that it did not have.
    Allocated {
        /// All that it has now.
        addresses: &'a [Assigned],
        /// The family that it prefers to have, and has not.
        missing: Option<Family>,
    },
    /// It does not get what it asks for; also what another controller stands in the way of.
    Refused(&'a Refusal),
    /// It has given these back.
    Released(&'a [String]),
}

/// One Event, but for what it is about and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whether somebody has to act.
    pub severity: Severity,
    /// A word of a fixed set.
    pub reason: &'static str,
    /// What was being done.
    pub action: &'static str,
    /// A sentence, at most 1,024 bytes, which is what the API takes.
    pub note: String,
}

/// The two types of Events that Kubernetes has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// All is well.
    Normal,
    /// Somebody has to act.
    Warning,
}

impl Severity {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        }
    }
}

/// The Event of a decision. `AssignIP` and `ReleaseIP` are OpenELB's words.
pub fn event(decision: Decision<'_>) -> Event {
    let (severity, reason, action, note) = match decision {
        Decision::Allocated { addresses, missing } => (
            Severity::Normal,
            ASSIGN,
            ASSIGN,
            allocated(addresses, missing),
        ),
        Decision::Refused(refusal) => (
            Severity::Warning,
            refusal.reason.as_str(),
            ASSIGN,
            refusal.message.clone(),
        ),
        Decision::Released(addresses) => {
            let note = format!("released {}", addresses.join(" and "));
            (Severity::Normal, RELEASE, RELEASE, note)
        }
    };
    Event {
        severity,
        reason,
        action,
        note: shortened(note),
    }
}

fn allocated(addresses: &[Assigned], missing: Option<Family>) -> String {
    let of = |assigned: &Assigned| format!("{} of Eip {}", assigned.address, assigned.pool);
    let texts: Vec<_> = addresses.iter().map(of).collect();
    let mut note = format!("has {}", texts.join(" and "));
    if let Some(family) = missing {
        note.push_str("; no ");
        note.push_str(&family.to_string());
        note.push_str(" address can be had now");
    }
    note
}

/// Cuts at a character, and says that something is missing.
fn shortened(mut note: String) -> String {
    if note.len() > LONGEST_NOTE {
        let end = note.floor_char_boundary(LONGEST_NOTE - ELLIPSIS.len());
        note.truncate(end);
        note.push_str(ELLIPSIS);
    }
    note
}

const ASSIGN: &str = "AssignIP";
const RELEASE: &str = "ReleaseIP";

/// The API server refuses an Event of events.k8s.io/v1 whose note is longer.
const LONGEST_NOTE: usize = 1_024;
const ELLIPSIS: &str = "…";

//! What goes wrong on purpose: rules that look at every request, and what they can do to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::request::Verb;

/// A request, as rules and the journal see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// The client that it came from.
    pub client: String,
    /// What it asks for.
    pub verb: Verb,
    /// The resource, as in paths.
    pub plural: String,
    /// `status`, or empty.
    pub subresource: String,
    /// Namespace; empty for all, and for cluster-scoped kinds.
    pub namespace: String,
    /// Name; empty for a collection.
    pub name: String,
}

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is carried out later.
    Delay(Duration),
    /// It is refused with this HTTP status.
    Fail(u16),
    /// It never arrives, and the connection breaks.
    Drop,
    /// It is carried out, and the connection breaks before the answer.
    Lose,
    /// It is carried out, and its answer comes never.
    HangAfter,
    /// It never arrives, and nobody notices.
    HangBefore,
}

/// Looks at a request and decides what happens to it; none: nothing does.
pub(crate) type Rule = Box<dyn FnMut(&Call) -> Option<Fault> + Send>;

/// The rules in force, and who is cut off.
#[derive(Default)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    cut: BTreeSet<String>,
    held: BTreeSet<String>,
    lists_at: BTreeMap<String, u64>,
    /// Watches that began before this are broken off, by client.
    disconnects: BTreeMap<String, u64>,
}

impl Faults {
    /// Adds a rule.
    pub(crate) fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// No rule any more; nobody is cut off or held back.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
        self.cut.clear();
        self.held.clear();
        self.lists_at.clear();
    }

    /// What happens to a request.
    pub(crate) fn judge(&mut self, call: &Call) -> Option<Fault> {
        if self.cut.contains(&call.client) {
            return Some(Fault::Drop);
        }
        self.rules.iter_mut().find_map(|rule| rule(call))
    }

    /// A client reaches the server no more, and its watches break.
    pub(crate) fn cut(&mut self, client: &str) {
        self.cut.insert(client.to_owned());
        self.disconnect(client);
    }

    /// A client reaches the server again.
    pub(crate) fn mend(&mut self, client: &str) {
        self.cut.remove(client);
    }

    /// The watches of a client bring nothing until they are let go.
    pub(crate) fn hold(&mut self, client: &str, is_held: bool) {
        if is_held {
            self.held.insert(client.to_owned());
        } else {
            self.held.remove(client);
        }
    }

    /// Whether the watches of a client bring nothing.
    pub(crate) fn is_held(&self, client: &str) -> bool {
        self.held.contains(client)
    }

    /// Lists that take any version answer a client with the world of that version.
    pub(crate) fn list_at(&mut self, client: &str, version: u64) {
        self.lists_at.insert(client.to_owned(), version);
    }

    /// The version at which lists that take any answer a client.
    pub(crate) fn listed_at(&self, client: &str) -> Option<u64> {
        self.lists_at.get(client).copied()
    }

    /// Breaks the watches of a client off.
    pub(crate) fn disconnect(&mut self, client: &str) {
        *self.disconnects.entry(client.to_owned()).or_default() += 1;
    }

    /// How often the watches of a client were broken off.
    pub(crate) fn disconnects(&self, client: &str) -> u64 {
        self.disconnects.get(client).copied().unwrap_or_default()
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.rules.len();
        formatter
            .debug_struct("Faults")
            .field("rules", &rules)
            .finish_non_exhaustive()
    }
}

//! What one source said last: only differences become inputs.

use std::collections::BTreeMap;

use ipnet::Ipv6Net;
use openelb_ipam::dynamic_prefix::{Input, Sighting};

use crate::prefix::Lease;

/// One source that always tells everything it knows.
#[derive(Debug)]
pub(super) struct Told {
    source: usize,
    origin: String,
    leases: BTreeMap<Ipv6Net, Lease>,
    failure: Option<String>,
}

impl Told {
    /// Nothing yet. `origin` is for people.
    pub(super) fn new(source: usize, origin: impl Into<String>) -> Self {
        Self {
            source,
            origin: origin.into(),
            leases: BTreeMap::new(),
            failure: None,
        }
    }

    /// A prefix that is there for ever.
    pub(super) fn one(&self, prefix: Ipv6Net) -> Input {
        self.seen(&endless(prefix))
    }

    /// The source works, and these are all the prefixes that it knows.
    pub(super) fn replace(&mut self, leases: Vec<Lease>) -> Vec<Input> {
        let source = self.source;
        let mut inputs = Vec::new();
        if self.failure.take().is_some() {
            inputs.push(Input::Worked { source });
        }
        let fresh: BTreeMap<Ipv6Net, Lease> = leases
            .into_iter()
            .map(|lease| (lease.prefix, lease))
            .collect();
        // The new ones first: whoever follows at once does not see a moment without any.
        for (prefix, lease) in &fresh {
            if self.leases.get(prefix) != Some(lease) {
                inputs.push(self.seen(lease));
            }
        }
        for prefix in self
            .leases
            .keys()
            .filter(|prefix| !fresh.contains_key(prefix))
        {
            inputs.push(Input::Gone {
                source,
                origin: self.origin.clone(),
                prefix: *prefix,
            });
        }
        self.leases = fresh;
        inputs
    }

    /// The source does not work; what it told keeps its lifetimes.
    pub(super) fn fail(&mut self, why: String) -> Vec<Input> {
        if self.failure.as_ref() == Some(&why) {
            return Vec::new();
        }
        self.failure = Some(why.clone());
        let source = self.source;
        vec![Input::Failed { source, why }]
    }

    fn seen(&self, lease: &Lease) -> Input {
        Input::Seen(Sighting {
            source: self.source,
            origin: self.origin.clone(),
            prefix: lease.prefix,
            preferred_until: lease.preferred_until,
            valid_until: lease.valid_until,
        })
    }
}

/// A prefix of whose lifetimes nothing is known.
pub(super) fn endless(prefix: Ipv6Net) -> Lease {
    Lease {
        prefix,
        preferred_until: None,
        valid_until: None,
    }
}

#[cfg(test)]
mod tests;

//! What allocations must be on the disk, whatever was killed while they were made.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

/// Owners and their addresses.
pub(crate) type Holdings = BTreeMap<String, Vec<IpAddr>>;

/// What is known of every owner from the answers that came before each kill.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    known: BTreeMap<String, Belief>,
}

/// What is known of one owner.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Belief {
    /// Exactly this, as it was acknowledged or seen.
    Holds(Vec<IpAddr>),
    /// Exactly nothing.
    Nothing,
    /// An allocation was under way: nothing, or something new.
    MayHold,
    /// A release was under way: these, or nothing.
    MayHaveLost(Vec<IpAddr>),
}

impl Ledger {
    /// An allocation was answered with these addresses.
    pub(crate) fn allocated(&mut self, owner: &str, addresses: Vec<IpAddr>) {
        if let Some(Belief::Holds(held)) = self.known.get(owner) {
            assert_eq!(
                held, &addresses,
                "{owner} asked again and got something else"
            );
        }
        self.known
            .insert(owner.to_owned(), Belief::Holds(addresses));
    }

    /// An allocation was under way when something was killed.
    pub(crate) fn allocating(&mut self, owner: &str) {
        let belief = self
            .known
            .entry(owner.to_owned())
            .or_insert(Belief::Nothing);
        if *belief == Belief::Nothing {
            *belief = Belief::MayHold;
        }
    }

    /// A release was answered.
    pub(crate) fn released(&mut self, owner: &str) {
        self.known.insert(owner.to_owned(), Belief::Nothing);
    }

    /// A release was under way when something was killed.
    pub(crate) fn releasing(&mut self, owner: &str) {
        let belief = self
            .known
            .entry(owner.to_owned())
            .or_insert(Belief::Nothing);
        if let Belief::Holds(held) = belief {
            *belief = Belief::MayHaveLost(std::mem::take(held));
        }
    }

    /// Checks what is really held: nothing acknowledged is lost or changed, no address has two
    /// owners. What was uncertain is certain from here on.
    pub(crate) fn check(&mut self, seen: &Holdings) {
        no_address_twice(seen);
        for (owner, belief) in &mut self.known {
            let held = seen.get(owner);
            match belief {
                Belief::Holds(acknowledged) => {
                    assert_eq!(
                        held,
                        Some(&*acknowledged),
                        "{owner} lost what was acknowledged"
                    );
                }
                Belief::Nothing => assert_eq!(held, None, "{owner} was released"),
                Belief::MayHold => {}
                Belief::MayHaveLost(before) => {
                    assert!(
                        held.is_none_or(|held| held == before),
                        "{owner}: {before:?}, {held:?}"
                    );
                }
            }
            *belief = held.map_or(Belief::Nothing, |held| Belief::Holds(held.clone()));
        }
        let strangers: Vec<_> = seen
            .keys()
            .filter(|key| !self.known.contains_key(*key))
            .collect();
        assert!(strangers.is_empty(), "nobody asked for {strangers:?}");
    }
}

fn no_address_twice(seen: &Holdings) {
    let mut owners: HashMap<IpAddr, &str> = HashMap::new();
    for (owner, addresses) in seen {
        for address in addresses {
            if let Some(other) = owners.insert(*address, owner) {
                panic!("{address} belongs to {other} and to {owner}");
            }
        }
    }
}

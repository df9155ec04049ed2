//! Which session a received packet is for (RFC 5880 section 6.3).

use std::net::IpAddr;
use std::num::NonZeroU32;

use hashbrown::HashMap;

use crate::random::Random;

/// Between whom a session runs. Of two sessions at least one field differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    /// The neighbour's address.
    pub remote: IpAddr,
    /// Our address; `None`: whichever the routing table chooses.
    pub local: Option<IpAddr>,
    /// The number of the interface; `None`: any. Link-local neighbours need one.
    pub interface: Option<u32>,
    /// Whether routers lie between.
    pub hops: Hops,
}

/// Whether a neighbour is on the same link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Hops {
    /// On the same link: UDP port 3784, TTL 255 (RFC 5881).
    Single,
    /// Behind routers: UDP port 4784 (RFC 5883).
    Multiple,
}

impl Hops {
    /// The UDP port that packets are sent to (RFC 5881 section 4, RFC 5883 section 5).
    pub const fn port(self) -> u16 {
        match self {
            Self::Single => 3784,
            Self::Multiple => 4784,
        }
    }
}

/// How a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// From which address.
    pub source: IpAddr,
    /// To which of ours.
    pub destination: IpAddr,
    /// Over which interface.
    pub interface: u32,
    /// To which of the two ports.
    pub hops: Hops,
}

/// Finds sessions, called `K`, by discriminator and by path. Every operation is O(1), but for
/// several sessions with one neighbour, which are looked through.
#[derive(Clone, Debug, Default)]
pub struct Demultiplexer<K> {
    // Invariant: every value of `paths` lists keys of `sessions` whose path has that remote address.
    sessions: HashMap<NonZeroU32, (Path, K)>,
    paths: HashMap<(IpAddr, Hops), Vec<NonZeroU32>>,
}

impl<K: Copy> Demultiplexer<K> {
    /// Knows no session.
    pub fn new() -> Self {
        Self {
            sessions: HashMap::new(),
            paths: HashMap::new(),
        }
    }

    /// Adds a session and gives it a discriminator: random, not zero, of no other session here
    /// (RFC 5880 section 6.8.1).
    pub fn insert(&mut self, path: Path, key: K, random: &mut Random) -> NonZeroU32 {
        let discriminator = loop {
            let drawn = u32::try_from(random.below(1 << 32)).unwrap_or_default();
            match NonZeroU32::new(drawn) {
                Some(free) if !self.sessions.contains_key(&free) => break free,
                _ => {}
            }
        };
        self.place(discriminator, path, key);
        discriminator
    }

    /// Forgets a session; harmless when there is none.
    pub fn remove(&mut self, discriminator: NonZeroU32) {
        let Some((path, _)) = self.sessions.remove(&discriminator) else {
            return;
        };
        let neighbor = (path.remote, path.hops);
        if let Some(known) = self.paths.get_mut(&neighbor) {
            known.retain(|other| *other != discriminator);
            if known.is_empty() {
                self.paths.remove(&neighbor);
            }
        }
    }

    /// Gives a session another path, for instance because its interface has another number now.
    pub fn relocate(&mut self, discriminator: NonZeroU32, path: Path) {
        let Some((_, key)) = self.sessions.get(&discriminator).copied() else {
            return;
        };
        self.remove(discriminator);
        self.place(discriminator, path, key);
    }

    /// The session that a packet with `your_discriminator` is for.
    ///
    /// A discriminator decides alone: the neighbour's address and interface may change meanwhile
    /// (RFC 5880 section 6.3). Without one the path decides: source address and interface on the
    /// same link (RFC 5881 section 3), source and destination otherwise (RFC 5883 section 3).
    pub fn select(&self, your_discriminator: Option<NonZeroU32>, arrival: &Arrival) -> Option<K> {
        if let Some(discriminator) = your_discriminator {
            return self
                .sessions
                .get(&discriminator)
                .filter(|(path, _)| path.hops == arrival.hops)
                .map(|(_, key)| *key);
        }
        let neighbor = self.paths.get(&(arrival.source, arrival.hops))?;
        let candidates = neighbor.iter().filter_map(|known| self.sessions.get(known));
        // The session that says most about its path comes first.
        candidates
            .filter(|(path, _)| path.fits(arrival))
            .max_by_key(|(path, _)| (path.interface.is_some(), path.local.is_some()))
            .map(|(_, key)| *key)
    }

    fn place(&mut self, discriminator: NonZeroU32, path: Path, key: K) {
        self.sessions.insert(discriminator, (path, key));
        let neighbor = self.paths.entry((path.remote, path.hops));
        neighbor.or_default().push(discriminator);
    }
}

impl Path {
    fn fits(&self, arrival: &Arrival) -> bool {
        self.local.is_none_or(|local| local == arrival.destination)
            && self
                .interface
                .is_none_or(|interface| interface == arrival.interface)
    }
}

#[cfg(test)]
mod tests;

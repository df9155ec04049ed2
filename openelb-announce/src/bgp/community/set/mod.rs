//! A sorted set of communities, as an attribute holds them.

/// Communities of one kind, each once, in ascending order.
///
/// Equal sets compare and hash equal however they were made. Inserting and removing shifts what is
/// behind; sets are short (an attribute holds at most a few hundred).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct CommunitySet<T> {
    sorted: Vec<T>,
}

impl<T: Ord + Copy> CommunitySet<T> {
    /// Without any.
    pub const fn new() -> Self {
        Self { sorted: Vec::new() }
    }

    /// Adds one; tells whether it is new.
    pub fn insert(&mut self, community: T) -> bool {
        let position = self.sorted.binary_search(&community);
        if let Err(position) = position {
            self.sorted.insert(position, community);
        }
        position.is_err()
    }

    /// Takes one out; tells whether it was there.
    pub fn remove(&mut self, community: &T) -> bool {
        let position = self.sorted.binary_search(community);
        position.is_ok_and(|position| {
            self.sorted.remove(position);
            true
        })
    }

    /// Keeps those for which `keep` is true.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.sorted.retain(keep);
    }

    /// Whether it holds `community`.
    pub fn contains(&self, community: &T) -> bool {
        self.sorted.binary_search(community).is_ok()
    }

    /// All of them, ascending.
    pub fn as_slice(&self) -> &[T] {
        &self.sorted
    }

    /// All of them, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = T> {
        self.sorted.iter().copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }
}

impl<T> Default for CommunitySet<T> {
    fn default() -> Self {
        Self { sorted: Vec::new() }
    }
}

impl<T: Ord + Copy> FromIterator<T> for CommunitySet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(communities: I) -> Self {
        let mut sorted: Vec<T> = communities.into_iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        Self { sorted }
    }
}

impl<T: Ord + Copy> Extend<T> for CommunitySet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, communities: I) {
        self.sorted.extend(communities);
        self.sorted.sort_unstable();
        self.sorted.dedup();
    }
}

#[cfg(test)]
mod tests;

//! Labels: a small map from text to text.

#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::mem;

/// Labels of an object, or its annotations: texts by key.
///
/// A sorted list with room for nothing else, because objects have a handful of labels and there are
/// tens of thousands of objects: one label takes 32 bytes beside its texts where a node of a
/// `BTreeMap` takes 544.
///
/// | operation | cost for n labels |
/// |---|---|
/// | [`get`](Self::get), [`contains_key`](Self::contains_key) | O(log n) |
/// | [`insert`](Self::insert), [`remove`](Self::remove), [`retain`](Self::retain) | O(n), and one allocation |
/// | making it of entries | O(n log n) |
///
/// ```
/// use openelb_ipam::Labels;
///
/// let mut labels = Labels::from([("tier", "web")]);
/// labels.insert("team", "blue");
/// assert_eq!(labels.get("team"), Some("blue"));
/// assert_eq!(labels.keys().collect::<Vec<_>>(), ["team", "tier"]);
/// ```
// Invariant: the keys ascend, and each is there once.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Box<[(Box<str>, Box<str>)]>);

impl Labels {
    /// No labels; takes no memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        let place = self.place(key).ok()?;
        self.0.get(place).map(|(_, value)| &**value)
    }

    /// Whether there is a label of that key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.place(key).is_ok()
    }

    /// Sets a label; gives back the value that it had.
    pub fn insert(
        &mut self,
        key: impl Into<Box<str>>,
        value: impl Into<Box<str>>,
    ) -> Option<Box<str>> {
        let (key, value) = (key.into(), value.into());
        match self.place(&key) {
            Ok(place) => {
                let (_, known) = self.0.get_mut(place)?;
                Some(mem::replace(known, value))
            }
            Err(place) => {
                self.edit(|entries| {
                    entries.reserve_exact(1);
                    entries.insert(place, (key, value));
                });
                None
            }
        }
    }

    /// Takes a label away; gives back its value.
    pub fn remove(&mut self, key: &str) -> Option<Box<str>> {
        let place = self.place(key).ok()?;
        let mut removed = None;
        self.edit(|entries| removed = Some(entries.remove(place).1));
        removed
    }

    /// Takes all away but these.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&str, &str) -> bool) {
        self.edit(|entries| entries.retain(|(key, value)| is_kept(key, value)));
    }

    /// Takes all away.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    fn place(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(key))
    }

    fn edit(&mut self, change: impl FnOnce(&mut Vec<(Box<str>, Box<str>)>)) {
        let mut entries = mem::take(&mut self.0).into_vec();
        change(&mut entries);
        self.0 = entries.into_boxed_slice();
    }
}

/// Of entries with one key the last one stays.
impl<K: Into<Box<str>>, V: Into<Box<str>>> FromIterator<(K, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut entries: Vec<(Box<str>, Box<str>)> = entries
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        entries.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                mem::swap(later, kept);
            }
            is_same
        });
        Self(entries.into_boxed_slice())
    }
}

impl<K: Into<Box<str>>, V: Into<Box<str>>, const N: usize> From<[(K, V); N]> for Labels {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Labels {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Labels {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> serde::de::Visitor<'de> for Entries {
            type Value = Labels;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of texts")
            }

            fn visit_map<M: serde::de::MapAccess<'de>>(
                self,
                mut map: M,
            ) -> Result<Labels, M::Error> {
                core::iter::from_fn(|| map.next_entry::<Box<str>, Box<str>>().transpose()).collect()
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

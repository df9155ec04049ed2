//! Any number of addresses: mixed groups and runs of full ones, in order of address.
//!
//! What is not mentioned is free, so an empty `/0` costs nothing; full groups are one entry per
//! run, so a full `/8` costs one entry. Between a full run and whatever follows lies a free
//! address, which is why next-free looks at no more than three entries.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;

use super::group::{self, Group};
use super::runs::LongestRun;
use super::state::{ChunkWords, Neighbours, State};

// Invariants: entries do not overlap; full runs do not touch each other; a mixed group has both
// a free and a taken address. Keys and run ends are addresses divided by 2^22.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    entries: BTreeMap<u128, Entry>,
    /// The family's last group.
    last: u128,
}

#[derive(Clone, Debug)]
enum Entry {
    /// Every address is taken, up to the end of this group.
    FullTo(u128),
    Mixed(Box<Group>),
}

/// What a lookup finds.
enum Found<'a> {
    Free,
    FullTo(u128),
    Mixed(&'a Group),
}

impl Directory {
    /// Addresses `0 ..= max`, all taken.
    pub(super) fn new(max: u128) -> Self {
        let last = max >> group::BITS;
        Self {
            entries: BTreeMap::from([(0, Entry::FullTo(last))]),
            last,
        }
    }

    #[inline]
    pub(super) fn is_free(&self, bits: u128) -> bool {
        let (key, at) = split(bits);
        match self.find(key) {
            Found::Free => key <= self.last,
            Found::FullTo(_) => false,
            Found::Mixed(group) => group.is_free(at),
        }
    }

    /// Takes an address; `None` when it was taken.
    #[inline]
    pub(super) fn take(&mut self, bits: u128) -> Option<Neighbours> {
        let (key, at) = split(bits);
        let group = match self.entries.get_mut(&key) {
            Some(Entry::Mixed(group)) => group,
            _ => self.open(key, State::Free)?,
        };
        let found = group.take(at)?;
        if group.free() == 0 {
            self.settle(key);
        }
        Some(self.beyond_group(found, bits))
    }

    /// Frees an address; `None` when it was free.
    #[inline]
    pub(super) fn release(&mut self, bits: u128) -> Option<Neighbours> {
        let (key, at) = split(bits);
        let group = match self.entries.get_mut(&key) {
            Some(Entry::Mixed(group)) => group,
            _ => self.open(key, State::Taken)?,
        };
        let found = group.release(at)?;
        if group.uniform().is_some() {
            self.settle(key);
        }
        Some(self.beyond_group(found, bits))
    }

    #[inline]
    pub(super) fn next_free(&self, from: u128) -> Option<u128> {
        let (mut key, mut at) = split(from);
        while key <= self.last {
            super::step();
            match self.find(key) {
                Found::Free => return Some(join(key, at)),
                Found::FullTo(end) => key = end + 1,
                Found::Mixed(group) => match group.next_free(at) {
                    Some(found) => return Some(join(key, found)),
                    None => key += 1,
                },
            }
            at = 0;
        }
        None
    }

    pub(super) fn next_taken(&self, from: u128) -> Option<u128> {
        let (key, at) = split(from);
        match self.find(key) {
            Found::FullTo(_) => return Some(from),
            Found::Mixed(group) => {
                if let Some(found) = group.next_taken(at) {
                    return Some(join(key, found));
                }
            }
            Found::Free => {}
        }
        match self.entries.range(key + 1..).next()? {
            (next, Entry::FullTo(_)) => Some(join(*next, 0)),
            (next, Entry::Mixed(group)) => group.next_taken(0).map(|at| join(*next, at)),
        }
    }

    /// The free address that has `n` free ones below it. O(entries).
    pub(super) fn nth_free(&self, n: u128) -> Option<u128> {
        let (mut rest, mut next) = (n, 0);
        for (key, entry) in &self.entries {
            // Counted in groups: the number of addresses may be 2^128.
            let gap = key - next;
            if rest >> group::BITS < gap {
                return Some(join(next, 0) + rest);
            }
            rest -= gap << group::BITS;
            match entry {
                Entry::FullTo(end) => next = end + 1,
                Entry::Mixed(group) => {
                    let here = u128::from(group.free());
                    if rest < here {
                        return group
                            .nth_free(u32::try_from(rest).ok()?)
                            .map(|at| join(*key, at));
                    }
                    rest -= here;
                    next = key + 1;
                }
            }
        }
        (next + (rest >> group::BITS) <= self.last).then(|| join(next, 0) + rest)
    }

    /// Puts `first ..= last` into one state.
    pub(super) fn fill(&mut self, first: u128, last: u128, state: State) {
        let ((first_key, first_at), (last_key, last_at)) = (split(first), split(last));
        let starts_whole = first_at == 0;
        let ends_whole = last_at == END;
        if first_key == last_key && !(starts_whole && ends_whole) {
            return self.fill_part(first_key, first_at, last_at, state);
        }
        if !starts_whole {
            self.fill_part(first_key, first_at, END, state);
        }
        if !ends_whole {
            self.fill_part(last_key, 0, last_at, state);
        }
        let from = if starts_whole {
            Some(first_key)
        } else {
            first_key.checked_add(1)
        };
        let to = if ends_whole {
            Some(last_key)
        } else {
            last_key.checked_sub(1)
        };
        if let (Some(from), Some(to)) = (from, to)
            && from <= to
        {
            self.fill_groups(from, to, state);
        }
    }

    /// Copies the bits of a chunk; beyond the family's end everything is taken.
    pub(super) fn chunk(&self, chunk: u128, words: &mut ChunkWords) {
        let (key, index) = split_chunk(chunk);
        match self.find(key) {
            Found::Free if key <= self.last => words.fill(0),
            Found::Free | Found::FullTo(_) => words.fill(u64::MAX),
            Found::Mixed(group) => group.chunk(index, words),
        }
    }

    pub(super) fn is_chunk_free(&self, chunk: u128) -> bool {
        let (key, index) = split_chunk(chunk);
        match self.find(key) {
            Found::Free => key <= self.last,
            Found::FullTo(_) => false,
            Found::Mixed(group) => group.is_chunk_free(index),
        }
    }

    /// Replaces the bits of a chunk; none that is set may be cleared.
    pub(super) fn put_chunk(&mut self, chunk: u128, words: &ChunkWords) {
        let (key, index) = split_chunk(chunk);
        if matches!(self.find(key), Found::Free) {
            self.open(key, State::Free);
        }
        if let Some(Entry::Mixed(group)) = self.entries.get_mut(&key) {
            group.put_chunk(index, words);
            self.settle(key);
        }
    }

    /// The lowest free aligned block of `2^host_bits` addresses.
    pub(super) fn free_block(&self, host_bits: u32) -> Option<u128> {
        let groups = host_bits.checked_sub(group::BITS);
        let beyond_start = groups.map_or(0, |bits| (1_u128 << bits) - 1);
        let mut next = 0_u128;
        for (key, entry) in &self.entries {
            let start = next.checked_add(beyond_start)? & !beyond_start;
            if start + beyond_start < *key {
                return Some(join(start, 0));
            }
            next = match entry {
                Entry::FullTo(end) => end + 1,
                Entry::Mixed(group) => {
                    if groups.is_none()
                        && let Some(at) = group.free_block(host_bits)
                    {
                        return Some(join(*key, at));
                    }
                    key + 1
                }
            };
        }
        let start = next.checked_add(beyond_start)? & !beyond_start;
        (start + beyond_start <= self.last).then(|| join(start, 0))
    }

    /// Feeds every free run to `longest`. O(entries and their contents).
    pub(super) fn longest_run(&self, longest: &mut LongestRun) {
        let mut next = 0;
        for (key, entry) in &self.entries {
            if *key > next {
                longest.free(join(next, 0), join(key - 1, END));
            }
            next = match entry {
                Entry::FullTo(end) => end + 1,
                Entry::Mixed(group) => {
                    group.longest_run(join(*key, 0), longest);
                    key + 1
                }
            };
        }
        if next <= self.last {
            longest.free(join(next, 0), join(self.last, END));
        }
    }

    /// How many entries: what the cost of everything else grows with.
    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.entries.len()
    }

    #[inline]
    fn find(&self, key: u128) -> Found<'_> {
        // A mixed group is found by its own key; only other lookups need the one before.
        let (start, entry) = match self.entries.get(&key) {
            Some(entry) => (key, entry),
            None => match self.entries.range(..key).next_back() {
                Some((start, entry)) => (*start, entry),
                None => return Found::Free,
            },
        };
        match entry {
            Entry::FullTo(end) if key <= *end => Found::FullTo(*end),
            Entry::Mixed(group) if start == key => Found::Mixed(group),
            _ => Found::Free,
        }
    }

    /// Makes a uniform group mixed, if it is in the state given; the caller changes it at once.
    fn open(&mut self, key: u128, state: State) -> Option<&mut Box<Group>> {
        if key > self.last {
            return None;
        }
        match (self.find(key), state) {
            (Found::Free, State::Free) => {}
            (Found::FullTo(_), State::Taken) => self.carve(key, key),
            _ => return None,
        }
        self.entries
            .insert(key, Entry::Mixed(Box::new(Group::new(state))));
        match self.entries.get_mut(&key) {
            Some(Entry::Mixed(group)) => Some(group),
            _ => None,
        }
    }

    fn fill_part(&mut self, key: u128, first: u32, last: u32, state: State) {
        let uniform = match self.find(key) {
            Found::Free => Some(State::Free),
            Found::FullTo(_) => Some(State::Taken),
            Found::Mixed(_) => None,
        };
        if uniform == Some(state) {
            return;
        }
        if let Some(uniform) = uniform {
            self.open(key, uniform);
        }
        if let Some(Entry::Mixed(group)) = self.entries.get_mut(&key) {
            group.fill(first, last, state);
            self.settle(key);
        }
    }

    /// Replaces a group that is no longer mixed by a run or by nothing.
    fn settle(&mut self, key: u128) {
        if let Some(Entry::Mixed(group)) = self.entries.get(&key)
            && let Some(state) = group.uniform()
        {
            self.fill_groups(key, key, state);
        }
    }

    fn fill_groups(&mut self, first: u128, last: u128, state: State) {
        self.carve(first, last);
        if state == State::Free {
            return;
        }
        let (mut start, mut end) = (first, last);
        if let Some((before, Entry::FullTo(until))) = self.entries.range(..first).next_back()
            && until + 1 == first
        {
            start = *before;
        }
        if let Some(next) = last.checked_add(1)
            && let Some(Entry::FullTo(until)) = self.entries.get(&next)
        {
            end = *until;
            self.entries.remove(&next);
        }
        self.entries.insert(start, Entry::FullTo(end));
    }

    /// Forgets everything about groups `first ..= last`, cutting runs that reach beyond.
    fn carve(&mut self, first: u128, last: u128) {
        let reaching = match self.entries.range(..=last).next_back() {
            Some((_, Entry::FullTo(end))) if *end > last => Some(*end),
            _ => None,
        };
        if let Some((_, Entry::FullTo(end))) = self.entries.range_mut(..first).next_back()
            && *end >= first
        {
            *end = first - 1;
        }
        self.entries
            .extract_if(first..=last, |_, _| true)
            .for_each(drop);
        if let Some(end) = reaching {
            self.entries.insert(last + 1, Entry::FullTo(end));
        }
    }

    /// Looks across the group's edges, which the group itself reads as taken.
    #[inline]
    fn beyond_group(&self, mut found: Neighbours, bits: u128) -> Neighbours {
        match split(bits).1 {
            0 => found.below = bits.checked_sub(1).is_some_and(|below| self.is_free(below)),
            END => found.above = bits.checked_add(1).is_some_and(|above| self.is_free(above)),
            _ => {}
        }
        found
    }
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "masked to 22 bits")]
const fn split(bits: u128) -> (u128, u32) {
    (bits >> group::BITS, bits as u32 & END)
}

/// The group of a chunk, and which of its 64 it is.
#[expect(clippy::cast_possible_truncation, reason = "masked to 6 bits")]
const fn split_chunk(chunk: u128) -> (u128, u32) {
    (chunk >> 6, chunk as u32 & 63)
}

#[inline]
fn join(key: u128, at: u32) -> u128 {
    key << group::BITS | u128::from(at)
}

/// The last offset of a group.
const END: u32 = (1 << group::BITS) - 1;

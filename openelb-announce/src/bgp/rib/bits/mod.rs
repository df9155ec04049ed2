//! A bitmap over slots that grows as it is written and is read as zeros behind its end.

/// One bit for each slot of the table.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// Whether the bit of `slot` is set.
    pub(super) fn contains(&self, slot: u32) -> bool {
        let (word, mask) = place(slot);
        self.words.get(word).is_some_and(|word| word & mask != 0)
    }

    /// Sets the bit of `slot`; tells whether it was clear.
    pub(super) fn insert(&mut self, slot: u32) -> bool {
        let (index, mask) = place(slot);
        if index >= self.words.len() {
            self.words.resize(index + 1, 0);
        }
        let Some(word) = self.words.get_mut(index) else {
            return false;
        };
        let was_clear = *word & mask == 0;
        *word |= mask;
        was_clear
    }

    /// Clears the bit of `slot`; tells whether it was set.
    pub(super) fn remove(&mut self, slot: u32) -> bool {
        let (index, mask) = place(slot);
        let Some(word) = self.words.get_mut(index) else {
            return false;
        };
        let was_set = *word & mask != 0;
        *word &= !mask;
        was_set
    }

    /// The first set bit at or after `slot`. It skips 64 clear bits at once.
    pub(super) fn next(&self, slot: u32) -> Option<u32> {
        let (first, _) = place(slot);
        let words = self.words.get(first..)?;
        let mut mask = u64::MAX << (slot % WORD);
        for (index, word) in (first..).zip(words) {
            let word = word & mask;
            if word != 0 {
                return Some(slot_of(index, word.trailing_zeros()));
            }
            mask = u64::MAX;
        }
        None
    }

    /// How many octets it occupies.
    pub(super) fn octets(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }

    /// Makes room for `slots` at once, and for no more.
    pub(super) fn reserve(&mut self, slots: usize) {
        let words = slots.div_ceil(WORD as usize);
        self.words
            .reserve_exact(words.saturating_sub(self.words.len()));
    }
}

fn place(slot: u32) -> (usize, u64) {
    ((slot / WORD) as usize, 1 << (slot % WORD))
}

fn slot_of(word: usize, bit: u32) -> u32 {
    u32::try_from(word).map_or(u32::MAX, |word| {
        word.saturating_mul(WORD).saturating_add(bit)
    })
}

const WORD: u32 = u64::BITS;

#[cfg(test)]
mod tests;

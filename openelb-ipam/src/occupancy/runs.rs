//! The longest free run, found in one ascending pass.

/// Hears of free runs in ascending order, joins those that touch, remembers the longest.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LongestRun {
    current: Option<(u128, u128)>,
    best: Option<(u128, u128)>,
}

impl LongestRun {
    /// Addresses `first ..= last` are free; they may continue the run heard of last.
    pub(super) fn free(&mut self, first: u128, last: u128) {
        let run = match self.current {
            Some((start, end)) if end.checked_add(1) == Some(first) => (start, last),
            _ => (first, last),
        };
        self.current = Some(run);
        self.offer(run);
    }

    /// Sixty-four addresses from `base`, bit set = taken.
    pub(super) fn word(&mut self, base: u128, taken: u64) {
        match taken {
            0 => self.free(base, base + 63),
            u64::MAX => {}
            _ => self.mixed_word(base, taken),
        }
    }

    /// The longest run, first and last address; the lowest of equally long ones.
    pub(super) const fn finish(self) -> Option<(u128, u128)> {
        self.best
    }

    fn mixed_word(&mut self, base: u128, taken: u64) {
        let head = taken.trailing_zeros();
        if head > 0 {
            self.free(base, base + u128::from(head - 1));
        }
        // A run inside the word matters only if it beats what is known: five shifts tell.
        let needed = self
            .best
            .map_or(1, |(first, last)| (last - first).saturating_add(2));
        if needed < 63 && has_run(!taken, u32::try_from(needed).expect("below 63")) {
            self.interior(base, taken);
        }
        let tail = taken.leading_zeros();
        if tail > 0 {
            self.free(base + u128::from(64 - tail), base + 63);
        }
    }

    /// Offers every free run between two taken bits of a word.
    fn interior(&mut self, base: u128, taken: u64) {
        let mut at = taken.trailing_zeros();
        loop {
            at += (taken >> at).trailing_ones();
            let Some(rest) = taken.checked_shr(at).filter(|rest| *rest != 0) else {
                return;
            };
            let free = rest.trailing_zeros();
            let first = base + u128::from(at);
            self.offer((first, first + u128::from(free - 1)));
            at += free;
        }
    }

    fn offer(&mut self, (first, last): (u128, u128)) {
        if self.best.is_none_or(|(f, l)| last - first > l - f) {
            self.best = Some((first, last));
        }
    }
}

/// Whether `word` has `length` set bits in a row, 1 ..= 63.
fn has_run(word: u64, length: u32) -> bool {
    let (mut run, mut reached) = (word, 1);
    while reached < length {
        let step = reached.min(length - reached);
        run &= run >> step;
        reached += step;
    }
    run != 0
}

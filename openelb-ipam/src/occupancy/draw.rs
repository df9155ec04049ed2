//! A number below a bound, every one equally likely.

/// Draws below `bound` from a source of uniform 64-bit words; `None` stands for the bound 2^128.
///
/// Words are masked to the bound's width and redrawn when too high: exact, and fewer than two
/// words of rejects on average.
pub(super) fn below(bound: Option<u128>, mut draw: impl FnMut() -> u64) -> u128 {
    let highest = bound.map_or(u128::MAX, |bound| bound.saturating_sub(1));
    let mask = u128::MAX.checked_shr(highest.leading_zeros()).unwrap_or(0);
    let mut drawn = 0;
    for _ in 0..MOST_TRIES {
        let low = u128::from(draw());
        let high = if mask > u128::from(u64::MAX) {
            u128::from(draw())
        } else {
            0
        };
        drawn = (high << 64 | low) & mask;
        if drawn <= highest {
            return drawn;
        }
    }
    drawn.checked_sub(highest + 1).unwrap_or(drawn)
}

/// Each try succeeds with at least one half, so a uniform source gets here once in 2^128 draws;
/// a broken one (always all bits set) must not hang the allocator.
const MOST_TRIES: usize = 128;

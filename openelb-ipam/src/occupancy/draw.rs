//! A number below a bound, every one equally likely.

/// Draws below `bound` from a source of uniform 64-bit words; `None` stands for the bound 2^128.
///
/// Words are masked to the bound's width and redrawn when too high: exact, and fewer than two
/// words of rejects on average.
pub(super) fn below(bound: Option<u128>, mut draw: impl FnMut() -> u64) -> u128 {
    let highest = bound.map_or(u128::MAX, |bound| bound.saturating_sub(1));
    let (high_mask, low_mask) = match u64::try_from(highest) {
        Ok(low) => (0, ones_up_to(low)),
        Err(_) => (ones_up_to((highest >> 64) as u64), u64::MAX),
    };
    let mut drawn = 0;
    for _ in 0..MOST_TRIES {
        let low = draw() & low_mask;
        let high = if high_mask == 0 {
            0
        } else {
            draw() & high_mask
        };
        drawn = u128::from(high) << 64 | u128::from(low);
        if drawn <= highest {
            return drawn;
        }
    }
    drawn.checked_sub(highest + 1).unwrap_or(drawn)
}

/// The fewest low bits that cover `number`, set.
const fn ones_up_to(number: u64) -> u64 {
    match u64::MAX.checked_shr(number.leading_zeros()) {
        Some(mask) => mask,
        None => 0,
    }
}

/// Each try succeeds with at least one half, so a uniform source gets here once in 2^128 draws;
/// a broken one (always all bits set) must not hang the allocator.
const MOST_TRIES: usize = 128;

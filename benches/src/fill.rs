//! Pools and how full they are.

/// A pool of consecutive IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// How people write it.
    pub name: &'static str,
    /// Its first address.
    pub first: u32,
    /// How many addresses it has.
    pub size: u32,
}

/// 256 addresses.
pub const SLASH_24: Pool = Pool {
    name: "/24",
    first: 10 << 24,
    size: 1 << 8,
};
/// 65,536 addresses.
pub const SLASH_16: Pool = Pool {
    name: "/16",
    first: 10 << 24,
    size: 1 << 16,
};
/// The largest pool of the flat layout.
pub const SLASH_12: Pool = Pool {
    name: "/12",
    first: 10 << 24,
    size: 1 << 20,
};
/// 16,777,216 addresses.
pub const SLASH_8: Pool = Pool {
    name: "/8",
    first: 10 << 24,
    size: 1 << 24,
};

/// Which addresses of a pool are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// None.
    Empty,
    /// The lower half.
    HalfContiguous,
    /// Every address with probability one half.
    HalfRandom,
    /// All but one in a thousand, at random places.
    NearlyFull,
    /// All.
    Full,
}

impl Fill {
    /// All fills, emptiest first.
    pub const ALL: [Self; 5] = [
        Self::Empty,
        Self::HalfContiguous,
        Self::HalfRandom,
        Self::NearlyFull,
        Self::Full,
    ];

    /// What tables call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::HalfContiguous => "50 % contiguous",
            Self::HalfRandom => "50 % random",
            Self::NearlyFull => "99.9 %",
            Self::Full => "full",
        }
    }

    /// The taken addresses, ascending; the same in every run.
    pub fn taken(self, pool: Pool) -> impl Iterator<Item = u32> {
        let mut generator = SplitMix::new(u64::from(pool.size));
        (0..pool.size)
            .filter(move |at| match self {
                Self::Empty => false,
                Self::HalfContiguous => *at < pool.size / 2,
                Self::HalfRandom => generator.next() & 1 == 0,
                // The last address stays free, so that even a /24 has one.
                Self::NearlyFull => !generator.next().is_multiple_of(1_000) && *at != pool.size - 1,
                Self::Full => true,
            })
            .map(move |at| pool.first + at)
    }
}

/// A small generator of well-mixed words (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct SplitMix(u64);

impl SplitMix {
    /// The same words for the same seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next word.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; the bias of the remainder does not matter here.
    #[expect(clippy::cast_possible_truncation, reason = "below a 32-bit bound")]
    pub const fn below(&mut self, bound: u32) -> u32 {
        (self.next() % bound as u64) as u32
    }

    /// Puts items into random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let bound = u32::try_from(at + 1).unwrap_or(u32::MAX);
            items.swap(at, self.below(bound) as usize);
        }
    }
}

//! Many addresses at once: taking, freeing and listing them as ranges.

use alloc::vec::Vec;

use super::Occupancy;
use super::state::State;
use crate::count::AddressCount;
use crate::range::AddressRange;

impl Occupancy {
    /// Takes every free address of the range that lies in the universe; says how many.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, RangeSet, occupancy::Occupancy};
    /// let mut index = Occupancy::new(Family::V4, &"10.0.0.0/8".parse::<RangeSet>()?);
    /// index.take(10 << 24);
    /// assert_eq!(index.take_range("10.0.0.0/9".parse()?), AddressCount::new((1 << 23) - 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take_range(&mut self, range: AddressRange) -> AddressCount {
        self.fill(range, State::Taken)
    }

    /// Frees every taken address of the range that lies in the universe; says how many.
    ///
    /// ```
    /// # use openelb_ipam::{AddressCount, Family, RangeSet, occupancy::Occupancy};
    /// let mut index = Occupancy::new(Family::V4, &"10.0.0.0/24".parse::<RangeSet>()?);
    /// index.take_range("10.0.0.0/25".parse()?);
    /// assert_eq!(index.release_range("0.0.0.0/0".parse()?), AddressCount::new(128));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn release_range(&mut self, range: AddressRange) -> AddressCount {
        self.fill(range, State::Free)
    }

    /// The longest run of free addresses, the lowest of equally long ones.
    ///
    /// Reads the whole index (about 1 ms for a fragmented `/8`): for metrics and reports.
    ///
    /// ```
    /// # use openelb_ipam::{Family, RangeSet, occupancy::Occupancy};
    /// let mut index = Occupancy::new(Family::V4, &"10.0.0.0/24".parse::<RangeSet>()?);
    /// index.take(10 << 24 | 100);
    /// let longest = index.largest_free_run().map(|run| run.to_string());
    /// assert_eq!(longest.as_deref(), Some("10.0.0.101-10.0.0.255"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn largest_free_run(&self) -> Option<AddressRange> {
        let (first, last) = self.store.longest_run()?;
        AddressRange::from_bits(self.family, first, last)
    }

    /// The taken addresses of the universe as ranges, ascending.
    ///
    /// ```
    /// # use openelb_ipam::{Family, RangeSet, occupancy::Occupancy};
    /// let mut index = Occupancy::new(Family::V4, &"10.0.0.0/24".parse::<RangeSet>()?);
    /// index.take_range("10.0.0.3-10.0.0.9".parse()?);
    /// let taken: RangeSet = index.taken_ranges().collect();
    /// assert_eq!(taken.to_string(), "10.0.0.3-10.0.0.9");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn taken_ranges(&self) -> impl Iterator<Item = AddressRange> + '_ {
        self.ranges(State::Taken)
    }

    /// The free addresses as ranges, ascending.
    ///
    /// ```
    /// # use openelb_ipam::{Family, RangeSet, occupancy::Occupancy};
    /// let mut index = Occupancy::new(Family::V4, &"10.0.0.0/30".parse::<RangeSet>()?);
    /// index.take(10 << 24);
    /// let free: RangeSet = index.free_ranges().collect();
    /// assert_eq!(free.to_string(), "10.0.0.1-10.0.0.3");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn free_ranges(&self) -> impl Iterator<Item = AddressRange> + '_ {
        self.ranges(State::Free)
    }

    fn ranges(&self, state: State) -> impl Iterator<Item = AddressRange> + '_ {
        self.universe.spans().flat_map(move |(first, last)| {
            self.runs(state, first, last)
                .filter_map(|(first, last)| AddressRange::from_bits(self.family, first, last))
        })
    }

    /// The maximal runs of one state in `first ..= last`, cut at both ends.
    fn runs(&self, state: State, first: u128, last: u128) -> impl Iterator<Item = (u128, u128)> {
        let mut next = Some(first);
        core::iter::from_fn(move || {
            let start = self.next_in(state, next?).filter(|start| *start <= last)?;
            let beyond = self
                .next_in(state.other(), start)
                .filter(|beyond| *beyond <= last);
            next = beyond;
            Some((start, beyond.map_or(last, |beyond| beyond - 1)))
        })
    }

    fn next_in(&self, state: State, from: u128) -> Option<u128> {
        match state {
            State::Free => self.store.next_free(from),
            State::Taken => self.store.next_taken(from),
        }
    }

    fn fill(&mut self, range: AddressRange, state: State) -> AddressCount {
        if range.family() != self.family {
            return AddressCount::ZERO;
        }
        // Both need the same borrow; a pool has few ranges.
        let parts: Vec<_> = self.universe.within(range).collect();
        parts
            .into_iter()
            .map(|(first, last)| self.fill_part(first, last, state))
            .sum()
    }

    /// Puts a part of the universe into one state and brings the counters up to date.
    fn fill_part(&mut self, first: u128, last: u128, state: State) -> AddressCount {
        let window = self.survey(first, last);
        let changed = match state {
            State::Taken => window.free,
            State::Free => AddressCount::between(first, last).saturating_sub(window.free),
        };
        if changed.is_zero() {
            return changed;
        }
        self.store.fill(first, last, state);
        let runs_after = match state {
            State::Taken => u64::from(window.below) + u64::from(window.above),
            State::Free => 1,
        };
        self.free_runs = self.free_runs + runs_after - window.runs;
        self.free = match state {
            State::Taken => self.free.saturating_sub(changed),
            State::Free => self.free.saturating_add(changed),
        };
        changed
    }

    fn survey(&self, first: u128, last: u128) -> Window {
        let mut window = Window {
            below: first
                .checked_sub(1)
                .is_some_and(|below| self.store.is_free(below)),
            above: last
                .checked_add(1)
                .is_some_and(|above| self.store.is_free(above)),
            free: AddressCount::ZERO,
            runs: 0,
        };
        for (start, end) in self.runs(State::Free, first, last) {
            window.free = window
                .free
                .saturating_add(AddressCount::between(start, end));
            window.runs += 1;
        }
        // A neighbour that no run inside continues is a run of its own.
        window.runs += u64::from(window.below && !self.store.is_free(first));
        window.runs += u64::from(window.above && !self.store.is_free(last));
        window
    }
}

/// What a part of the universe and its two neighbours look like.
struct Window {
    below: bool,
    above: bool,
    /// Free addresses in the part.
    free: AddressCount,
    /// Free runs that touch the part or a neighbour.
    runs: u64,
}

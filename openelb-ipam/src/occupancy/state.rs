//! The words all levels of the index share.

/// Whether addresses can be given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Free,
    Taken,
}

impl State {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Free => Self::Taken,
            Self::Taken => Self::Free,
        }
    }
}

/// Which of an address's two neighbours are free: what decides whether taking or freeing it
/// splits, joins, starts or ends a free run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Neighbours {
    pub(super) below: bool,
    pub(super) above: bool,
}

/// The bits of a chunk, set when taken.
pub(crate) type ChunkWords = [u64; 1024];

/// How many addresses of a chunk are free, and how many free runs touch it or the address after.
///
/// Counting run starts leaves out the run that reaches in from below, before and after alike.
pub(super) fn free_runs(taken: &ChunkWords, edges: Neighbours) -> (u64, u64) {
    let (mut free, mut runs, mut before) = (0, 0, u64::from(edges.below));
    for word in taken {
        let open = !word;
        free += u64::from(open.count_ones());
        runs += u64::from((open & !(open << 1 | before)).count_ones());
        before = open >> 63;
    }
    (free, runs + u64::from(edges.above && before == 0))
}

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

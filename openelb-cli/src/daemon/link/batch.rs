//! Shards that go the same way at the same time, told as one event: a takeover moves hundreds.

use std::sync::Arc;

use openelb_announce::announcer::Event;
use openelb_announce::ownership::{self, GroupId, How, Why};

/// Shards that wait to be told of together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    moves: Vec<Move>,
}

/// Shards of one group that went one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    /// On which link.
    pub(super) interface: Arc<str>,
    /// The group.
    pub(super) group: GroupId,
    /// Which way.
    pub(super) way: Way,
    /// How many.
    pub(super) shards: u64,
}

/// Which way a shard went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// It came.
    Here {
        /// What is known of who had it.
        how: How,
        /// This node may be cut off.
        is_doubtful: bool,
    },
    /// It went.
    Away(Why),
}

impl Batch {
    /// Takes a shard that moved; `false` when the event is about something else.
    pub(super) fn take(&mut self, event: &Event) -> bool {
        let Event::Ownership { interface, event } = event else {
            return false;
        };
        let (shard, way) = match event {
            ownership::Event::Acquired {
                shard,
                how,
                is_doubtful,
            } => {
                let (how, is_doubtful) = (*how, *is_doubtful);
                (shard, Way::Here { how, is_doubtful })
            }
            ownership::Event::Lost { shard, why } => (shard, Way::Away(why.clone())),
            _ => return false,
        };
        let moved = Move {
            interface: Arc::clone(interface),
            group: shard.group,
            way,
            shards: 0,
        };
        let same = |other: &&mut Move| {
            Move {
                shards: 0,
                ..(*other).clone()
            } == moved
        };
        match self.moves.iter_mut().find(same) {
            Some(known) => known.shards += 1,
            None => self.moves.push(Move { shards: 1, ..moved }),
        }
        true
    }

    /// Whether something waits.
    pub(super) fn is_empty(&self) -> bool {
        self.moves.is_empty()
    }

    /// What waited, in the order in which it began.
    pub(super) fn take_all(&mut self) -> Vec<Move> {
        std::mem::take(&mut self.moves)
    }
}

#[cfg(test)]
mod tests {
    use openelb_announce::ownership::{GroupName, NodeId, Shard};

    use super::*;

    fn event(event: ownership::Event) -> Event {
        Event::Ownership {
            interface: "eth0".into(),
            event,
        }
    }

    fn shard(index: u16) -> Shard {
        let group = GroupName::default().id();
        Shard { group, index }
    }

    #[test]
    fn shards_that_go_one_way_are_one_move_and_others_are_not() {
        let mut batch = Batch::default();
        let how = How::Takeover;
        for index in 0..89 {
            let shard = shard(index);
            assert!(batch.take(&event(ownership::Event::Acquired {
                shard,
                how,
                is_doubtful: false,
            })));
        }
        let why = Why::HandedTo(NodeId::new("node-b").unwrap());
        let shard = shard(100);
        assert!(batch.take(&event(ownership::Event::Lost { shard, why })));
        assert!(!batch.take(&event(ownership::Event::Listening)));
        let moves = batch.take_all();
        let counts: Vec<_> = moves.iter().map(|moved| moved.shards).collect();
        assert_eq!(counts, [89, 1]);
        assert!(batch.is_empty());
    }
}

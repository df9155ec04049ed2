//! Units keep their shard, and sets of shards are sets.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn set(shards: u16, indices: &BTreeSet<u16>) -> ShardSet {
    let mut set = ShardSet::new(shards);
    for index in indices {
        set.set(*index, true);
    }
    set
}

#[test]
fn units_spread_over_all_shards() {
    let group = GroupName::default();
    let shard = |n: u32| Shard::of(&group, 256, &format!("192.0.2.{n}")).index;
    let used: BTreeSet<u16> = (0..5000).map(shard).collect();
    assert_eq!(used.len(), 256);
    assert!(used.iter().all(|index| *index < 256));
}

#[test]
fn finer_shards_lie_within_coarser_ones() {
    let group = GroupName::default();
    for n in 0..1000 {
        let unit = format!("unit-{n}");
        let (coarse, fine) = (Shard::of(&group, 128, &unit), Shard::of(&group, 256, &unit));
        assert_eq!(fine.index / 2, coarse.index);
    }
}

proptest! {
    #[test]
    fn a_set_of_shards_is_a_set(
        shards in 1..=1024_u16,
        a in proptest::collection::btree_set(0..1024_u16, 0..40),
        b in proptest::collection::btree_set(0..1024_u16, 0..40),
    ) {
        let below = |it: BTreeSet<u16>| it.into_iter().filter(|it| *it < shards).collect::<BTreeSet<_>>();
        let (a, b) = (below(a), below(b));
        let (left, right) = (set(shards, &a), set(shards, &b));
        prop_assert!(left.iter().eq(a.iter().copied()));
        prop_assert_eq!(left.len(), a.len());
        prop_assert_eq!(left.is_empty(), a.is_empty());
        prop_assert!(left.common(&right).iter().eq(a.intersection(&b).copied()));
        prop_assert!(left.without(&right).iter().eq(a.difference(&b).copied()));
        let mut both = left.clone();
        both.unite(&right);
        prop_assert!(both.iter().eq(a.union(&b).copied()));
        let octets: Vec<u8> = left.octets().collect();
        prop_assert_eq!(octets.len(), usize::from(shards).div_ceil(8));
        prop_assert_eq!(ShardSet::read(shards, &octets), left);
    }

    #[test]
    fn bits_beyond_the_last_shard_are_ignored(shards in 1..=1024_u16) {
        let read = ShardSet::read(shards, &[0xff; 200]);
        prop_assert_eq!(read.len(), usize::from(shards));
        prop_assert!(!read.contains(shards));
    }

    #[test]
    fn a_rescaled_set_holds_the_shard_of_every_unit_in_it(
        from in 1..=1024_u16, to in 1..=1024_u16, unit in "[a-z0-9]{1,12}",
    ) {
        let group = GroupName::default();
        let index = Shard::of(&group, from, &unit).index;
        let claimed = set(from, &BTreeSet::from([index])).rescaled(to);
        prop_assert!(claimed.contains(Shard::of(&group, to, &unit).index));
    }
}

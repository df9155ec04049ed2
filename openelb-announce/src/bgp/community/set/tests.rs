//! Tests of sets of communities.

use super::CommunitySet;

#[test]
fn a_set_is_sorted_and_holds_each_community_once_however_it_was_made() {
    let collected: CommunitySet<u32> = [3, 1, 3, 2].into_iter().collect();
    let mut inserted = CommunitySet::new();
    for community in [2, 3, 1] {
        assert!(inserted.insert(community));
        assert!(!inserted.insert(community));
    }
    let mut extended = CommunitySet::default();
    extended.extend([2, 2, 1]);
    extended.extend([3]);
    assert_eq!(collected.as_slice(), [1, 2, 3]);
    assert_eq!(inserted, collected);
    assert_eq!(extended, collected);
}

#[test]
fn what_is_removed_is_gone() {
    let mut set: CommunitySet<u32> = (0..4).collect();
    assert!(set.remove(&1));
    assert!(!set.remove(&1));
    set.retain(|community| *community != 3);
    assert!(set.iter().eq([0, 2]));
    assert!(set.contains(&2) && !set.contains(&1));
    assert_eq!((set.len(), set.is_empty()), (2, false));
}

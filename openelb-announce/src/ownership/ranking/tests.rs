//! Exactly one node comes first, in proportion to the weights, and little moves.

#![expect(
    clippy::cast_precision_loss,
    reason = "compared with a tolerance far above it"
)]

use super::*;
use crate::ownership::name::{GroupName, NodeId};
use proptest::prelude::*;

fn bid(number: usize, weight: u16, preference: u8) -> Bid {
    let node = NodeId::new(&format!("node-{number}")).unwrap().key();
    Bid::new(node, Standing::Eligible { weight, preference }, false).unwrap()
}

fn shard(index: u16) -> Shard {
    let group = GroupName::default().id();
    Shard { group, index }
}

fn winner(bids: &[Bid], index: u16) -> Option<NodeKey> {
    let ranks = bids.iter().map(|bid| bid.rank(seed(shard(index))));
    ranks.max().map(|rank| rank.bid.node)
}

fn bids() -> impl Strategy<Value = Vec<Bid>> {
    proptest::collection::btree_map(0..1000_usize, (1..=1000_u16, 0..3_u8), 1..12).prop_map(
        |nodes| {
            nodes
                .into_iter()
                .map(|(number, (weight, preference))| bid(number, weight, preference))
                .collect()
        },
    )
}

proptest! {
    #[test]
    fn metallb_49_exactly_one_node_wins_whatever_the_order(
        bids in bids(), index in 0..1024_u16, turn in 0..12_usize,
    ) {
        let mut turned = bids.clone();
        turned.rotate_left(turn % bids.len());
        turned.reverse();
        prop_assert!(winner(&bids, index).is_some());
        prop_assert_eq!(winner(&bids, index), winner(&turned, index));
    }

    #[test]
    fn metallb_49_removing_a_loser_changes_nothing(
        bids in bids(), index in 0..1024_u16, place in 0..12_usize,
    ) {
        let won = winner(&bids, index);
        let mut fewer = bids.clone();
        let removed = fewer.remove(place % bids.len());
        if Some(removed.node) != won {
            prop_assert_eq!(winner(&fewer, index), won);
        }
    }

    #[test]
    fn metallb_49_adding_a_node_moves_shards_only_to_that_node(
        bids in bids(), weight in 1..=1000_u16, preference in 0..3_u8,
    ) {
        let added = bid(5000, weight, preference);
        let mut more = bids.clone();
        more.push(added);
        for index in 0..256 {
            let (before, after) = (winner(&bids, index), winner(&more, index));
            prop_assert!(after == before || after == Some(added.node));
        }
    }

    #[test]
    fn a_greater_weight_never_loses_a_shard(
        bids in bids(), index in 0..1024_u16, place in 0..12_usize, more in 1..500_u16,
    ) {
        let place = place % bids.len();
        let won = winner(&bids, index);
        let mut heavier = bids.clone();
        heavier[place].weight += more;
        if won == Some(bids[place].node) {
            prop_assert_eq!(winner(&heavier, index), won);
        }
    }

    #[test]
    fn logarithms_never_fall_and_are_nearly_exact(number in 1..u64::MAX, step in 1..u64::MAX) {
        let exact = (number as f64).log2() * 4_294_967_296.0;
        prop_assert!((log2(number) as f64 - exact).abs() < 20_000.0);
        prop_assert!(log2(number) <= log2(number.saturating_add(step)));
    }
}

#[test]
fn metallb_51_preference_comes_before_weight_and_equals_are_spread() {
    let preferred = [bid(1, 1, 1), bid(2, 1000, 0)];
    assert!((0..256).all(|index| winner(&preferred, index) == Some(preferred[0].node)));
    let equal = [bid(1, 100, 1), bid(2, 100, 1)];
    let first = (0..256)
        .filter(|index| winner(&equal, *index) == Some(equal[0].node))
        .count();
    assert!((90..166).contains(&first), "{first} of 256");
}

#[test]
fn metallb_51_an_excluded_node_makes_no_bid_whatever_its_preference() {
    assert_eq!(Bid::new(NodeKey(1), Standing::Excluded, false), None);
}

#[test]
fn metallb_51_shards_are_shared_in_proportion_to_the_weights() {
    // As 100 (edge) + 60 (zone) beats 100 alone: most shards go there, but not all.
    let bids = [bid(1, 160, 0), bid(2, 100, 0), bid(3, 100, 0)];
    let mut won = [0_u32; 3];
    for index in 0..10_000 {
        let first = winner(&bids, index);
        won[bids.iter().position(|bid| Some(bid.node) == first).unwrap()] += 1;
    }
    // 160/360 and 100/360 of 10,000; six standard deviations are 300.
    assert!((4144..4744).contains(&won[0]), "{won:?}");
    assert!((2478..3078).contains(&won[1]), "{won:?}");
}

#[test]
fn a_draining_node_comes_last_whatever_its_preference() {
    let draining = Bid {
        is_draining: true,
        ..bid(1, 1000, 9)
    };
    let bids = [draining, bid(2, 1, 0)];
    assert!((0..64).all(|index| winner(&bids, index) == Some(bids[1].node)));
}

#[test]
fn ranks_are_the_same_for_ever() {
    // Nodes of another release must agree with these.
    let bids: Vec<Bid> = (0..5).map(|number| bid(number, 100, 0)).collect();
    let first = |index| {
        bids.iter()
            .position(|bid| Some(bid.node) == winner(&bids, index))
            .unwrap()
    };
    let won: Vec<usize> = (0..16).map(first).collect();
    assert_eq!(won, WON);
    assert_eq!(log2(1), 0);
    assert_eq!(log2(1 << 63), 63 << 32);
    assert_eq!(log2(3), 0x1_95c0_1a39);
}

const WON: [usize; 16] = [1, 0, 2, 3, 1, 0, 3, 0, 3, 2, 2, 4, 1, 2, 2, 4];

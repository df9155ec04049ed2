//! Tests of group membership.

use super::{Groups, Joined, Left};
use std::net::Ipv6Addr;

fn group(low: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, low)
}

#[test]
fn a_group_is_joined_with_its_first_address_and_left_with_its_last() {
    let mut groups = Groups::new(9);
    assert_eq!(groups.join(group(1), 0), Joined::New { first: true });
    assert_eq!(groups.join(group(1), 1), Joined::Shared);
    assert_eq!(groups.leave(group(1), 0), Left::StillNeeded);
    assert_eq!(groups.leave(group(1), 1), Left::Empty { last: true });
}

#[test]
fn the_first_and_the_last_group_of_all_are_told_apart() {
    let mut groups = Groups::new(9);
    groups.join(group(1), 0);
    assert_eq!(groups.join(group(2), 1), Joined::New { first: false });
    assert_eq!(groups.leave(group(1), 0), Left::Empty { last: false });
}

#[test]
fn whoever_waits_longest_is_admitted_first_with_all_that_share_its_group() {
    let mut groups = Groups::new(1);
    groups.join(group(1), 0);
    assert_eq!(groups.join(group(3), 1), Joined::Exhausted);
    assert_eq!(groups.join(group(2), 2), Joined::Exhausted);
    assert_eq!(groups.join(group(3), 3), Joined::Exhausted);
    assert!(groups.admit().is_empty());
    groups.leave(group(1), 0);
    assert_eq!(groups.admit(), [1, 3]);
}

#[test]
fn whoever_gives_up_waiting_is_forgotten() {
    let mut groups = Groups::new(1);
    groups.join(group(1), 0);
    groups.join(group(2), 1);
    groups.join(group(3), 2);
    assert_eq!(groups.leave(group(2), 1), Left::NeverJoined);
    groups.leave(group(1), 0);
    assert_eq!(groups.admit(), [2]);
    assert!(groups.admit().is_empty());
    assert_eq!(groups.leave(group(7), 7), Left::NeverJoined);
}

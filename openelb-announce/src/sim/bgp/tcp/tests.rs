//! Tests of the pipes.

use super::{Arrival, Connection, Side};
use crate::time::Time;
use std::time::Duration;

fn at(millis: u64) -> Time {
    Time::ZERO + Duration::from_millis(millis)
}

fn connection(window: usize) -> Connection {
    Connection::new(Duration::from_millis(5), window)
}

fn octets(octets: &[u8]) -> Arrival {
    Arrival::Octets(octets.to_vec())
}

#[test]
fn octets_arrive_in_order_after_the_delay_and_in_pieces_as_large_as_asked_for() {
    let mut connection = connection(100);
    assert_eq!(connection.send(Side::Dialler, vec![1, 2, 3], at(0)), at(5));
    connection.send(Side::Dialler, vec![4], at(1));
    assert_eq!(connection.read(Side::Listener, 9, at(4)), None);
    assert_eq!(
        connection.read(Side::Listener, 2, at(5)),
        Some(octets(&[1, 2]))
    );
    assert_eq!(
        connection.read(Side::Listener, 2, at(5)),
        Some(octets(&[3]))
    );
    assert_eq!(connection.read(Side::Listener, 2, at(5)), None);
    assert_eq!(
        connection.read(Side::Listener, 2, at(6)),
        Some(octets(&[4]))
    );
    assert_eq!(connection.read(Side::Dialler, 2, at(6)), None);
}

#[test]
fn the_window_is_full_until_the_other_end_reads() {
    let mut connection = connection(3);
    assert_eq!(connection.room(Side::Listener), 3);
    connection.send(Side::Listener, vec![1, 2], at(0));
    assert_eq!(connection.room(Side::Listener), 1);
    assert_eq!(connection.room(Side::Dialler), 3);
    connection.read(Side::Dialler, 1, at(5));
    assert_eq!(connection.room(Side::Listener), 2);
}

#[test]
fn an_end_comes_after_what_was_sent_before_and_leaves_no_room() {
    let mut connection = connection(100);
    connection.send(Side::Dialler, vec![1], at(0));
    connection.close(Side::Dialler, "closed", at(0));
    assert_eq!(connection.room(Side::Dialler), 0);
    assert_eq!(
        connection.read(Side::Listener, 9, at(5)),
        Some(octets(&[1]))
    );
    assert_eq!(
        connection.read(Side::Listener, 9, at(5)),
        Some(Arrival::End("closed"))
    );
}

#[test]
fn a_reset_loses_what_is_under_way_and_both_ends_notice() {
    let mut connection = connection(100);
    connection.send(Side::Dialler, vec![1], at(0));
    connection.reset(at(1));
    for side in [Side::Dialler, Side::Listener] {
        assert!(matches!(
            connection.read(side, 9, at(6)),
            Some(Arrival::End(_))
        ));
        assert_eq!(connection.room(side), 0);
    }
}

#[test]
fn through_a_cut_cable_nothing_comes_not_even_an_end() {
    let mut connection = connection(100);
    connection.cut();
    connection.send(Side::Dialler, vec![1], at(0));
    connection.close(Side::Dialler, "closed", at(0));
    assert_eq!(connection.read(Side::Listener, 9, at(60)), None);
}

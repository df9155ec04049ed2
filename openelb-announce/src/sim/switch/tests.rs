//! Tests of the switch.

use super::{Switch, SwitchOptions};
use crate::time::Time;
use crate::wire::Mac;
use crate::wire::ip::solicited_node;
use std::net::Ipv6Addr;
use std::time::Duration;

const A: Mac = Mac::new([2, 0, 0, 0, 0, 1]);
const B: Mac = Mac::new([2, 0, 0, 0, 0, 2]);

fn frame(destination: Mac, source: Mac) -> Vec<u8> {
    [&destination.octets()[..], &source.octets(), &[0x88, 0xb5]].concat()
}

fn switch(options: SwitchOptions) -> Switch {
    let mut switch = Switch::new(options);
    (0..3).for_each(|port| assert_eq!(switch.plug(), port));
    switch
}

#[test]
fn an_unknown_station_is_sought_at_every_other_port_and_a_known_one_at_its_own() {
    let mut switch = switch(SwitchOptions::default());
    assert_eq!(switch.forward(0, &frame(B, A), Time::ZERO), [1, 2]);
    assert_eq!(switch.forward(2, &frame(A, B), Time::ZERO), [0]);
    assert_eq!(switch.forward(0, &frame(B, A), Time::ZERO), [2]);
}

#[test]
fn a_station_that_moved_is_found_at_its_new_port() {
    let mut switch = switch(SwitchOptions::default());
    switch.forward(0, &frame(Mac::BROADCAST, A), Time::ZERO);
    switch.forward(1, &frame(Mac::BROADCAST, A), Time::ZERO);
    assert_eq!(switch.forward(2, &frame(A, B), Time::ZERO), [1]);
}

#[test]
fn a_silent_station_is_forgotten() {
    let mut switch = switch(SwitchOptions::default());
    switch.forward(0, &frame(Mac::BROADCAST, A), Time::ZERO);
    let later = Time::ZERO + Duration::from_secs(301);
    assert_eq!(switch.forward(2, &frame(A, B), later), [0, 1]);
}

#[test]
fn a_snooping_switch_spares_those_that_did_not_join() {
    let group = solicited_node("2001:db8::2".parse().unwrap());
    let solicitation = frame(Mac::of_group(group), A);
    let mut snooping = switch(SwitchOptions::default());
    assert!(snooping.forward(0, &solicitation, Time::ZERO).is_empty());
    snooping.join(1, group);
    assert_eq!(snooping.forward(0, &solicitation, Time::ZERO), [1]);
    snooping.leave(1, group);
    assert!(snooping.forward(0, &solicitation, Time::ZERO).is_empty());
    let all_nodes: Ipv6Addr = "ff02::1".parse().unwrap();
    let announcement = frame(Mac::of_group(all_nodes), A);
    assert_eq!(snooping.forward(0, &announcement, Time::ZERO), [1, 2]);
    let mut plain = switch(SwitchOptions {
        snooping: false,
        ..SwitchOptions::default()
    });
    assert_eq!(plain.forward(0, &solicitation, Time::ZERO), [1, 2]);
}
